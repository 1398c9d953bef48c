// Shards merged into one order: by stamp, past idle ones, children behind parents, the same after a restart.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProgressLookup, SourceRecord } from '../../src/core/ports.ts';
import type { Progress } from '../../src/core/position.ts';
import { mergedSource } from '../../src/pipeline/merge.ts';
import { sourceContract } from '../contract/source.ts';
import { type Held, type MemoryShard, openShards, type ShardBehaviour } from '../support/shards.ts';

const idleMs = 5_000;
const skewMs = 2_000;

/** A clock that a wait moves on, so that nothing waits in earnest. */
class TestClock {
  now = 1_000_000;
  readonly read = () => this.now;
  readonly wait = async (ms: number) => {
    await new Promise((resolve) => setImmediate(resolve));
    this.now += ms;
  };
}

function merged(
  shards: readonly MemoryShard[],
  names: readonly string[],
  clock: TestClock,
  more: Partial<ShardBehaviour> & { onPassed?: (shards: readonly string[]) => void } = {},
) {
  const { onPassed, ...behaviour } = more;
  return mergedSource(
    {
      name: 'test',
      open: (progress) => openShards(shards, names, progress, { clock: clock.read, ...behaviour }),
      acknowledge: async () => {},
    },
    {
      idleMs,
      skewMs,
      clock: clock.read,
      wait: clock.wait,
      ...(onPassed === undefined ? {} : { onPassed }),
    },
  );
}

const none: ProgressLookup = async () => new Map();

/** Reads until everything there is was given, or a number of records. */
async function readAll(
  source: ReturnType<typeof merged>,
  progress: ProgressLookup = none,
  most = Number.POSITIVE_INFINITY,
): Promise<SourceRecord[]> {
  const records: SourceRecord[] = [];
  for await (const one of source.read(progress, new AbortController().signal)) {
    if ('isLull' in one) {
      if (one.isWaiting === true) continue;
      break;
    }
    records.push(one);
    if (records.length >= most) break;
  }
  return records;
}

const names = (records: readonly SourceRecord[]) =>
  records.map((one) => `${one.shard}${one.sequence}`).join(' ');
const held = (...arrivals: number[]): Held[] =>
  arrivals.map((arrival, at) => ({ text: `${at}\n`, arrival }));

sourceContract('merged shards', async () => {
  const clock = new TestClock();
  const lines = (n: number) => Array.from({ length: n }, (_, at) => `line ${at}\n`).join('');
  const shards = ['a', 'b', 'c'].map((name, at) => ({
    name,
    held: Array.from({ length: 5 }, (_, n) => ({ text: lines(4), arrival: 100 * n + at })),
  }));
  return { open: () => merged(shards, ['a', 'b', 'c'], clock), close: async () => {} };
});

describe('merged shards', () => {
  it('go by arrival stamp, equal stamps by shard, each shard in its own order', async () => {
    const clock = new TestClock();
    const shards = [
      { name: 'a', held: held(10, 30, 30, 25) },
      { name: 'b', held: held(10, 20, 40) },
    ];
    const records = await readAll(merged(shards, ['b', 'a'], clock));
    // a3 claims an earlier stamp than a2; a shard's order is never changed.
    expect(names(records)).toBe('a0 b0 b1 a1 a2 a3 b2');
    expect(records.map((one) => one.turn)).toEqual([10, 10, 20, 30, 30, 30, 40]);
  });

  it('wait for a shard until its answer is younger than the stamp by the skew', async () => {
    const clock = new TestClock();
    const t = clock.now;
    const shards = [
      { name: 'a', held: [{ text: 'x', arrival: t }] },
      // It arrives before a0 by the log's clock, and can be read a second and a half later.
      { name: 'b', held: [{ text: 'y', arrival: t - 10, available: t + 1_500 }] },
    ];
    const onNext = () => clock.wait(100);
    const passed: string[][] = [];
    const source = merged(shards, ['a', 'b'], clock, {
      onNext,
      onPassed: (one) => passed.push([...one]),
    });
    expect(names(await readAll(source))).toBe('b0 a0');
    expect(passed).toEqual([]);
  });

  it('pass over an idle shard after the bound, and note up to where', async () => {
    const clock = new TestClock();
    const t = clock.now;
    const far = t + 60_000;
    const shards = [
      { name: 'a', held: [{ text: 'x', arrival: far }] },
      { name: 'b', held: [{ text: 'y', arrival: t, available: t + 20_000 }] },
    ];
    const passed: string[][] = [];
    const onNext = (shard: string) => clock.wait(shard === 'b' ? 500 : 1);
    const source = merged(shards, ['a', 'b'], clock, {
      onNext,
      onPassed: (one) => passed.push([...one]),
    });
    const stop = new AbortController();
    const got: SourceRecord[] = [];
    for await (const one of source.read(none, stop.signal)) {
      if (!('isLull' in one)) got.push(one);
      if (got.length === 2) stop.abort();
    }
    expect(names(got)).toBe('a0 b0');
    expect(passed).toEqual([['b']]);
    // What the passed shard brings later takes its turn where the lane was.
    expect(got.map((one) => one.turn)).toEqual([far, far]);
  });

  it('never pass over a shard that gives no answer: it may hold a backlog', async () => {
    const clock = new TestClock();
    let isMute = true;
    const shards = [
      { name: 'a', held: held(10, 11, 12) },
      { name: 'b', held: held(5) },
    ];
    const onNext = async (shard: string) => {
      while (shard === 'b' && isMute) await clock.wait(1_000);
    };
    const passed: string[][] = [];
    const source = merged(shards, ['a', 'b'], clock, {
      onNext,
      onPassed: (one) => passed.push([...one]),
    });
    const reading = readAll(source);
    while (clock.now < 1_000_000 + 20 * idleMs) await clock.wait(1);
    isMute = false;
    expect(names(await reading)).toBe('b0 a0 a1 a2');
    expect(passed).toEqual([]);
  });

  it('never pass over a shard that answered once and gives no answer now', async () => {
    const clock = new TestClock();
    const t = clock.now;
    const shards = [
      { name: 'a', held: [{ text: 'x', arrival: t + 30_000, available: t + 2_000 }] },
      { name: 'b', held: [{ text: 'y', arrival: t + 29_000, available: t + 3_000 }] },
    ];
    let isMute = false;
    const onNext = async (shard: string) => {
      await clock.wait(500);
      if (shard === 'b' && clock.now > t + 1_500) isMute = true;
      while (shard === 'b' && isMute && clock.now < t + 20 * idleMs) await clock.wait(1_000);
    };
    const passed: string[][] = [];
    const source = merged(shards, ['a', 'b'], clock, {
      onNext,
      onPassed: (one) => passed.push([...one]),
    });
    const got: SourceRecord[] = [];
    for await (const one of source.read(none, new AbortController().signal)) {
      if (!('isLull' in one)) got.push(one);
      if (got.length === 2) break;
    }
    expect(names(got)).toBe('b0 a0');
    expect(passed).toEqual([]);
  });

  it('read a child only behind both its parents, in a split and in a merge', async () => {
    const clock = new TestClock();
    const shards: MemoryShard[] = [
      { name: 'p', held: held(10, 50), children: ['q', 'r'] },
      { name: 'q', held: held(20, 60), after: ['p'], children: ['m'] },
      { name: 'r', held: held(30, 90), after: ['p'], children: ['m'] },
      // Its stamps lie, as clocks do: even so it comes last.
      { name: 'm', held: held(1, 2), after: ['q', 'r'] },
      { name: 'z', held: held(15, 70) },
    ];
    const all = await readAll(merged(shards, ['p', 'z'], clock));
    expect(names(all)).toBe('p0 z0 p1 q0 r0 q1 z1 r1 m0 m1');
    // Listed from the start, as a restart would find them, they come in the same order.
    const again = await readAll(merged(shards, ['m', 'q', 'p', 'z', 'r'], clock));
    expect(names(again)).toBe(names(all));
  });

  it('give the record that was begun first after a restart', async () => {
    const clock = new TestClock();
    const shards = [
      { name: 'a', held: held(10) },
      { name: 'b', held: held(20, 30) },
    ];
    const progress = new Map<string, Progress>([
      ['b', { position: { shard: 'b', sequence: '0', item: 1 } }],
    ]);
    const records = await readAll(merged(shards, ['a', 'b'], clock), async () => progress);
    expect(names(records)).toBe('b0 a0 b1');
  });

  it('throw what a reader threw', async () => {
    const clock = new TestClock();
    const onNext = () => Promise.reject(new Error('access denied'));
    const source = merged([{ name: 'a', held: [] }], ['a'], clock, { onNext });
    await expect(readAll(source)).rejects.toThrow('access denied');
  });

  it('give one order however they are cut into batches and restarts', async () => {
    const stamps = fc.array(fc.nat(30), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(stamps, { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (lists, cuts, batchMax) => {
          const clock = new TestClock();
          const shards = lists.map((list, at) => ({
            name: String.fromCharCode(97 + at),
            held: held(...list.map((_, n) => list.slice(0, n + 1).reduce((a, b) => a + b, 0))),
          }));
          const all = shards.map((one) => one.name);
          const whole = await readAll(merged(shards, all, clock));
          const known = new Map<string, Progress>();
          const pieces: SourceRecord[] = [];
          for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
            const source = merged(shards, all, clock, { batchMax });
            for (const one of await readAll(source, async () => new Map(known), cut)) {
              const position = { shard: one.shard, sequence: one.sequence, item: 1 };
              known.set(one.shard, { position, done: '', turn: one.turn ?? 0 });
              pieces.push(one);
            }
          }
          expect(names(pieces)).toBe(names(whole));
        },
      ),
      { numRuns: 100 },
    );
  });
});
