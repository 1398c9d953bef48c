// The Kinesis source reader by reader: reshards of reshards, retention, pace, troubles, ends.
import {
  CreateStreamCommand,
  KinesisClient,
  MergeShardsCommand,
  PutRecordCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type KinesisConfig, kinesisConfig } from '../../schemas/sources.ts';
import type { Progress } from '../../src/core/position.ts';
import type { ShardBatch, ShardedSource, ShardReader } from '../../src/core/shards.ts';
import { awsClient } from '../../src/sources/aws.ts';
import { kinesisSource } from '../../src/sources/kinesis/source.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { waitFor } from '../../src/wiring.ts';
import { type FakeKinesis, startFakeKinesis } from '../support/fake-kinesis.ts';
import { merged } from '../support/merged.ts';

process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
const region = 'eu-west-1';
const id = (shard: number) => `shardId-${String(shard).padStart(12, '0')}`;
const hashAt = (place: number) => (BigInt(Math.floor(place * 1e9)) * 2n ** 128n) / 10n ** 9n;

let fake: FakeKinesis;
let client: KinesisClient;
let made = 0;
let stream = '';
const notices: string[] = [];
const opened: { source: ShardedSource; stop: AbortController }[] = [];

beforeAll(async () => {
  fake = await startFakeKinesis({ pageSize: 2 });
  client = new KinesisClient(awsClient({ endpoint: fake.endpoint, region }));
});
beforeEach(() => {
  stream = `edges-${++made}`;
  fake.faults.clear();
  fake.calls.length = 0;
  notices.length = 0;
});
afterEach(async () => {
  for (const one of opened.splice(0)) {
    one.stop.abort();
    await one.source.close();
  }
});
afterAll(async () => {
  client.destroy();
  await fake.close();
});

const create = (ShardCount: number) =>
  client.send(new CreateStreamCommand({ StreamName: stream, ShardCount }));
const put = (data: string | Uint8Array, place = 0) =>
  client.send(
    new PutRecordCommand({
      StreamName: stream,
      Data: Buffer.from(data),
      PartitionKey: 'k',
      ExplicitHashKey: String(hashAt(place)),
    }),
  );
const split = (shard: number, place: number) =>
  client.send(
    new SplitShardCommand({
      StreamName: stream,
      ShardToSplit: id(shard),
      NewStartingHashKey: String(hashAt(place)),
    }),
  );
const merge = (low: number, high: number) =>
  client.send(
    new MergeShardsCommand({
      StreamName: stream,
      ShardToMerge: id(low),
      AdjacentShardToMerge: id(high),
    }),
  );

type More = Partial<Omit<KinesisConfig, 'type'>>;
interface Outside {
  readonly clock?: () => number;
  readonly isFast?: boolean;
}
function source(more: More = {}, { clock = Date.now, isFast = true }: Outside = {}) {
  const config = kinesisConfig.parse({ type: 'kinesis', stream, region, endpoint: fake.endpoint });
  return kinesisSource({
    name: 'k',
    config: { ...config, start: 'earliest', poll: 50, ...more },
    notes: memoryStore(),
    clock,
    random: () => 0.5,
    wait: (ms, signal) => waitFor(isFast ? Math.min(ms, 20) : ms, signal),
    onNotice: (text) => notices.push(text),
  });
}

/** Readers by the number of their shard, of a source that ends with the test. */
async function readers(one: ShardedSource, known: ReadonlyMap<string, Progress> = new Map()) {
  const stop = new AbortController();
  opened.push({ source: one, stop });
  for await (const assignment of one.assignments(stop.signal)) {
    const given = await assignment.open(async () => known);
    const by = new Map(given.map((reader) => [reader.shard.replace('k/', ''), reader]));
    return { assignment, by, stop };
  }
  throw new Error('no assignment was given');
}

const none = new AbortController().signal;
const textOf = (batch: ShardBatch) => batch.records.map((one) => Buffer.from(one.bytes).toString());
async function ended(reader: ShardReader): Promise<ShardBatch> {
  for (let tries = 0; tries < 20; tries++) {
    const batch = await reader.next(none);
    if (batch.isEnded) return batch;
  }
  throw new Error(`${reader.shard} did not end`);
}

describe('reshards', () => {
  it('name the other parent of a child where it was not known yet', async () => {
    await create(2);
    const { by } = await readers(source());
    // 0 and 1 are known. Then 0 becomes 2 and 3, 1 becomes 4 and 5, and 3 with 4 becomes 6.
    await split(0, 0.25);
    await split(1, 0.75);
    await merge(3, 4);
    const first = await ended(by.get(id(0))!);
    const third = first.children?.find((one) => one.shard === `k/${id(3)}`);
    expect(third?.after).toEqual([`k/${id(0)}`]);
    const last = await ended(third!);
    const given = [...(first.children ?? []), ...(last.children ?? [])];
    const sixth = given.find((one) => one.shard === `k/${id(6)}`);
    expect(sixth?.after).toEqual([`k/${id(3)}`, `k/${id(4)}`]);
    const fourth = given.find((one) => one.shard === `k/${id(4)}`);
    expect(fourth?.after).toEqual([`k/${id(1)}`]);
  });

  it('keep their order through the merge when the second parent is a child itself', async () => {
    await create(2);
    const reading = merged(source());
    const got: string[] = [];
    let isDone = false;
    for await (const one of reading.read(async () => new Map(), none)) {
      if (!('isLull' in one)) got.push(Buffer.from(one.bytes).toString());
      else if (!isDone) {
        isDone = true;
        // The second shard is slow to answer, so that the first is through long before.
        fake.faults.next('GetRecords', 'throttle', 15, id(1));
        await put('one', 0.6);
        await split(0, 0.25);
        await split(1, 0.75);
        await put('four', 0.6);
        await merge(3, 4);
        await put('six', 0.6);
      }
      if (got.length === 3) break;
    }
    await reading.close();
    expect(got).toEqual(['one', 'four', 'six']);
  });
});

describe('what retention took', () => {
  it('ends a shard that went away while it was read; its children follow', async () => {
    await create(1);
    await put('old');
    const { by } = await readers(source());
    expect(textOf(await by.get(id(0))!.next(none))).toEqual(['old']);
    await split(0, 0.5);
    fake.forget(id(0), stream);
    const batch = await ended(by.get(id(0))!);
    expect(batch.children?.map((one) => one.shard)).toEqual([`k/${id(1)}`, `k/${id(2)}`]);
    expect(notices.join()).toMatch(/shardId-0+ .*gone/);
  });

  it('is told when the committed place is not there; reading begins at the oldest', async () => {
    await create(1);
    await put('a');
    const position = { shard: `k/${id(0)}`, sequence: '7', item: 1 };
    const { by } = await readers(source(), new Map([[position.shard, { position, done: '' }]]));
    expect(textOf(await by.get(id(0))!.next(none))).toEqual(['a']);
    expect(notices.join()).toMatch(/oldest/);
  });
});

describe('pace', () => {
  it('comes back within a second although an idle shard is asked every three', async () => {
    await create(1);
    const { by } = await readers(source({ poll: 3_000 }, { isFast: false }));
    const reader = by.get(id(0))!;
    await reader.next(none);
    const started = performance.now();
    for (let times = 0; times < 2; times++) await reader.next(none);
    expect(performance.now() - started).toBeLessThan(2_500);
    expect(fake.callsOf('GetRecords')).toHaveLength(1);
  });

  it('asks five times a second at most, also while it is throttled', async () => {
    await create(1);
    await put('x');
    fake.faults.next('GetRecords', 'throttle', 4);
    const { by } = await readers(source({}, { isFast: false }));
    expect(textOf(await by.get(id(0))!.next(none))).toEqual(['x']);
    const times = fake.callsOf('GetRecords').map((one) => one.at);
    const gaps = times.slice(1).map((at, n) => at - (times[n] ?? 0));
    expect(gaps).toHaveLength(4);
    // Timers fire up to a few milliseconds early.
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(190);
  });

  it.each(['throttle', 'internal', 'drop'] as const)(
    'stops within a second in the middle of trouble (%s)',
    async (fault) => {
      await create(1);
      fake.faults.next('GetRecords', fault, 1_000);
      const { by } = await readers(source({}, { isFast: false }));
      const stop = new AbortController();
      const next = by.get(id(0))!.next(stop.signal);
      await waitFor(1_500);
      const started = performance.now();
      stop.abort();
      expect((await next).records).toEqual([]);
      expect(performance.now() - started).toBeLessThan(1_000);
    },
  );

  it('asks for fewer records where they are large', async () => {
    await create(1);
    for (let at = 0; at < 10; at++) await put('x'.repeat(1_000_000));
    const { by } = await readers(source());
    const reader = by.get(id(0))!;
    const sizes: number[] = [];
    await reader.next(none);
    for (let at = 0; at < 10; at++) await put('x'.repeat(1_000_000));
    for (let times = 0; times < 3; times++) sizes.push((await reader.next(none)).records.length);
    expect(sizes).toEqual([4, 4, 2]);
  });
});

describe('beginning', () => {
  it('waits for a start that has not come, and then reads from it', async () => {
    await create(1);
    await put('before');
    const start = new Date(Date.now() + 1_500).toISOString();
    const { by } = await readers(source({ start }, { isFast: false }));
    const reader = by.get(id(0))!;
    expect(textOf(await reader.next(none))).toEqual([]);
    await waitFor(1_600);
    await put('after');
    expect(textOf(await reader.next(none))).toEqual(['after']);
  });

  it('bears a clock that is ahead of the one of Kinesis', async () => {
    await create(1);
    const ahead = () => Date.now() + 1_000;
    const { by } = await readers(source({ start: 'latest' }, { clock: ahead, isFast: false }));
    const next = by.get(id(0))!.next(none);
    await waitFor(1_200);
    await put('after');
    const got = textOf(await next);
    expect([...got, ...textOf(await by.get(id(0))!.next(none))]).toContain('after');
  });

  it('hands on each byte, also of a packed record, and the stamp to the millisecond', async () => {
    await create(1);
    // The mark of an aggregate, and what no text could hold.
    const bytes = Uint8Array.from([0xf3, 0x89, 0x9a, 0xc2, ...Array(256).keys()]);
    const before = Date.now();
    for (let times = 0; times < 20; times++) await put(bytes);
    const after = Date.now();
    const { by } = await readers(source());
    const { records } = await by.get(id(0))!.next(none);
    expect(records).toHaveLength(20);
    for (const { arrival = 0, ...one } of records) {
      expect(Uint8Array.from(one.bytes)).toEqual(bytes);
      expect(Number.isInteger(arrival)).toBe(true);
      expect(arrival).toBeGreaterThanOrEqual(before);
      expect(arrival).toBeLessThanOrEqual(after);
      expect(one).toMatchObject({ isFirst: true, isLast: true, done: '', shard: `k/${id(0)}` });
    }
  });

  it('names its shards in the assignment', async () => {
    await create(3);
    const { assignment, by } = await readers(source());
    expect(assignment.shards).toEqual([0, 1, 2].map((one) => `k/${id(one)}`));
    expect([...by.keys()]).toEqual([0, 1, 2].map(id));
    expect(assignment.taken.aborted).toBe(false);
  });
});

describe('troubles', () => {
  it('of one shard are told although another shard is well', async () => {
    await create(2);
    let now = Date.now();
    const { by } = await readers(source({}, { clock: () => now }));
    fake.faults.next('GetRecords', 'throttle', 30, id(0));
    const ill = by.get(id(0))!.next(none);
    for (let times = 0; times < 12; times++) {
      await by.get(id(1))!.next(none);
      now += 20_000;
      await waitFor(40);
    }
    fake.faults.clear();
    await ill;
    expect(notices.join('\n')).toMatch(/shardId-0{12}.*Provisioned\w+.* for \d+ s now/);
  });

  it('are not needed to know how far behind a shard is', async () => {
    await create(1);
    await put('a');
    await put('b');
    await put('c');
    const { by } = await readers(source({ recordsMax: 1 }));
    const reader = by.get(id(0))!;
    expect(reader.lag()).toEqual({});
    const first = await reader.next(none);
    expect(first.isCaughtUp).toBe(false);
    expect(reader.lag().milliseconds).toBeGreaterThan(0);
    await reader.next(none);
    const last = await reader.next(none);
    expect(last.isCaughtUp).toBe(true);
    expect(reader.lag()).toEqual({ milliseconds: 0 });
  });
});
