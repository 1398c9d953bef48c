// Cases of calls-refused-in-many-services.
import type { DetectorCases } from '../support/cases.ts';
import {
  apiCall,
  assumedRole,
  awsService,
  iamUser,
  type RawRecord,
  refusal,
} from '../support/records.ts';

const reads: readonly (readonly [string, string])[] = [
  ['ec2', 'DescribeInstances'],
  ['ec2', 'DescribeVpcs'],
  ['s3', 'ListBuckets'],
  ['iam', 'ListUsers'],
  ['iam', 'ListRoles'],
  ['lambda', 'ListFunctions20150331'],
  ['rds', 'DescribeDBInstances'],
  ['dynamodb', 'ListTables'],
  ['kms', 'ListKeys'],
  ['sqs', 'ListQueues'],
];

function refused(by: RawRecord, [source, name]: readonly [string, string], at: string): RawRecord {
  const error = refusal('arn:aws:iam::111122223333:user/x', `${source}:${name}`, '*');
  return apiCall({ source, name, by, at, error });
}

function sweep(by: RawRecord, hour = '10'): RawRecord[] {
  return reads.map((read, n) => refused(by, read, `2026-03-04T${hour}:0${n}:00Z`));
}

function wide(by: RawRecord): RawRecord[] {
  return Array.from({ length: 36 }, (_, n) => {
    const at = `2026-03-04T10:${String(n + 10)}:00Z`;
    return refused(by, [['ec2', 'rds', 'sns', 'sqs'][n % 4] ?? '', `DescribeThing${n}`], at);
  });
}

const instance = assumedRole('app', 'i-0123456789abcdef0');

export const cases: DetectorCases = {
  detector: 'calls-refused-in-many-services',
  cases: [
    {
      name: 'fires low when a user is refused ten different calls in an hour',
      given: sweep(iamUser('bob')),
      expect: [{ severity: 'low', title: /^IAM user bob was refused 10 different calls in 8/ }],
    },
    {
      name: 'fires medium when a long-term key tries dozens',
      given: wide(iamUser('backup')),
      expect: [{ severity: 'medium', reason: /^With a long-term key/ }],
    },
    {
      name: 'keeps a role that is refused dozens low: it may be a scanner',
      given: wide(assumedRole('posture-scanner')),
      expect: [{ severity: 'low', title: /^Role posture-scanner was refused 36/ }],
    },
    {
      name: 'tells the refusals of a scanner once, not each hour',
      given: [...sweep(assumedRole('scanner')), ...sweep(assumedRole('scanner'), '14')],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet on the same call refused again and again',
      given: Array.from({ length: 60 }, (_, n) =>
        refused(iamUser('app'), ['s3', 'ListBuckets'], `2026-03-04T10:${10 + (n % 50)}:00Z`),
      ),
      expect: [],
    },
    {
      name: 'stays quiet on nine, and on two users who are refused five each',
      given: [...sweep(iamUser('bob')).slice(1, 6), ...sweep(iamUser('eve')).slice(5)],
      expect: [],
    },
    {
      name: 'stays quiet when AWS itself is refused, and leaves instances to their own detector',
      given: [...sweep(awsService('config')), ...wide(instance)],
      expect: [],
    },
    {
      // Modelled on flaws-cloud-excerpt-2020 35e8c621-31e9-4b01-9b09-bb60b4b64638: an enumeration
      // with Boto3, eventVersion 1.05, no resource in the record but in the message.
      name: 'stays quiet on a single refused read',
      given: [
        {
          eventVersion: '1.05',
          eventID: '8f6e5b0a-7c0d-4a54-9d0c-2f1f6f4f7b11',
          eventTime: '2020-09-30T22:22:52Z',
          eventSource: 'apigateway.amazonaws.com',
          eventName: 'GetClientCertificates',
          awsRegion: 'us-east-1',
          sourceIPAddress: '198.51.100.7',
          userAgent: 'Boto3/1.15.2 Python/3.8.2 Linux/5.6.3 Botocore/1.18.2',
          userIdentity: iamUser('Level6'),
          errorCode: 'AccessDenied',
          errorMessage:
            'User: arn:aws:iam::111122223333:user/Level6 is not authorized to perform: ' +
            'apigateway:GET on resource: arn:aws:apigateway:us-east-1::/clientcertificates',
          requestParameters: null,
          responseElements: null,
          recipientAccountId: '111122223333',
          eventType: 'AwsApiCall',
          readOnly: true,
        },
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'ec2.amazonaws.com',
          eventName: 'DescribeVpcs',
          eventTime: '2026-03-04T10:00:00Z',
          errorCode: 'AccessDenied',
          userIdentity: {},
        },
      ],
      expect: [],
    },
  ],
};
