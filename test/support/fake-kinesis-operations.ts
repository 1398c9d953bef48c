// The operations of a fake Kinesis: what a request must hold, and what is answered to it.
import { z } from 'zod';
import * as kinesis from './fake-kinesis-streams.ts';
import { Refusal, type Shard, type StoredRecord, type Stream } from './fake-kinesis-streams.ts';

/** How many shards a page lists at most. */
export interface Page {
  readonly size: number;
}

/** A request that was understood: the shard that it names, and how to answer at a time. */
export interface Asked {
  readonly shard: string | undefined;
  answer(streams: Map<string, Stream>, at: number, page: Page): object;
}

interface World {
  readonly streams: Map<string, Stream>;
  readonly at: number;
  readonly page: Page;
}
type Operation = (text: string) => Asked;

/** As in AWS: an iterator, and a token of a listing, are good for five minutes. */
const tokenLifeMs = 300_000;
const recordsMax = 10_000;
const putsMax = 500;

const whichStream = z.object({
  StreamName: z.string().optional(),
  StreamARN: z.string().optional(),
});
const oneRecord = z.object({
  Data: z.string(),
  PartitionKey: z.string().min(1).max(256),
  ExplicitHashKey: z.string().regex(/^\d+$/).optional(),
});
const iteratorBody = z.object({
  stream: z.string(),
  shard: z.string(),
  from: z.string().regex(/^\d+$/),
  at: z.number(),
});
const tokenBody = z.object({
  stream: z.string(),
  after: z.string(),
  openOnly: z.boolean(),
  at: z.number(),
});

/** All operations by name. Each takes a request's text and throws Refusal as AWS answers errors. */
export const operations: Readonly<Record<string, Operation>> = {
  CreateStream: operation(
    z.object({ StreamName: z.string().min(1), ShardCount: z.int().positive().default(4) }),
    (body, { streams, at }) => {
      if (streams.has(body.StreamName)) throw new Refusal('ResourceInUseException', 'it exists');
      streams.set(body.StreamName, kinesis.newStream(body.StreamName, body.ShardCount, at));
      return {};
    },
  ),
  DescribeStreamSummary: operation(whichStream, (body, world) => summary(streamOf(world, body))),
  ListShards: operation(
    whichStream.extend({
      NextToken: z.string().optional(),
      ExclusiveStartShardId: z.string().optional(),
      MaxResults: z.int().positive().optional(),
      ShardFilter: z.object({ Type: z.string(), ShardId: z.string().optional() }).optional(),
    }),
    listShards,
  ),
  PutRecord: operation(whichStream.extend(oneRecord.shape), (body, world) =>
    putOne(streamOf(world, body), body, world.at),
  ),
  PutRecords: operation(
    whichStream.extend({ Records: z.array(oneRecord).min(1).max(putsMax) }),
    (body, world) => {
      const stream = streamOf(world, body);
      const Records = body.Records.map((record) => putOne(stream, record, world.at));
      return { FailedRecordCount: 0, EncryptionType: 'NONE', Records };
    },
  ),
  GetShardIterator: operation(
    whichStream.extend({
      ShardId: z.string(),
      ShardIteratorType: z.string(),
      StartingSequenceNumber: z.string().optional(),
      Timestamp: z.number().optional(),
    }),
    (body, world) => {
      const stream = streamOf(world, body);
      const start = {
        type: body.ShardIteratorType,
        sequence: body.StartingSequenceNumber,
        timestamp: body.Timestamp === undefined ? undefined : Math.round(body.Timestamp * 1_000),
      };
      const shard = kinesis.shardOf(stream, body.ShardId);
      const from = kinesis.startOf(stream, shard, start, world.at);
      return { ShardIterator: iterator(stream, shard, from, world.at) };
    },
    (body) => body.ShardId,
  ),
  GetRecords: operation(
    z.object({
      ShardIterator: z.string(),
      Limit: z.int().positive().max(recordsMax).default(recordsMax),
    }),
    (body, world) => getRecords(opened(iteratorBody, body.ShardIterator), body.Limit, world),
    (body) => opened(iteratorBody, body.ShardIterator).shard,
  ),
  SplitShard: operation(
    whichStream.extend({
      ShardToSplit: z.string(),
      NewStartingHashKey: z.string().regex(/^\d+$/),
    }),
    (body, world) => {
      kinesis.split(streamOf(world, body), body.ShardToSplit, BigInt(body.NewStartingHashKey));
      return {};
    },
    (body) => body.ShardToSplit,
  ),
  MergeShards: operation(
    whichStream.extend({ ShardToMerge: z.string(), AdjacentShardToMerge: z.string() }),
    (body, world) => {
      kinesis.merge(streamOf(world, body), body.ShardToMerge, body.AdjacentShardToMerge);
      return {};
    },
    (body) => body.ShardToMerge,
  ),
};

/** An operation from the shape of its request, its answer, and the shard that the request names. */
function operation<Body>(
  shape: z.ZodType<Body>,
  run: (body: Body, world: World) => object,
  shardNamed: (body: Body) => string | undefined = () => undefined,
): Operation {
  return (text) => {
    const body = parsed(shape, text, 'ValidationException');
    return {
      shard: shardNamed(body),
      answer: (streams, at, page) => run(body, { streams, at, page }),
    };
  };
}

function parsed<Body>(shape: z.ZodType<Body>, text: string, refusal: string): Body {
  try {
    return shape.parse(JSON.parse(text));
  } catch (cause) {
    throw new Refusal(refusal, cause instanceof z.ZodError ? z.prettifyError(cause) : 'not JSON');
  }
}

function streamOf({ streams }: World, body: z.infer<typeof whichStream>): Stream {
  const name = body.StreamName ?? body.StreamARN?.split('/').at(-1) ?? '';
  const stream = streams.get(name);
  if (stream !== undefined) return stream;
  throw new Refusal('ResourceNotFoundException', `there is no stream ${name}`);
}

function summary({ name, createdAt, shards }: Stream): object {
  const StreamDescriptionSummary = {
    StreamName: name,
    StreamARN: `arn:aws:kinesis:us-east-1:000000000000:stream/${name}`,
    StreamStatus: 'ACTIVE',
    StreamModeDetails: { StreamMode: 'PROVISIONED' },
    RetentionPeriodHours: 24,
    StreamCreationTimestamp: createdAt / 1_000,
    EnhancedMonitoring: [],
    EncryptionType: 'NONE',
    OpenShardCount: shards.filter(({ last }) => last === undefined).length,
    ConsumerCount: 0,
  };
  return { StreamDescriptionSummary };
}

interface Listing extends z.infer<typeof whichStream> {
  readonly NextToken?: string | undefined;
  readonly ExclusiveStartShardId?: string | undefined;
  readonly MaxResults?: number | undefined;
  readonly ShardFilter?:
    | { readonly Type: string; readonly ShardId?: string | undefined }
    | undefined;
}

/** A token goes on with the listing it came from; AWS refuses it beside a stream's name. */
function listShards(body: Listing, world: World): object {
  const { NextToken, ShardFilter, StreamName, StreamARN } = body;
  if (NextToken !== undefined && (StreamName ?? ShardFilter) !== undefined) {
    throw new Refusal('InvalidArgumentException', 'NextToken goes without a name and a filter');
  }
  const token = NextToken === undefined ? undefined : opened(tokenBody, NextToken);
  if (token !== undefined && world.at - token.at > tokenLifeMs) {
    throw new Refusal('ExpiredNextTokenException', 'the token is too old');
  }
  const type = ShardFilter?.Type ?? 'FROM_TRIM_HORIZON';
  if (!['FROM_TRIM_HORIZON', 'AT_LATEST', 'AFTER_SHARD_ID'].includes(type)) {
    throw new Refusal('ValidationException', `this fake has no filter ${type}`);
  }
  const stream = streamOf(world, { StreamName: token?.stream ?? StreamName, StreamARN });
  const openOnly = token?.openOnly ?? type === 'AT_LATEST';
  const after = token?.after ?? ShardFilter?.ShardId ?? body.ExclusiveStartShardId ?? '';
  const all = stream.shards.filter(
    ({ id, last }) => id > after && !(openOnly && last !== undefined),
  );
  const shards = all.slice(0, Math.min(world.page.size, body.MaxResults ?? world.page.size));
  const newest = shards.at(-1);
  return {
    Shards: shards.map(listed),
    ...(newest === undefined || shards.length === all.length
      ? {}
      : { NextToken: sealed({ stream: stream.name, after: newest.id, openOnly, at: world.at }) }),
  };
}

function listed(shard: Shard): object {
  const [parent, adjacent] = shard.parents;
  return {
    ShardId: shard.id,
    ...(parent === undefined ? {} : { ParentShardId: parent }),
    ...(adjacent === undefined ? {} : { AdjacentParentShardId: adjacent }),
    HashKeyRange: hashKeyRange(shard),
    SequenceNumberRange: {
      StartingSequenceNumber: String(shard.first),
      ...(shard.last === undefined ? {} : { EndingSequenceNumber: String(shard.last) }),
    },
  };
}

function hashKeyRange({ hashFrom, hashTo }: Shard): object {
  return { StartingHashKey: String(hashFrom), EndingHashKey: String(hashTo) };
}

function putOne(stream: Stream, record: z.infer<typeof oneRecord>, at: number): object {
  const { PartitionKey: key, Data: data, ExplicitHashKey: hash } = record;
  const put = kinesis.put(stream, { key, data, hash }, at);
  return { ShardId: put.shard.id, SequenceNumber: String(put.record.sequence) };
}

/** The last answer of a closed shard has no next iterator, and says which shards come after it. */
function getRecords(where: z.infer<typeof iteratorBody>, limit: number, world: World): object {
  if (world.at - where.at > tokenLifeMs) {
    throw new Refusal('ExpiredIteratorException', 'the iterator is too old');
  }
  const stream = streamOf(world, { StreamName: where.stream });
  const shard = kinesis.shardOf(stream, where.shard);
  const { records, from, waiting } = kinesis.read(shard, BigInt(where.from), limit);
  const ChildShards = shard.children.map((child) => ({
    ShardId: child.id,
    ParentShards: child.parents,
    HashKeyRange: hashKeyRange(child),
  }));
  return {
    Records: records.map(shown),
    // Never 0 while a record waits: that is how a reader knows the tip.
    MillisBehindLatest: waiting === undefined ? 0 : Math.max(1, world.at - waiting.at),
    ...(from === undefined
      ? { NextShardIterator: null, ChildShards }
      : { NextShardIterator: iterator(stream, shard, from, world.at) }),
  };
}

function shown({ sequence, key, data, at }: StoredRecord): object {
  return {
    SequenceNumber: String(sequence),
    ApproximateArrivalTimestamp: at / 1_000,
    Data: data,
    PartitionKey: key,
    EncryptionType: 'NONE',
  };
}

function iterator(stream: Stream, shard: Shard, from: bigint, at: number): string {
  return sealed({ stream: stream.name, shard: shard.id, from: String(from), at });
}

function sealed(token: object): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

function opened<Body>(shape: z.ZodType<Body>, token: string): Body {
  return parsed(shape, Buffer.from(token, 'base64url').toString(), 'InvalidArgumentException');
}
