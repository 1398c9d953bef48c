// The routes by which records arrive: each wraps what it is given as AWS or Kafka does, so that they
// nest. Written after the documents of each service; `test/data` has the real ones.
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { recordOf } from './support.ts';

/** What a route can carry: one JSON value, any text, or any bytes. */
type Carries = 'value' | 'text' | 'bytes';

/** One layer around a record. `isBinary` says that only what carries bytes can carry it. */
export interface Route {
  readonly name: string;
  readonly carries: Carries;
  readonly isBinary?: true;
  readonly wrap: (content: Buffer) => Buffer;
}

interface Aggregator {
  addUserRecord(record: { partitionKey: string; data: Buffer }): void;
  build(): { readonly data: Buffer };
}
// The oracle of AWS; its types leave the aggregator out.
const oracle: { readonly RecordAggregator: new () => Aggregator } = createRequire(import.meta.url)(
  'aws-kinesis-agg',
);

/** Takes user records; gives them as the Kinesis Producer Library sends them. */
export function aggregated(records: readonly Buffer[]): Buffer {
  const aggregator = new oracle.RecordAggregator();
  records.forEach((data, at) => {
    aggregator.addUserRecord({ partitionKey: `key-${at % 3}`, data });
  });
  return aggregator.build().data;
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

function ofValue(name: string, wrap: (value: unknown) => unknown): Route {
  return { name, carries: 'value', wrap: (content) => json(wrap(JSON.parse(content.toString()))) };
}
function ofText(name: string, wrap: (text: string) => unknown): Route {
  return { name, carries: 'text', wrap: (content) => json(wrap(content.toString())) };
}
function ofBytes(name: string, wrap: (base64: string) => unknown): Route {
  return { name, carries: 'bytes', wrap: (content) => json(wrap(content.toString('base64'))) };
}

function eventBridge(name: string, source = 'aws.iam'): Route {
  return ofValue(`EventBridge: ${name}, ${source}`, (detail) => ({
    version: '0',
    id: 'a3a3ae0b-4b43-4a9f-8f0c-6c2c4d3f2f11',
    'detail-type': name,
    source,
    account: '111122223333',
    time: '2026-03-04T10:00:02Z',
    region: 'us-east-1',
    resources: [],
    detail,
  }));
}

const logsFields = {
  messageType: 'DATA_MESSAGE',
  owner: '111122223333',
  logGroup: 'trail',
  logStream: '111122223333_CloudTrail_us-east-1',
  subscriptionFilters: ['all'],
};
const queueFields = {
  ReceiptHandle: 'AQEB',
  MD5OfBody: '0cc175b9c0f1b6a831c399e269772661',
};
const snsFields = {
  MessageId: '95df01b4-ee98-5cb9-9903-4c221d41eb5e',
  TopicArn: 'arn:aws:sns:us-east-1:111122223333:trail',
  Timestamp: '2026-03-04T10:00:02Z',
};
const lookupFields = {
  EventId: 'x',
  EventName: 'CreateUser',
  ReadOnly: 'false',
  EventTime: '2026-03-04T21:00:00+11:00',
  EventSource: 'iam.amazonaws.com',
  Username: 'alice',
  Resources: [],
};
const lambdaKinesis = {
  eventSource: 'aws:kinesis',
  eventVersion: '1.0',
  eventID: 'shardId-000000000006:4959',
  eventName: 'aws:kinesis:record',
  invokeIdentityArn: 'arn:aws:iam::111122223333:role/lambda',
  awsRegion: 'us-east-1',
};

/** All of them. */
export const routes: readonly Route[] = [
  ofValue('log file of S3', (one) => ({ Records: [one] })),
  ofValue('log file with other members', (one) => ({ version: 1, Records: [one], next: null })),
  ofValue('array', (one) => [one]),
  eventBridge('AWS API Call via CloudTrail'),
  eventBridge('AWS API Call via CloudTrail', 'aws.s3'),
  eventBridge('AWS Console Sign In via CloudTrail'),
  eventBridge('AWS Console Signin via CloudTrail'),
  eventBridge('AWS Console Action via CloudTrail'),
  eventBridge('AWS Service Event via CloudTrail'),
  ofValue('EventBridge, reshaped', (detail) => ({ detail })),
  ofText('EventBridge with detail as text', (detail) => ({ 'detail-type': 'x', detail })),
  ofText('CloudWatch Logs', (message) => ({
    ...logsFields,
    logEvents: [{ id: '1', timestamp: 1_772_618_400_000, message }],
  })),
  ofText('CloudWatch Logs with extracted fields', (message) => ({
    ...logsFields,
    policyLevel: 'ACCOUNT_LEVEL_POLICY',
    logEvents: [{ id: '1', timestamp: 1, message, extractedFields: { 'message.x': '{}' } }],
  })),
  ofBytes('CloudWatch Logs for a Lambda', (data) => ({ awslogs: { data } })),
  ofText('FilterLogEvents', (message) => ({ events: [{ timestamp: 1, message }] })),
  ofText('line of a log shipper', (message) => ({ host: 'a', message })),
  ofText('LookupEvents', (text) => ({
    Events: [{ ...lookupFields, CloudTrailEvent: text }],
    NextToken: 'x',
  })),
  ofText('one event of LookupEvents', (text) => ({ ...lookupFields, CloudTrailEvent: text })),
  ofText('SNS', (Message) => ({ Type: 'Notification', ...snsFields, Message })),
  ofText('SNS for a Lambda', (Message) => ({
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        Sns: { Type: 'Notification', ...snsFields, Message },
      },
    ],
  })),
  ofText('SQS message', (Body) => ({ MessageId: 'm', ...queueFields, Body })),
  ofText('SQS ReceiveMessage', (Body) => ({
    Messages: [{ MessageId: 'm', ...queueFields, Body }],
  })),
  ofText('SQS for a Lambda', (body) => ({
    Records: [{ messageId: 'm', receiptHandle: 'AQEB', body, eventSource: 'aws:sqs' }],
  })),
  {
    name: 'SQS with gzip in base64',
    carries: 'bytes',
    wrap: (content) =>
      json({ MessageId: 'm', ...queueFields, Body: gzipSync(content).toString('base64') }),
  },
  ofBytes('Kinesis for a Lambda', (data) => ({
    Records: [{ kinesis: { partitionKey: 'k', sequenceNumber: '4959', data }, ...lambdaKinesis }],
  })),
  ofBytes('Kinesis GetRecords', (Data) => ({
    Records: [{ SequenceNumber: '4959', Data, PartitionKey: 'k' }],
    NextShardIterator: 'x',
    MillisBehindLatest: 0,
  })),
  ofBytes('Firehose for a Lambda', (data) => ({
    invocationId: 'i',
    deliveryStreamArn: 'arn:aws:firehose:us-east-1:111122223333:deliverystream/a',
    records: [{ recordId: 'r', approximateArrivalTimestamp: 1, data }],
  })),
  ofBytes('Kafka for a Lambda', (value) => ({
    eventSource: 'aws:kafka',
    records: { 'trail-0': [{ topic: 'trail', partition: 0, offset: 1, value }] },
  })),
  ofValue('Kafka Connect', (payload) => ({ schema: { type: 'struct' }, payload })),
  ofText('Kafka Connect of text', (payload) => ({ schema: { type: 'string' }, payload })),
  ofBytes('Kafka Connect of bytes', (payload) => ({ schema: { type: 'bytes' }, payload })),
  ofText('JSON in a string', (text) => text),
  {
    name: 'lines',
    carries: 'text',
    wrap: (content) => Buffer.concat([Buffer.from('\n'), content, Buffer.from('\r\n')]),
  },
  { name: 'gzip', carries: 'bytes', isBinary: true, wrap: (content) => gzipSync(content) },
  {
    name: 'Kinesis aggregate',
    carries: 'bytes',
    isBinary: true,
    wrap: (content) => aggregated([content]),
  },
];

/** Takes two routes; gives whether the first can carry what comes by the second. */
export function canCarry(outer: Route, inner: Route): boolean {
  return outer.carries === 'bytes' || inner.isBinary !== true;
}

/** Takes routes from the outermost in, and a record; gives the bytes that arrive. */
export function wrapped(by: readonly Route[], record: unknown): Buffer {
  return by.reduceRight<Buffer>((content, route) => route.wrap(content), json(record));
}

/** Records that differ in what routes could change: ids, escapes, numbers, empty things. */
export const travellers: Readonly<Record<string, Record<string, unknown>>> = {
  'a call': recordOf('7f4e5e1c-9b53-4a53-8c0f-2f0a6b1f0001', {
    recipientAccountId: '111122223333',
    awsRegion: 'us-east-1',
    sourceIPAddress: '203.0.113.10',
    userAgent: 'aws-cli/2 {"eventVersion"',
    readOnly: false,
    requestParameters: { userName: 'b"ü€😀\\\n}{', path: '/' },
    responseElements: null,
  }),
  'a call without an id': recordOf('', {
    eventID: undefined,
    requestParameters: { z: 1.5, a: { y: [], x: {} }, '10': true, '9': 'n' },
  }),
  'a failed sign-in': recordOf('7f4e5e1c-9b53-4a53-8c0f-2f0a6b1f0002', {
    eventName: 'ConsoleLogin',
    eventSource: 'signin.amazonaws.com',
    eventType: 'AwsConsoleSignIn',
    errorMessage: 'Failed authentication',
    responseElements: { ConsoleLogin: 'Failure' },
  }),
  'a service event': recordOf('7f4e5e1c-9b53-4a53-8c0f-2f0a6b1f0003', {
    eventType: 'AwsServiceEvent',
    eventSource: 'kms.amazonaws.com',
    eventName: 'RotateKey',
    userIdentity: { accountId: '111122223333', invokedBy: 'kms.amazonaws.com' },
  }),
  'a correction': recordOf('7f4e5e1c-9b53-4a53-8c0f-2f0a6b1f0004', {
    addendum: { reason: 'UPDATED_DATA', originalEventID: '7f4e5e1c-9b53-4a53-8c0f-2f0a6b1f0001' },
    errorCode: 'AccessDenied',
    errorMessage: 'no',
  }),
  'a record without identity': recordOf('7f4e5e1c-9b53-4a53-8c0f-2f0a6b1f0005', {
    userIdentity: undefined,
    recipientAccountId: '111122223333',
    message: '{"detail":{}}',
  }),
};
