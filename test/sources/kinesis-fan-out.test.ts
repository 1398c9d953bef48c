// Enhanced fan-out where no emulator follows: ends of shards, subscriptions broken or refused.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kinesisConfig } from '../../schemas/sources.ts';
import type { Progress } from '../../src/core/position.ts';
import type { ShardedSource, ShardReader } from '../../src/core/shards.ts';
import { kinesisSource } from '../../src/sources/kinesis/source.ts';
import { isTrouble } from '../../src/sources/kinesis/trouble.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { waitFor } from '../../src/wiring.ts';
import { type FakeKinesisPush, startFakeKinesisPush } from '../support/fake-kinesis-push.ts';

process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';

let server: FakeKinesisPush;
let source: ShardedSource;
let stop: AbortController;
/** Time as the source sees it; its waits move it on at once. */
let now = 0;
const waits: number[] = [];
const notices: string[] = [];

beforeEach(async () => {
  server = await startFakeKinesisPush();
  stop = new AbortController();
  now = Date.UTC(2026, 10, 24);
  waits.length = 0;
  notices.length = 0;
});
afterEach(async () => {
  stop.abort();
  await source.close();
  await server.close();
});

const record = (number: number) => ({ sequence: `${100 + number}`, text: `${number}`, at: number });
const shard = 'k/shardId-0';

async function reader(committed?: Progress): Promise<ShardReader> {
  const stream = 'pushed';
  const config = { type: 'kinesis', stream, region: 'us-east-1', endpoint: server.endpoint };
  source = kinesisSource({
    name: 'k',
    config: { ...kinesisConfig.parse(config), start: 'earliest', consumer: 'sentrail' },
    notes: memoryStore(),
    clock: () => now,
    random: () => 0,
    async wait(ms, signal) {
      waits.push(ms);
      await waitFor(Math.min(ms, 100), signal);
      if (!signal.aborted) now += ms;
    },
    onNotice: (text) => notices.push(text),
  });
  const known = new Map(committed === undefined ? [] : [[shard, committed]]);
  for await (const assignment of source.assignments(stop.signal)) {
    const [first] = await assignment.open(async () => known);
    if (first !== undefined) return first;
  }
  throw new Error('no reader was given');
}

/** Reads until so many records came, or the shard ended. */
async function read(one: ShardReader, count: number) {
  const texts: string[] = [];
  for (let tries = 0; tries < 60; tries++) {
    const batch = await one.next(stop.signal);
    texts.push(...batch.records.map((given) => Buffer.from(given.bytes).toString()));
    if (batch.isEnded || texts.length >= count) return { texts, batch };
  }
  throw new Error(`only ${texts} came`);
}

describe('a subscription', () => {
  it('of a shard that ends gives its children, which wait for both parents', async () => {
    const parents = ['shardId-0', 'shardId-1'];
    server.shards.push({ id: 'shardId-1', parents: [] });
    const children = [{ id: 'shardId-2', parents }];
    server.answers.push({
      steps: [
        { records: [record(1)], next: '101' },
        { records: [record(2)], children },
      ],
    });
    const { texts, batch } = await read(await reader(), 9);
    expect(texts).toEqual(['1', '2']);
    expect(batch.isEnded).toBe(true);
    expect(batch.children?.map((one) => [one.shard, one.after])).toEqual([
      ['k/shardId-2', ['k/shardId-0', 'k/shardId-1']],
    ]);
  });

  it('that ends after its five minutes is taken up again behind what was given', async () => {
    server.answers.push(
      { steps: [{ records: [record(1)], next: '101' }, { records: [], next: '150' }, 'end'] },
      { steps: [{ records: [record(60)], next: '160' }] },
    );
    expect((await read(await reader(), 2)).texts).toEqual(['1', '60']);
    expect(server.subscribed.map((one) => one.position)).toEqual([
      { Type: 'TRIM_HORIZON' },
      { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '150' },
    ]);
  });

  it.each([
    ['breaks', 'break'],
    ['is taken over', { exception: 'ResourceInUseException' }],
    ['fails inside Kinesis', { exception: 'InternalFailureException' }],
  ] as const)('that %s loses and repeats nothing, five seconds later', async (_, step) => {
    server.answers.push(
      { steps: [{ records: [record(1)], next: '101' }, step] },
      { steps: [{ records: [record(2)], next: '102' }] },
    );
    const began = now;
    expect((await read(await reader(), 2)).texts).toEqual(['1', '2']);
    expect(now - began).toBeGreaterThanOrEqual(5_000);
    expect(server.subscribed[1]?.position.SequenceNumber).toBe('101');
  });

  it('that is refused as in use is asked for again after five seconds', async () => {
    server.answers.push(
      { refuse: 'ResourceInUseException' },
      { steps: [{ records: [record(1)], next: '101' }] },
    );
    expect((await read(await reader(), 1)).texts).toEqual(['1']);
    expect(waits.filter((ms) => ms >= 5_000)).toHaveLength(1);
  });

  it('that says nothing is given up and taken up again', async () => {
    server.answers.push(
      { steps: [{ records: [record(1)], next: '101' }] },
      { steps: [{ records: [record(2)], next: '102' }] },
    );
    const one = await reader();
    expect((await read(one, 1)).texts).toEqual(['1']);
    expect((await read(one, 1)).texts).toEqual(['2']);
    expect(server.subscribed).toHaveLength(2);
  });

  it('says that it is caught up for as long as what it heard last can hold', async () => {
    server.answers.push({ steps: [{ records: [], next: '100', behindMs: 0 }] });
    const one = await reader();
    const said: boolean[] = [];
    for (let times = 0; times < 15; times++) said.push((await one.next(stop.signal)).isCaughtUp);
    expect(said.slice(0, 9)).not.toContain(false);
    expect(said.slice(12)).not.toContain(true);
    expect(one.lag()).toEqual({ milliseconds: 0 });
  });

  it('stops at once, and leaves no connection', async () => {
    server.answers.push({ steps: [{ records: [record(1)], next: '101' }] });
    const one = await reader();
    await read(one, 1);
    const next = one.next(stop.signal);
    stop.abort();
    expect((await next).records).toEqual([]);
    await one.close();
    for (let tries = 0; tries < 50 && server.openCount() > 0; tries++) await waitFor(10);
    expect(server.openCount()).toBe(0);
  });
});

describe('a beginning', () => {
  const position = { shard, sequence: '7', item: 1 };

  it('is at a record that was begun, and behind one that was done', async () => {
    for (const committed of [{ position }, { position, done: '' }]) {
      server.answers.push({ steps: [{ records: [record(1)], next: '101' }] });
      const one = await reader(committed);
      await read(one, 1);
      await one.close();
      await source.close();
    }
    expect(server.subscribed.map((one) => one.position.Type)).toEqual([
      'AT_SEQUENCE_NUMBER',
      'AFTER_SEQUENCE_NUMBER',
    ]);
  });

  it('is the oldest, with a notice, where the place is not there any more', async () => {
    server.answers.push(
      { refuse: 'InvalidArgumentException' },
      { steps: [{ records: [record(1)], next: '101' }] },
    );
    expect((await read(await reader({ position, done: '' }), 1)).texts).toEqual(['1']);
    expect(server.subscribed[1]?.position).toEqual({ Type: 'TRIM_HORIZON' });
    expect(notices.join()).toMatch(/reading from the oldest/);
  });

  it('is behind the last record given, where only the place behind that is refused', async () => {
    server.answers.push(
      { steps: [{ records: [record(1)], next: '150' }, 'end'] },
      { refuse: 'InvalidArgumentException' },
      { steps: [{ records: [record(2)], next: '102' }] },
    );
    expect((await read(await reader(), 2)).texts).toEqual(['1', '2']);
    expect(server.subscribed.map((one) => one.position.SequenceNumber)).toEqual([
      undefined,
      '150',
      '101',
    ]);
    expect(notices).toEqual([]);
  });
});

describe('what went away', () => {
  it('is registered again when it is the consumer', async () => {
    server.answers.push(
      { steps: [{ records: [record(1)], next: '101' }, 'end'] },
      { steps: [{ records: [record(2)], next: '102' }] },
    );
    const one = await reader();
    await read(one, 1);
    server.consumers.clear();
    expect((await read(one, 1)).texts).toEqual(['2']);
    expect(new Set(server.subscribed.map(({ consumer }) => consumer)).size).toBe(2);
  });

  it('ends with a notice when it is the shard', async () => {
    const one = await reader();
    server.answers.push({ refuse: 'ResourceNotFoundException' });
    server.shards.splice(0, 1, { id: 'shardId-5', parents: [] });
    const { batch } = await read(one, 1);
    expect(batch.isEnded).toBe(true);
    expect(batch.children?.map((child) => child.shard)).toEqual(['k/shardId-5']);
    expect(notices.join()).toMatch(/gone/);
  });

  it('stops the source when it is the right to the key of the stream', async () => {
    server.answers.push({ steps: [{ exception: 'KMSAccessDeniedException' }] });
    const reading = read(await reader(), 1);
    await expect(reading).rejects.toThrow(/KMSAccessDenied.*; .*kms:Decrypt/);
    await expect(reading).rejects.toMatchObject({ code: 'source' });
  });
});

describe('trouble', () => {
  const error = (name: string, message = '', code?: string) =>
    Object.assign(new Error(message), { name }, code === undefined ? {} : { code });

  it.each([
    ['a throttled shard', error('ProvisionedThroughputExceededException')],
    ['a limit of calls', error('LimitExceededException')],
    ['a throttled key', error('KMSThrottlingException')],
    ['a name that was not resolved', error('Error', '', 'ENOTFOUND')],
    ['a stream of HTTP/2 that was reset', error('Error', '', 'ERR_HTTP2_STREAM_ERROR')],
    [
      'a stream of HTTP/2 that was aborted',
      error('Error', 'HTTP/2 stream is abnormally aborted in mid-communication'),
    ],
    [
      'a clock that was set right',
      Object.assign(error('InvalidSignatureException'), {
        $metadata: { httpStatusCode: 403, clockSkewCorrected: true },
      }),
    ],
  ])('passes: %s', (_, given) => {
    expect(isTrouble(given)).toBe(true);
  });

  it.each([
    ['a refusal', error('AccessDeniedException')],
    ['bad credentials', error('UnrecognizedClientException')],
    ['no credentials', error('CredentialsProviderError')],
    ['a certificate that is not trusted', error('Error', '', 'SELF_SIGNED_CERT_IN_CHAIN')],
    ['a mistake of ours', new TypeError('aborted')],
  ])('does not pass: %s', (_, given) => {
    expect(isTrouble(given)).toBe(false);
  });
});
