// Roles and policies as Terraform makes and changes them: trusts of one service, policies of own data.
import { account, allow, document, trusts } from '../../support/records.ts';
import { type Caller, type Diary, roleArn } from './diary.ts';

const region = 'eu-central-1';

/** Makes the roles of a stack, and changes some. */
export function identities(day: Diary, by: Caller): void {
  const services = [
    ['web-server', 'ec2'],
    ['order-worker', 'lambda'],
    ['storefront-task', 'ecs-tasks'],
    ['image-resizer', 'lambda'],
    ['flow-logs', 'vpc-flow-logs'],
  ] as const;
  for (const [name, service] of services) {
    createRole(day, by, name, service);
    day.call(by, 'iam', 'PutRolePolicy', {
      request: { roleName: name, policyName: 'own-data', policyDocument: ownData(name) },
    });
  }
  for (const name of ['order-worker', 'image-resizer']) {
    const policyArn = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
    day.call(by, 'iam', 'AttachRolePolicy', { request: { roleName: name, policyArn } });
  }
  day.call(by, 'iam', 'AttachRolePolicy', {
    request: {
      roleName: 'web-server',
      policyArn: 'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore',
    },
  });
  day.call(by, 'iam', 'AttachRolePolicy', {
    request: {
      roleName: 'storefront-task',
      policyArn: 'arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy',
    },
  });
  const profile = { instanceProfileName: 'web-server' };
  day.lines(by, [
    ['iam', 'CreateInstanceProfile', { ...profile, path: '/' }],
    ['iam', 'AddRoleToInstanceProfile', { ...profile, roleName: 'web-server' }],
    ['iam', 'TagRole', { roleName: 'web-server', tags: [{ key: 'team', value: 'shop' }] }],
    ['iam', 'UpdateRole', { roleName: 'web-server', maxSessionDuration: 3600 }],
  ]);
  const policyArn = `arn:aws:iam::${account}:policy/read-catalogue`;
  const policyDocument = ownData('catalogue');
  day.lines(by, [
    ['iam', 'CreatePolicy', { policyName: 'read-catalogue', path: '/', policyDocument }],
    ['iam', 'AttachRolePolicy', { roleName: 'web-server', policyArn }],
    ['iam', 'CreatePolicyVersion', { policyArn, policyDocument, setAsDefault: true }],
    ['iam', 'DeletePolicyVersion', { policyArn, versionId: 'v1' }],
    [
      'iam',
      'UpdateAssumeRolePolicy',
      {
        roleName: 'order-worker',
        policyDocument: document(trusts({ Service: 'lambda.amazonaws.com' })),
      },
    ],
    ['iam', 'DetachRolePolicy', { roleName: 'web-server', policyArn }],
    ['iam', 'DeleteRolePolicy', { roleName: 'image-resizer', policyName: 'own-data' }],
  ]);
}

/** A pipeline may deploy one service and hand it its one role; queues and topics let their sources in. */
export function narrowGrants(day: Diary, by: Caller): void {
  const policyDocument = document(
    allow(['ecs:UpdateService', 'ecs:DescribeServices', 'ecs:RegisterTaskDefinition']),
    allow('iam:PassRole', roleArn('storefront-task'), {
      StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' },
    }),
    allow('sts:AssumeRole', roleArn('cdk-hnb659fds-deploy-role')),
  );
  const queue = `arn:aws:sqs:${region}:${account}:orders`;
  const topic = `arn:aws:sns:${region}:${account}:orders`;
  const fromTopic = {
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: queue,
    Condition: { ArnEquals: { 'aws:SourceArn': topic } },
  };
  const own = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: ['sns:Publish', 'sns:Subscribe'],
    Resource: topic,
  };
  day.lines(by, [
    ['iam', 'PutRolePolicy', { roleName: 'pipeline', policyName: 'deploy', policyDocument }],
    ['iam', 'CreateServiceLinkedRole', { aWSServiceName: 'ecs.amazonaws.com' }],
    ['sqs', 'SetQueueAttributes', { queueUrl: queue, attributes: { Policy: document(fromTopic) } }],
    [
      'sns',
      'SetTopicAttributes',
      { topicArn: topic, attributeName: 'Policy', attributeValue: document(own) },
    ],
    ['ecr', 'PutLifecyclePolicy', { repositoryName: 'storefront', lifecyclePolicyText: '{}' }],
  ]);
}

/** A role that a service takes, made with a trust that names only that service. */
function createRole(day: Diary, by: Caller, name: string, service: string): void {
  const trust = document(trusts({ Service: `${service}.amazonaws.com` }));
  day.call(by, 'iam', 'CreateRole', {
    request: {
      roleName: name,
      path: '/',
      description: '',
      maxSessionDuration: 3600,
      assumeRolePolicyDocument: trust,
      tags: [{ key: 'managed-by', value: 'terraform' }],
    },
    response: {
      role: {
        path: '/',
        roleName: name,
        arn: roleArn(name),
        createDate: 'Mar 4, 2026, 9:10:00 AM',
        assumeRolePolicyDocument: encodeURIComponent(trust),
      },
    },
  });
}

/** What a workload may do with its own bucket, table and queue. */
function ownData(name: string): string {
  const bucket = `arn:aws:s3:::example-org-${name}`;
  return document(
    allow(['s3:GetObject', 's3:PutObject'], `${bucket}/*`),
    allow(['s3:ListBucket'], bucket),
    allow(
      ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
      `arn:aws:dynamodb:${region}:${account}:table/${name}`,
    ),
    allow(['sqs:*'], `arn:aws:sqs:${region}:${account}:${name}-*`),
    allow(['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTraceSegments']),
  );
}
