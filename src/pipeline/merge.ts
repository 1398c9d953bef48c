// Several shards as one ordered source: by the log's arrival stamp, with a bound for idle shards.
import type { Lag, Lull, ProgressLookup, Source, SourceRecord } from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import type { ShardReader } from '../core/shards.ts';
import { Channel } from './channel.ts';

/** How shards are merged. Times are milliseconds; `clock` and `wait` are handed in. */
export interface MergeOptions {
  /** An idle shard holds the others back for so long at most. */
  readonly idleMs: number;
  /** How far the log's clock and ours may differ. */
  readonly skewMs: number;
  readonly clock: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of shards that were passed over: a record of theirs may come out of stamp order. */
  readonly onPassed?: (shards: readonly string[]) => void;
}

/** What is merged: readers as they are opened at a progress, and who is told of commits. */
export interface Merged {
  readonly name: string;
  open(progress: ProgressLookup): Promise<readonly ShardReader[]>;
  acknowledge(progress: readonly Progress[]): Promise<void>;
}

/**
 * Takes shards; gives them as one source. A record's turn comes when no shard can still bring one with
 * a smaller arrival stamp; equal stamps go by shard, and a shard's own order is never changed. A shard
 * that answered it has nothing is waited for until its answer is younger than the stamp by the skew of
 * the clocks, and no longer than the idle bound; then it is passed over, and the stamp up to which the
 * lane had come is noted with the positions (`turn`): what the shard brings later takes its turn from
 * there. A shard that gives no answer is never passed over: it may hold a backlog, and running ahead of
 * that would make its events late. A child waits until its parents are at their end. A record that was
 * begun before a restart goes first. A lull comes when every shard has answered that it has nothing.
 */
export function mergedSource(merged: Merged, options: MergeOptions): Source {
  return new MergedSource(merged, options);
}

class MergedSource implements Source {
  readonly name: string;
  readonly #merged: Merged;
  readonly #options: MergeOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #ended = new Set<string>();
  #given = 0;

  constructor(merged: Merged, options: MergeOptions) {
    this.name = merged.name;
    this.#merged = merged;
    this.#options = options;
  }

  async *read(progress: ProgressLookup, stop: AbortSignal): AsyncIterable<SourceRecord | Lull> {
    const begun = new Set<string>();
    const turns = new Map<string, number>();
    const noting: ProgressLookup = async (shards) => {
      const found = await progress(shards);
      for (const [shard, one] of found) {
        if (one.done === undefined) begun.add(shard);
        if (one.turn !== undefined) turns.set(shard, one.turn);
      }
      return found;
    };
    const readers = await this.#merged.open(noting);
    for (const reader of readers) this.#add(reader, turns.get(reader.shard));
    try {
      yield* new Turns(this.#channels, this.#ended, this.#options, (reader) =>
        this.#add(reader, undefined),
      ).records(begun, stop, () => this.#given++);
    } finally {
      await Promise.all([...this.#channels.values()].map((one) => one.close()));
      this.#channels.clear();
    }
  }

  acknowledge(progress: readonly Progress[]): Promise<void> {
    return this.#merged.acknowledge(progress);
  }

  progress() {
    return { done: this.#given, total: 0, unit: 'records' as const };
  }

  lag(): ReadonlyMap<string, Lag> {
    return new Map([...this.#channels].map(([shard, one]) => [shard, one.reader.lag()]));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels.values()].map((one) => one.close()));
  }

  #add(reader: ShardReader, turn: number | undefined): void {
    if (this.#channels.has(reader.shard) || this.#ended.has(reader.shard)) return;
    this.#channels.set(reader.shard, new Channel(reader, turn, this.#options.clock));
  }
}

/** Decides whose turn it is. */
class Turns {
  readonly #channels: Map<string, Channel>;
  readonly #ended: Set<string>;
  readonly #options: MergeOptions;
  readonly #add: (reader: ShardReader) => void;
  #blockedSince: number | undefined;
  #hasGiven = false;
  #wake: () => void = () => {};

  constructor(
    channels: Map<string, Channel>,
    ended: Set<string>,
    options: MergeOptions,
    add: (reader: ShardReader) => void,
  ) {
    this.#channels = channels;
    this.#ended = ended;
    this.#options = options;
    this.#add = add;
  }

  async *records(
    begun: ReadonlySet<string>,
    stop: AbortSignal,
    onGiven: () => void,
  ): AsyncGenerator<SourceRecord | Lull> {
    let first = [...begun].find((shard) => this.#channels.has(shard));
    let lane = Math.max(-Infinity, ...[...this.#channels.values()].map((one) => one.turn));
    while (!stop.aborted) {
      const active = this.#pull(stop);
      if (active.length === 0) return;
      const next = first === undefined ? this.#next(active) : this.#begun(first);
      if (next === undefined) {
        const lull = this.#lull(active);
        if (lull !== undefined) yield lull;
        if (!stop.aborted) await this.#changed(active, stop);
        continue;
      }
      first = undefined;
      this.#blockedSince = undefined;
      for (;;) {
        lane = Math.max(lane, next.turn);
        const record = next.take(lane);
        onGiven();
        this.#hasGiven = true;
        yield record;
        if (record.isLast) break;
        // The parts of one record follow one another.
        while (next.head === undefined && !next.isDrained) {
          if (stop.aborted) return;
          this.#pull(stop);
          await this.#changed([next], stop);
        }
        if (next.head === undefined) break;
      }
    }
  }

  /** Asks whoever has nothing left; gives the channels that may be read now. */
  #pull(stop: AbortSignal): Channel[] {
    for (;;) {
      let isChanged = false;
      for (const [shard, one] of this.#channels) {
        for (const child of one.takeChildren()) {
          this.#add(child);
          isChanged = true;
        }
        if (!one.isDrained) continue;
        this.#ended.add(shard);
        this.#channels.delete(shard);
        void one.close();
        isChanged = true;
      }
      if (!isChanged) break;
    }
    const active = [...this.#channels.values()].filter((one) =>
      one.reader.after.every((parent) => !this.#channels.has(parent)),
    );
    for (const one of active) one.pull(stop, () => this.#wake());
    return active;
  }

  #begun(shard: string): Channel | undefined {
    const one = this.#channels.get(shard);
    if (one === undefined) return undefined;
    return one.head === undefined ? undefined : one;
  }

  #next(active: readonly Channel[]): Channel | undefined {
    let best: Channel | undefined;
    for (const one of active) {
      if (one.head === undefined) continue;
      if (best === undefined || one.turn < best.turn) best = one;
      else if (one.turn === best.turn && one.reader.shard < best.reader.shard) best = one;
    }
    if (best === undefined) return undefined;
    const { turn } = best;
    const holding = active.filter((one) => one.head === undefined && !this.#hasPassed(one, turn));
    if (holding.length === 0) return best;
    const now = this.#options.clock();
    this.#blockedSince ??= now;
    // Asked since the others began to wait: an older answer says nothing of a shard that is mute now.
    const since = this.#blockedSince;
    const isIdle = holding.every((one) => one.emptyAt !== undefined && one.emptyAt >= since);
    if (!isIdle || now - since < this.#options.idleMs) return undefined;
    this.#options.onPassed?.(holding.map((one) => one.reader.shard));
    return best;
  }

  /** True when the shard has said, late enough, that it holds nothing up to this stamp. */
  #hasPassed(one: Channel, turn: number): boolean {
    return one.emptyAt !== undefined && one.emptyAt - this.#options.skewMs >= turn;
  }

  #lull(active: readonly Channel[]): Lull | undefined {
    const isQuiet = active.every((one) => one.isEmpty);
    if (isQuiet) {
      this.#hasGiven = false;
      return { isLull: true };
    }
    if (!this.#hasGiven) return undefined;
    this.#hasGiven = false;
    return { isLull: true, isWaiting: true };
  }

  /** Until a channel has news, or the idle bound may have passed. Throws what a reader threw. */
  async #changed(active: readonly Channel[], stop: AbortSignal): Promise<void> {
    const { idleMs, clock, wait } = this.#options;
    const ended = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (active.some((one) => one.hasNews())) return throwFailures(active);
    const onStop = () => this.#wake();
    stop.addEventListener('abort', onStop, { once: true });
    const blocked = this.#blockedSince;
    const left = blocked === undefined ? 0 : blocked + idleMs - clock();
    try {
      // Beyond the bound only an answer can change anything.
      await (left <= 0 ? woken : Promise.race([woken, wait(left, ended.signal)]));
    } finally {
      stop.removeEventListener('abort', onStop);
      ended.abort();
    }
    throwFailures(active);
  }
}

function throwFailures(channels: readonly Channel[]): void {
  for (const one of channels) one.throwFailure();
}
