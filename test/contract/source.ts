// What every source must keep: the same order always, exact resumption, a prompt stop.
import { describe, expect, it } from 'vitest';
import type { Lag, Source } from '../../src/core/ports.ts';
import { type Committed, isEnd, itemsOf, recordsOf } from '../support/reading.ts';

/**
 * Input that stays; `open` gives a source as a new process would make it. The input must hold at
 * least three records or parts, and its items are lines that differ.
 */
export interface SourceWorld {
  open(): Source;
  close(): Promise<void>;
}

/** Takes a source's name and a maker of worlds; registers the tests of the contract. */
export function sourceContract(name: string, make: () => Promise<SourceWorld>): void {
  const inWorld = async (test: (world: SourceWorld) => Promise<void>) => {
    const world = await make();
    try {
      await test(world);
    } finally {
      await world.close();
    }
  };
  describe(`${name} keeps the promises of a source`, () => {
    it('gives the same records in the same order on every read', () => inWorld(sameOrder));
    it('goes on exactly behind any position: no gap, nothing twice', () => inWorld(exactResume));
    it('leaves out a record that is done', () => inWorld(doneIsLeftOut));
    it('begins and ends each record once, its parts together', () => inWorld(partsTogether));
    it('gives again what was read and neither committed nor acknowledged', () => inWorld(again));
    it('reports how much was read, and at the end no lag', () => inWorld(reportsLag));
    it('stops within a second when told', () => inWorld(promptStop));
  });
}

async function sameOrder(world: SourceWorld): Promise<void> {
  const first = await itemsOf(world.open(), new Map());
  const second = await itemsOf(world.open(), new Map());
  expect(first.length).toBeGreaterThan(2);
  expect(second).toEqual(first);
}

async function exactResume(world: SourceWorld): Promise<void> {
  const all = await itemsOf(world.open(), new Map());
  const cuts = [1, 2, Math.floor(all.length / 2), all.length - 1, all.length];
  for (const cut of new Set(cuts)) {
    const committed: Committed = new Map();
    const before = await itemsOf(world.open(), committed, cut);
    const after = await itemsOf(world.open(), committed);
    expect([...before, ...after]).toEqual(all);
  }
}

async function doneIsLeftOut(world: SourceWorld): Promise<void> {
  const committed: Committed = new Map();
  await itemsOf(world.open(), committed);
  const again = await recordsOf(world.open(), committed);
  // Standard input without a byte is a record too, but an empty one.
  expect(again.filter((one) => one.bytes.length > 0 || one.broken !== undefined)).toEqual([]);
}

async function again(world: SourceWorld): Promise<void> {
  const all = await itemsOf(world.open(), new Map());
  const left = await itemsOf(world.open(), new Map(), 2);
  expect(left).toEqual(all.slice(0, 2));
  expect(await itemsOf(world.open(), new Map())).toEqual(all);
}

async function reportsLag(world: SourceWorld): Promise<void> {
  const source = world.open();
  const stop = new AbortController();
  const progress: number[] = [];
  let lag = new Map<string, Lag>();
  for await (const record of source.read(async () => new Map(), stop.signal)) {
    progress.push(source.progress().done);
    lag = new Map(source.lag());
    if ('isLull' in record && isEnd(record)) break;
  }
  expect(progress.at(-1)).toBeGreaterThan(0);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  for (const { milliseconds = 0, records = 0 } of lag.values()) {
    expect(milliseconds).toBe(0);
    expect(records).toBe(0);
  }
  await source.close();
}

async function partsTogether(world: SourceWorld): Promise<void> {
  let open: string | undefined;
  const seen = new Set<string>();
  for (const { shard, sequence, isFirst, isLast, done } of await recordsOf(world.open())) {
    const key = `${shard} ${sequence}`;
    expect(isFirst).toBe(open === undefined);
    expect(open ?? key).toBe(key);
    if (isFirst) expect(seen.has(key)).toBe(false);
    if (!isLast) expect(done).toBeUndefined();
    seen.add(key);
    open = isLast ? undefined : key;
  }
  expect(open).toBeUndefined();
}

async function promptStop(world: SourceWorld): Promise<void> {
  const stop = new AbortController();
  const source = world.open();
  const records = source.read(async () => new Map(), stop.signal)[Symbol.asyncIterator]();
  expect((await records.next()).done).not.toBe(true);
  stop.abort();
  const started = performance.now();
  // A lull may already have been on its way.
  for (let given = await records.next(); given.done !== true; given = await records.next()) {
    expect('isLull' in given.value).toBe(true);
  }
  expect(performance.now() - started).toBeLessThan(1_000);
  await source.close();
}
