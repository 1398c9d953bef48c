import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sqsConfig } from '../../schemas/sources.ts';
import type { SourceRecord } from '../../src/core/ports.ts';
import { sqsSource } from '../../src/sources/sqs.ts';
import { noticeOf } from '../../src/sources/sqs-notice.ts';
import { sourceContract } from '../contract/source.ts';
import { type FakeS3, fakeS3 } from '../support/fake-s3.ts';
import { type MemoryInbox, memoryInbox } from '../support/inbox.ts';
import { itemsOf, textOf } from '../support/reading.ts';

const name = 'queue';
const bucket = 'trail';
const now = Date.UTC(2026, 10, 24, 12);
const stamped = '111111111111_CloudTrail_eu-west-1_20261124T1155Z_aaaaaaaaaaaaaaaa.json.gz';

let server: FakeS3;
beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'none';
  server = await fakeS3();
});
afterAll(() => server.close());
afterEach(async () => {
  await server.settled();
  server.objects.clear();
  server.faults.clear();
  server.messages.length = 0;
  server.hidden.clear();
  server.asked.length = 0;
});

const s3Record = (key: string, eventName = 'ObjectCreated:Put') => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: 'eu-west-1',
  eventName,
  s3: { bucket: { name: bucket }, object: { key, size: 9 } },
});
const byS3 = (...keys: string[]) => JSON.stringify({ Records: keys.map((key) => s3Record(key)) });
const bySns = (Message: string) =>
  JSON.stringify({ Type: 'Notification', TopicArn: 'arn:aws:sns:eu-west-1:1:t', Message });
const byTrail = (...s3ObjectKey: string[]) => JSON.stringify({ s3Bucket: bucket, s3ObjectKey });
const byBus = (key: string, type = 'Object Created') =>
  JSON.stringify({
    version: '0',
    'detail-type': type,
    source: 'aws.s3',
    detail: { bucket: { name: bucket }, object: { key, size: 9 } },
  });
const put = (key: string, text: string | Buffer) =>
  server.objects.set(`${bucket}/${key}`, Buffer.from(text));

function source(inbox: MemoryInbox, notices: string[] = []) {
  const config = sqsConfig.parse({
    type: 'sqs',
    queue: server.queue,
    region: 'eu-west-1',
    endpoint: server.endpoint,
  });
  return sqsSource({
    name,
    config,
    inbox,
    clock: () => now,
    random: () => 0,
    wait: (ms, signal) => sleep(Math.min(ms, 20), undefined, { signal }).catch(() => {}),
    onNotice: (text) => notices.push(text),
  });
}

/** Reads until the queue was empty for a while and all was read. */
async function read(inbox: MemoryInbox, notices: string[] = []): Promise<SourceRecord[]> {
  const one = source(inbox, notices);
  const stop = new AbortController();
  const records: SourceRecord[] = [];
  let quietSince = performance.now();
  const lookup = async () => new Map(inbox.known);
  for await (const record of one.read(lookup, stop.signal)) {
    if (!('isLull' in record)) {
      records.push(record);
      quietSince = performance.now();
    } else if (performance.now() - quietSince > 150) stop.abort();
  }
  await one.close();
  return records;
}

describe('a notice', () => {
  it.each([
    ['of S3', byS3('a/b.gz'), ['a/b.gz']],
    ['of S3 with several objects', byS3('a', 'b'), ['a', 'b']],
    [
      'of S3 with a key encoded',
      byS3('a+b/2026-11-24T10%3A00%2Bx%C3%A4'),
      ['a b/2026-11-24T10:00+xä'],
    ],
    ['of S3 with a percent sign of its own', byS3('100%'), ['100%']],
    ['of S3 by SNS', bySns(byS3('a%3Ab')), ['a:b']],
    ['of S3 by two topics', bySns(bySns(byS3('a'))), ['a']],
    ['of CloudTrail by SNS', bySns(byTrail('a+b', 'c%3A')), ['a+b', 'c%3A']],
    ['of CloudTrail with raw delivery', byTrail('a'), ['a']],
    ['of S3 by EventBridge', byBus('a+b%3A'), ['a+b%3A']],
    ['of EventBridge by SNS', bySns(byBus('a')), ['a']],
    [
      'that an object was removed',
      JSON.stringify({ Records: [s3Record('a', 'ObjectRemoved:Delete')] }),
      [],
    ],
    ['that an object was removed, by EventBridge', byBus('a', 'Object Deleted'), []],
    [
      'that tests S3',
      JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: bucket }),
      [],
    ],
    ['that tests S3 by SNS', bySns(JSON.stringify({ Event: 's3:TestEvent' })), []],
    ['that tests CloudTrail', bySns('CloudTrail validation message.'), []],
  ])('%s is understood', (_, text, keys) => {
    expect(noticeOf(text)).toEqual(keys.map((key) => ({ bucket, key })));
  });

  it.each([
    [
      'events of CloudTrail',
      '{"Records":[{"eventVersion":"1.11","eventSource":"s3.amazonaws.com"}]}',
    ],
    ['no records', '{"Records":[]}x'],
    ['an envelope of EventBridge', '{"source":"aws.iam","detail-type":"x","detail":{}}'],
    ['an event in SNS', bySns('{"eventVersion":"1.11"}')],
    ['no JSON', 'hello'],
    ['null', 'null'],
    ['a topic in a topic without end', bySns(bySns(bySns(bySns(bySns(byS3('a'))))))],
  ])('is none when it is %s', (_, text) => {
    expect(noticeOf(text)).toBeUndefined();
  });
});

describe('a queue of notices', () => {
  it('gives the objects of a notice in order, with their delivery minute or the time of the row', async () => {
    const key = `AWSLogs/111111111111/CloudTrail/eu-west-1/2026/11/24/${stamped}`;
    put(key, gzipSync('one\n'));
    put('other', 'two\n');
    put('third', 'three\n');
    server.messages.push(byS3(key, 'other'), byS3('third'));
    const records = await read(memoryInbox());
    expect(records.map(({ sequence, done }) => [sequence, done])).toEqual([
      ['1.0', 'more'],
      ['1.1', ''],
      ['2', ''],
    ]);
    expect(records.map(textOf)).toEqual(['one\n', 'two\n', 'three\n']);
    expect(records.map(({ arrival }) => arrival)).toEqual([
      Date.UTC(2026, 10, 24, 11, 55),
      now,
      now,
    ]);
    expect(server.hidden.size).toBe(0);
  });

  it('deletes a message when the inbox has it, and not before', async () => {
    put('a', 'a\n');
    server.messages.push(byS3('a'));
    const inbox = memoryInbox();
    let deletedBefore = -1;
    const watched: MemoryInbox = {
      ...inbox,
      inboxPut: async (source, row) => {
        await sleep(50);
        deletedBefore = server.asked.filter((asked) => asked.startsWith('Delete')).length;
        return inbox.inboxPut(source, row);
      },
    };
    expect((await read(watched)).map(textOf)).toEqual(['a\n']);
    expect(deletedBefore).toBe(0);
    expect(server.hidden.size).toBe(0);
  });

  it('gets a message again that the inbox could not keep', async () => {
    put('a', 'a\n');
    server.messages.push(byS3('a'));
    const inbox = memoryInbox();
    const full: MemoryInbox = { ...inbox, inboxPut: () => Promise.reject(new Error('disk full')) };
    await expect(read(full)).rejects.toThrow('disk full');
    expect(server.asked.filter((asked) => asked.startsWith('Delete'))).toEqual([]);
    server.release();
    expect((await read(inbox)).map(textOf)).toEqual(['a\n']);
  });

  it('reads from the inbox what was kept when a run crashed before it deleted', async () => {
    put('a', 'a\n');
    const inbox = memoryInbox();
    await inbox.inboxPut(name, { bytes: Buffer.from(byS3('a')), isLast: true, arrival: now });
    server.messages.push(byS3('a'));
    const records = await read(inbox);
    expect(records.map(({ sequence }) => sequence)).toEqual(['1', '2']);
    expect(records.map(textOf)).toEqual(['a\n', 'a\n']);
  });

  it('deletes what tells of no object, without a row', async () => {
    server.messages.push(JSON.stringify({ Event: 's3:TestEvent' }), byBus('a', 'Object Deleted'));
    const inbox = memoryInbox();
    expect(await read(inbox)).toEqual([]);
    expect(inbox.rows.size).toBe(0);
    expect(server.hidden.size).toBe(0);
  });

  it('gives a message that is no notice as it is', async () => {
    const body = '{"eventVersion":"1.11","eventName":"ConsoleLogin"}';
    server.messages.push(body);
    const [only] = await read(memoryInbox());
    expect(only).toMatchObject({ shard: name, sequence: '1', arrival: now, done: '' });
    expect(textOf(only!)).toBe(body);
  });

  it('goes on within a notice, and drops its row when all its objects are done', async () => {
    for (const key of ['a', 'b', 'c']) put(key, `${key}1\n${key}2\n`);
    const inbox = memoryInbox();
    const bytes = Buffer.from(byS3('a', 'b', 'c'));
    await inbox.inboxPut(name, { bytes, isLast: true, arrival: now });
    const position = { shard: name, sequence: '1.0', item: 2 };
    inbox.known.set(name, { position, done: 'more' });
    expect((await read(inbox)).map(({ sequence }) => sequence)).toEqual(['1.1', '1.2']);
    inbox.known.set(name, { position: { ...position, sequence: '1.1' } });
    expect((await read(inbox)).map(({ sequence }) => sequence)).toEqual(['1.1', '1.2']);
    const one = source(inbox);
    await one.acknowledge([{ position: { ...position, sequence: '1.1' }, done: 'more' }]);
    expect(inbox.rows.get(name)?.length).toBe(1);
    await one.acknowledge([{ position: { ...position, sequence: '1.2' }, done: '' }]);
    expect(inbox.rows.size).toBe(0);
    await one.close();
  });

  it('says what cannot be read, after some tries, and goes on', async () => {
    put('b', 'b\n');
    server.messages.push(byS3('gone', 'b'));
    const notices: string[] = [];
    const records = await read(memoryInbox(), notices);
    expect(records.map(({ broken }) => broken?.reason)).toEqual(['unreadable', undefined]);
    expect(records.map(({ done }) => done)).toEqual(['more', '']);
    expect(server.asked.filter((asked) => asked.includes('gone')).length).toBe(4);
    expect(notices).toEqual(['s3://trail/gone: it cannot be read (NoSuchKey)']);
  });

  it('reads an object that comes a moment after its notice', async () => {
    put('a', 'a\n');
    server.faults.set(`${bucket}/a`, [
      { status: 404, code: 'NoSuchKey' },
      { status: 503, code: 'SlowDown' },
    ]);
    server.messages.push(byS3('a'));
    expect((await read(memoryInbox())).map(textOf)).toEqual(['a\n']);
  });

  it.each([
    ['AWS.SimpleQueueService.NonExistentQueue', "check the queue's URL"],
    ['AccessDeniedException', 'grant sqs:ReceiveMessage'],
  ])('gives up on %s', async (code, hint) => {
    server.faults.set('receive', Array(9).fill({ status: 400, code }));
    await expect(read(memoryInbox())).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining(hint),
    });
  });

  it('stops within a second in the middle of a long poll', async () => {
    const stop = new AbortController();
    const one = source(memoryInbox());
    const reading = one.read(async () => new Map(), stop.signal)[Symbol.asyncIterator]();
    await reading.next();
    const last = reading.next();
    const begun = performance.now();
    stop.abort();
    await last;
    while (!(await reading.next()).done);
    expect(performance.now() - begun).toBeLessThan(1_000);
    await one.close();
  });
});

sourceContract('a queue of notices', async () => {
  const inbox = { ...memoryInbox(), inboxDrop: async () => {} };
  const large = Array.from({ length: 3_000 }, (_, at) => `${at} ${'x'.repeat(4_000)}\n`).join('');
  for (const [key, text] of [
    ['a', 'a1\na2\n'],
    ['b', 'b1\nb2\nb3\n'],
    ['large', large],
  ] as const)
    put(key, text);
  for (const body of [byS3('a', 'b'), '{"x":1}\n{"y":2}', bySns(byTrail('large', 'a'))])
    await inbox.inboxPut(name, { bytes: Buffer.from(body), isLast: true, arrival: now });
  return { open: () => source(inbox), close: async () => server.objects.clear() };
});

it('finds the same items however often a notice is cut', async () => {
  for (const key of ['a', 'b']) put(key, `${key}1\n${key}2\n`);
  const inbox = { ...memoryInbox(), inboxDrop: async () => {} };
  const bytes = Buffer.from(byS3('a', 'b', 'a'));
  await inbox.inboxPut(name, { bytes, isLast: true, arrival: now });
  const committed = new Map();
  const items: string[] = [];
  for (let cut = 0; cut < 6; cut++) items.push(...(await itemsOf(source(inbox), committed, 1)));
  expect(items.map((item) => item.slice(name.length + 1))).toEqual([
    '1.0:a1',
    '1.0:a2',
    '1.1:b1',
    '1.1:b2',
    '1.2:a1',
    '1.2:a2',
  ]);
});
