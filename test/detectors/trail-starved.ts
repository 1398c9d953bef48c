// Cases of trail-starved.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  awsService,
  type Call,
  type RawRecord,
  serviceLinkedRole,
} from '../support/records.ts';

const bucket = 'corp-log-archive';
const keyId = '0f0e0d0c-1111-4222-8333-444455556666';
const keyArn = `arn:aws:kms:eu-central-1:${account}:key/${keyId}`;
const host = { sourceIPAddress: 'cloudtrail.amazonaws.com', userAgent: 'cloudtrail.amazonaws.com' };

function s3(name: string, request: object = {}, more: Partial<Call> = {}): RawRecord {
  return apiCall({ source: 's3', name, request: { bucketName: bucket, ...request }, ...more });
}

function kms(name: string, request: object = {}): RawRecord {
  return apiCall({ source: 'kms', name, request: { keyId, ...request } });
}

// Modelled on coralogix-benign-2023 8d50073e-6d4f-4380-918e-cc17dd847be5.
const usesBucket = s3(
  'GetBucketAcl',
  { acl: '' },
  {
    by: awsService('cloudtrail'),
    at: '2026-03-01T04:53:21Z',
    with: host,
  },
);

// Modelled on coralogix-benign-2023 5fb5255f-7ad4-4bc6-a0a3-0ab6d1113b8c.
function usesKey(at: string, error?: readonly [string, string]): RawRecord {
  return apiCall({
    source: 'kms',
    name: 'GenerateDataKey',
    by: awsService('cloudtrail'),
    at,
    request: {
      keySpec: 'AES_256',
      keyId: keyArn,
      encryptionContext: {
        'aws:cloudtrail:arn': `arn:aws:cloudtrail:eu-central-1:${account}:trail/audit`,
      },
    },
    ...(error === undefined ? {} : { error }),
    with: {
      ...host,
      resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: keyArn }],
    },
  });
}

function expiry(name: string, days: number, status = 'Enabled', more: object = {}): RawRecord {
  return s3('PutBucketLifecycle', {
    bucketName: name,
    LifecycleConfiguration: {
      Rule: { ID: 'x', Prefix: 'AWSLogs/', Status: status, Expiration: { Days: days } },
    },
    ...more,
  });
}

function policy(service: string): object {
  return {
    bucketPolicy: {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { Service: service }, Action: 's3:PutObject', Resource: '*' },
      ],
    },
  };
}

export const cases: DetectorCases = {
  detector: 'trail-starved',
  cases: [
    {
      name: 'fires when the bucket that CloudTrail uses is deleted',
      given: [usesBucket, s3('DeleteBucket')],
      expect: [
        { severity: 'high', title: /alice deleted the bucket corp-log-archive/, reason: /uses it/ },
      ],
    },
    {
      name: 'knows the bucket from the trail that was made with it',
      given: [
        apiCall({
          source: 'cloudtrail',
          name: 'CreateTrail',
          at: '2026-03-02T10:00:00Z',
          request: { name: 'audit', s3BucketName: bucket },
          response: { name: 'audit', s3BucketName: bucket },
        }),
        s3('DeleteBucketPolicy', { policy: '' }),
      ],
      expect: [{ severity: 'high', title: /removed the policy of the bucket corp-log-archive/ }],
    },
    {
      name: 'fires when a new bucket policy no longer lets CloudTrail in, and only then',
      given: [
        usesBucket,
        s3('PutBucketPolicy', policy('cloudtrail.amazonaws.com')),
        s3('PutBucketPolicy', policy('config.amazonaws.com')),
        s3('PutBucketPolicy', { omitted: 'true' }),
      ],
      expect: [{ severity: 'high', title: /shut CloudTrail out of the bucket/ }],
    },
    {
      name: 'fires when the key that CloudTrail uses is disabled and its deletion scheduled',
      given: [
        usesKey('2026-03-01T10:00:00Z'),
        usesKey('2026-03-01T10:05:00Z'),
        kms('DisableKey'),
        kms('ScheduleKeyDeletion', { keyId: keyArn, pendingWindowInDays: 7 }),
      ],
      expect: [
        { severity: 'high', title: /alice disabled the key 0f0e0d0c/ },
        { severity: 'high', title: /scheduled the deletion of the key/ },
      ],
    },
    {
      name: 'fires when log files expire after a day; the name alone makes it medium',
      given: [expiry('aws-cloudtrail-logs-111122223333-0a1b2c3d', 1)],
      expect: [{ severity: 'medium', reason: /By its name.*deleted after 1 day\./ }],
    },
    {
      // Modelled on trailalerts-sigma-tests: rules in the lower camel case of the SDK.
      name: 'reads the rules in either case, and a week more is less grave',
      given: [
        usesBucket,
        s3('PutBucketLifecycleConfiguration', {
          lifecycleConfiguration: {
            rules: [
              { status: 'Enabled', id: 'old', expiration: { days: 400 } },
              { status: 'Enabled', id: 'new', prefix: 'AWSLogs/', expiration: { days: 14 } },
            ],
          },
        }),
      ],
      expect: [{ severity: 'medium', reason: /after 14 days/ }],
    },
    {
      name: 'fires when the role that copies the trail to a log group is stripped',
      given: [
        apiCall({
          source: 'sts',
          name: 'AssumeRole',
          by: awsService('cloudtrail'),
          at: '2026-03-04T09:00:00Z',
          request: {
            roleArn: `arn:aws:iam::${account}:role/service/to-logs`,
            roleSessionName: 'x',
          },
        }),
        apiCall({
          source: 'iam',
          name: 'DeleteRolePolicy',
          request: { roleName: 'to-logs', policyName: 'write' },
        }),
      ],
      expect: [{ severity: 'medium', title: /took a policy from the role to-logs/ }],
    },
    {
      name: 'tells a refused attempt as low',
      given: [usesBucket, s3('DeleteBucket', {}, { error: ['AccessDenied', 'Access Denied'] })],
      expect: [{ severity: 'low', title: /tried to delete the bucket/, reason: /AccessDenied/ }],
    },
    {
      name: 'tells refusals that CloudTrail meets once a day',
      given: [
        usesKey('2026-03-04T10:00:00Z', ['AccessDenied', 'no']),
        usesKey('2026-03-04T10:05:00Z', ['AccessDenied', 'no']),
      ],
      expect: [{ severity: 'low', title: /^CloudTrail was refused the key/ }],
    },
    {
      name: 'stays quiet when the bucket, key or role is not that of a trail',
      given: [
        usesBucket,
        s3('DeleteBucket', { bucketName: 'build-cache' }),
        expiry('build-cache', 1),
        kms('DisableKey'),
        apiCall({ source: 'iam', name: 'DeleteRole', request: { roleName: 'cloudtrail-reader' } }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on long or disabled expiry, on AWS itself, and when others use the bucket',
      given: [
        usesBucket,
        expiry(bucket, 400),
        expiry(bucket, 1, 'Disabled'),
        s3('GetBucketAcl', { bucketName: 'other' }, { by: assumedRole('scanner') }),
        s3('DeleteBucket', { bucketName: 'other' }),
        s3('DeleteBucket', {}, { by: awsService('s3') }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing or of another type',
      given: [
        apiCall({ source: 's3', name: 'DeleteBucket' }),
        apiCall({ source: 's3', name: 'PutBucketLifecycle', request: 'x' }),
        expiry(bucket, 1, 'Enabled', { LifecycleConfiguration: 'x' }),
        apiCall({ source: 'iam', name: 'DeleteRole', request: { roleName: 7 } }),
        apiCall({
          source: 'cloudtrail',
          name: 'CreateTrail',
          by: serviceLinkedRole('AWSServiceRoleForX', 'x'),
        }),
      ],
      expect: [],
    },
  ],
};
