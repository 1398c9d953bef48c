// One shard as the merge sees it: what was read and not yet given, and what the shard last said.
import type { Lull, Source, SourceRecord } from '../core/ports.ts';
import type { ShardBatch, ShardReader } from '../core/shards.ts';

/** A reader with its queue. `turn` is the stamp at which its head may go. */
export class Channel {
  readonly reader: ShardReader;
  /** The stamp reached, or that of the head where that is later. */
  turn: number;
  /** When it was asked the last time it had nothing; undefined while it may hold more. */
  emptyAt: number | undefined;
  readonly #clock: () => number;
  #queue: readonly SourceRecord[] = [];
  #at = 0;
  #isEnded = false;
  #children: readonly ShardReader[] = [];
  #pending: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isEmptyAnswer = false;
  #hasNews = false;
  #closing: Promise<void> | undefined;

  constructor(reader: ShardReader, turn: number | undefined, clock: () => number) {
    this.reader = reader;
    this.turn = turn ?? Number.NEGATIVE_INFINITY;
    this.#clock = clock;
  }

  get head(): SourceRecord | undefined {
    return this.#queue[this.#at];
  }

  /** True when everything was given and nothing will come. */
  get isDrained(): boolean {
    return this.#isEnded && this.head === undefined;
  }

  /** Asks the reader where the queue is empty and it was not asked yet; `wake` is called when it answered. */
  pull(stop: AbortSignal, wake: () => void): void {
    if (this.head !== undefined || this.#pending !== undefined || this.#isEnded) return;
    if (this.#failure !== undefined || this.#closing !== undefined) return;
    const askedAt = this.#clock();
    this.#pending = this.reader
      .next(stop)
      .then(
        (batch) => this.#took(batch, askedAt),
        (error: unknown) => {
          this.#failure = { error };
        },
      )
      .finally(() => {
        this.#pending = undefined;
        this.#hasNews = true;
        wake();
      });
  }

  /** Gives the head, with the stamp at which it took its turn. */
  take(laneTurn: number): SourceRecord {
    const record = this.#queue[this.#at++];
    if (record === undefined) throw new Error('a channel without a head was asked for it');
    if (this.#at === this.#queue.length) {
      this.#queue = [];
      this.#at = 0;
    }
    this.turn = laneTurn;
    this.#stamp();
    return Number.isFinite(laneTurn) ? { ...record, turn: laneTurn } : record;
  }

  takeChildren(): readonly ShardReader[] {
    const children = this.#children;
    this.#children = [];
    return children;
  }

  /** True when its last answer was that there is nothing. */
  get isEmpty(): boolean {
    return this.head === undefined && this.#isEmptyAnswer;
  }

  /** True once after an answer came. */
  hasNews(): boolean {
    const hasNews = this.#hasNews;
    this.#hasNews = false;
    return hasNews;
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#pending;
      await this.reader.close();
    })();
    return this.#closing;
  }

  #took(batch: ShardBatch, askedAt: number): void {
    this.#queue = batch.records;
    this.#at = 0;
    this.#isEnded = batch.isEnded;
    if (batch.children !== undefined) this.#children = batch.children;
    this.#isEmptyAnswer = batch.isCaughtUp && batch.records.length === 0;
    // What came with the answer is all there was then, so the answer speaks for that time as well.
    this.emptyAt = batch.isCaughtUp ? askedAt : undefined;
    this.#stamp();
  }

  /** Stamps of one shard never go back, whatever the log says. */
  #stamp(): void {
    const arrival = this.head?.arrival;
    if (arrival !== undefined && arrival > this.turn) this.turn = arrival;
  }
}

const answerMs = 1_000;

/** Takes a source that orders itself; gives it as one reader among the shards of a merge. */
export function readerOf(
  source: Source,
  records: (signal: AbortSignal) => AsyncIterable<SourceRecord | Lull>,
  wait: (ms: number, signal: AbortSignal) => Promise<void>,
): ShardReader {
  const ended = new AbortController();
  const none = { records: [], isCaughtUp: false, isEnded: false };
  let iterator: AsyncIterator<SourceRecord | Lull> | undefined;
  let coming: Promise<IteratorResult<SourceRecord | Lull>> | undefined;
  return {
    shard: source.name,
    after: [],
    async next(signal) {
      if (iterator === undefined) {
        iterator = records(ended.signal)[Symbol.asyncIterator]();
        signal.addEventListener('abort', () => ended.abort(), { once: true });
      }
      coming ??= iterator.next();
      const timer = new AbortController();
      const given = await Promise.race([coming, wait(answerMs, timer.signal)]).finally(() =>
        timer.abort(),
      );
      if (given === undefined) return none;
      coming = undefined;
      if (given.done === true) return { ...none, isEnded: true, isCaughtUp: true };
      if ('isLull' in given.value) return { ...none, isCaughtUp: given.value.isWaiting !== true };
      return { ...none, records: [given.value] };
    },
    lag: () => [...source.lag().values()][0] ?? {},
    async close() {
      ended.abort();
      await coming?.catch(() => {});
      await iterator?.return?.();
    },
  };
}
