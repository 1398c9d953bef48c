// One shard read by enhanced fan-out: Kinesis pushes, 2 MB a second for us, five minutes a time.
import {
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
  type SubscribeToShardEventStream,
} from '@aws-sdk/client-kinesis';
import type { Lag } from '../../core/ports.ts';
import type { ShardBatch, ShardReader } from '../../core/shards.ts';
import { nameOf } from '../aws-retry.ts';
import type { Consumer } from './consumer.ts';
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
import { failureOf, type Trouble } from './trouble.ts';

/** The same consumer may subscribe to the same shard again after five seconds. */
const againMs = 5_000;
/**
 * A subscription that is asked and says nothing for so long is dead: Kinesis speaks every few
 * seconds.
 */
const silentMs = 35_000;
/**
 * What a subscription said last holds for so long: what comes is pushed within tenths of a second.
 */
const holdsMs = 10_000;
/** What does not pass, although it comes in the stream of a subscription that was granted. */
const finalName = /AccessDenied|^KMS(?!Throttling)/;

/**
 * Takes a shard, where to begin and the consumer; gives its reader. It subscribes when first
 * asked.
 */
export function fanOutReader(parts: ReaderParts, consumer: Consumer): ShardReader {
  return new FanOutReader(parts, consumer);
}

type Event = SubscribeToShardEventStream;
interface Subscription {
  readonly events: AsyncIterator<Event>;
  readonly abort: AbortController;
  /** An event that was asked for and has not come, since when it is waited for. */
  coming?: { readonly event: Promise<IteratorResult<Event>>; readonly since: number } | undefined;
}

class FanOutReader implements ShardReader {
  readonly shard: string;
  readonly after: readonly string[];
  readonly #parts: ReaderParts;
  readonly #stream: KinesisStream;
  readonly #trouble: Trouble;
  readonly #consumer: Consumer;
  /**
   * Behind the last record given, and where a new subscription begins: also behind what held none.
   */
  #given: Place;
  #place: Place;
  #subscription: Subscription | undefined;
  #subscribedAt = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  #behindMs: number | undefined;

  constructor(parts: ReaderParts, consumer: Consumer) {
    this.#parts = parts;
    this.#stream = parts.stream;
    this.#trouble = parts.stream.trouble();
    this.#consumer = consumer;
    this.#given = parts.at;
    this.#place = parts.at;
    this.shard = parts.stream.nameOf(parts.shard.id);
    this.after = parts.shard.parents.map((one) => parts.stream.nameOf(one));
  }

  async next(signal: AbortSignal): Promise<ShardBatch> {
    if (signal.aborted) return noBatch;
    if (await this.#stream.waitsFor(this.#place, signal)) return { ...noBatch, isCaughtUp: true };
    try {
      this.#subscription ??= await this.#subscribe(signal);
      if (this.#subscription === undefined) return noBatch;
      return await this.#draw(this.#subscription, signal);
    } catch (error) {
      this.#drop();
      if (signal.aborted) return noBatch;
      if (error instanceof ShardGone) return this.#gone(signal);
      throw error;
    }
  }

  lag(): Lag {
    return this.#behindMs === undefined ? {} : { milliseconds: this.#behindMs };
  }

  async close(): Promise<void> {
    this.#drop();
  }

  /** Undefined while it is too early to subscribe again. */
  async #subscribe(signal: AbortSignal): Promise<Subscription | undefined> {
    const { clock, wait } = this.#stream.parts;
    const left = Math.min(againMs, this.#subscribedAt + againMs - clock());
    if (left > 0) await wait(Math.min(left, answerMs), signal);
    if (signal.aborted || left > answerMs) return undefined;
    return this.#trouble.until(
      `subscribing to ${this.#parts.shard.id}`,
      (given) => this.#step(given),
      signal,
      {
        handled: /^ShardGone$/,
        // Both are seen to in `step`.
        passing: /^(?:InvalidArgument|ResourceNotFound)/,
        // In use: an earlier subscription of ours has not ended yet, as far as Kinesis can tell.
        leastMs: (error) => (/^ResourceInUse/.test(nameOf(error)) ? againMs : answerMs),
      },
    );
  }

  async #step(signal: AbortSignal): Promise<Subscription> {
    const { id } = this.#parts.shard;
    const arn = await this.#consumer.arn(signal);
    const abort = new AbortController();
    const onAbort = () => abort.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    const StartingPosition = positionOf(this.#place);
    const command = new SubscribeToShardCommand({
      ConsumerARN: arn,
      ShardId: id,
      StartingPosition,
    });
    try {
      const { EventStream } = await this.#stream.client.send(command, {
        abortSignal: abort.signal,
      });
      if (EventStream === undefined) throw new Error('aborted');
      return { events: EventStream[Symbol.asyncIterator](), abort };
    } catch (error) {
      abort.abort();
      const name = nameOf(error);
      if (/^InvalidArgument/.test(name)) this.#moveBack();
      if (/^ResourceNotFound/.test(name)) {
        await this.#stream.assertThere(id, signal);
        // The shard is there, so it is the consumer that is not.
        this.#consumer.forget(arn);
      }
      throw error;
    } finally {
      this.#subscribedAt = this.#stream.parts.clock();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The place was refused: behind the last record given, and where that is refused, the oldest. */
  #moveBack(): void {
    const { kind } = this.#place;
    if (kind !== 'at' && kind !== 'after') return;
    if (this.#place !== this.#given) {
      this.#place = this.#given;
      return;
    }
    const { onNotice } = this.#stream.parts;
    onNotice(`${this.shard}: the committed place is not there; reading from the oldest`);
    this.#given = { kind: 'earliest' };
    this.#place = this.#given;
  }

  /** Draws one event; one that does not come soon is waited for by the next call. */
  async #draw(subscription: Subscription, signal: AbortSignal): Promise<ShardBatch> {
    const { clock, wait } = this.#stream.parts;
    subscription.coming ??= { event: subscription.events.next(), since: clock() };
    const { event, since } = subscription.coming;
    const either = new AbortController();
    const onAbort = () => either.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const drawn = event.then(
      (given) => ({ given }),
      (error: unknown) => ({ error }),
    );
    const first = await Promise.race([drawn, wait(answerMs, either.signal)]);
    either.abort();
    signal.removeEventListener('abort', onAbort);
    if (first === undefined) {
      if (clock() - since > silentMs) this.#broke('TimeoutError');
      const isFresh = this.#behindMs === 0 && clock() - this.#heardAt < holdsMs;
      return { ...noBatch, isCaughtUp: isFresh && !signal.aborted };
    }
    subscription.coming = undefined;
    if ('error' in first) return this.#failed(first.error);
    // Five minutes are over: the next call subscribes behind what was given.
    if (first.given.done === true) this.#drop();
    const pushed = first.given.done === true ? undefined : first.given.value.SubscribeToShardEvent;
    return pushed === undefined ? noBatch : this.#took(pushed, signal);
  }

  async #took(event: SubscribeToShardEvent, signal: AbortSignal): Promise<ShardBatch> {
    const records = recordsOf(this.shard, event.Records ?? []);
    const { ChildShards: named = [], ContinuationSequenceNumber: sequence } = event;
    // At the end of a shard there is nothing to continue from, and its children are named.
    const isEnd = named.length > 0 || sequence === undefined;
    const children = isEnd ? await this.#parts.follow(named, signal) : [];
    this.#heardAt = this.#stream.parts.clock();
    this.#behindMs = event.MillisBehindLatest;
    const last = records.at(-1);
    if (last !== undefined) this.#given = { kind: 'after', sequence: last.sequence };
    this.#place = sequence === undefined ? this.#given : { kind: 'after', sequence };
    if (children.length > 0) {
      this.#drop();
      return { records, isCaughtUp: true, isEnded: true, children };
    }
    // A shard ends by being split or merged; while no child is known, the end is asked for again.
    if (isEnd) this.#broke('no child');
    else this.#trouble.over();
    return { records, isCaughtUp: !isEnd && this.#behindMs === 0, isEnded: false };
  }

  #failed(error: unknown): ShardBatch {
    const name = nameOf(error);
    if (finalName.test(name))
      throw failureOf(`reading ${this.#parts.shard.id}`, this.#stream.what, error);
    // A broken connection, or another process that reads under the same consumer.
    this.#broke(name);
    return noBatch;
  }

  #broke(name: string): void {
    this.#trouble.met(`reading ${this.#parts.shard.id}`, name);
    this.#drop();
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

  #drop(): void {
    const dropped = this.#subscription;
    this.#subscription = undefined;
    void dropped?.coming?.event.catch(() => {});
    dropped?.abort.abort();
  }
}
