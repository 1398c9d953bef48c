// A group of workers over shards in memory: shards move at any moment, and who had them learns it late.
import type { ProgressLookup, Store } from '../../src/core/ports.ts';
import type { Assignment, ShardedSource } from '../../src/core/shards.ts';
import { type MemoryShard, openShards } from '../support/shards.ts';
import type { Chance } from './chance.ts';

/** What a group is made of; `laneOf` gives the lane that reads a shard. */
export interface GroupParts {
  readonly shards: readonly MemoryShard[];
  readonly isKeyed: boolean;
  readonly workers: number;
  readonly store: Store;
  readonly laneOf: (shard: string) => string;
  readonly chance: Chance | undefined;
  /** How often shards may move in all, so that every run ends. */
  readonly movesMax: number;
  readonly onNext: (worker: number) => Promise<void>;
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Decides who has which shard, as a broker does. */
export class Group {
  readonly #parts: GroupParts;
  readonly #owners = new Map<string, number>();
  readonly #taken: AbortController[] = [];
  #moves = 0;
  #generation = 0;
  #isDone = false;

  constructor(parts: GroupParts) {
    this.#parts = parts;
    for (const [at, { name }] of parts.shards.entries()) {
      this.#owners.set(name, parts.isKeyed ? at % parts.workers : 0);
    }
  }

  get moves(): number {
    return this.#moves;
  }

  /** Ends all waiting: the input is read to its end. */
  async isDone(): Promise<boolean> {
    if (this.#isDone) return true;
    const { store, shards, laneOf } = this.#parts;
    for (const { name, held } of shards) {
      const at = (await store.progress(laneOf(name), [name])).get(name);
      const last = held.length - 1;
      if (last < 0) continue;
      if (Number(at?.position.sequence ?? -1) < last || at?.done === undefined) return false;
    }
    // Judged is not sent: a worker may have crashed between the two.
    if ((await store.depth()).outbox > 0) return false;
    for await (const alert of store.listAlerts({ isUndelivered: true })) {
      if (alert.delivered > 0 || alert.status !== 'withdrawn') return false;
    }
    this.#isDone = true;
    return true;
  }

  /** Moves a shard (unkeyed: all of them) to another worker. The one who had it learns of it later. */
  async move(): Promise<void> {
    const { chance, workers, shards, isKeyed, movesMax } = this.#parts;
    if (chance === undefined || workers < 2 || this.#moves >= movesMax) return;
    this.#moves++;
    const to = chance.below(workers);
    for (const one of isKeyed ? [chance.one(shards)] : shards) this.#owners.set(one.name, to);
    this.#generation++;
    const old = this.#taken.splice(0);
    // The zombie works on for a while, and may try to commit.
    for (let wait = chance.below(60); wait > 0; wait--) await tick();
    for (const one of old) one.abort();
  }

  /** The log as one worker sees it. */
  source(worker: number): ShardedSource {
    const { shards, isKeyed, onNext } = this.#parts;
    const group = this;
    return {
      name: 'world',
      isKeyed,
      async *assignments(signal) {
        let generation = -1;
        while (!signal.aborted) {
          if (await group.isDone()) return;
          const mine = [...group.#owners].filter(([, one]) => one === worker).map(([name]) => name);
          if (generation === group.#generation || mine.length === 0) {
            await tick();
            continue;
          }
          generation = group.#generation;
          const taken = new AbortController();
          group.#taken.push(taken);
          const assignment: Assignment = {
            shards: mine,
            taken: taken.signal,
            open: (progress: ProgressLookup, names = mine) =>
              openShards(shards, names, progress, { clock: () => 0, onNext: () => onNext(worker) }),
            release: async () => {},
          };
          yield assignment;
        }
      },
      acknowledge: async () => {},
      close: async () => {},
    };
  }
}
