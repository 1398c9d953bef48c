// Workers in a storm: they crash at any await, lose their shards and learn it late, and are started again.
import { detectors } from '../../detectors/index.ts';
import { configSchema } from '../../schemas/config.ts';
import { SentrailError } from '../../src/core/errors.ts';
import type { Counters, Sink, Store } from '../../src/core/ports.ts';
import { createDecoder } from '../../src/decode/decoder.ts';
import { makeCatalogue } from '../../src/engine/catalogue.ts';
import { balance, emptyCounters } from '../../src/engine/counters.ts';
import { Lane } from '../../src/engine/lane.ts';
import { Outbox } from '../../src/pipeline/outbox.ts';
import { work } from '../../src/pipeline/work.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import type { MemoryShard } from '../support/shards.ts';
import type { Chance } from './chance.ts';
import { Group } from './group.ts';
import { Crash, shaken } from './storm.ts';

/** What the workers left behind. */
export interface LeftBehind {
  readonly alerts: readonly string[];
  /** `id:revision` of everything that a receiver who honours keys took, in order of each alert. */
  readonly received: readonly string[];
  /** Deliveries of a key the receiver had already: allowed to senders, invisible behind the key. */
  readonly counters: readonly Counters[];
  readonly crashes: number;
  readonly lost: number;
  readonly moves: number;
}

/** How it is: chance for storms, or undefined for a calm run. */
export interface WorkersOptions {
  readonly shards: readonly MemoryShard[];
  readonly isKeyed: boolean;
  readonly workers: number;
  readonly chance: Chance | undefined;
}

/** Runs workers until the input is judged to its end; gives what is left behind. */
export async function workThrough(options: WorkersOptions): Promise<LeftBehind> {
  const { shards, isKeyed, workers, chance } = options;
  const store = memoryStore();
  const received = new Set<string>();
  const seen = { crashes: 0, lost: 0 };
  const laneOf = (shard: string) => (isKeyed ? shard : 'main');
  const onNext = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (chance?.happens(0.04)) await group.move();
    if (chance?.happens(0.01) && seen.crashes < 30) throw new Crash('while reading');
  };
  const base = { shards, isKeyed, workers, store, laneOf, chance, movesMax: 25 };
  const group: Group = new Group({ ...base, onNext });
  const one = async (worker: number) => {
    for (;;) {
      const shaking = seen.crashes < 30 ? shaken(store, chance) : store;
      try {
        await work(workParts({ options, group, worker, store: shaking, received, seen }));
        if (await group.isDone()) return;
      } catch (error) {
        const isCrash = error instanceof Crash || (error as Error).cause instanceof Crash;
        if (!isCrash) throw error;
        seen.crashes++;
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => one(worker)));
  const alerts: string[] = [];
  for await (const alert of store.listAlerts({})) alerts.push(JSON.stringify(alert));
  const lanes = isKeyed ? shards.map((shard) => shard.name) : ['main'];
  const counters: Counters[] = [];
  for (const lane of lanes) counters.push((await store.load(lane))?.counters ?? emptyCounters());
  return { alerts, received: [...received].sort(), counters, ...seen, moves: group.moves };
}

interface WorkerOf {
  readonly options: WorkersOptions;
  readonly group: Group;
  readonly worker: number;
  readonly store: Store;
  readonly received: Set<string>;
  readonly seen: { lost: number };
}

function workParts(of: WorkerOf): Parameters<typeof work>[0] {
  const { options, group, worker, store, received, seen } = of;
  const config = configSchema.parse({});
  const batchEventsMax = options.chance === undefined ? 25 : 1 + options.chance.below(12);
  const tuned = { ...config, limits: { ...config.limits, batchEventsMax } };
  const wait = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    sources: [group.source(worker)],
    store,
    mainLane: 'main',
    stop: new AbortController().signal,
    merge: { idleMs: 5_000, skewMs: 2_000, clock: () => 0, wait },
    onLane: (_lane, state) => {
      if (state === 'lost') seen.lost++;
    },
    laneRun: (name, { checkpoint }) => {
      const retry = { waitsMs: [0, 0, 0, 0, 0, 0], wait };
      const sinks = [receiver(received, options.chance)];
      return {
        fingerprint: 'workers',
        config: tuned,
        lane: new Lane({ catalogue: makeCatalogue(detectors, config), config: tuned, checkpoint }),
        decoder: createDecoder(config.limits),
        outbox: new Outbox({ lane: name, store, sinks, retry }),
        clock: () => 0,
        onCommit: ({ counters }) => {
          if (balance(counters) !== 0) throw new Error('the accounting identity is broken');
        },
        close: async () => {},
      };
    },
  };
}

/** A receiver that honours a key: it keeps each id and revision once. */
function receiver(received: Set<string>, chance: Chance | undefined): Sink {
  return {
    name: 'keyed',
    promise: 'upsert',
    reconcile: async () => '',
    async send(deliveries) {
      if (chance?.happens(0.05)) throw new SentrailError('sink', 'busy', { isRetryable: true });
      for (const { alertId, revision } of deliveries) received.add(`${alertId}:${revision}`);
      if (chance?.happens(0.02)) throw new Crash('taken, not noted');
      return '';
    },
    close: async () => {},
  };
}
