// The sources of AWS against an AWS API server: S3 history, notices by SQS and SNS, an assumed role.
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { s3Config, sqsConfig } from '../../schemas/sources.ts';
import type { Source, SourceRecord } from '../../src/core/ports.ts';
import type { Progress } from '../../src/core/position.ts';
import { s3Source } from '../../src/sources/s3.ts';
import { sqsSource } from '../../src/sources/sqs.ts';
import { sourceContract } from '../contract/source.ts';
import { type MemoryInbox, memoryInbox } from '../support/inbox.ts';
import { recordsOf, textOf } from '../support/reading.ts';
import { isMissing, withServer } from './servers/missing.ts';
import { type Moto, startMoto } from './servers/moto.ts';

const region = 'us-east-1';
const account = '123456789012';
const server = await startMoto();
// Another name for everything each time, since a server of the environment may not be new.
const run = Math.floor(performance.timeOrigin).toString(36);

beforeAll(() => {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'none';
});
afterAll(async () => {
  if (!isMissing(server)) await server.close();
});

const keyOf = (stamp: string, where = region) => {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)/.exec(stamp) ?? [];
  const folder = `AWSLogs/${account}/CloudTrail/${where}/${year}/${month}/${day}`;
  return `${folder}/${account}_CloudTrail_${where}_${stamp}_aaaaaaaaaaaaaaaa.json.gz`;
};

withServer('sources of AWS against an AWS API server', server, (moto: Moto) => {
  const { endpoint } = moto;
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true });
  const sqs = new SQSClient({ endpoint, region });
  let made = 0;

  const newBucket = async () => {
    const Bucket = `trail-${run}-${++made}`;
    await s3.send(new CreateBucketCommand({ Bucket }));
    return Bucket;
  };
  const put = (Bucket: string, Key: string, text: string) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body: gzipSync(text) }));
  const newQueue = async () => {
    const QueueName = `notices-${run}-${++made}`;
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName }));
    const arn = `arn:aws:sqs:${region}:${account}:${QueueName}`;
    return { queue: new URL(new URL(QueueUrl).pathname, endpoint).href, arn };
  };
  const waiting = async (QueueUrl: string) => {
    const AttributeNames = [
      'ApproximateNumberOfMessages' as const,
      'ApproximateNumberOfMessagesNotVisible' as const,
    ];
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames });
    const { Attributes = {} } = await sqs.send(command);
    return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0);
  };
  const queueSource = (queue: string, inbox: MemoryInbox, visibility = '30s') =>
    sqsSource({
      name: 'queue',
      config: sqsConfig.parse({ type: 'sqs', queue, region, endpoint, visibility }),
      inbox,
      clock: Date.now,
    });
  const bucketSource = (bucket: string, more: object = {}, isEnding = true) =>
    s3Source({
      name: 'bucket',
      config: s3Config.parse({ type: 's3', bucket, region, endpoint, ...more }),
      isEnding,
      clock: Date.now,
    });

  it('reads a history of several regions, with an object in many ranges and an empty one', async () => {
    const bucket = await newBucket();
    const keys = Array.from({ length: 30 }, (_, at) =>
      keyOf(`20261101T00${String(at).padStart(2, '0')}Z`, at % 2 === 0 ? 'eu-west-1' : region),
    );
    await Promise.all(keys.map((key) => put(bucket, key, `${key}\n`)));
    const Body = Buffer.alloc(20_000_000, 'large line\n');
    const large = keyOf('20261102T0000Z');
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: large, Body }));
    const empty = keyOf('20261103T0000Z');
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: empty, Body: Buffer.alloc(0) }));
    const records = await recordsOf(bucketSource(bucket));
    const firsts = records.filter(({ isFirst }) => isFirst).map(({ shard }) => shard);
    expect(firsts).toEqual([...keys, large, empty].map((key) => `s3://${bucket}/${key}`));
    const parts = records.filter(({ shard }) => shard.endsWith(large));
    expect(parts.length).toBeGreaterThan(1);
    expect(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(Body)).toBe(true);
    expect(records.some(({ broken }) => broken !== undefined)).toBe(false);
  });

  it('finds an object that arrives late, behind one that was read', async () => {
    const bucket = await newBucket();
    const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const [late, early] = [keyOf(`${today}T0001Z`), keyOf(`${today}T0002Z`)];
    await put(bucket, early, 'early\n');
    const source = bucketSource(bucket, { poll: '1s' }, false);
    const seen: string[] = [];
    await readWhile(source, (record) => {
      if (record === undefined) return seen.length < 2;
      seen.push(textOf(record));
      if (seen.length === 1) void put(bucket, late, 'late\n');
      return true;
    });
    expect(seen).toEqual(['early\n', 'late\n']);
  });

  it('reads what S3 tells SQS of', async () => {
    const bucket = await newBucket();
    const { queue, arn } = await newQueue();
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: bucket,
        NotificationConfiguration: {
          QueueConfigurations: [{ QueueArn: arn, Events: ['s3:ObjectCreated:*'] }],
        },
      }),
    );
    const key = keyOf('20261101T1000Z');
    await put(bucket, key, 'one\n');
    await put(bucket, 'a b/c+d:e.json', 'two\n');
    const inbox = memoryInbox();
    const records = await readSome(queueSource(queue, inbox), 2);
    expect(records.map(textOf).sort()).toEqual(['one\n', 'two\n']);
    const stamped = records.find((record) => textOf(record) === 'one\n');
    expect(stamped?.arrival).toBe(Date.UTC(2026, 10, 1, 10));
    expect(await waiting(queue)).toBe(0);
  });

  it('reads what S3 tells SNS of, and SNS tells SQS', async () => {
    const bucket = await newBucket();
    const { queue, arn } = await newQueue();
    const topic = await newTopic(endpoint, `topic-${run}`, arn);
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: bucket,
        NotificationConfiguration: {
          TopicConfigurations: [{ TopicArn: topic, Events: ['s3:ObjectCreated:*'] }],
        },
      }),
    );
    await put(bucket, keyOf('20261101T1000Z'), 'by a topic\n');
    const records = await readSome(queueSource(queue, memoryInbox()), 1);
    expect(records.map(textOf)).toEqual(['by a topic\n']);
    expect(await waiting(queue)).toBe(0);
  });

  it('gives events that were sent to the queue themselves', async () => {
    const { queue } = await newQueue();
    const MessageBody = '{"eventVersion":"1.11","eventName":"ConsoleLogin"}';
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody }));
    const [only] = await readSome(queueSource(queue, memoryInbox()), 1);
    expect(textOf(only!)).toBe(MessageBody);
  });

  it('deletes a message only when the inbox has it: one that could not be kept comes again', async () => {
    const bucket = await newBucket();
    await put(bucket, 'a', 'kept at last\n');
    const { queue } = await newQueue();
    const MessageBody = JSON.stringify({ s3Bucket: bucket, s3ObjectKey: ['a'] });
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody }));
    const inbox = memoryInbox();
    const full = { ...inbox, inboxPut: () => Promise.reject(new Error('disk full')) };
    await expect(readSome(queueSource(queue, full, '1s'), 1)).rejects.toThrow('disk full');
    expect(await waiting(queue)).toBe(1);
    let waitingAtPut = 0;
    const watched: MemoryInbox = {
      ...inbox,
      inboxPut: async (source, row) => {
        waitingAtPut = await waiting(queue);
        return inbox.inboxPut(source, row);
      },
    };
    const records = await readSome(queueSource(queue, watched), 1);
    expect(records.map(textOf)).toEqual(['kept at last\n']);
    expect(waitingAtPut).toBe(1);
    expect(await waiting(queue)).toBe(0);
  });

  it('says which object is gone, and goes on', async () => {
    const bucket = await newBucket();
    await put(bucket, 'there', 'there\n');
    const { queue } = await newQueue();
    const MessageBody = JSON.stringify({ s3Bucket: bucket, s3ObjectKey: ['gone', 'there'] });
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody }));
    const records = await readSome(queueSource(queue, memoryInbox()), 2);
    expect(records.map(({ broken }) => broken?.reason)).toEqual(['unreadable', undefined]);
  });

  it('says what to check when the bucket or the queue is not there', async () => {
    await expect(recordsOf(bucketSource(`none-${run}`))).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining('check the name of the bucket'),
    });
    const queue = `${endpoint}/${account}/none-${run}`;
    await expect(readSome(queueSource(queue, memoryInbox()), 1)).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining("check the queue's URL"),
    });
  });

  it('reads with the role it assumes, where its own credentials may not', async () => {
    const bucket = await newBucket();
    await put(bucket, keyOf('20261101T1000Z'), 'by a role\n');
    const { role, keys } = await readerOf(endpoint, `reader-${run}`);
    const own = { ...process.env };
    process.env['AWS_ACCESS_KEY_ID'] = keys.id;
    process.env['AWS_SECRET_ACCESS_KEY'] = keys.secret;
    try {
      await enforce(endpoint, 0);
      const refused = recordsOf(bucketSource(bucket));
      await expect(refused).rejects.toThrow('grant s3:ListBucket');
      const records = await recordsOf(bucketSource(bucket, { role }));
      expect(records.map(textOf)).toEqual(['by a role\n']);
    } finally {
      await enforce(endpoint, Number.POSITIVE_INFINITY);
      process.env['AWS_ACCESS_KEY_ID'] = own['AWS_ACCESS_KEY_ID'];
      process.env['AWS_SECRET_ACCESS_KEY'] = own['AWS_SECRET_ACCESS_KEY'];
    }
  });

  sourceContract('a trail in a bucket of a real server', async () => {
    const bucket = await newBucket();
    for (let at = 0; at < 5; at++)
      await put(bucket, keyOf(`20261101T000${at}Z`), `a${at}\nb${at}\n`);
    return { open: () => bucketSource(bucket), close: async () => {} };
  });
});

/** Reads until `goesOn` says no; it is also asked at each lull, with nothing. */
async function readWhile(
  source: Source,
  goesOn: (record: SourceRecord | undefined) => boolean,
): Promise<void> {
  const stop = new AbortController();
  const given = new Map<string, Progress>();
  const until = performance.now() + 60_000;
  try {
    for await (const record of source.read(async () => given, stop.signal)) {
      if (!goesOn('isLull' in record ? undefined : record)) break;
      if (performance.now() > until) throw new Error('it took too long');
    }
  } finally {
    stop.abort();
    await source.close();
  }
}

/** Reads so many records, and a while more for what should not come. */
async function readSome(source: Source, count: number): Promise<SourceRecord[]> {
  const records: SourceRecord[] = [];
  let enoughAt = Number.POSITIVE_INFINITY;
  await readWhile(source, (record) => {
    if (record !== undefined) records.push(record);
    if (records.length >= count && enoughAt > performance.now())
      enoughAt = Math.min(enoughAt, performance.now() + 300);
    return performance.now() < enoughAt;
  });
  await sleep(100);
  return records;
}

/** Calls an API of AWS that speaks in queries and answers in XML; gives the text. */
async function query(endpoint: string, service: string, fields: object): Promise<string> {
  const scope = `20261124/${region}/${service}/aws4_request`;
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=host, Signature=0`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(Object.entries(fields)),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${service} answered ${response.status}: ${text}`);
  return text;
}

const inner = (text: string, name: string) =>
  new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1] ?? '';

/** Makes a topic that tells a queue; gives its ARN. */
async function newTopic(endpoint: string, Name: string, queue: string): Promise<string> {
  const sns = { Version: '2010-03-31' };
  const text = await query(endpoint, 'sns', { ...sns, Action: 'CreateTopic', Name });
  const TopicArn = inner(text, 'TopicArn');
  const subscription = { TopicArn, Protocol: 'sqs', Endpoint: queue };
  await query(endpoint, 'sns', { ...sns, Action: 'Subscribe', ...subscription });
  return TopicArn;
}

/** Makes a user who may only assume a role, and the role, which may read buckets. */
async function readerOf(endpoint: string, name: string) {
  const iam = (Action: string, fields: object) =>
    query(endpoint, 'iam', { Version: '2010-05-08', Action, ...fields });
  const policy = (...Action: string[]) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
    });
  await iam('CreateUser', { UserName: name });
  const PolicyDocument = policy('sts:AssumeRole');
  await iam('PutUserPolicy', { UserName: name, PolicyName: 'assume', PolicyDocument });
  const made = await iam('CreateAccessKey', { UserName: name });
  const user = `arn:aws:iam::${account}:user/${name}`;
  const trust = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: user }, Action: 'sts:AssumeRole' }],
  });
  await iam('CreateRole', { RoleName: name, AssumeRolePolicyDocument: trust });
  const reading = policy('s3:ListBucket', 's3:GetObject');
  await iam('PutRolePolicy', { RoleName: name, PolicyName: 'read', PolicyDocument: reading });
  const keys = { id: inner(made, 'AccessKeyId'), secret: inner(made, 'SecretAccessKey') };
  return { role: `arn:aws:iam::${account}:role/${name}`, keys };
}

/** Tells moto how many calls more it lets pass without looking at permissions. */
async function enforce(endpoint: string, calls: number): Promise<void> {
  const body = String(calls === Number.POSITIVE_INFINITY ? 'inf' : calls);
  const response = await fetch(`${endpoint}/moto-api/reset-auth`, { method: 'POST', body });
  if (!response.ok) throw new Error(`moto answered ${response.status}`);
}
