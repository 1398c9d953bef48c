// Dead letters read once more into the lane they fell out of, once what made them fall is mended.
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { detectors } from '../detectors/index.ts';
import type { Config } from '../schemas/config.ts';
import { SentrailError } from './core/errors.ts';
import type { Store, StoredDeadLetter } from './core/ports.ts';
import { createDecoder } from './decode/decoder.ts';
import { makeCatalogue } from './engine/catalogue.ts';
import { emptyCounters, rejectedTotal } from './engine/counters.ts';
import { Lane } from './engine/lane.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Outbox } from './pipeline/outbox.ts';
import { run } from './pipeline/run.ts';
import { deadLettersSource } from './sources/dead-letters.ts';
import { sinksOf, sinkWaitsMs, waitFor } from './wiring.ts';

/** What became of letters: how many items they held, and how many of those were rejected again. */
export interface Reread {
  readonly letters: number;
  readonly items: number;
  readonly rejected: number;
  readonly alerts: number;
}

/** What is needed to read letters again. `isDelivering` sends alerts to the sinks of the config. */
export interface RereadOptions {
  readonly store: Store;
  readonly config: Config;
  readonly letters: readonly StoredDeadLetter[];
  readonly isDelivering: boolean;
  readonly stdout: Writable;
  readonly stop: AbortSignal;
}

const pageSize = 200;

/** Takes a store; gives its dead letters in order of their number, page by page. */
export async function* allLetters(store: Store): AsyncGenerator<StoredDeadLetter> {
  let after = 0;
  for (;;) {
    const page = await store.deadLetters(pageSize, after);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.number;
  }
}

/** Takes a store and a number; gives the letter. Throws `SentrailError` (input) where there is none. */
export async function letterOf(store: Store, number: number): Promise<StoredDeadLetter> {
  const [letter] = await store.deadLetters(1, number - 1);
  if (letter?.number === number) return letter;
  const hint = '`sentrail dead-letters list` shows those there are';
  throw new SentrailError('input', `there is no dead letter ${number}; ${hint}`);
}

/**
 * Judges letters again, each in its own lane, and drops them with what became of them committed. A
 * worker on PostgreSQL that holds such a lane is fenced off meanwhile and takes it back; a SQLite store
 * has one writer, so a worker on it is stopped first (`store-busy` otherwise). Letters of which only a part
 * was kept are refused (`SentrailError` input).
 */
export async function reread(options: RereadOptions): Promise<Reread> {
  for (const { number, bytes, size } of options.letters) {
    if (bytes.length >= size) continue;
    const hint = 'read its source again, or raise limits.deadLetterBytesMax before it comes again';
    const message = `of dead letter ${number} only ${bytes.length} of ${size} bytes were kept; ${hint}`;
    throw new SentrailError('input', message);
  }
  const lanes = new Set(options.letters.map((one) => one.lane));
  const sum = { letters: options.letters.length, items: 0, rejected: 0, alerts: 0 };
  for (const lane of [...lanes].sort()) {
    const done = await rereadLane(options, lane);
    sum.items += done.items;
    sum.rejected += done.rejected;
    sum.alerts += done.alerts;
  }
  return sum;
}

async function rereadLane(options: RereadOptions, name: string): Promise<Omit<Reread, 'letters'>> {
  const { store, config, isDelivering, stdout, stop } = options;
  const letters = options.letters.filter((one) => one.lane === name);
  const { version, checkpoint } = await store.claim(name);
  const lane = new Lane({ catalogue: makeCatalogue(detectors, config), config, checkpoint });
  const before = structuredClone(checkpoint?.counters ?? emptyCounters());
  const sinks = isDelivering ? sinksOf(config.sinks, stdout, name) : [];
  const source = deadLettersSource(letters, store);
  const result = await run({
    laneName: name,
    version,
    fingerprint: fingerprintOf(config, { detectors: null, from: null, to: null }),
    config,
    lane,
    source,
    decoder: createDecoder(config.limits),
    store,
    outbox: new Outbox({
      lane: name,
      store,
      sinks,
      retry: { waitsMs: sinkWaitsMs, wait: waitFor },
    }),
    stop,
    clock: Date.now,
    breathe: () => nextTurn(),
  });
  for (const sink of sinks) await sink.close();
  return {
    items: lane.counters.items - before.items,
    rejected: rejectedTotal(lane.counters) - rejectedTotal(before),
    alerts: result.revised.size,
  };
}
