import { describe, expect, it } from 'vitest';
import { classify } from '../../src/decode/classify.ts';
import { decodedText, recordOf } from './support.ts';

const guardduty = {
  schemaVersion: '2.0',
  type: 'Recon:IAMUser/X',
  service: { serviceName: 'guardduty' },
};
const insight = { eventTime: '2026-01-01T00:00:00Z', insightDetails: { state: 'Start' } };
const message = (value: unknown) => ({ id: '1', timestamp: 1, message: JSON.stringify(value) });

const kinds: readonly (readonly [name: string, value: unknown, expected: string])[] = [
  ['a record', recordOf('a'), 'a'],
  [
    'a service event without identity type (1)',
    recordOf('a', {
      eventType: 'AwsServiceEvent',
      userIdentity: { accountId: '1', invokedBy: 'x' },
    }),
    'a',
  ],
  ['a sign-in without more data (7)', recordOf('a', { eventName: 'ConsoleLogin' }), 'a'],
  ['a late record (24)', recordOf('a', { addendum: { reason: 'DELIVERY_DELAY' } }), 'a'],
  ['a record without identity', recordOf('a', { userIdentity: undefined }), 'a'],
  ['a record with a null identity', recordOf('a', { userIdentity: null }), 'a'],
  [
    'an endpoint event (28)',
    recordOf('a', { eventType: 'AwsVpceEvent', errorCode: 'VpceAccessDenied' }),
    'a',
  ],
  [
    'odd types',
    recordOf('a', {
      readOnly: 'True',
      requestParameters: 'x',
      responseElements: '-',
      errorCode: 1,
    }),
    'a',
  ],
  [
    'an odd creation date (43)',
    recordOf('a', {
      userIdentity: { sessionContext: { attributes: { creationDate: '20131102T010628Z' } } },
    }),
    'a',
  ],
  ['a time without separators (43)', recordOf('a', { eventTime: '20131102T010628Z' }), 'a'],
  [
    'a time that Logstash moved',
    recordOf('a', { eventTime: undefined, '@timestamp': '2026-01-01T00:00:00.000Z' }),
    'a',
  ],
  ['no time', recordOf('a', { eventTime: undefined }), 'no-event-time'],
  ['a time that is none', recordOf('a', { eventTime: 'yesterday' }), 'no-event-time'],
  ['an insight (26)', { ...insight, eventType: 'AwsCloudTrailInsight' }, 'insight'],
  [
    'an insight by category',
    { ...insight, eventCategory: 'Insight', insightDetails: undefined },
    'insight',
  ],
  ['an insight with a name', recordOf('a', { eventCategory: 'Insight' }), 'insight'],
  [
    'an aggregated event (27)',
    { eventVersion: '1.0', eventId: 'x', eventType: 'AwsAggregatedEvent' },
    'aggregated',
  ],
  ['an aggregated event by category', { eventCategory: 'Aggregated' }, 'aggregated'],
  ['a digest', { digestS3Object: 'x', logFiles: [] }, 'digest'],
  ['a finding', guardduty, 'finding'],
  [
    'a finding by detector',
    { schemaVersion: '2.0', type: 'x', service: { detectorId: 'd' } },
    'finding',
  ],
  [
    'a finding of the API',
    { SchemaVersion: '2.0', Type: 'x', Service: { DetectorId: 'd' } },
    'finding',
  ],
  ['a sample by title', { ...guardduty, title: '[SAMPLE] x' }, 'sample'],
  [
    'a sample by its data',
    { ...guardduty, service: { serviceName: 'guardduty', additionalInfo: { sample: true } } },
    'sample',
  ],
  [
    'a sample of the API',
    {
      Type: 'x',
      Service: { ServiceName: 'guardduty', AdditionalInfo: { Value: '{"sample":true}' } },
    },
    'sample',
  ],
  ['a control message', { messageType: 'CONTROL_MESSAGE', logEvents: [message({})] }, 'control'],
  ['a test of S3', { Service: 'Amazon S3', Event: 's3:TestEvent' }, 'control'],
  [
    'a notification of S3',
    { Records: [recordOf('a', { eventSource: 'aws:s3' })] },
    'not-cloudtrail',
  ],
  [
    'a notification of S3 through EventBridge',
    { source: 'aws.s3', 'detail-type': 'Object Created', detail: { bucket: {}, object: {} } },
    'not-cloudtrail',
  ],
  [
    'a notice of CloudTrail',
    { Type: 'Notification', Message: '{"s3Bucket":"b","s3ObjectKey":["k"]}' },
    'not-cloudtrail',
  ],
  ['a word of SNS to subscribers', { Type: 'SubscriptionConfirmation', Token: 'x' }, 'control'],
  ['a farewell of SNS', { Type: 'UnsubscribeConfirmation', Message: 'x' }, 'control'],
  [
    'a test of S3 through SNS and SQS (35)',
    {
      MessageId: 'm',
      Body: JSON.stringify({
        Type: 'Notification',
        Message: '{"Service":"Amazon S3","Event":"s3:TestEvent"}',
      }),
    },
    'control',
  ],
  [
    'the first message of a trail',
    { Type: 'Notification', Message: 'CloudTrail validation message.' },
    'control',
  ],
  ['a tombstone of Kafka Connect', { schema: null, payload: null }, 'control'],
  [
    'messages of CloudWatch (29)',
    {
      messageType: 'DATA_MESSAGE',
      logEvents: [message(recordOf('a')), { message: 'no' }, {}, message(recordOf('b'))],
    },
    'a json-broken not-cloudtrail b',
  ],
  [
    'an event of EventBridge',
    { 'detail-type': 'AWS API Call via CloudTrail', detail: recordOf('a') },
    'a',
  ],
  [
    'a finding of EventBridge',
    { 'detail-type': 'GuardDuty Finding', detail: guardduty },
    'finding',
  ],
  [
    'a wrapper with other members before',
    { version: 1, Records: [recordOf('a'), recordOf('b')] },
    'a b',
  ],
  ['an empty wrapper within', { x: 1, Records: [] }, ''],
  [
    'a record of Aliyun',
    { eventId: 'x', acsRegion: 'cn', eventName: 'y', sourceIpAddress: 'z' },
    'not-cloudtrail',
  ],
  ['another object', { hello: 'secret' }, 'not-cloudtrail'],
];

it.each(kinds)('tells what is %s', (_name, value, expected) => {
  const items = decodedText(JSON.stringify(value));
  expect(items.map((one) => one.id ?? one.reason ?? one.kind).join(' ')).toBe(expected);
});

it('says where the events of a notification are to be had', () => {
  const notice = { eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', userIdentity: {} };
  const items = decodedText(JSON.stringify({ Records: [notice, notice] }));
  expect(items).toHaveLength(2);
  for (const one of items) expect(one.detail).toMatch(/source of type sqs/);
});

it('keeps the bytes of kinds that are kept', () => {
  expect(decodedText(JSON.stringify(guardduty))[0]?.text).toBe(JSON.stringify(guardduty));
});

it('stops opening envelopes at a depth', () => {
  let value: unknown = recordOf('a');
  for (let level = 0; level < 8; level++) value = { 'detail-type': 'x', detail: value };
  expect(decodedText(JSON.stringify(value))[0]).toMatchObject({ kind: 'event', id: 'a' });
  value = { 'detail-type': 'x', detail: value };
  expect(decodedText(JSON.stringify(value))[0]).toMatchObject({ reason: 'too-deep' });
});

describe('a refusal names the field, never its content', () => {
  it.each([
    [{ eventSource: 'x', secret: 's3cr3t' }, 'the field eventName is missing'],
    [{ eventName: 'x' }, 'the field eventSource is missing'],
    [{ eventName: 's3cr3t', eventSource: 1 }, 'the field eventSource is not of type string'],
    [{ eventName: '', eventSource: 'x' }, 'the field eventName is empty'],
    [
      { eventName: 'x', eventSource: 'x', userIdentity: 's3cr3t' },
      'the field userIdentity is not of type object',
    ],
    [['s3cr3t'], 'it is not a JSON object'],
    [null, 'it is not a JSON object'],
  ])('%#', (value, detail) => {
    expect(classify(value)).toEqual({ kind: 'rejected', reason: 'not-cloudtrail', detail });
  });
});
