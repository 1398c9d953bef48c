// A day of CloudFormation: people deploy templates and CloudFormation calls with their rights, or with the
// execution role of CDK; stacks are made, updated and deleted.
import {
  account,
  allow,
  document,
  type RawRecord,
  through,
  trusts,
} from '../../support/records.ts';
import {
  browser,
  type Caller,
  type Diary,
  diary,
  type Line,
  opened,
  roleArn,
  sessionOf,
} from './diary.ts';

const region = 'eu-central-1';
const ssoPath = '/aws-reserved/sso.amazonaws.com/eu-central-1/';
const cli =
  'aws-cli/2.32.7 md/awscrt#0.29.1 ua/2.1 os/linux#6.12 md/arch#x86_64 lang/python#3.13.9';
const cdk = 'aws-cdk/2.1033.0 aws-sdk-js/3.940.0 ua/2.1 os/linux#6.12 lang/js md/nodejs#22.21.1';

/** Gives the day's records. */
export function cloudFormationDay(): RawRecord[] {
  const day = diary('2026-03-04');
  day.at('09:00');
  for (const app of ['payments', 'search']) byPerson(day, app);
  day.at('10:30');
  for (const app of ['invoices', 'basket', 'mailer', 'reports']) byCdk(day, app);
  day.at('16:00');
  torndown(day, 'review-77');
  return day.records;
}

/** Somebody uploads a template in the console: every call of the stack is in that person's name. */
function byPerson(day: Diary, app: string): void {
  const identity = sessionOf('AWSReservedSSO_Platform_0a1b', 'ann@example.com', day.now(), ssoPath);
  const by = { identity, address: '203.0.113.44', agent: browser };
  day.lines(by, [
    ['cloudformation', 'ListStacks', { stackStatusFilter: [] }],
    ['cloudformation', 'GetTemplateSummary', { stackName: app }],
    ['cloudformation', 'CreateStack', { stackName: app, capabilities: ['CAPABILITY_NAMED_IAM'] }],
  ]);
  stack(day, byService(identity), app);
  for (let i = 0; i < 10; i++) {
    day.lines(by, [['cloudformation', 'DescribeStackEvents', { stackName: app }]]);
  }
}

/** The same identity where CloudFormation makes the call with its rights. */
function byService(identity: RawRecord): Caller {
  const { by, with: fields } = through(identity, 'cloudformation');
  const host = String(fields?.['userAgent']);
  return { identity: by ?? identity, address: host, agent: host };
}

/** CDK: a pipeline takes the deploy role, CloudFormation takes the execution role. */
function byCdk(day: Diary, app: string): void {
  const pipeline = sessionOf('pipeline', 'codebuild-0a1b', day.now());
  const at = { address: '198.51.100.61', agent: cdk };
  const deployer = taken(day, { identity: pipeline, ...at }, 'cdk-hnb659fds-deploy-role');
  const publisher = taken(day, { identity: pipeline, ...at }, 'cdk-hnb659fds-file-publishing-role');
  day.lines(publisher, [
    ['s3', 'GetBucketLocation', { bucketName: 'cdk-hnb659fds-assets' }],
    ['s3', 'GetBucketEncryption', { bucketName: 'cdk-hnb659fds-assets' }],
    ['ecr', 'DescribeImages', { repositoryName: 'cdk-hnb659fds-container-assets' }],
  ]);
  const changeSet = { stackName: app, changeSetName: 'cdk-deploy-change-set' };
  day.lines(deployer, [
    ['cloudformation', 'DescribeStacks', { stackName: app }],
    ['ssm', 'GetParameter', { name: '/cdk-bootstrap/hnb659fds/version' }],
    ['cloudformation', 'CreateChangeSet', { ...changeSet, roleARN: roleArn(executor) }],
    ['cloudformation', 'DescribeChangeSet', changeSet],
    ['cloudformation', 'ExecuteChangeSet', changeSet],
  ]);
  const session = sessionOf(executor, 'AWSCloudFormation', day.now());
  day.add({
    source: 'sts',
    name: 'AssumeRole',
    by: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' },
    request: { roleArn: roleArn(executor), roleSessionName: 'AWSCloudFormation' },
    response: opened(session, 'Mar 4, 2026, 11:30:00 AM'),
    with: {
      sourceIPAddress: 'cloudformation.amazonaws.com',
      userAgent: 'cloudformation.amazonaws.com',
      tlsDetails: undefined,
    },
  });
  stack(day, byService(session), app);
  for (let i = 0; i < 8; i++) {
    day.lines(deployer, [['cloudformation', 'DescribeStackEvents', { stackName: app }]]);
  }
}

const executor = 'cdk-hnb659fds-cfn-exec-role';

/** A caller takes a role; gives its session. */
function taken(day: Diary, by: Caller, role: string): Caller {
  const identity = sessionOf(role, 'aws-cdk-runner', day.now());
  day.call(by, 'sts', 'AssumeRole', {
    request: { roleArn: roleArn(role), roleSessionName: 'aws-cdk-runner' },
    response: opened(identity, 'Mar 4, 2026, 11:30:00 AM'),
  });
  return { ...by, identity };
}

/** What the stack of a small application makes. */
function stack(day: Diary, by: Caller, app: string): void {
  const roleName = `${app}-Handler-1A2B`;
  const functionName = `${app}-Handler-3C4D`;
  const bucketName = `${app}-data-5e6f`;
  const trust = document(trusts({ Service: 'lambda.amazonaws.com' }));
  day.call(by, 'iam', 'CreateRole', {
    request: { roleName, assumeRolePolicyDocument: trust, tags: [] },
    response: { role: { roleName, arn: roleArn(roleName), path: '/' } },
  });
  const policyDocument = document(
    allow(['s3:GetObject*', 's3:List*', 's3:PutObject'], `arn:aws:s3:::${bucketName}/*`),
    allow(
      ['secretsmanager:GetSecretValue'],
      `arn:aws:secretsmanager:${region}:${account}:secret:${app}`,
    ),
  );
  day.lines(by, [
    ['iam', 'GetRole', { roleName }],
    ['iam', 'AttachRolePolicy', { roleName, policyArn: basic }],
    ['iam', 'PutRolePolicy', { roleName, policyName: 'HandlerDefaultPolicy', policyDocument }],
    ['iam', 'GetRolePolicy', { roleName, policyName: 'HandlerDefaultPolicy' }],
    ['s3', 'CreateBucket', { bucketName, Host: `${bucketName}.s3.amazonaws.com` }],
    ['s3', 'PutBucketEncryption', { bucketName, encryption: '' }],
    ['s3', 'PutBucketPublicAccessBlock', { bucketName, PublicAccessBlockConfiguration }],
    ['s3', 'PutBucketPolicy', { bucketName, policy: '', bucketPolicy: onlyTls(bucketName) }],
    ['logs', 'CreateLogGroup', { logGroupName: `/aws/lambda/${functionName}` }],
    [
      'logs',
      'PutRetentionPolicy',
      { logGroupName: `/aws/lambda/${functionName}`, retentionInDays: 30 },
    ],
    ['ec2', 'CreateSecurityGroup', { groupName: app, groupDescription: app, vpcId: 'vpc-0a1b' }],
    ['ec2', 'AuthorizeSecurityGroupIngress', { groupId: 'sg-0a', ipPermissions: fromInside }],
    ['lambda', 'CreateFunction20150331', { functionName, role: roleArn(roleName), code: {} }],
    ['lambda', 'GetFunction20150331v2', { functionName }],
    ['lambda', 'AddPermission20150331v2', permissionOf(functionName)],
    ['lambda', 'UpdateFunctionConfiguration20150331v2', { functionName, memorySize: 1024 }],
    ['lambda', 'UpdateFunctionCode20150331v2', { functionName, dryRun: false, publish: false }],
    ['apigateway', 'CreateRestApi', { createRestApiInput: { name: app } }],
    ['apigateway', 'CreateDeployment', { restApiId: 'a1b2', createDeploymentInput: {} }],
    ['events', 'PutRule', { name: `${app}-hourly`, scheduleExpression: 'rate(1 hour)' }],
    ['events', 'PutTargets', { rule: `${app}-hourly`, targets: [{ id: 'Target0' }] }],
    ['monitoring', 'PutMetricAlarm', { alarmName: `${app}-errors`, actionsEnabled: true }],
    ['kms', 'CreateKey', { description: app, policy: keyPolicy }],
    ['kms', 'EnableKeyRotation', { keyId: `arn:aws:kms:${region}:${account}:key/${app}` }],
    ['dynamodb', 'CreateTable', { tableName: app }],
    ['sqs', 'CreateQueue', { queueName: app }],
    ['sqs', 'SetQueueAttributes', { queueUrl: app, attributes: { VisibilityTimeout: '60' } }],
    ['ssm', 'PutParameter', { name: `/${app}/url`, type: 'String' }],
    ['secretsmanager', 'CreateSecret', { name: app }],
    ['secretsmanager', 'GetRandomPassword', { passwordLength: 32 }],
  ]);
}

const basic = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
const PublicAccessBlockConfiguration = {
  BlockPublicAcls: true,
  BlockPublicPolicy: true,
  IgnorePublicAcls: true,
  RestrictPublicBuckets: true,
};
const fromInside = {
  items: [
    {
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
      groups: {},
      ipRanges: { items: [{ cidrIp: '10.0.0.0/8' }] },
      ipv6Ranges: {},
      prefixListIds: {},
    },
  ],
};
const keyPolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
});

function onlyTls(bucketName: string): RawRecord {
  const statement = {
    Effect: 'Deny',
    Principal: { AWS: '*' },
    Action: 's3:*',
    Resource: [`arn:aws:s3:::${bucketName}`, `arn:aws:s3:::${bucketName}/*`],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  return { Version: '2012-10-17', Statement: [statement] };
}

function permissionOf(functionName: string): RawRecord {
  return {
    functionName,
    action: 'lambda:InvokeFunction',
    principal: 'apigateway.amazonaws.com',
    sourceArn: `arn:aws:execute-api:${region}:${account}:a1b2/*/GET/`,
  };
}

/** A review stack goes, in the name of whoever deletes it. */
function torndown(day: Diary, app: string): void {
  const identity = sessionOf('AWSReservedSSO_Platform_0a1b', 'ben@example.com', day.now(), ssoPath);
  const roleName = `${app}-Handler-1A2B`;
  const person = { identity, address: '203.0.113.45', agent: cli };
  day.lines(person, [['cloudformation', 'DeleteStack', { stackName: app }]]);
  const lines: readonly Line[] = [
    ['events', 'RemoveTargets', { rule: `${app}-hourly`, ids: ['Target0'] }],
    ['events', 'DeleteRule', { name: `${app}-hourly` }],
    ['monitoring', 'DeleteAlarms', { alarmNames: [`${app}-errors`] }],
    ['lambda', 'RemovePermission20150331v2', { functionName: app, statementId: '1' }],
    ['lambda', 'DeleteFunction20150331', { functionName: app }],
    ['iam', 'DetachRolePolicy', { roleName, policyArn: basic }],
    ['iam', 'DeleteRolePolicy', { roleName, policyName: 'HandlerDefaultPolicy' }],
    ['iam', 'DeleteRole', { roleName }],
    ['logs', 'DeleteLogGroup', { logGroupName: `/aws/lambda/${app}` }],
    ['s3', 'DeleteBucketPolicy', { bucketName: `${app}-data` }],
    ['s3', 'DeleteBucket', { bucketName: `${app}-data` }],
    ['kms', 'ScheduleKeyDeletion', { keyId: `key/${app}`, pendingWindowInDays: 30 }],
    ['dynamodb', 'DeleteTable', { tableName: app }],
    ['secretsmanager', 'DeleteSecret', { secretId: app, recoveryWindowInDays: 30 }],
    ['ec2', 'DeleteSecurityGroup', { groupId: 'sg-0a' }],
    ['apigateway', 'DeleteRestApi', { restApiId: 'a1b2' }],
  ];
  day.lines(byService(identity), lines);
}
