// What AWS writes of its own accord: services that call by themselves or with service-linked roles, events
// that nobody called for, and console calls that AWS makes for the person who looks.
import {
  account,
  awsService,
  iamUser,
  type RawRecord,
  rootUser,
  serviceLinkedRole,
  uuidOf,
} from '../../support/records.ts';
import { type Caller, consoleOf, type Diary, diary, type Line } from './diary.ts';

const bucket = 'example-org-trail';
const keyId = `arn:aws:kms:eu-central-1:${account}:key/trail`;

/** Gives the day's records. */
export function awsInternalDay(): RawRecord[] {
  const day = diary('2026-03-04');
  for (let hour = 0; hour < 24; hour += 2) {
    day.at(`${hour}:15`);
    delivery(day, hour);
    inventories(day);
    serviceEvents(day, hour);
  }
  day.at('23:00');
  forWhoeverLooks(day);
  return day.records;
}

/** CloudTrail and log delivery reach their bucket and key. */
function delivery(day: Diary, hour: number): void {
  const host = 'cloudtrail.amazonaws.com';
  const by: Caller = { identity: awsService('cloudtrail'), address: host, agent: host };
  const Host = `${bucket}.s3.eu-central-1.amazonaws.com`;
  const lines: readonly Line[] = [
    ['s3', 'GetBucketAcl', { bucketName: bucket, Host, acl: '' }],
    ['kms', 'GenerateDataKey', { keyId, keySpec: 'AES_256', encryptionContext: {} }],
    ['s3', 'PutObject', { bucketName: bucket, Host, key: `AWSLogs/${account}/${hour}.json.gz` }],
  ];
  for (const [source, name, request] of lines) {
    const sharedEventID = uuidOf('shared', name, String(hour));
    day.call(by, source, name, { request, with: { sharedEventID, tlsDetails: undefined } });
  }
  const logs = 'delivery.logs.amazonaws.com';
  const writer: Caller = { identity: awsService('delivery.logs'), address: logs, agent: logs };
  day.lines(writer, [
    ['logs', 'CreateLogStream', { logGroupName: '/vpc/flow', logStreamName: `eni-${hour}` }],
    ['kms', 'GenerateDataKey', { keyId, keySpec: 'AES_256' }],
  ]);
}

/** Services that keep an inventory read it with their linked roles, now and then refused. */
function inventories(day: Diary): void {
  const readers = [
    ['AWSServiceRoleForResourceExplorer', 'resource-explorer-2'],
    ['AWSServiceRoleForTrustedAdvisor', 'trustedadvisor'],
    ['AWSServiceRoleForSupport', 'support'],
    ['AWSServiceRoleForAmazonGuardDuty', 'guardduty'],
    ['AWSServiceRoleForAccessAnalyzer', 'access-analyzer'],
    ['AWSServiceRoleForSecurityHub', 'securityhub'],
    ['AWSServiceRoleForAmazonInspector2', 'inspector2'],
  ] as const;
  for (const [role, service] of readers) {
    const host = `${service}.amazonaws.com`;
    const by = { identity: serviceLinkedRole(role, service), address: host, agent: host };
    day.lines(by, reads);
    const error = ['AccessDenied', 'Access Denied'] as const;
    day.call(by, 'sqs', 'ListQueues', { error });
    day.call(by, 's3', 'GetBucketPolicy', { request: { bucketName: 'locked' }, error });
  }
}

const reads: readonly Line[] = [
  ['ec2', 'DescribeInstances', { maxResults: 1000 }],
  ['ec2', 'DescribeSecurityGroups', { maxResults: 1000 }],
  ['ec2', 'DescribeSnapshots', { ownersSet: { items: [{ owner: account }] } }],
  ['s3', 'ListBuckets', {}],
  ['iam', 'ListUsers', {}],
  ['iam', 'ListRoles', {}],
  ['iam', 'GetCredentialReport'],
  ['rds', 'DescribeDBInstances', {}],
  ['lambda', 'ListFunctions20150331', {}],
  ['cloudtrail', 'DescribeTrails', {}],
  ['dynamodb', 'ListTables', {}],
];

/** Events without a caller: no call, no type of identity. */
function serviceEvents(day: Diary, hour: number): void {
  const events = [
    ['kms', 'RotateKey', { keyId }],
    ['ec2', 'SharedSnapshotVolumeCreated', { snapshotId: `snap-0${hour}` }],
    ['ec2', 'BidEvictedEvent', { instanceIdSet: [`i-0${hour}`] }],
    ['s3', 'JobStatusChanged', { jobId: `job-${hour}`, status: 'Complete' }],
    ['acm', 'RenewCertificate', { certificateArn: `arn:aws:acm:eu-central-1:${account}:c/0` }],
  ] as const;
  for (const [source, name, serviceEventDetails] of events) {
    day.add({
      source,
      name,
      by: { accountId: account, invokedBy: 'AWS Internal' },
      with: {
        eventType: 'AwsServiceEvent',
        sourceIPAddress: 'AWS Internal',
        userAgent: 'AWS Internal',
        serviceEventDetails,
        tlsDetails: undefined,
      },
    });
  }
}

/** The console looks keys and buckets up for a user; a service makes its linked role for root. */
function forWhoeverLooks(day: Diary): void {
  const user = consoleOf(iamUser('bob'), day.now());
  const identity = { ...user, invokedBy: 'AWS Internal' };
  const internal = { address: 'AWS Internal', agent: 'AWS Internal' };
  for (let i = 0; i < 10; i++) {
    day.lines({ identity, ...internal }, [
      ['kms', 'DescribeKey', { keyId }],
      ['kms', 'ListAliases', { limit: 100 }],
      ['s3', 'GetBucketLocation', { bucketName: bucket }],
    ]);
  }
  const host = 'autoscaling.amazonaws.com';
  const root = { ...rootUser(), invokedBy: host };
  day.lines({ identity: root, address: host, agent: host }, [
    ['iam', 'CreateServiceLinkedRole', { aWSServiceName: host }],
  ]);
}
