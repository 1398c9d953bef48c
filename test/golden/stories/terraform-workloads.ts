// What Terraform makes and changes besides networks and roles: stores, machines, what watches them.
import { account, type RawRecord } from '../../support/records.ts';
import { type Caller, type Diary, roleArn } from './diary.ts';

const region = 'eu-central-1';

/** Buckets with their policies, keys, a secret, a database. */
export function storage(day: Diary, by: Caller): void {
  for (const name of ['catalogue', 'invoices', 'flow-logs']) bucket(day, by, `example-org-${name}`);
  for (const name of ['orders', 'invoices', 'logs']) key(day, by, name);
  day.lines(by, [
    ['secretsmanager', 'CreateSecret', { name: 'orders/db', clientRequestToken: 'c' }],
    ['secretsmanager', 'PutSecretValue', { secretId: 'orders/db', clientRequestToken: 'd' }],
    ['ssm', 'PutParameter', { name: '/shop/config', type: 'String', overwrite: true }],
    ['dynamodb', 'CreateTable', { tableName: 'orders', billingMode: 'PAY_PER_REQUEST' }],
    ['rds', 'CreateDBSubnetGroup', { dBSubnetGroupName: 'orders' }],
    ['rds', 'CreateDBInstance', database],
    ['rds', 'ModifyDBInstance', { dBInstanceIdentifier: 'orders', backupRetentionPeriod: 14 }],
    ['sqs', 'CreateQueue', { queueName: 'orders', attributes: { KmsMasterKeyId: 'alias/orders' } }],
    ['sns', 'CreateTopic', { name: 'alarms' }],
    ['sns', 'Subscribe', { topicArn: topic, protocol: 'https', endpoint: 'HIDDEN' }],
  ]);
}

const topic = `arn:aws:sns:${region}:${account}:alarms`;
const database = {
  dBInstanceIdentifier: 'orders',
  engine: 'postgres',
  masterUsername: 'orders',
  masterUserPassword: '****',
  publiclyAccessible: false,
  storageEncrypted: true,
  deletionProtection: true,
};

function bucket(day: Diary, by: Caller, bucketName: string): void {
  const Host = `${bucketName}.s3.${region}.amazonaws.com`;
  const of = { bucketName, Host };
  const insecure = {
    Sid: 'OnlyTls',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [`arn:aws:s3:::${bucketName}`, `arn:aws:s3:::${bucketName}/*`],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  const own = {
    Effect: 'Allow',
    Principal: { AWS: roleArn('web-server') },
    Action: ['s3:GetObject', 's3:PutObject'],
    Resource: `arn:aws:s3:::${bucketName}/*`,
  };
  const delivery = {
    Effect: 'Allow',
    Principal: { Service: 'delivery.logs.amazonaws.com' },
    Action: 's3:PutObject',
    Resource: `arn:aws:s3:::${bucketName}/AWSLogs/${account}/*`,
    Condition: { StringEquals: { 'aws:SourceAccount': account } },
  };
  day.lines(by, [
    ['s3', 'CreateBucket', { ...of, CreateBucketConfiguration: { LocationConstraint: region } }],
    ['s3', 'PutBucketTagging', { ...of, tagging: '' }],
    [
      's3',
      'PutBucketPublicAccessBlock',
      {
        ...of,
        publicAccessBlock: '',
        PublicAccessBlockConfiguration: {
          xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/',
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    ],
    ['s3', 'PutBucketOwnershipControls', { ...of, ownershipControls: '' }],
    ['s3', 'PutBucketEncryption', { ...of, encryption: '', ServerSideEncryptionConfiguration }],
    ['s3', 'PutBucketVersioning', { ...of, VersioningConfiguration: { Status: 'Enabled' } }],
    ['s3', 'PutBucketLifecycle', { ...of, LifecycleConfiguration: lifecycle }],
    [
      's3',
      'PutBucketPolicy',
      {
        ...of,
        policy: '',
        bucketPolicy: { Version: '2012-10-17', Statement: [insecure, own, delivery] },
      },
    ],
  ]);
}

const ServerSideEncryptionConfiguration = {
  Rule: {
    ApplyServerSideEncryptionByDefault: {
      SSEAlgorithm: 'aws:kms',
      KMSMasterKeyID: `arn:aws:kms:${region}:${account}:key/logs`,
    },
    BucketKeyEnabled: true,
  },
};
const lifecycle = {
  Rule: { ID: 'expire', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 400 } },
};

function key(day: Diary, by: Caller, name: string): void {
  const arn = `arn:aws:kms:${region}:${account}:key/${name}`;
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'ThroughIam',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
      {
        Effect: 'Allow',
        Principal: { Service: `logs.${region}.amazonaws.com` },
        Action: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
        Resource: '*',
        Condition: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${region}:${account}:*` },
        },
      },
    ],
  });
  day.call(by, 'kms', 'CreateKey', {
    request: {
      policy,
      description: name,
      keyUsage: 'ENCRYPT_DECRYPT',
      origin: 'AWS_KMS',
      bypassPolicyLockoutSafetyCheck: false,
    },
    response: { keyMetadata: { arn, keyId: name, keyState: 'Enabled', keyManager: 'CUSTOMER' } },
  });
  day.lines(by, [
    ['kms', 'EnableKeyRotation', { keyId: arn }],
    ['kms', 'CreateAlias', { aliasName: `alias/${name}`, targetKeyId: arn }],
    [
      'kms',
      'PutKeyPolicy',
      { keyId: arn, policyName: 'default', policy, bypassPolicyLockoutSafetyCheck: false },
    ],
  ]);
}

/** Functions, launch templates, a service. */
export function compute(day: Diary, by: Caller): void {
  for (const name of ['order-worker', 'image-resizer']) lambda(day, by, name);
  const launchTemplate: RawRecord = {
    LaunchTemplateName: 'web-server',
    LaunchTemplateData: {
      ImageId: 'ami-0abc',
      InstanceType: 't3.large',
      IamInstanceProfile: { Name: 'web-server' },
      MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled' },
      UserData: '<sensitiveDataRemoved>',
    },
  };
  day.lines(by, [
    ['ec2', 'CreateLaunchTemplate', { CreateLaunchTemplateRequest: launchTemplate }],
    ['ec2', 'CreateLaunchTemplateVersion', { CreateLaunchTemplateVersionRequest: launchTemplate }],
    ['autoscaling', 'CreateAutoScalingGroup', { autoScalingGroupName: 'web-server', minSize: 2 }],
    ['autoscaling', 'UpdateAutoScalingGroup', { autoScalingGroupName: 'web-server', minSize: 3 }],
    ['autoscaling', 'StartInstanceRefresh', { autoScalingGroupName: 'web-server' }],
    [
      'ecs',
      'RegisterTaskDefinition',
      { family: 'storefront', executionRoleArn: roleArn('storefront-task') },
    ],
    ['ecs', 'CreateService', { cluster: 'shop', serviceName: 'storefront', desiredCount: 2 }],
    [
      'elasticloadbalancing',
      'CreateLoadBalancer',
      { name: 'storefront', scheme: 'internet-facing' },
    ],
    ['elasticloadbalancing', 'CreateListener', { protocol: 'HTTPS', port: 443 }],
  ]);
}

function lambda(day: Diary, by: Caller, functionName: string): void {
  const role = roleArn(functionName);
  const made = { functionName, role, runtime: 'nodejs22.x', handler: 'index.handler' };
  day.call(by, 'lambda', 'CreateFunction20150331', {
    request: { ...made, code: {}, environment: {}, publish: false, timeout: 30, memorySize: 512 },
    response: {
      ...made,
      functionArn: `arn:aws:lambda:${region}:${account}:function:${functionName}`,
    },
  });
  day.lines(by, [
    ['lambda', 'UpdateFunctionConfiguration20150331v2', { functionName, timeout: 60 }],
    ['lambda', 'UpdateFunctionCode20150331v2', { functionName, publish: true, dryRun: false }],
    [
      'lambda',
      'AddPermission20150331v2',
      {
        functionName,
        statementId: 'from-events',
        action: 'lambda:InvokeFunction',
        principal: 'events.amazonaws.com',
        sourceArn: `arn:aws:events:${region}:${account}:rule/nightly-report`,
      },
    ],
    [
      'lambda',
      'CreateEventSourceMapping20150331',
      { functionName, eventSourceArn: `arn:aws:sqs:${region}:${account}:orders` },
    ],
  ]);
}

/** Logs with retention, alarms, event rules: made, changed, replaced. */
export function watching(day: Diary, by: Caller): void {
  for (const name of ['order-worker', 'image-resizer']) {
    const logGroupName = `/aws/lambda/${name}`;
    day.lines(by, [
      ['logs', 'CreateLogGroup', { logGroupName }],
      ['logs', 'PutRetentionPolicy', { logGroupName, retentionInDays: 90 }],
      ['logs', 'PutMetricFilter', { logGroupName, filterName: 'errors', filterPattern: 'ERROR' }],
    ]);
  }
  for (const alarmName of ['storefront-5xx', 'storefront-latency', 'orders-age']) {
    const alarm = { alarmName, actionsEnabled: true, alarmActions: [topic], threshold: 5 };
    day.lines(by, [
      ['monitoring', 'PutMetricAlarm', { ...alarm, evaluationPeriods: 1, period: 60 }],
      ['monitoring', 'PutMetricAlarm', { ...alarm, evaluationPeriods: 3, period: 60 }],
    ]);
  }
  const name = 'nightly-report';
  const targets = [{ id: '1', arn: `arn:aws:lambda:${region}:${account}:function:order-worker` }];
  day.lines(by, [
    ['monitoring', 'DeleteAlarms', { alarmNames: ['storefront-cpu'] }],
    ['events', 'PutRule', { name, scheduleExpression: 'cron(0 3 * * ? *)', state: 'ENABLED' }],
    ['events', 'PutTargets', { rule: name, targets }],
    [
      'events',
      'PutRule',
      { name: 'ecs', eventPattern: '{"source":["aws.ecs"]}', state: 'ENABLED' },
    ],
    ['events', 'RemoveTargets', { rule: name, ids: ['2'] }],
    ['events', 'PutTargets', { rule: name, targets }],
    ['logs', 'PutRetentionPolicy', { logGroupName: '/ecs/storefront', retentionInDays: 30 }],
  ]);
}
