// A Kinesis stream: every shard from where it was committed, parents before children, within its limits.
import { KinesisClient } from '@aws-sdk/client-kinesis';
import type { KinesisConfig } from '../../../schemas/sources.ts';
import type { ProgressLookup, Store } from '../../core/ports.ts';
import type { Assignment, ShardedSource, ShardReader } from '../../core/shards.ts';
import { parseTime } from '../../core/time.ts';
import { awsClient } from '../aws.ts';
import { realWait, type Wait } from '../aws-retry.ts';
import { consumerArn, fanOutReader } from './fan-out.ts';
import { pollingReader } from './poll.ts';
import {
  KinesisStream,
  type Place,
  placeOf,
  type ReaderParts,
  type StreamShard,
} from './stream.ts';

/** What the source takes. `clock` decides where a stream read from `latest` begins, nothing else. */
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
 * Takes a stream's config; gives the source. Its shards are `name/shardId`, the sequence is Kinesis's.
 * Where a stream that was never read begins is decided once and noted: `latest` becomes the instant of
 * the first start, so that a restart before the first commit skips nothing and shards that come later
 * are read whole. Throws `SentrailError` (source) when AWS refuses; what passes is retried for ever.
 */
export function kinesisSource(options: KinesisOptions): ShardedSource {
  const { name, config } = options;
  const client = new KinesisClient(awsClient(config));
  const stream = new KinesisStream({
    name,
    config,
    client,
    patience: {
      wait: options.wait ?? realWait,
      // Jitter only: it moves no position and judges nothing.
      random: options.random ?? Math.random,
      triesMax: Number.POSITIVE_INFINITY,
    },
    clock: options.clock,
    onNotice: options.onNotice ?? (() => {}),
  });
  return {
    name,
    isKeyed: false,
    async *assignments(signal) {
      if (signal.aborted) return;
      const never = new AbortController().signal;
      const assignment: Assignment = {
        shards: [],
        taken: never,
        open: (progress) => open(options, stream, progress, signal),
        release: async () => {},
      };
      yield assignment;
      // A stream of one reader is never taken, so there is no second assignment.
      if (!signal.aborted) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      }
    },
    acknowledge: async () => {},
    async close() {
      client.destroy();
    },
  };
}

async function open(
  { name, config, notes, clock }: KinesisOptions,
  stream: KinesisStream,
  progress: ProgressLookup,
  signal: AbortSignal,
): Promise<readonly ShardReader[]> {
  const start = await startOf(name, config, notes, clock);
  const arn = config.consumer === undefined ? undefined : await consumerArn(stream, signal);
  const shards = await stream.shards(signal);
  const known = await progress(shards.map((one) => stream.nameOf(one.id)));
  const make = (shard: StreamShard): ShardReader => {
    const at = placeOf(known.get(stream.nameOf(shard.id)), start);
    const parts: ReaderParts = { stream, shard, at, make };
    return arn === undefined ? pollingReader(parts) : fanOutReader(parts, arn);
  };
  return shards.map(make);
}

/** The start of a stream, as noted when it was first read. */
async function startOf(
  name: string,
  config: KinesisConfig,
  notes: Pick<Store, 'note' | 'setNote'>,
  clock: () => number,
): Promise<Place> {
  const key = `${name}/start`;
  let noted = await notes.note(key);
  if (noted === undefined) {
    noted = config.start === 'latest' ? new Date(clock()).toISOString() : config.start;
    await notes.setNote(key, noted);
  }
  const time = parseTime(noted);
  return time === undefined ? { kind: 'earliest' } : { kind: 'time', time };
}
