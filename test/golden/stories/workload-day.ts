// A day of workloads: instances, functions and containers act with their roles, services act for them, a
// fleet grows and shrinks, and a user's key is replaced by a new one.
import { account, iamUser, type RawRecord, serviceLinkedRole } from '../../support/records.ts';
import { clusterHour, nightlyExport } from './cluster-hours.ts';
import { type Caller, type Diary, diary, type Line, opened, roleArn, sessionOf } from './diary.ts';

const region = 'eu-central-1';

/** Gives the day's records. */
export function workloadDay(): RawRecord[] {
  const day = diary('2026-03-04');
  for (let hour = 0; hour < 24; hour += 3) {
    day.at(`${hour}:05`);
    for (let i = 0; i < 4; i++) instance(day, i);
    for (const name of ['order-worker', 'image-resizer']) lambda(day, name);
    container(day);
    fleet(day, hour);
    backup(day);
    clusterHour(day, hour);
    if (hour === 0) nightlyExport(day);
  }
  day.at('23:10');
  rotation(day);
  return day.records;
}

/** EC2 takes the instance's role; the instance calls through the NAT gateway, or through an endpoint. */
function instance(day: Diary, i: number): void {
  const instanceId = `i-0a1b2c3d4e5f6000${i}`;
  const identity = taken(day, 'ec2', 'web-server', instanceId);
  const context = identity['sessionContext'];
  const delivered = { ...identity, sessionContext: { ...Object(context), ec2RoleDelivery: '2.0' } };
  const agent = 'amazon-ssm-agent/3.3.3050.0 aws-sdk-go/1.55.5 (go1.24.9; linux; amd64)';
  const by = { identity: delivered, address: '198.51.100.90', agent };
  day.lines(by, [
    ['ssm', 'UpdateInstanceInformation', { instanceId, agentVersion: '3.3.3050.0' }],
    ['ssm', 'ListInstanceAssociations', { instanceId, maxResults: 20 }],
    ['ssm', 'GetParameters', { names: ['/shop/config'], withDecryption: true }],
    ['secretsmanager', 'GetSecretValue', { secretId: 'orders/db' }],
    ['ec2', 'DescribeTags', { filterSet: {} }],
    ['ec2', 'DescribeInstances', { instancesSet: { items: [{ instanceId }] } }],
    ['elasticloadbalancing', 'DescribeTargetHealth', { targetGroupArn: 'tg' }],
  ]);
  // A machine with two addresses: S3 is reached over IPv6, what has no IPv6 through the gateway.
  if (i === 0) {
    const dual = { ...by, address: '2001:db8:20:1::a' };
    day.lines(dual, [['s3', 'ListBuckets', { Host: 's3.dualstack.eu-central-1.amazonaws.com' }]]);
  }
  const inside = { sourceIPAddress: `10.20.1.${10 + i}`, vpcEndpointId: 'vpce-0a1b' };
  const more = { ...inside, vpcEndpointAccountId: account };
  day.call(by, 'kms', 'Decrypt', {
    request: { encryptionContext: { 'aws:s3:arn': 'arn:aws:s3:::example-org-orders' } },
    with: more,
  });
  day.call(by, 'logs', 'CreateLogStream', {
    request: { logGroupName: '/shop/web', logStreamName: instanceId },
    with: more,
  });
}

/** A service takes a role for a workload; gives the session. */
function taken(day: Diary, service: string, role: string, name: string, path = '/'): RawRecord {
  const identity = sessionOf(role, name, day.now(), path);
  const host = `${service}.amazonaws.com`;
  day.add({
    source: 'sts',
    name: 'AssumeRole',
    by: { type: 'AWSService', invokedBy: host },
    request: { roleArn: roleArn(role, path), roleSessionName: name },
    response: opened(identity, 'Mar 4, 2026, 11:59:00 PM'),
    with: { sourceIPAddress: host, userAgent: host, tlsDetails: undefined },
  });
  return identity;
}

function lambda(day: Diary, name: string): void {
  const identity = taken(day, 'lambda', name, name);
  const inScopeOf = {
    issuerType: 'AWS::Lambda::Function',
    credentialsIssuedTo: `arn:aws:lambda:${region}:${account}:function:${name}`,
  };
  const agent = 'aws-sdk-js/3.940.0 ua/2.1 os/linux#5.10 lang/js md/nodejs#22.21.1';
  const by = { identity: { ...identity, inScopeOf }, address: '192.0.2.140', agent };
  day.lines(by, [
    ['logs', 'CreateLogStream', { logGroupName: `/aws/lambda/${name}`, logStreamName: 's' }],
    ['secretsmanager', 'GetSecretValue', { secretId: 'orders/db' }],
    ['ssm', 'GetParametersByPath', { path: '/shop', recursive: true, withDecryption: true }],
    ['kms', 'Decrypt', { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' }],
    ['sqs', 'GetQueueUrl', { queueName: 'orders' }],
  ]);
  // A function in a VPC has its interfaces made with the rights of its own role.
  const host = 'lambda.amazonaws.com';
  day.call({ ...by, address: host, agent: host }, 'ec2', 'CreateNetworkInterface', {
    request: { subnetId: 'subnet-0a', groupSet: { items: [{ groupId: 'sg-0a' }] } },
    with: { userIdentity: { ...identity, invokedBy: host }, tlsDetails: undefined },
  });
}

function container(day: Diary): void {
  const identity = taken(day, 'ecs-tasks', 'storefront-task', '0a1b2c3d4e5f60718293a4b5c6d7e8f9');
  const agent = 'aws-sdk-go-v2/1.40.0 ua/2.1 os/linux lang/go#1.24.10 exec-env/AWS_ECS_FARGATE';
  const by = { identity, address: '198.51.100.91', agent };
  day.lines(by, [
    ['ecr', 'GetAuthorizationToken', {}],
    ['ecr', 'BatchGetImage', { repositoryName: 'storefront' }],
    ['ecr', 'GetDownloadUrlForLayer', { repositoryName: 'storefront' }],
    ['secretsmanager', 'GetSecretValue', { secretId: 'storefront/session' }],
    ['logs', 'CreateLogStream', { logGroupName: '/ecs/storefront', logStreamName: 'web' }],
    ['sts', 'GetCallerIdentity'],
  ]);
}

/** Auto Scaling starts and ends instances with its service-linked role. */
function fleet(day: Diary, hour: number): void {
  const by = linked('AWSServiceRoleForAutoScaling', 'autoscaling');
  for (let i = 0; i < 3; i++) {
    const instanceId = `i-0fee1${hour}${i}`;
    const specification = { launchTemplateId: 'lt-0a', version: '7' };
    day.call(by, 'ec2', 'RunInstances', {
      request: {
        launchTemplate: specification,
        instancesSet: { items: [{ minCount: 1, maxCount: 1 }] },
        instanceType: 't3.large',
        iamInstanceProfile: { arn: `arn:aws:iam::${account}:instance-profile/web-server` },
        userData: '<sensitiveDataRemoved>',
      },
      response: { instancesSet: { items: [{ instanceId, instanceType: 't3.large' }] } },
    });
    day.lines(by, [
      ['ec2', 'DescribeInstances', { instancesSet: { items: [{ instanceId }] } }],
      ['elasticloadbalancing', 'RegisterTargets', { targets: [{ id: instanceId }] }],
      ['ec2', 'TerminateInstances', { instancesSet: { items: [{ instanceId }] } }],
    ]);
    // The volumes of what starts are encrypted: a grant for the instance, made by the service.
    day.call(by, 'kms', 'CreateGrant', {
      request: {
        keyId: `arn:aws:kms:${region}:${account}:key/volumes`,
        granteePrincipal: `${account}:aws:ec2-infrastructure:${instanceId}`,
        operations: ['Decrypt', 'Encrypt', 'GenerateDataKeyWithoutPlaintext', 'CreateGrant'],
        constraints: { encryptionContextSubset: { 'aws:ebs:id': `vol-0${hour}${i}` } },
        retiringPrincipal: `ec2.${region}.amazonaws.com`,
      },
      response: { grantId: `grant-${hour}-${i}` },
    });
  }
}

function linked(role: string, service: string): Caller {
  const host = `${service}.amazonaws.com`;
  return { identity: serviceLinkedRole(role, service), address: host, agent: host };
}

/** AWS Backup copies and expires; Config records. */
function backup(day: Diary): void {
  const host = 'backup.amazonaws.com';
  const role = 'AWSBackupDefaultServiceRole';
  const identity = taken(day, 'backup', role, 'AWSBackup', '/service-role/');
  const by = { identity: { ...identity, invokedBy: host }, address: host, agent: host };
  const lines: readonly Line[] = [
    ['ec2', 'CreateSnapshot', { volumeId: 'vol-0a', description: 'AWS Backup' }],
    ['ec2', 'CreateTags', { resourcesSet: { items: [{ resourceId: 'snap-0a' }] } }],
    ['ec2', 'DeleteSnapshot', { snapshotId: 'snap-0b' }],
    ['rds', 'CreateDBSnapshot', { dBInstanceIdentifier: 'orders', dBSnapshotIdentifier: 's' }],
    ['rds', 'DeleteDBSnapshot', { dBSnapshotIdentifier: 'awsbackup:job-0a' }],
  ];
  day.lines(by, lines);
  day.lines(linked('AWSServiceRoleForConfig', 'config'), [
    ['ec2', 'DescribeInstances', { instancesSet: {}, filterSet: {} }],
    ['iam', 'GetAccountAuthorizationDetails', { maxItems: 100 }],
    ['s3', 'GetBucketPolicy', { bucketName: 'example-org-orders' }],
    ['lambda', 'GetPolicy20150331v2', { functionName: 'order-worker' }],
  ]);
}

/** A user replaces its own key: makes the second, uses it, turns the first off, deletes it. */
function rotation(day: Diary): void {
  const user = iamUser('backup-export');
  const agent = 'aws-cli/2.32.7 md/awscrt#0.29.1 ua/2.1 os/linux#6.12 lang/python#3.13.9';
  const at = { address: '198.51.100.30', agent };
  const old = { identity: user, ...at };
  const oldKey = String(user['accessKeyId']);
  const newKey = oldKey.replace(/^AKIA./, 'AKIAX');
  const renewed = { identity: { ...user, accessKeyId: newKey }, ...at };
  const userName = 'backup-export';
  const work: readonly Line[] = [
    ['sts', 'GetCallerIdentity'],
    ['s3', 'ListBuckets', { Host: 's3.eu-central-1.amazonaws.com' }],
    ['rds', 'DescribeDBSnapshots', { dBInstanceIdentifier: 'orders' }],
  ];
  day.lines(old, work);
  day.call(old, 'iam', 'CreateAccessKey', {
    request: { userName },
    response: { accessKey: { userName, accessKeyId: newKey, status: 'Active' } },
  });
  day.lines(renewed, work);
  day.lines(renewed, [
    ['iam', 'ListAccessKeys', { userName }],
    ['iam', 'GetAccessKeyLastUsed', { accessKeyId: oldKey }],
    ['iam', 'UpdateAccessKey', { userName, accessKeyId: oldKey, status: 'Inactive' }],
  ]);
  day.lines(renewed, work);
  day.lines(renewed, [['iam', 'DeleteAccessKey', { userName, accessKeyId: oldKey }]]);
}
