// One shard read by GetRecords, within its limits: 5 calls and 2 MB a second for all who poll.
import {
  type ChildShard,
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
} from '@aws-sdk/client-kinesis';
import type { Lag, SourceRecord } from '../../core/ports.ts';
import type { ShardBatch, ShardReader } from '../../core/shards.ts';
import { nameOf } from '../aws-retry.ts';
import {
  answerMs,
  type KinesisStream,
  noBatch,
  type Place,
  positionOf,
  type ReaderParts,
  recordsOf,
  ShardGone,
} from './stream.ts';
import type { Trouble } from './trouble.ts';

/** Five calls a second a shard is Kinesis's limit. */
const betweenCallsMs = 200;
/**
 * A batch is asked for in a size that comes to about this many bytes, by the records seen so far.
 */
const batchBytes = 4 * 1024 * 1024;
/** What a shard gives a second; an answer that was larger is paid for by throttled calls, */
const bytesPerMs = (2 * 1024 * 1024) / 1000;
/** for five seconds at the most, after a full answer of 10 MiB. */
const owedMsMax = 5_000;

/**
 * Takes a shard and where to begin; gives its reader. The iterator is fetched when it is first
 * asked.
 */
export function pollingReader(parts: ReaderParts): ShardReader {
  return new PollingReader(parts);
}

class PollingReader implements ShardReader {
  readonly shard: string;
  readonly after: readonly string[];
  readonly #parts: ReaderParts;
  readonly #stream: KinesisStream;
  readonly #trouble: Trouble;
  #place: Place;
  #iterator: string | undefined;
  /** When it may be asked next, and from when on it will not be throttled for what it gave. */
  #dueAt = Number.NEGATIVE_INFINITY;
  #paidAt = Number.NEGATIVE_INFINITY;
  #recordBytes = 0;
  #behindMs: number | undefined;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#stream = parts.stream;
    this.#trouble = parts.stream.trouble();
    this.#place = parts.at;
    this.shard = parts.stream.nameOf(parts.shard.id);
    this.after = parts.shard.parents.map((one) => parts.stream.nameOf(one));
  }

  async next(signal: AbortSignal): Promise<ShardBatch> {
    if (await this.#stream.waitsFor(this.#place, signal)) return { ...noBatch, isCaughtUp: true };
    if (!(await this.#isDue(signal))) return noBatch;
    try {
      return await this.#took(await this.#asked(signal), signal);
    } catch (error) {
      // Whatever was read and not given is read again, should anyone ask.
      this.#iterator = undefined;
      if (signal.aborted) return noBatch;
      if (error instanceof ShardGone) return this.#gone(signal);
      throw error;
    }
  }

  lag(): Lag {
    return this.#behindMs === undefined ? {} : { milliseconds: this.#behindMs };
  }

  async close(): Promise<void> {}

  /** Waits until it may be asked, but for no longer than an answer may take; then it is not due. */
  async #isDue(signal: AbortSignal): Promise<boolean> {
    const { clock, config, wait } = this.#stream.parts;
    // A clock that was set back must not keep a shard waiting.
    const left = Math.min(this.#dueAt - clock(), Math.max(config.poll, betweenCallsMs));
    if (left > 0) await wait(Math.min(left, answerMs), signal);
    return !signal.aborted && left <= answerMs;
  }

  #asked(signal: AbortSignal): Promise<GetRecordsOutput> {
    const { clock } = this.#stream.parts;
    return this.#trouble.until(
      `reading ${this.#parts.shard.id}`,
      (given) => this.#step(given),
      signal,
      {
        handled: /^ShardGone$/,
        // All three are seen to in `step`: another try begins with a new iterator.
        passing: /^(?:ExpiredIterator|InvalidArgument|ResourceNotFound)/,
        leastMs: (error) =>
          /^Provisioned/.test(nameOf(error))
            ? Math.max(betweenCallsMs, Math.min(owedMsMax, this.#paidAt - clock()))
            : betweenCallsMs,
      },
    );
  }

  /** One call, with an iterator where there is none. */
  async #step(signal: AbortSignal): Promise<GetRecordsOutput> {
    const { client, parts } = this.#stream;
    const { id } = this.#parts.shard;
    try {
      this.#iterator ??= await this.#iteratorAt(this.#place, signal);
      const input = { ShardIterator: this.#iterator, Limit: this.#limit() };
      this.#dueAt = parts.clock() + betweenCallsMs;
      return await client.send(new GetRecordsCommand(input), { abortSignal: signal });
    } catch (error) {
      const name = nameOf(error);
      // An iterator lives for five minutes; another is made behind the last record given.
      if (!/^Provisioned|^LimitExceeded/.test(name)) this.#iterator = undefined;
      if (/^ResourceNotFound/.test(name)) await this.#stream.assertThere(id, signal);
      throw error;
    }
  }

  async #iteratorAt(place: Place, signal: AbortSignal): Promise<string | undefined> {
    const { client, id: stream, parts } = this.#stream;
    const { id } = this.#parts.shard;
    const { Type: ShardIteratorType, SequenceNumber, Timestamp } = positionOf(place);
    const where = { ...stream, ShardId: id, ShardIteratorType };
    const input = { ...where, StartingSequenceNumber: SequenceNumber, Timestamp };
    try {
      const command = new GetShardIteratorCommand(input);
      return (await client.send(command, { abortSignal: signal })).ShardIterator;
    } catch (error) {
      const isSequence = place.kind === 'at' || place.kind === 'after';
      if (!/^InvalidArgument/.test(nameOf(error)) || !isSequence) throw error;
      parts.onNotice(`${this.shard}: the committed place is not there; reading from the oldest`);
      this.#place = { kind: 'earliest' };
      return this.#iteratorAt(this.#place, signal);
    }
  }

  async #took(answer: GetRecordsOutput, signal: AbortSignal): Promise<ShardBatch> {
    const records = recordsOf(this.shard, answer.Records ?? []);
    const behindMs = answer.MillisBehindLatest ?? (records.length === 0 ? 0 : undefined);
    const next = answer.NextShardIterator ?? undefined;
    const children = next === undefined ? await this.#children(answer.ChildShards, signal) : [];
    this.#behindMs = behindMs;
    this.#iterator = next;
    this.#measure(records);
    const last = records.at(-1);
    if (last !== undefined) this.#place = { kind: 'after', sequence: last.sequence };
    if (children.length > 0) return { records, isCaughtUp: true, isEnded: true, children };
    const isCaughtUp = next !== undefined && behindMs === 0;
    const idleMs = Math.max(0, this.#stream.parts.config.poll - betweenCallsMs);
    if (behindMs === 0) this.#dueAt += idleMs;
    return { records, isCaughtUp, isEnded: false };
  }

  /**
   * A shard ends by being split or merged; while no child of it is known, the end is asked for
   * again.
   */
  async #children(named: readonly ChildShard[] = [], signal: AbortSignal) {
    const children = await this.#parts.follow(named, signal);
    if (children.length === 0)
      this.#trouble.met(`looking for what follows ${this.#parts.shard.id}`, 'no child');
    return children;
  }

  async #gone(signal: AbortSignal): Promise<ShardBatch> {
    const { onNotice } = this.#stream.parts;
    const children = await this.#parts.follow([], signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (children === undefined) return noBatch;
    onNotice(`${this.shard} is past retention and gone; what it held and was not read is lost`);
    return { records: [], isCaughtUp: true, isEnded: true, children };
  }

  #limit(): number {
    const { recordsMax } = this.#stream.parts.config;
    if (this.#recordBytes === 0) return recordsMax;
    return Math.max(1, Math.min(recordsMax, Math.floor(batchBytes / this.#recordBytes)));
  }

  #measure(records: readonly SourceRecord[]): void {
    if (records.length === 0) return;
    const bytes = records.reduce((sum, one) => sum + one.bytes.length, 0);
    const mean = bytes / records.length;
    this.#recordBytes = this.#recordBytes === 0 ? mean : (this.#recordBytes + mean) / 2;
    this.#paidAt = this.#stream.parts.clock() + bytes / bytesPerMs;
  }
}
