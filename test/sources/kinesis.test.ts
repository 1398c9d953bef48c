// The Kinesis source: the contract against an emulator, and what only a fake can do: faults and retention.
import {
  CreateStreamCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  type Shard,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type KinesisConfig, kinesisConfig } from '../../schemas/sources.ts';
import type { SourceRecord } from '../../src/core/ports.ts';
import type { Progress } from '../../src/core/position.ts';
import { awsClient } from '../../src/sources/aws.ts';
import { kinesisSource } from '../../src/sources/kinesis/source.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { waitFor } from '../../src/wiring.ts';
import { sourceContract } from '../contract/source.ts';
import { type FakeKinesis, startFakeKinesis } from '../support/fake-kinesis.ts';
import { type KinesisLocal, startKinesisLocal } from '../support/kinesis-local.ts';
import { merged } from '../support/merged.ts';
import { recordsOf } from '../support/reading.ts';

process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
const region = 'eu-west-1';
let streams = 0;

/** A stream at a server, and what a producer does to it. */
async function streamAt(endpoint: string, shards: number) {
  const client = new KinesisClient(awsClient({ endpoint, region }));
  const StreamName = `stream-${++streams}`;
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: shards }));
  const list = async (token?: string): Promise<Shard[]> => {
    const input = token === undefined ? { StreamName } : { NextToken: token };
    const { Shards = [], NextToken } = await client.send(new ListShardsCommand(input));
    return NextToken === undefined ? Shards : [...Shards, ...(await list(NextToken))];
  };
  while ((await list()).length < shards) await waitFor(20);
  const config: KinesisConfig = {
    ...kinesisConfig.parse({ type: 'kinesis', stream: StreamName, region, endpoint }),
    start: 'earliest',
    // An idle shard is asked often, so that tests need not wait.
    poll: 50,
  };
  return {
    config,
    list,
    /** Puts a text into the open shard in which a place of the key space lies, from 0 to below 1. */
    async put(text: string, place = 0) {
      const hash = (BigInt(Math.floor(place * 1e9)) * 2n ** 128n) / 1_000_000_000n;
      const Data = Buffer.from(text);
      const key = { PartitionKey: 'k', ExplicitHashKey: String(hash) };
      await client.send(new PutRecordCommand({ StreamName, Data, ...key }));
    },
    async split(at: number) {
      const open = (await list()).filter((one) => !one.SequenceNumberRange?.EndingSequenceNumber);
      const shard = open[at];
      const { StartingHashKey = '0', EndingHashKey = '0' } = shard?.HashKeyRange ?? {};
      const middle = (BigInt(StartingHashKey) + BigInt(EndingHashKey)) / 2n + 1n;
      const input = {
        StreamName,
        ShardToSplit: shard?.ShardId,
        NewStartingHashKey: String(middle),
      };
      await client.send(new SplitShardCommand(input));
    },
    async merge(first: string, second: string) {
      const input = { StreamName, ShardToMerge: first, AdjacentShardToMerge: second };
      await client.send(new MergeShardsCommand(input));
    },
  };
}

const text = (records: readonly SourceRecord[]) =>
  records.map((one) => Buffer.from(one.bytes).toString());
const notices: string[] = [];
const source = (config: KinesisConfig, notes = memoryStore(), clock = Date.now) =>
  kinesisSource({
    name: 'k',
    config,
    notes,
    clock,
    random: () => 0,
    // Waits of faults are cut short; those of pace and idleness are short by config.
    wait: (ms, signal) => waitFor(Math.min(ms, 60), signal),
    onNotice: (one) => notices.push(one),
  });

describe('against kinesis-local', () => {
  let local: KinesisLocal;
  beforeAll(async () => {
    local = await startKinesisLocal();
  });
  afterAll(() => local.close());

  sourceContract('kinesis, shards merged', async () => {
    const { config, put } = await streamAt(local.endpoint, 3);
    for (let at = 0; at < 9; at++) await put(`line ${at}\nand another\n`, (at % 3) / 3 + 0.1);
    const notes = memoryStore();
    return { open: () => merged(source(config, notes)), close: async () => {} };
  });

  it('reads split and merged shards, parents first', async () => {
    const { config, put, split, list } = await streamAt(local.endpoint, 1);
    await put('parent');
    await split(0);
    while ((await list()).length < 3) await waitFor(20);
    await put('left', 0.1);
    await put('right', 0.9);
    expect(text(await recordsOf(merged(source(config))))).toEqual(['parent', 'left', 'right']);
  });

  it('reads by enhanced fan-out what polling reads, and on behind a position', async () => {
    const { config, put } = await streamAt(local.endpoint, 2);
    for (let at = 0; at < 6; at++) await put(`${at}`, (at % 2) * 0.9);
    const fanOut = { ...config, consumer: 'sentrail' };
    const records = await recordsOf(merged(source(fanOut)));
    expect(text(records)).toEqual(text(await recordsOf(merged(source(config)))));
    const committed = new Map<string, Progress>();
    for (const { shard, sequence } of records.slice(0, 3)) {
      committed.set(shard, { position: { shard, sequence, item: 1 }, done: '' });
    }
    const rest = await recordsOf(merged(source(fanOut)), committed);
    expect(text(rest).sort()).toEqual(text(records.slice(3)).sort());
  });

  it('begins at latest, and a restart before the first commit skips nothing', async () => {
    const { config, put } = await streamAt(local.endpoint, 1);
    await put('old');
    await waitFor(50);
    const notes = memoryStore();
    const latest = { ...config, start: 'latest' as const };
    expect(text(await recordsOf(merged(source(latest, notes))))).toEqual([]);
    await put('new');
    expect(text(await recordsOf(merged(source(latest, notes))))).toEqual(['new']);
  });
});

describe('against a server with faults', () => {
  let fake: FakeKinesis;
  beforeAll(async () => {
    fake = await startFakeKinesis({ pageSize: 2 });
  });
  beforeEach(() => {
    fake.faults.clear();
    fake.calls.length = 0;
    notices.length = 0;
  });
  afterAll(() => fake.close());

  it.each([
    ['throttled', 'throttle'],
    ['refused for a moment', 'internal'],
    ['cut off', 'drop'],
    ['told that its iterator expired', 'expired'],
  ] as const)('loses and repeats nothing while it is %s', async (_, fault) => {
    const { config, put } = await streamAt(fake.endpoint, 2);
    for (let at = 0; at < 8; at++) await put(`${at}`, (at % 2) * 0.9);
    fake.faults.next('GetRecords', fault, 5);
    if (fault !== 'expired') {
      fake.faults.next('ListShards', fault, 2);
      fake.faults.next('GetShardIterator', fault, 3);
    }
    const records = await recordsOf(merged(source({ ...config, recordsMax: 2 })));
    expect(text(records).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    expect(fake.callsOf('GetRecords').some((one) => one.outcome !== 'ok')).toBe(true);
  });

  it('ends, and says what to grant, when AWS refuses', async () => {
    const { config } = await streamAt(fake.endpoint, 1);
    fake.faults.next('GetRecords', 'denied', 99);
    const reading = recordsOf(merged(source(config)));
    await expect(reading).rejects.toMatchObject({ code: 'source' });
    await expect(reading).rejects.toThrow(/AccessDeniedException; grant kinesis:ListShards/);
  });

  it('ends when there is no such stream', async () => {
    const { config } = await streamAt(fake.endpoint, 1);
    const reading = recordsOf(merged(source({ ...config, stream: 'none' })));
    await expect(reading).rejects.toThrow(/ResourceNotFoundException; check the name/);
  });

  it('reads a merged child behind both its parents, and a child once', async () => {
    const { config, put, split, merge, list } = await streamAt(fake.endpoint, 1);
    await put('root');
    await split(0);
    await put('left', 0.1);
    await put('right', 0.9);
    const [, left, right] = await list();
    await merge(left?.ShardId ?? '', right?.ShardId ?? '');
    await put('child 1', 0.1);
    await put('child 2', 0.9);
    // The right parent is slow: its child has to wait for it all the same.
    fake.faults.next('GetRecords', 'throttle', 8, right?.ShardId);
    const records = await recordsOf(merged(source(config)));
    expect(text(records)).toEqual(['root', 'left', 'right', 'child 1', 'child 2']);
  });

  it('follows a split that happens while it reads', async () => {
    const { config, put, split } = await streamAt(fake.endpoint, 1);
    await put('before');
    const reading = merged(source(config));
    const got: string[] = [];
    let isSplit = false;
    for await (const one of reading.read(async () => new Map(), new AbortController().signal)) {
      if (!('isLull' in one)) got.push(Buffer.from(one.bytes).toString());
      else if (!isSplit) {
        isSplit = true;
        await split(0);
        await put('left', 0.1);
        await put('right', 0.9);
      }
      if (got.length === 3) break;
    }
    expect(got).toEqual(['before', 'left', 'right']);
    await reading.close();
  });

  it('counts a parent that retention took as finished', async () => {
    const { config, put, split, list } = await streamAt(fake.endpoint, 1);
    await put('gone');
    await split(0);
    await put('left', 0.1);
    const [parent] = await list();
    fake.forget(parent?.ShardId ?? '', config.stream);
    expect(text(await recordsOf(merged(source(config))))).toEqual(['left']);
  });

  it('reads on at the oldest record when retention took the next one', async () => {
    const { config, put, list } = await streamAt(fake.endpoint, 1);
    for (let at = 0; at < 6; at++) await put(`${at}`);
    const all = await recordsOf(merged(source(config)));
    const shard = (await list())[0]?.ShardId ?? '';
    fake.trim(shard, 4, config.stream);
    const sequence = all[1]?.sequence ?? '';
    const position = { shard: `k/${shard}`, sequence, item: 1 };
    const committed = new Map<string, Progress>([[position.shard, { position, done: '' }]]);
    expect(text(await recordsOf(merged(source(config)), committed))).toEqual(['4', '5']);
  });

  it('asks a shard five times a second at most', async () => {
    const { config, put } = await streamAt(fake.endpoint, 1);
    for (let at = 0; at < 12; at++) await put(`${at}`);
    const paced = kinesisSource({
      name: 'k',
      config: { ...config, recordsMax: 2 },
      notes: memoryStore(),
      clock: Date.now,
    });
    expect(await recordsOf(merged(paced))).toHaveLength(12);
    const times = fake.callsOf('GetRecords').map((one) => one.at);
    const gaps = times.slice(1).map((at, n) => at - (times[n] ?? 0));
    expect(gaps.length).toBeGreaterThan(5);
    // Timers fire up to a few milliseconds early.
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(190);
  });

  it('hands on what producers packed together as it is', async () => {
    const { config, put } = await streamAt(fake.endpoint, 1);
    await put('\u00f3not an aggregate');
    const [record] = await recordsOf(merged(source(config)));
    expect(Buffer.from(record?.bytes ?? []).toString()).toBe('\u00f3not an aggregate');
    expect(record?.arrival).toBeGreaterThan(Date.now() - 60_000);
  });

  it('tells of trouble that lasts, and how far behind it is', async () => {
    const { config, put } = await streamAt(fake.endpoint, 1);
    await put('x');
    let now = 1_000_000;
    const clock = () => {
      now += 20_000;
      return now;
    };
    fake.faults.next('GetRecords', 'throttle', 12);
    await recordsOf(merged(source(config, memoryStore(), clock)));
    expect(notices.join()).toMatch(/reading shardId-\d+: Provisioned\w+ for \d+ s now/);
  });
});
