// One shard read by GetRecords, within its limits: 5 calls and 2 MB a second, shared by all who poll.
import { GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-kinesis';
import type { Lag } from '../../core/ports.ts';
import type { ShardBatch, ShardReader } from '../../core/shards.ts';
import { nameOf } from '../aws-retry.ts';
import {
  type KinesisStream,
  noBatch,
  type Place,
  positionOf,
  type ReaderParts,
  recordsOf,
} from './stream.ts';

/** Five calls a second a shard is Kinesis's limit. */
const betweenCallsMs = 200;
/** A batch is asked for in a size that comes to about this many bytes, by the records seen so far. */
const batchBytes = 4 * 1024 * 1024;

/** Takes a shard and where to begin; gives its reader. The iterator is fetched when it is first asked. */
export function pollingReader(parts: ReaderParts): ShardReader {
  return new PollingReader(parts);
}

class PollingReader implements ShardReader {
  readonly shard: string;
  readonly after: readonly string[];
  readonly #parts: ReaderParts;
  readonly #stream: KinesisStream;
  #place: Place;
  #iterator: string | undefined;
  #calledAt = Number.NEGATIVE_INFINITY;
  #isIdle = false;
  #recordBytes = 0;
  #behindMs: number | undefined;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#stream = parts.stream;
    this.#place = parts.at;
    this.shard = parts.stream.nameOf(parts.shard.id);
    this.after = parts.shard.parents.map((one) => parts.stream.nameOf(one));
  }

  async next(signal: AbortSignal): Promise<ShardBatch> {
    try {
      await this.#pace(signal);
      if (signal.aborted) return noBatch;
      return await this.#ask(signal);
    } catch (error) {
      if (signal.aborted) return noBatch;
      throw error;
    }
  }

  lag(): Lag {
    return this.#behindMs === undefined ? {} : { milliseconds: this.#behindMs };
  }

  async close(): Promise<void> {}

  async #pace(signal: AbortSignal): Promise<void> {
    const { clock, config, patience } = this.#stream.parts;
    const between = this.#isIdle ? Math.max(betweenCallsMs, config.poll) : betweenCallsMs;
    const left = this.#calledAt + between - clock();
    if (left > 0 && left <= between) await patience.wait(left, signal);
    this.#calledAt = clock();
  }

  async #ask(signal: AbortSignal): Promise<ShardBatch> {
    this.#iterator ??= await this.#iteratorAt(signal);
    if (this.#iterator === undefined) return this.#ended([], signal);
    const { client } = this.#stream;
    const input = { ShardIterator: this.#iterator, Limit: this.#limit() };
    const answer = await this.#stream
      .call(
        `reading ${this.#parts.shard.id}`,
        (given) => client.send(new GetRecordsCommand(input), { abortSignal: given }),
        signal,
        ['ExpiredIteratorException', 'InvalidArgumentException'],
      )
      .catch((error: unknown) => {
        if (signal.aborted || !/Expired|InvalidArgument/.test(nameOf(error))) throw error;
        return undefined;
      });
    if (answer === undefined) {
      // An iterator lives for five minutes; another is made behind the last record given.
      this.#iterator = undefined;
      return noBatch;
    }
    const records = recordsOf(this.shard, answer.Records ?? []);
    const last = records.at(-1);
    if (last !== undefined) this.#place = { kind: 'after', sequence: last.sequence };
    this.#measure(
      records.reduce((sum, one) => sum + one.bytes.length, 0),
      records.length,
    );
    this.#iterator = answer.NextShardIterator ?? undefined;
    this.#behindMs = answer.MillisBehindLatest ?? (records.length === 0 ? 0 : this.#behindMs);
    const isCaughtUp = this.#behindMs === 0;
    this.#isIdle = isCaughtUp && records.length === 0;
    if (this.#iterator !== undefined) return { records, isCaughtUp, isEnded: false };
    return this.#ended(records, signal);
  }

  async #ended(records: ShardBatch['records'], signal: AbortSignal): Promise<ShardBatch> {
    const children = await this.#stream.children(this.#parts, signal);
    return { records, isCaughtUp: true, isEnded: true, children };
  }

  /** Undefined when the shard is not there any more: retention took all it held. */
  async #iteratorAt(signal: AbortSignal): Promise<string | undefined> {
    const { id } = this.#parts.shard;
    const { onNotice } = this.#stream.parts;
    const { Type: ShardIteratorType, ...position } = positionOf(this.#place);
    const { SequenceNumber: StartingSequenceNumber, Timestamp } = position;
    const input = {
      ...this.#stream.id,
      ShardId: id,
      ShardIteratorType,
      ...(StartingSequenceNumber === undefined ? {} : { StartingSequenceNumber }),
      ...(Timestamp === undefined ? {} : { Timestamp }),
    };
    const isSequence = this.#place.kind === 'at' || this.#place.kind === 'after';
    try {
      const { client } = this.#stream;
      const answer = await this.#stream.call(
        `finding the place in ${id}`,
        (given) => client.send(new GetShardIteratorCommand(input), { abortSignal: given }),
        signal,
        ['ResourceNotFoundException', ...(isSequence ? ['InvalidArgumentException'] : [])],
      );
      return answer.ShardIterator;
    } catch (error) {
      const name = nameOf(error);
      if (signal.aborted) throw error;
      if (name === 'InvalidArgumentException' && isSequence) {
        onNotice(`${id}: the place that was committed is past retention; reading from the oldest`);
        this.#place = { kind: 'earliest' };
        return this.#iteratorAt(signal);
      }
      if (name !== 'ResourceNotFoundException') throw error;
      // Throws where it is the stream that is not there.
      await this.#stream.shards(signal);
      onNotice(`${id} is past retention and gone; what it held and was not read is lost`);
      return undefined;
    }
  }

  #limit(): number {
    const { recordsMax } = this.#stream.parts.config;
    if (this.#recordBytes === 0) return recordsMax;
    return Math.max(1, Math.min(recordsMax, Math.floor(batchBytes / this.#recordBytes)));
  }

  #measure(bytes: number, records: number): void {
    if (records === 0) return;
    const mean = bytes / records;
    this.#recordBytes = this.#recordBytes === 0 ? mean : (this.#recordBytes + mean) / 2;
  }
}
