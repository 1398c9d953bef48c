// One partition as it is read: what was fetched and not yet given, and which offset must come next.
import type { Lag, SourceRecord } from '../../core/ports.ts';
import type { ShardBatch, ShardReader } from '../../core/shards.ts';

/** What a fetch brought of a partition; offsets are decimal. */
export interface FetchedBatch {
  readonly partition: number;
  readonly fetchedOffset: string;
  readonly highWatermark: string;
  readonly messages: readonly FetchedMessage[];
  lastOffset(): string;
}
export interface FetchedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly value: Buffer | null;
}

/** What a partition asks of the client that fetches for it. */
export interface PartitionClient {
  seek(offset: bigint): void;
  pause(): void;
  resume(): void;
  /** The oldest offset there is, and the one behind the newest. */
  bounds(): Promise<{ readonly oldest: bigint; readonly end: bigint }>;
  /** Comes back when everything there was at the time of asking was fetched, or the signal aborts. */
  fetched(signal: AbortSignal): Promise<void>;
  onNotice(text: string): void;
}

/** What a batch was taken for. */
export type Taken = 'taken' | 'stale' | 'moved';

/** Records given at once; the rest waits in the queue. */
const batchRecordsMax = 500;
const batchBytesMax = 4 * 1024 * 1024;

/**
 * The reader of a partition in one generation of the group. The first batch behind a seek must begin
 * exactly there; later ones may begin further on, where the client skipped what is no message (marks of
 * transactions, compacted offsets). Anything else is of another time and dropped. Where the log does
 * not hold the next offset any more, that is told, and reading goes on at the oldest there is.
 */
export class PartitionReader implements ShardReader {
  readonly shard: string;
  readonly after: readonly string[] = [];
  readonly #client: PartitionClient;
  readonly #bytesMax: number;
  #expected: bigint;
  #isSought = true;
  #refused: string | undefined;
  #high: bigint | undefined;
  #queue: SourceRecord[] = [];
  #at = 0;
  #bytes = 0;
  #isPaused = false;
  #isClosed = false;
  #failure: unknown;
  #wake: () => void = () => {};

  constructor(shard: string, from: bigint, bytesMax: number, client: PartitionClient) {
    this.shard = shard;
    this.#expected = from;
    this.#bytesMax = bytesMax;
    this.#client = client;
    client.seek(from);
    client.resume();
  }

  /** Takes a fetched batch where it continues what was fetched before. */
  async take(batch: FetchedBatch): Promise<Taken> {
    if (this.#isClosed) return 'stale';
    const fetched = BigInt(batch.fetchedOffset);
    const high = BigInt(batch.highWatermark);
    if (fetched !== this.#expected && !(await this.#follows(fetched, high))) return 'moved';
    if (this.#isClosed) return 'stale';
    this.#isSought = false;
    this.#refused = undefined;
    for (const { offset, timestamp, value } of batch.messages) {
      if (BigInt(offset) < this.#expected) continue;
      const arrival = Number(timestamp);
      this.#queue.push({
        shard: this.shard,
        sequence: offset,
        arrival: arrival >= 0 ? arrival : undefined,
        // A tombstone holds nothing, and its offset is passed all the same.
        bytes: value ?? new Uint8Array(0),
        isFirst: true,
        isLast: true,
        done: '',
      });
      this.#bytes += value?.length ?? 0;
    }
    const next = BigInt(batch.lastOffset()) + 1n;
    if (next > this.#expected) this.#expected = next;
    this.#high = high;
    if (this.#bytes > this.#bytesMax && !this.#isPaused) {
      this.#isPaused = true;
      this.#client.pause();
    }
    this.#wake();
    return 'taken';
  }

  async next(signal: AbortSignal): Promise<ShardBatch> {
    if (this.#at === this.#queue.length) await this.#some(signal);
    if (this.#failure !== undefined) throw this.#failure;
    const records = this.#given();
    const isEmpty = this.#at === this.#queue.length;
    const isCaughtUp = !signal.aborted && isEmpty && this.#lag() === 0n;
    return { records, isCaughtUp, isEnded: false };
  }

  /** Ends what waits, with an error for whoever asks. */
  fail(error: unknown): void {
    this.#failure = error;
    this.#wake();
  }

  lag(): Lag {
    const waiting = this.#queue.length - this.#at;
    return { records: Number(this.#lag()) + waiting };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue = [];
    this.#at = 0;
    this.#wake();
  }

  #lag(): bigint {
    const high = this.#high ?? this.#expected;
    return high > this.#expected ? high - this.#expected : 0n;
  }

  /** Waits for records, or until a fetch begun from now on has brought none. */
  async #some(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const ended = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    // A stop is not to wait for a broker that is gone.
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([woken, this.#client.fetched(ended.signal)]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      ended.abort();
    }
  }

  #given(): SourceRecord[] {
    const records: SourceRecord[] = [];
    let bytes = 0;
    while (records.length < batchRecordsMax && bytes < batchBytesMax) {
      const one = this.#queue[this.#at];
      if (one === undefined) break;
      this.#at++;
      bytes += one.bytes.length;
      records.push(one);
    }
    this.#bytes -= bytes;
    if (this.#at === this.#queue.length) {
      this.#queue = [];
      this.#at = 0;
    }
    if (this.#isPaused && this.#bytes <= this.#bytesMax / 2) {
      this.#isPaused = false;
      this.#client.resume();
    }
    return records;
  }

  /**
   * Whether a batch that does not begin where it should is the next one all the same. kafkajs steps over
   * what is no message without a word; but it also goes to the oldest offset without a word where the
   * one asked for is not there, so whatever is not plain is looked up.
   */
  async #follows(fetched: bigint, high: bigint): Promise<boolean> {
    if (!this.#isSought && this.#isPlain(fetched, high)) return true;
    const { oldest, end } = await this.#client.bounds();
    if (oldest > this.#expected)
      return this.#beginAt(
        oldest,
        fetched,
        `offsets ${this.#expected} to ${oldest - 1n} are past retention and lost`,
      );
    if (end < this.#expected)
      return this.#beginAt(
        oldest,
        fetched,
        `the log ends at ${end}, before ${this.#expected} where reading was: it was made anew or lost its end`,
      );
    // Walked there from a place we knew, or sought twice and answered alike: between is no message.
    if (!this.#isSought || (fetched > this.#expected && this.#refused === String(fetched)))
      return true;
    this.#refused = String(fetched);
    this.#client.seek(this.#expected);
    return false;
  }

  /** A batch fetched twice when the leader moved, or the mark of a transaction at the end of the log. */
  #isPlain(fetched: bigint, high: bigint): boolean {
    if (fetched < this.#expected) return high >= this.#expected;
    return fetched === this.#expected + 1n && this.#lag() === 0n;
  }

  #beginAt(oldest: bigint, fetched: bigint, why: string): boolean {
    this.#client.onNotice(`${this.shard}: ${why}; reading on at ${oldest}`);
    this.#expected = oldest;
    this.#refused = undefined;
    if (fetched === oldest) return true;
    this.#isSought = true;
    this.#client.seek(oldest);
    return false;
  }
}
