// A stream at a Kinesis server, and what its producers and operators do to it.
import {
  CreateStreamCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  type Shard,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { awsClient } from '../../src/sources/aws.ts';
import { testCredentials } from './worker.ts';

const region = testCredentials.AWS_REGION;

/** A stream; shards are named by their id. */
export interface TestStream {
  /** The source of a configuration that reads it from its beginning. */
  readonly source: object;
  /** Puts a record where a place of the key space lies, from 0 to below 1. */
  put(bytes: Uint8Array, place: number): Promise<void>;
  /** Ids of the shards that take records, in order of the key space. */
  open(): Promise<string[]>;
  split(shard: string): Promise<void>;
  merge(shard: string, adjacent: string): Promise<void>;
  close(): void;
}

/** Makes a stream of so many shards at a server. Throws what the client throws. */
export async function makeStream(
  endpoint: string,
  StreamName: string,
  ShardCount: number,
): Promise<TestStream> {
  process.env['AWS_ACCESS_KEY_ID'] ??= testCredentials.AWS_ACCESS_KEY_ID;
  process.env['AWS_SECRET_ACCESS_KEY'] ??= testCredentials.AWS_SECRET_ACCESS_KEY;
  const client = new KinesisClient(awsClient({ endpoint, region }));
  await client.send(new CreateStreamCommand({ StreamName, ShardCount }));
  const shards = async () => {
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
    const open = Shards.filter((one) => one.SequenceNumberRange?.EndingSequenceNumber == null);
    return open.sort((a, b) => (from(a) < from(b) ? -1 : 1));
  };
  return {
    source: {
      type: 'kinesis',
      stream: StreamName,
      region,
      endpoint,
      start: 'earliest',
      poll: '1s',
    },
    async put(bytes, place) {
      const hash = (BigInt(Math.floor(place * 1e9)) * 2n ** 128n) / 1_000_000_000n;
      const key = { PartitionKey: 'any', ExplicitHashKey: String(hash) };
      await client.send(new PutRecordCommand({ StreamName, Data: bytes, ...key }));
    },
    open: async () => (await shards()).map((one) => one.ShardId ?? ''),
    async split(ShardToSplit) {
      const shard = (await shards()).find((one) => one.ShardId === ShardToSplit);
      const to = BigInt(shard?.HashKeyRange?.EndingHashKey ?? 0);
      const NewStartingHashKey = String((from(shard) + to) / 2n + 1n);
      await client.send(new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey }));
    },
    async merge(ShardToMerge, AdjacentShardToMerge) {
      const input = { StreamName, ShardToMerge, AdjacentShardToMerge };
      await client.send(new MergeShardsCommand(input));
    },
    close: () => client.destroy(),
  };
}

function from(shard: Shard | undefined): bigint {
  return BigInt(shard?.HashKeyRange?.StartingHashKey ?? 0);
}
