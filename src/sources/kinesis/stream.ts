// What every reader of a Kinesis stream shares: its shards, its calls with patience, and places in it.
import {
  type _Record,
  type KinesisClient,
  ListShardsCommand,
  type Shard,
  type StartingPosition,
} from '@aws-sdk/client-kinesis';
import type { KinesisConfig } from '../../../schemas/sources.ts';
import { SentrailError } from '../../core/errors.ts';
import type { SourceRecord } from '../../core/ports.ts';
import type { Progress } from '../../core/position.ts';
import type { ShardBatch, ShardReader } from '../../core/shards.ts';
import { causeOf, nameOf, type Patience, patiently } from '../aws-retry.ts';

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

/** What a reader is made of; `make` gives readers of children. */
export interface ReaderParts {
  readonly stream: KinesisStream;
  readonly shard: StreamShard;
  readonly at: Place;
  readonly make: (shard: StreamShard) => ShardReader;
}

/** What a stream is made of. */
export interface StreamParts {
  readonly name: string;
  readonly config: KinesisConfig;
  readonly client: KinesisClient;
  readonly patience: Patience;
  readonly clock: () => number;
  readonly onNotice: (text: string) => void;
}

/** What is wrong for good, and what to try. */
const hints: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'grant kinesis:ListShards, GetShardIterator, GetRecords (and SubscribeToShard, DescribeStreamConsumer, RegisterStreamConsumer for enhanced fan-out)',
  ResourceNotFoundException: 'check the name, the region and the account of the stream',
  UnrecognizedClientException: 'check the credentials',
  CredentialsProviderError: 'give credentials by the environment, a profile or a role',
  ExpiredTokenException: 'renew the credentials',
};

/** A trouble that has lasted so long is told of, and again each time it has lasted twice as long. */
const troubleMs = 60_000;

export class KinesisStream {
  readonly parts: StreamParts;
  #troubleSince: number | undefined;
  #toldAfter = troubleMs;

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

  nameOf(shardId: string): string {
    return `${this.parts.name}/${shardId}`;
  }

  /**
   * One call with patience: what passes is tried again until the signal aborts. Throws what the caller
   * handles itself (`handled` names it), `SentrailError` (source) for what does not pass.
   */
  async call<T>(
    doing: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    handled: readonly string[] = [],
  ): Promise<T> {
    const telling = async (given: AbortSignal) => {
      try {
        const result = await work(given);
        this.#troubleSince = undefined;
        this.#toldAfter = troubleMs;
        return result;
      } catch (error) {
        this.#tell(doing, error);
        throw error;
      }
    };
    try {
      return await patiently(doing, telling, this.parts.patience, signal);
    } catch (error) {
      const name = nameOf(error);
      if (signal.aborted || handled.includes(name) || error instanceof SentrailError) throw error;
      const hint = hints[name] ?? 'check the configuration and the health of AWS';
      const what = `${doing} of the stream ${this.parts.config.stream}: ${name}`;
      throw new SentrailError('source', `${what}; ${hint}`, { cause: causeOf(error) });
    }
  }

  /** All shards that are there, in the order Kinesis lists them. */
  async shards(signal: AbortSignal): Promise<readonly StreamShard[]> {
    const found: Shard[] = [];
    let token: string | undefined;
    do {
      const input = token === undefined ? this.id : { NextToken: token };
      const answer = await this.call(
        'listing the shards',
        (given) => this.client.send(new ListShardsCommand(input), { abortSignal: given }),
        signal,
      );
      found.push(...(answer.Shards ?? []));
      token = answer.NextToken;
    } while (token !== undefined);
    const ids = new Set(found.map((one) => one.ShardId));
    return found.flatMap(({ ShardId: id, ParentShardId, AdjacentParentShardId }) => {
      if (id === undefined) return [];
      const named = [ParentShardId, AdjacentParentShardId];
      // A parent that retention has taken is not listed any more: it counts as finished.
      return [
        { id, parents: named.filter((one) => one !== undefined && ids.has(one)) as string[] },
      ];
    });
  }

  /** The readers of a shard's children, for its last batch. */
  async children(parts: ReaderParts, signal: AbortSignal): Promise<readonly ShardReader[]> {
    const all = await this.shards(signal);
    return all.filter((one) => one.parents.includes(parts.shard.id)).map(parts.make);
  }

  #tell(doing: string, error: unknown): void {
    const now = this.parts.clock();
    this.#troubleSince ??= now;
    if (now - this.#troubleSince < this.#toldAfter) return;
    const seconds = Math.round((now - this.#troubleSince) / 1000);
    this.#toldAfter *= 2;
    this.parts.onNotice(`${doing}: ${nameOf(error)} for ${seconds} s now; still trying`);
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
export function positionOf(place: Place): StartingPosition & { Type: StartingPosition['Type'] } {
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

/** A batch of nothing that says nothing: given after an abort, and while waiting. */
export const noBatch: ShardBatch = { records: [], isCaughtUp: false, isEnded: false };
