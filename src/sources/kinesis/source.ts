// A Kinesis stream: every shard from where it was committed, parents before children.
import { type ChildShard, KinesisClient } from '@aws-sdk/client-kinesis';
import type { KinesisConfig } from '../../../schemas/sources.ts';
import type { ProgressLookup, Store } from '../../core/ports.ts';
import type { Progress } from '../../core/position.ts';
import type { Assignment, ShardedSource, ShardReader } from '../../core/shards.ts';
import { parseTime } from '../../core/time.ts';
import { awsClient } from '../aws.ts';
import { realWait, type Wait } from '../aws-retry.ts';
import { consumerOf } from './consumer.ts';
import { fanOutReader } from './fan-out.ts';
import { pollingReader } from './poll.ts';
import {
  KinesisStream,
  type Place,
  placeOf,
  type ReaderParts,
  type StreamShard,
} from './stream.ts';

/**
 * What the source takes. `clock` stamps the start of a stream read from `latest`, and paces calls.
 */
export interface KinesisOptions {
  readonly name: string;
  readonly config: KinesisConfig;
  readonly notes: Pick<Store, 'note' | 'setNote'>;
  readonly clock: () => number;
  readonly random?: () => number;
  readonly wait?: Wait;
  readonly onNotice?: (text: string) => void;
}

/**
 * Takes a stream's config; gives the source. Its shards are `name/shardId`, the sequence is
 * Kinesis's. Where a stream that was never read begins is decided once and noted: `latest` becomes
 * the instant of the first start, so that a restart before the first commit skips nothing and
 * shards that come later are read whole. A shard that ended is followed by its children, and by
 * every other shard that came meanwhile: the other parent of a child may have been unknown until
 * then. Throws `SentrailError` (source) when AWS refuses; what passes is retried for ever, with a
 * notice for each minute of it.
 */
export function kinesisSource(options: KinesisOptions): ShardedSource {
  const { name, config } = options;
  // Retries are ours alone: those of the SDK would neither hear a stop nor tell of a trouble.
  const client = new KinesisClient({ ...awsClient(config), maxAttempts: 1 });
  const stream = new KinesisStream({
    name,
    config,
    client,
    wait: options.wait ?? realWait,
    // Jitter only: it moves no position and judges nothing.
    random: options.random ?? Math.random,
    clock: options.clock,
    onNotice: options.onNotice ?? (() => {}),
  });
  return {
    name,
    isKeyed: false,
    assignments: (signal) => assignments(options, stream, signal),
    acknowledge: async () => {},
    async close() {
      client.destroy();
    },
  };
}

/** A stream of one reader is never taken from it, so there is no second assignment. */
async function* assignments(
  options: KinesisOptions,
  stream: KinesisStream,
  signal: AbortSignal,
): AsyncGenerator<Assignment> {
  if (signal.aborted) return;
  const start = await startOf(options);
  const there = await stream.shards(signal).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (there === undefined) return;
  yield {
    shards: there.map((one) => stream.nameOf(one.id)),
    taken: new AbortController().signal,
    open: async (progress, names) => {
      const opening = new Opening(stream, start, progress, signal);
      const readers = await opening.readers();
      return readers.filter((one) => names === undefined || names.includes(one.shard));
    },
    release: async () => {},
  };
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

/** The readers of one opening, and which shards they know. */
class Opening {
  readonly #stream: KinesisStream;
  readonly #start: Place;
  readonly #progress: ProgressLookup;
  readonly #signal: AbortSignal;
  readonly #consumer: ReturnType<typeof consumerOf> | undefined;
  readonly #known = new Set<string>();

  constructor(stream: KinesisStream, start: Place, progress: ProgressLookup, signal: AbortSignal) {
    this.#stream = stream;
    this.#start = start;
    this.#progress = progress;
    this.#signal = signal;
    const { consumer } = stream.parts.config;
    this.#consumer = consumer === undefined ? undefined : consumerOf(stream, consumer);
  }

  /** Readers of all shards that are there; a stop meanwhile gives none. */
  async readers(): Promise<readonly ShardReader[]> {
    try {
      await this.#consumer?.arn(this.#signal);
      return await this.#made(await this.#stream.shards(this.#signal));
    } catch (error) {
      if (this.#signal.aborted) return [];
      throw error;
    }
  }

  async #made(shards: readonly StreamShard[]): Promise<readonly ShardReader[]> {
    const names = shards.map((one) => this.#stream.nameOf(one.id));
    const known = await this.#progress(names);
    return shards.map((shard) => {
      this.#known.add(shard.id);
      return this.#reader(shard, known.get(this.#stream.nameOf(shard.id)));
    });
  }

  #reader(shard: StreamShard, progress: Progress | undefined): ShardReader {
    const parts: ReaderParts = {
      stream: this.#stream,
      shard,
      at: placeOf(progress, this.#start),
      follow: (named, signal) => this.#follow(shard.id, named, signal),
    };
    const consumer = this.#consumer;
    return consumer === undefined ? pollingReader(parts) : fanOutReader(parts, consumer);
  }

  async #follow(
    id: string,
    named: readonly ChildShard[],
    signal: AbortSignal,
  ): Promise<readonly ShardReader[]> {
    const children = named.flatMap(({ ShardId, ParentShards: parents = [] }) =>
      ShardId === undefined ? [] : [{ id: ShardId, parents }],
    );
    const isAll = children.flatMap((one) => one.parents).every((one) => this.#known.has(one));
    if (children.length > 0 && isAll) return this.#made(children);
    const all = await this.#stream.shards(signal);
    // More may be given than the children: each waits for the parents that are listed with it.
    return this.#made(all.filter((one) => one.parents.includes(id) || !this.#known.has(one.id)));
  }
}

/** The start of a stream, as noted when it was first read. */
async function startOf({ name, config, notes, clock }: KinesisOptions): Promise<Place> {
  const key = `${name}/start`;
  let noted = await notes.note(key);
  if (noted === undefined) {
    noted = config.start === 'latest' ? new Date(clock()).toISOString() : config.start;
    await notes.setNote(key, noted);
  }
  const time = parseTime(noted);
  return time === undefined ? { kind: 'earliest' } : { kind: 'time', time };
}
