// What every reader of a Kinesis stream shares: its shards, its patience, and places in it.
import {
  type _Record,
  type ChildShard,
  type KinesisClient,
  ListShardsCommand,
  type Shard,
  type StartingPosition,
} from '@aws-sdk/client-kinesis';
import type { KinesisConfig } from '../../../schemas/sources.ts';
import type { SourceRecord } from '../../core/ports.ts';
import type { Progress } from '../../core/position.ts';
import type { ShardBatch, ShardReader } from '../../core/shards.ts';
import { nameOf, type Wait } from '../aws-retry.ts';
import { Trouble } from './trouble.ts';

/** Where reading of a shard begins. */
export type Place =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'time'; readonly time: number }
  | { readonly kind: 'at' | 'after'; readonly sequence: string };

/** A shard of the stream; `parents` are those that are still there. */
export interface StreamShard {
  readonly id: string;
  readonly parents: readonly string[];
}

/** What a reader is made of. */
export interface ReaderParts {
  readonly stream: KinesisStream;
  readonly shard: StreamShard;
  readonly at: Place;
  /**
   * Readers of what follows this shard at its end; `named` are the children that the answer named.
   * None where there is no child, which for a shard that still is there can only be so for a
   * moment.
   */
  readonly follow: (
    named: readonly ChildShard[],
    signal: AbortSignal,
  ) => Promise<readonly ShardReader[]>;
}

/** What a stream is made of. */
export interface StreamParts {
  readonly name: string;
  readonly config: KinesisConfig;
  readonly client: KinesisClient;
  readonly wait: Wait;
  readonly random: () => number;
  readonly clock: () => number;
  readonly onNotice: (text: string) => void;
}

/** `next` comes back after this where there is nothing, as its contract says. */
export const answerMs = 1_000;
/** A batch of nothing that says nothing: given after an abort, and while waiting. */
export const noBatch: ShardBatch = { records: [], isCaughtUp: false, isEnded: false };

/** Thrown by a reader's call when its shard is not there any more, but the stream is. */
export class ShardGone extends Error {
  override readonly name = 'ShardGone';
}

/** A stream: how it is named, how it is asked, which shards it has. */
export class KinesisStream {
  readonly parts: StreamParts;

  constructor(parts: StreamParts) {
    this.parts = parts;
  }

  get client(): KinesisClient {
    return this.parts.client;
  }

  /** Name or ARN, as calls take it. */
  get id(): { readonly StreamARN: string } | { readonly StreamName: string } {
    const { stream } = this.parts.config;
    return stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
  }

  /** The stream in messages. */
  get what(): string {
    return `the stream ${this.parts.config.stream}`;
  }

  /** Takes a shard's id; gives the name it has among shards of other sources. */
  nameOf(shardId: string): string {
    return `${this.parts.name}/${shardId}`;
  }

  /** Gives a new account of troubles, for one reader or one call. */
  trouble(): Trouble {
    return new Trouble({ ...this.parts, what: this.what });
  }

  /**
   * All shards that are there, in the order in which Kinesis lists them. Retries what passes;
   * throws `SentrailError` (source) where the stream is not there or refused.
   */
  async shards(signal: AbortSignal): Promise<readonly StreamShard[]> {
    const found = await this.#listed(signal);
    const ids = new Set(found.map((one) => one.ShardId));
    return found.flatMap(({ ShardId: id, ParentShardId, AdjacentParentShardId }) => {
      if (id === undefined) return [];
      // A parent that retention has taken is not listed any more: it counts as finished.
      const parents = [ParentShardId, AdjacentParentShardId].filter(
        (one): one is string => one !== undefined && ids.has(one),
      );
      return [{ id, parents }];
    });
  }

  /**
   * Throws `ShardGone` where a shard is not there, and as `shards` does where the stream is not.
   */
  async assertThere(id: string, signal: AbortSignal): Promise<void> {
    const all = await this.shards(signal);
    if (!all.some((one) => one.id === id)) throw new ShardGone();
  }

  /**
   * Waits where reading is to begin at a time that has not come: Kinesis refuses to be asked for
   * it. Gives false when there is nothing to wait for.
   */
  async waitsFor(place: Place, signal: AbortSignal): Promise<boolean> {
    const { clock, wait } = this.parts;
    const left = place.kind === 'time' ? place.time - clock() : 0;
    if (left <= 0) return false;
    await wait(Math.min(answerMs, left), signal);
    return true;
  }

  async #listed(signal: AbortSignal): Promise<Shard[]> {
    const trouble = this.trouble();
    let found: Shard[] = [];
    let token: string | undefined;
    do {
      const input = token === undefined ? this.id : { NextToken: token };
      try {
        const answer = await trouble.until(
          'listing the shards',
          (given) => this.client.send(new ListShardsCommand(input), { abortSignal: given }),
          signal,
          { handled: /^ExpiredNextToken/ },
        );
        found = [...found, ...(answer.Shards ?? [])];
        token = answer.NextToken;
      } catch (error) {
        if (signal.aborted || !/^ExpiredNextToken/.test(nameOf(error))) throw error;
        // Tokens live for five minutes; a listing that took longer begins again.
        return this.#listed(signal);
      }
    } while (token !== undefined);
    return found;
  }
}

/** Takes what was committed of a shard, and the start of the stream; gives where to read on. */
export function placeOf(progress: Progress | undefined, start: Place): Place {
  if (progress === undefined) return start;
  // A record that was begun comes again from its start.
  const kind = progress.done === undefined ? 'at' : 'after';
  return { kind, sequence: progress.position.sequence };
}

/** Takes a place; gives it as Kinesis does. */
export function positionOf(place: Place): StartingPosition {
  switch (place.kind) {
    case 'earliest':
      return { Type: 'TRIM_HORIZON' };
    case 'time':
      return { Type: 'AT_TIMESTAMP', Timestamp: new Date(place.time) };
    case 'at':
      return { Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: place.sequence };
    case 'after':
      return { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: place.sequence };
  }
}

/** Takes a shard's name and records of Kinesis; gives them as the pipeline takes them. */
export function recordsOf(shard: string, records: readonly _Record[]): SourceRecord[] {
  return records.map(
    ({ SequenceNumber: sequence = '', Data, ApproximateArrivalTimestamp: at }) => ({
      shard,
      sequence,
      arrival: at?.getTime(),
      bytes: Data ?? new Uint8Array(0),
      isFirst: true,
      isLast: true,
      done: '',
    }),
  );
}
