// The two Kinesis servers of the tests answer alike, so that what one proves holds on the other.
import * as kinesis from '@aws-sdk/client-kinesis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awsClient } from '../../src/sources/aws.ts';
import { type FakeKinesis, startFakeKinesis } from '../support/fake-kinesis.ts';
import { startKinesisLocal } from '../support/kinesis-local.ts';

const region = 'us-east-1';
const half = String(2n ** 127n);
beforeAll(() => {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'none';
});

/** A stream of its own for each test, and what the tests do with it. */
class Trail {
  readonly client: kinesis.KinesisClient;
  readonly StreamName: string;
  constructor(client: kinesis.KinesisClient, name: string) {
    this.client = client;
    this.StreamName = name;
  }

  async create(ShardCount: number): Promise<void> {
    const { client, StreamName } = this;
    await client.send(new kinesis.CreateStreamCommand({ StreamName, ShardCount }));
    await this.active();
  }

  /** Waits until the stream does what it was told. */
  async active(): Promise<kinesis.StreamDescriptionSummary> {
    const { client, StreamName } = this;
    const command = new kinesis.DescribeStreamSummaryCommand({ StreamName });
    const { StreamDescriptionSummary: summary } = await client.send(command);
    if (summary?.StreamStatus === 'ACTIVE') return summary;
    await new Promise((resolve) => setTimeout(resolve, 10));
    return this.active();
  }

  async put(text: string): Promise<string> {
    const { client, StreamName } = this;
    const Data = Buffer.from(text);
    const command = new kinesis.PutRecordCommand({ StreamName, Data, PartitionKey: text });
    return (await client.send(command)).SequenceNumber ?? '';
  }

  /** All shards, two a page. */
  async shards(): Promise<kinesis.Shard[]> {
    const { client, StreamName } = this;
    const shards: kinesis.Shard[] = [];
    let NextToken: string | undefined;
    do {
      const which = NextToken === undefined ? { StreamName } : { NextToken };
      const page = await client.send(new kinesis.ListShardsCommand({ ...which, MaxResults: 2 }));
      expect(page.Shards?.length).toBeLessThanOrEqual(2);
      shards.push(...(page.Shards ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return shards;
  }

  async iterator(
    type: kinesis.ShardIteratorType,
    more: Partial<kinesis.GetShardIteratorInput> = {},
  ): Promise<string | undefined> {
    const { client, StreamName } = this;
    const ShardId = more.ShardId ?? (await this.shards())[0]?.ShardId;
    const input = { StreamName, ShardIteratorType: type, ...more, ShardId };
    return (await client.send(new kinesis.GetShardIteratorCommand(input))).ShardIterator;
  }

  async get(ShardIterator: string | undefined, Limit = 100): Promise<kinesis.GetRecordsOutput> {
    return this.client.send(new kinesis.GetRecordsCommand({ ShardIterator, Limit }));
  }
}

const texts = (answer: kinesis.GetRecordsOutput) =>
  answer.Records?.map(({ Data }) => Buffer.from(Data ?? []).toString());

describe.each([
  ['the fake', startFakeKinesis],
  ['kinesis-local', startKinesisLocal],
] as const)('%s', (name, start) => {
  let server: { endpoint: string; close(): Promise<void> };
  let client: kinesis.KinesisClient;
  beforeAll(async () => {
    server = await start();
    client = new kinesis.KinesisClient(awsClient({ endpoint: server.endpoint, region }));
  });
  afterAll(async () => {
    client.destroy();
    await server.close();
  });
  let made = 0;
  const trail = async (shardCount = 1) => {
    const one = new Trail(client, `${name.replaceAll(' ', '-')}-${made++}`);
    await one.create(shardCount);
    return one;
  };

  it('gives what was put, in order, with rising sequence numbers that no double holds', async () => {
    const one = await trail();
    const put = [await one.put('a'), await one.put('b'), await one.put('c')].map(BigInt);
    expect(put).toEqual(put.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(put[0]).toBeGreaterThan(BigInt(Number.MAX_SAFE_INTEGER));
    const before = Date.now();
    const answer = await one.get(await one.iterator('TRIM_HORIZON'));
    expect(texts(answer)).toEqual(['a', 'b', 'c']);
    expect(answer.Records?.map((record) => BigInt(record.SequenceNumber ?? 0))).toEqual(put);
    expect(answer.Records?.map((record) => record.PartitionKey)).toEqual(['a', 'b', 'c']);
    expect(answer.MillisBehindLatest).toBe(0);
    const arrival = Number(answer.Records?.[0]?.ApproximateArrivalTimestamp);
    expect(Math.abs(arrival - before)).toBeLessThan(10_000);
  });

  it('spreads a batch over the shards by key, and says where each went', async () => {
    const one = await trail(3);
    const Records = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((text) => {
      return { Data: Buffer.from(text), PartitionKey: text };
    });
    const { StreamName } = one;
    const batch = await client.send(new kinesis.PutRecordsCommand({ StreamName, Records }));
    expect(batch.FailedRecordCount).toBe(0);
    const shards = await one.shards();
    expect(shards.length).toBe(3);
    for (const { ShardId } of shards) {
      const answer = await one.get(await one.iterator('TRIM_HORIZON', { ShardId }));
      const expected = Records.filter((_, index) => batch.Records?.[index]?.ShardId === ShardId);
      expect(texts(answer)).toEqual(expected.map(({ PartitionKey }) => PartitionKey));
    }
  });

  it('starts at, and after, a sequence number', async () => {
    const one = await trail();
    await one.put('a');
    const StartingSequenceNumber = await one.put('b');
    await one.put('c');
    const at = await one.iterator('AT_SEQUENCE_NUMBER', { StartingSequenceNumber });
    expect(texts(await one.get(at))).toEqual(['b', 'c']);
    const after = await one.iterator('AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber });
    expect(texts(await one.get(after))).toEqual(['c']);
  });

  it('starts at a time with the first record that arrived then or later', async () => {
    const one = await trail();
    await one.put('a');
    await new Promise((resolve) => setTimeout(resolve, 30));
    await one.put('b');
    await one.put('c');
    const all = await one.get(await one.iterator('TRIM_HORIZON'));
    const [first, second] = all.Records?.map((record) => record.ApproximateArrivalTimestamp) ?? [];
    if (first === undefined || second === undefined) throw new Error('no times were given');
    for (const Timestamp of [second, new Date(Number(second) - 10)]) {
      const there = await one.iterator('AT_TIMESTAMP', { Timestamp });
      expect(texts(await one.get(there))).toEqual(['b', 'c']);
    }
    const earlier = await one.iterator('AT_TIMESTAMP', { Timestamp: first });
    expect(texts(await one.get(earlier))).toEqual(['a', 'b', 'c']);
  });

  it('starts at the tip with what is put from then on', async () => {
    const one = await trail();
    await one.put('a');
    const tip = await one.iterator('LATEST');
    const quiet = await one.get(tip);
    expect(texts(quiet)).toEqual([]);
    await one.put('b');
    expect(texts(await one.get(quiet.NextShardIterator))).toEqual(['b']);
  });

  it('keeps to the limit, goes on where it stopped, and says when nothing waits', async () => {
    const one = await trail();
    for (const text of ['a', 'b', 'c', 'd', 'e']) await one.put(text);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const first = await one.get(await one.iterator('TRIM_HORIZON'), 2);
    expect(texts(first)).toEqual(['a', 'b']);
    expect(first.MillisBehindLatest).toBeGreaterThan(0);
    const second = await one.get(first.NextShardIterator, 2);
    expect(texts(second)).toEqual(['c', 'd']);
    const third = await one.get(second.NextShardIterator, 2);
    expect(texts(third)).toEqual(['e']);
    expect(third.MillisBehindLatest).toBe(0);
    expect(third.NextShardIterator).toBeTruthy();
    const again = await one.get(first.NextShardIterator, 2);
    expect(texts(again)).toEqual(['c', 'd']);
  });

  it('drains a split shard to its end, and names and lists its children', async () => {
    const one = await trail();
    for (const text of ['a', 'b', 'c']) await one.put(text);
    const { StreamName } = one;
    const parent = (await one.shards())[0]?.ShardId ?? '';
    const input = { StreamName, ShardToSplit: parent, NewStartingHashKey: half };
    await client.send(new kinesis.SplitShardCommand(input));
    expect((await one.active()).OpenShardCount).toBe(2);
    await one.put('late');

    const drained = await drain(one, parent);
    expect(drained.texts).toEqual(['a', 'b', 'c']);
    expect(drained.behind).toBe(0);
    const [closed, ...children] = await one.shards();
    expect(closed?.ShardId).toBe(parent);
    expect(closed?.SequenceNumberRange?.EndingSequenceNumber).toMatch(/^\d+$/);
    expect(children.map((child) => child.ParentShardId)).toEqual([parent, parent]);
    expect(children.map((child) => child.AdjacentParentShardId)).toEqual([undefined, undefined]);
    expect(children.map((child) => child.HashKeyRange?.StartingHashKey)).toEqual(['0', half]);
    const open = children.map((child) => child.SequenceNumberRange?.EndingSequenceNumber);
    expect(open).toEqual([undefined, undefined]);
    expect(drained.children).toEqual(children.map((child) => [child.ShardId, [parent]]));

    const late = children.map(async ({ ShardId }) => {
      return texts(await one.get(await one.iterator('TRIM_HORIZON', { ShardId })));
    });
    expect((await Promise.all(late)).flat()).toEqual(['late']);
  });

  it('drains both shards of a merge, and lists both as parents of the one', async () => {
    const one = await trail(2);
    const put = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const text of put) await one.put(text);
    const { StreamName } = one;
    const parents = (await one.shards()).map(({ ShardId = '' }) => ShardId);
    const [ShardToMerge, AdjacentShardToMerge] = parents;
    const input = { StreamName, ShardToMerge, AdjacentShardToMerge };
    await client.send(new kinesis.MergeShardsCommand(input));
    expect((await one.active()).OpenShardCount).toBe(1);

    const child = (await one.shards()).at(-1);
    expect(child?.ParentShardId).toBe(ShardToMerge);
    expect(child?.AdjacentParentShardId).toBe(AdjacentShardToMerge);
    const drained = [];
    for (const id of parents) drained.push(await drain(one, id));
    expect(drained.flatMap((each) => each.texts).toSorted()).toEqual(put);
    for (const each of drained) {
      expect(each.children).toEqual([[child?.ShardId, expect.arrayContaining(parents)]]);
    }
  });

  it('lists nothing but open shards where it is asked for those at the tip', async () => {
    const one = await trail();
    const { StreamName } = one;
    const ShardToSplit = (await one.shards())[0]?.ShardId;
    const split = { StreamName, ShardToSplit, NewStartingHashKey: half };
    await client.send(new kinesis.SplitShardCommand(split));
    await one.active();
    const input = { StreamName, ShardFilter: { Type: 'AT_LATEST' } } as const;
    const { Shards } = await client.send(new kinesis.ListShardsCommand(input));
    expect(Shards?.map((shard) => shard.ParentShardId)).toEqual([ShardToSplit, ShardToSplit]);
  });

  it('says that it has no such stream, and no such shard', async () => {
    const one = await trail();
    const refusal = { name: 'ResourceNotFoundException' };
    await expect(new Trail(client, 'none').shards()).rejects.toMatchObject(refusal);
    const absent = one.iterator('TRIM_HORIZON', { ShardId: 'shardId-000000000099' });
    await expect(absent).rejects.toMatchObject(refusal);
  });
});

describe('what only the fake can do', () => {
  const begin = Date.UTC(2026, 10, 24, 12);
  let now = begin;
  let fake: FakeKinesis;
  let one: Trail;
  beforeEach(async () => {
    now = begin;
    fake = await startFakeKinesis({ clock: () => now, pageSize: 1, readsPerSecond: 5 });
    const options = awsClient({ endpoint: fake.endpoint, region });
    one = new Trail(new kinesis.KinesisClient({ ...options, maxAttempts: 1 }), 'trail');
    await one.create(1);
  });
  afterEach(async () => {
    one.client.destroy();
    await fake.close();
  });
  const [shard, second] = ['shardId-000000000000', 'shardId-000000000001'];
  const split = async () => {
    const { StreamName } = one;
    const input = { StreamName, ShardToSplit: shard, NewStartingHashKey: half };
    await one.client.send(new kinesis.SplitShardCommand(input));
  };

  it.each([
    ['throttle', 'ProvisionedThroughputExceededException'],
    ['expired', 'ExpiredIteratorException'],
    ['internal', 'InternalFailure'],
    ['denied', 'AccessDeniedException'],
    ['gone', 'ResourceNotFoundException'],
    ['drop', 'drop'],
  ] as const)('fails as often as it is told by %s, then answers', async (fault, outcome) => {
    await one.put('a');
    const there = await one.iterator('TRIM_HORIZON');
    fake.faults.next('GetRecords', fault, 2, shard);
    fake.faults.next('GetRecords', 'denied', 1, second);
    const error = fault === 'drop' ? { code: 'ECONNRESET' } : { name: outcome };
    await expect(one.get(there)).rejects.toMatchObject(error);
    await expect(one.get(there)).rejects.toMatchObject(error);
    expect(texts(await one.get(there))).toEqual(['a']);
    const outcomes = fake.callsOf('GetRecords', shard).map((call) => call.outcome);
    expect(outcomes).toEqual([outcome, outcome, 'ok']);
  });

  it('throttles the sixth reading of a shard within a second, and tells the time of each', async () => {
    const there = await one.iterator('TRIM_HORIZON');
    for (let reading = 0; reading < 5; reading++) await one.get(there);
    const refusal = { name: 'ProvisionedThroughputExceededException' };
    await expect(one.get(there)).rejects.toMatchObject(refusal);
    now += 1_000;
    await one.get(there);
    const times = fake.callsOf('GetRecords', shard).map(({ at }) => at - begin);
    expect(times).toEqual([0, 0, 0, 0, 0, 0, 1_000]);
  });

  it('lets an iterator expire after five minutes', async () => {
    const there = await one.iterator('TRIM_HORIZON');
    now += 300_001;
    await expect(one.get(there)).rejects.toMatchObject({ name: 'ExpiredIteratorException' });
  });

  it('starts at the oldest record left where one was read that is trimmed', async () => {
    const StartingSequenceNumber = await one.put('a');
    for (const text of ['b', 'c', 'd']) await one.put(text);
    fake.trim(shard, 2);
    const after = await one.iterator('AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber });
    expect(texts(await one.get(after))).toEqual(['c', 'd']);
    expect(texts(await one.get(await one.iterator('TRIM_HORIZON')))).toEqual(['c', 'd']);
  });

  it('forgets a closed shard, and no open one', async () => {
    expect(() => fake.forget(shard)).toThrow('open');
    const there = await one.iterator('TRIM_HORIZON');
    await split();
    fake.forget(shard);
    expect((await one.shards()).map((each) => each.ParentShardId)).toEqual([shard, shard]);
    const gone = { name: 'ResourceNotFoundException' };
    await expect(one.get(there)).rejects.toMatchObject(gone);
    await expect(one.iterator('LATEST', { ShardId: shard })).rejects.toMatchObject(gone);
  });

  it('lists no more shards a page than it was made for', async () => {
    await split();
    expect((await one.shards()).length).toBe(3);
    expect(fake.callsOf('ListShards').length).toBe(3);
  });

  it('says how far behind its own clock a reader is', async () => {
    for (const text of ['a', 'b']) await one.put(text);
    now += 7_000;
    expect(await one.get(await one.iterator('TRIM_HORIZON'), 1)).toMatchObject({
      MillisBehindLatest: 7_000,
      Records: [{ ApproximateArrivalTimestamp: new Date(begin) }],
    });
  });

  it('refuses an operation that it does not have', async () => {
    const { StreamName } = one;
    const unknown = one.client.send(new kinesis.DeleteStreamCommand({ StreamName }));
    await expect(unknown).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });
});

/** Reads a closed shard from its oldest record to where no iterator follows. */
async function drain(trail: Trail, ShardId: string) {
  const read: string[] = [];
  let iterator = await trail.iterator('TRIM_HORIZON', { ShardId });
  for (let tries = 0; tries < 20; tries++) {
    const answer = await trail.get(iterator, 2);
    read.push(...(texts(answer) ?? []));
    iterator = answer.NextShardIterator ?? undefined;
    if (iterator !== undefined) continue;
    const children = answer.ChildShards?.map((child) => [child.ShardId, child.ParentShards]);
    return { texts: read, behind: answer.MillisBehindLatest, children };
  }
  throw new Error(`${ShardId} does not end`);
}
