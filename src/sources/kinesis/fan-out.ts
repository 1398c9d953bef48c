// One shard read by enhanced fan-out: Kinesis pushes, 2 MB a second for us alone, five minutes a subscription.
import {
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
  type SubscribeToShardEventStream,
} from '@aws-sdk/client-kinesis';
import { SentrailError } from '../../core/errors.ts';
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

/** The same consumer may subscribe to the same shard again after five seconds. */
const againMs = 5_000;
const activeTriesMax = 60;
const activeWaitMs = 1_000;
/** A subscription that says nothing for so long is dead: Kinesis sends at least every few seconds. */
const silentMs = 30_000;
/** `next` comes back after this without an answer, so that a stop is never waited for. */
const answerMs = 1_000;

/** Finds or registers the consumer, and waits until it is active; gives its ARN. */
export async function consumerArn(stream: KinesisStream, signal: AbortSignal): Promise<string> {
  const { client, parts } = stream;
  const name = parts.config.consumer ?? '';
  const summary = await stream.call(
    'describing',
    (given) => client.send(new DescribeStreamSummaryCommand(stream.id), { abortSignal: given }),
    signal,
  );
  const StreamARN = summary.StreamDescriptionSummary?.StreamARN;
  const input = { StreamARN, ConsumerName: name };
  const describe = () =>
    stream.call(
      `describing the consumer ${name}`,
      (given) => client.send(new DescribeStreamConsumerCommand(input), { abortSignal: given }),
      signal,
      ['ResourceNotFoundException'],
    );
  for (let tries = 0; tries < activeTriesMax && !signal.aborted; tries++) {
    try {
      const { ConsumerDescription: found } = await describe();
      if (found?.ConsumerStatus === 'ACTIVE' && found.ConsumerARN !== undefined)
        return found.ConsumerARN;
    } catch (error) {
      if (nameOf(error) !== 'ResourceNotFoundException') throw error;
      await stream.call(
        `registering the consumer ${name}`,
        (given) => client.send(new RegisterStreamConsumerCommand(input), { abortSignal: given }),
        signal,
        // Another worker may have registered it in between.
        ['ResourceInUseException'],
      );
    }
    await parts.patience.wait(activeWaitMs, signal);
  }
  const hint = 'look at its state in the console, or leave `consumer` out to read by polling';
  throw new SentrailError('source', `the consumer ${name} did not become active; ${hint}`);
}

/** Takes a shard, where to begin and the consumer; gives its reader. */
export function fanOutReader(parts: ReaderParts, arn: string): ShardReader {
  return new FanOutReader(parts, arn);
}

interface Subscription {
  readonly events: AsyncIterator<SubscribeToShardEventStream>;
  readonly abort: AbortController;
}

class FanOutReader implements ShardReader {
  readonly shard: string;
  readonly after: readonly string[];
  readonly #parts: ReaderParts;
  readonly #stream: KinesisStream;
  readonly #arn: string;
  #place: Place;
  #subscription: Subscription | undefined;
  #coming: Promise<IteratorResult<SubscribeToShardEventStream>> | undefined;
  #heardAt = 0;
  #subscribedAt = Number.NEGATIVE_INFINITY;
  #behindMs: number | undefined;

  constructor(parts: ReaderParts, arn: string) {
    this.#parts = parts;
    this.#stream = parts.stream;
    this.#arn = arn;
    this.#place = parts.at;
    this.shard = parts.stream.nameOf(parts.shard.id);
    this.after = parts.shard.parents.map((one) => parts.stream.nameOf(one));
  }

  async next(signal: AbortSignal): Promise<ShardBatch> {
    try {
      this.#subscription ??= await this.#subscribe(signal);
      if (this.#subscription === undefined) return noBatch;
      return await this.#draw(this.#subscription, signal);
    } catch (error) {
      this.#drop();
      if (signal.aborted) return noBatch;
      throw error;
    }
  }

  lag(): Lag {
    return this.#behindMs === undefined ? {} : { milliseconds: this.#behindMs };
  }

  async close(): Promise<void> {
    this.#drop();
  }

  async #subscribe(signal: AbortSignal): Promise<Subscription | undefined> {
    const { client, parts } = this.#stream;
    const { id } = this.#parts.shard;
    const left = this.#subscribedAt + againMs - parts.clock();
    if (left > 0) await parts.patience.wait(Math.min(left, answerMs), signal);
    if (signal.aborted || left > answerMs) return undefined;
    const abort = new AbortController();
    const input = {
      ConsumerARN: this.#arn,
      ShardId: id,
      StartingPosition: positionOf(this.#place),
    };
    const onAbort = () => abort.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const answer = await this.#stream.call(
        `subscribing to ${id}`,
        () => client.send(new SubscribeToShardCommand(input), { abortSignal: abort.signal }),
        signal,
        ['ResourceInUseException'],
      );
      this.#subscribedAt = parts.clock();
      this.#heardAt = this.#subscribedAt;
      if (answer.EventStream === undefined) return undefined;
      return { events: answer.EventStream[Symbol.asyncIterator](), abort };
    } catch (error) {
      if (signal.aborted || nameOf(error) !== 'ResourceInUseException') throw error;
      // An earlier subscription of ours has not ended yet, as far as Kinesis can tell.
      this.#subscribedAt = parts.clock();
      return undefined;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Draws one event; one that does not come soon is waited for by the next call. */
  async #draw(subscription: Subscription, signal: AbortSignal): Promise<ShardBatch> {
    const { clock, patience } = this.#stream.parts;
    this.#coming ??= subscription.events.next();
    const coming = this.#coming.then(
      (given) => ({ given }),
      (error: unknown) => ({ error }),
    );
    const timer = new AbortController();
    const first = await Promise.race([coming, patience.wait(answerMs, timer.signal)]);
    timer.abort();
    if (first === undefined) {
      if (clock() - this.#heardAt > silentMs) this.#drop();
      return noBatch;
    }
    this.#coming = undefined;
    this.#heardAt = clock();
    // Five minutes are over, or the connection broke: the next call subscribes behind what was given.
    if ('error' in first || first.given.done === true) {
      this.#drop();
      return noBatch;
    }
    return this.#batch(first.given.value, signal);
  }

  async #batch(event: SubscribeToShardEventStream, signal: AbortSignal): Promise<ShardBatch> {
    const given = event.SubscribeToShardEvent;
    if (given === undefined) {
      this.#drop();
      return noBatch;
    }
    const records = recordsOf(this.shard, given.Records ?? []);
    const sequence = records.at(-1)?.sequence;
    if (sequence !== undefined) this.#place = { kind: 'after', sequence };
    this.#behindMs = given.MillisBehindLatest;
    const hasChildren = (given.ChildShards ?? []).length > 0;
    // At the end of a shard there is nothing to continue from, and its children are named.
    if (!hasChildren && given.ContinuationSequenceNumber !== undefined) {
      return { records, isCaughtUp: this.#behindMs === 0, isEnded: false };
    }
    this.#drop();
    const children = await this.#stream.children(this.#parts, signal);
    return { records, isCaughtUp: true, isEnded: true, children };
  }

  #drop(): void {
    this.#subscription?.abort.abort();
    this.#subscription = undefined;
    void this.#coming?.catch(() => {});
    this.#coming = undefined;
  }
}
