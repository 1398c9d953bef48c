// The real pipeline in a storm: it may crash at any await, tear a write, or find a sink failing; then it
// is made again from what the store holds, until the input is done.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectors } from '../../detectors/index.ts';
import { type Config, configSchema } from '../../schemas/config.ts';
import { SentrailError } from '../../src/core/errors.ts';
import type { Counters, Delivery, Sink, Source, Store } from '../../src/core/ports.ts';
import { createDecoder } from '../../src/decode/decoder.ts';
import { makeCatalogue } from '../../src/engine/catalogue.ts';
import { balance } from '../../src/engine/counters.ts';
import { Lane } from '../../src/engine/lane.ts';
import { Outbox } from '../../src/pipeline/outbox.ts';
import { run } from '../../src/pipeline/run.ts';
import { fileSink } from '../../src/sinks/file.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { openSqlite } from '../../src/stores/sqlite.ts';
import type { Chance } from './chance.ts';
import type { Arrival } from './world.ts';

/** The process ended here, as far as the pipeline can tell. */
export class Crash extends Error {}

/** What a run left behind. */
export interface Outcome {
  /** Every alert as stored, one line of JSON each. */
  readonly alerts: readonly string[];
  readonly file: string;
  /** `id:revision` of everything the keyed receiver took, in order. */
  readonly received: readonly string[];
  readonly counters: Readonly<Counters>;
  readonly crashes: number;
}

/** How rough it is: chance for crashes, or undefined for a calm run. */
export interface Weather {
  readonly chance: Chance | undefined;
  readonly isSqlite: boolean;
  readonly batchEventsMax: number;
}

/** Takes what arrives and the weather; runs to the end and gives what is left behind. */
export async function survive(arrivals: readonly Arrival[], weather: Weather): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'sentrail-storm-'));
  const base = configSchema.parse({ exceptions: [] });
  const config = { ...base, limits: { ...base.limits, batchEventsMax: weather.batchEventsMax } };
  const path = join(folder, 'alerts.ndjson');
  const received: string[] = [];
  const memory = memoryStore();
  const open = () =>
    weather.isSqlite
      ? openSqlite({
          path: join(folder, 's.sqlite'),
          retentionMs: 1e15,
          clock: () => 0,
          isWriter: true,
        })
      : memory;
  let crashes = 0;
  try {
    for (;;) {
      const store = open();
      try {
        // Later tries are calmer, so that every run ends.
        const chance = crashes < 12 ? weather.chance : undefined;
        const counters = await attempt(
          arrivals,
          config,
          shaken(store, chance),
          path,
          received,
          chance,
        );
        const alerts: string[] = [];
        for await (const alert of store.listAlerts({})) alerts.push(JSON.stringify(alert));
        return { alerts, file: readFileSync(path, 'utf8'), received, counters, crashes };
      } catch (error) {
        const isCrash = error instanceof Crash || (error as Error).cause instanceof Crash;
        if (!isCrash) throw error;
        crashes++;
      } finally {
        await store.close();
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function attempt(
  arrivals: readonly Arrival[],
  config: Config,
  store: Store,
  path: string,
  received: string[],
  chance: Chance | undefined,
): Promise<Readonly<Counters>> {
  const { version, checkpoint } = await store.claim('main');
  const lane = new Lane({ catalogue: makeCatalogue(detectors, config), config, checkpoint });
  const sinks = [tearing(fileSink('file', path), path, chance), keyed(received, chance)];
  const retry = { waitsMs: [0, 0, 0, 0, 0, 0], wait: async () => {} };
  const outbox = new Outbox({ lane: 'main', store, sinks, retry });
  await run({
    laneName: 'main',
    version,
    clock: () => 0,
    fingerprint: 'storm',
    config,
    lane,
    source: shards(arrivals, chance),
    decoder: createDecoder(config.limits),
    store,
    outbox,
    stop: new AbortController().signal,
    onCommit: ({ counters }) => {
      if (balance(counters) !== 0) throw new Error('the accounting identity is broken at a commit');
    },
  });
  for (const sink of sinks) await sink.close();
  return lane.counters;
}

const crashShare = 0.03;
/** A list is drawn alert by alert, and closing comes after the crash: every other call may be the last. */
const spared = new Set(['listAlerts', 'close']);

/** A store whose every call may be the last: the crash comes before it took effect, or after. */
export function shaken(store: Store, chance: Chance | undefined): Store {
  if (chance === undefined) return store;
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const method = value.bind(target) as (...given: unknown[]) => unknown;
      if (spared.has(String(name))) return method;
      return async (...given: unknown[]) => {
        if (chance.happens(crashShare)) throw new Crash('before');
        const result = await method(...given);
        if (chance.happens(crashShare)) throw new Crash('after');
        return result;
      };
    },
  });
}

/** The real file sink, but a crash may leave part of a line, or the whole of it unnoted. */
function tearing(sink: Sink, path: string, chance: Chance | undefined): Sink {
  if (chance === undefined) return sink;
  return {
    name: sink.name,
    promise: sink.promise,
    reconcile: (memo) => sink.reconcile(memo),
    async send(deliveries: readonly Delivery[]) {
      if (chance.happens(crashShare)) {
        const text = deliveries.map((one) => `${one.body}\n`).join('');
        appendFileSync(path, text.slice(0, chance.below(text.length)));
        throw new Crash('torn');
      }
      if (chance.happens(0.05)) throw new SentrailError('sink', 'busy', { isRetryable: true });
      const memo = await sink.send(deliveries);
      if (chance.happens(crashShare)) throw new Crash('sent, not noted');
      return memo;
    },
    close: () => sink.close(),
  };
}

/** A receiver that honours a key: it takes each id and revision once. */
function keyed(received: string[], chance: Chance | undefined): Sink {
  return {
    name: 'keyed',
    promise: 'upsert',
    reconcile: async () => '',
    async send(deliveries) {
      if (chance?.happens(0.05)) throw new SentrailError('sink', 'busy', { isRetryable: true });
      for (const one of deliveries) {
        const key = `${one.alertId}:${one.revision}`;
        if (!received.includes(key)) received.push(key);
      }
      if (chance?.happens(crashShare)) throw new Crash('taken, not noted');
      return '';
    },
    close: async () => {},
  };
}

/** Arrivals as shards of a lane: a file for each delivery minute, in parts, as a trail is read. */
function shards(arrivals: readonly Arrival[], chance: Chance | undefined): Source {
  const minutes = new Map<number, string[]>();
  for (const { arrival, text } of arrivals) {
    minutes.set(arrival, [...(minutes.get(arrival) ?? []), text]);
  }
  const files = [...minutes].map(([arrival, lines]) => ({
    shard: `file-${arrival}`,
    arrival,
    bytes: Buffer.from(lines.map((one) => `${one}\n`).join('')),
  }));
  return {
    name: 'world',
    async *read(progress) {
      const known = await progress(files.map((one) => one.shard));
      for (const { shard, arrival, bytes } of files) {
        if (known.get(shard)?.done !== undefined) continue;
        const middle = Math.floor(bytes.length / 2);
        const place = { shard, sequence: '0', arrival };
        yield { ...place, bytes: bytes.subarray(0, middle), isFirst: true, isLast: false };
        if (chance?.happens(crashShare)) throw new Crash('while reading');
        yield {
          ...place,
          bytes: bytes.subarray(middle),
          isFirst: false,
          isLast: true,
          done: 'all',
        };
      }
    },
    acknowledge: async () => {},
    lag: () => new Map(),
    progress: () => ({ done: 0, total: 0, unit: 'bytes' }),
    close: async () => {},
  };
}
