// What machines do all week: instances, functions, tasks, AWS services of their own accord, the
// inventory scanner. One `beat` is a few minutes of one account and Region.
import {
  addDenied,
  addLines,
  configuration,
  globalInventory,
  inventory,
  keyResource,
} from './calls.ts';
import { type Caller, isoTime, type JsonObject, resource } from './event.ts';
import {
  backup,
  development,
  global,
  home,
  management,
  production,
  role,
  rootIdentity,
  serviceRole,
  sessionIdentity,
  temporaryKey,
  trailBucket,
} from './organisation.ts';
import { randomFrom } from './random.ts';
import { assumeAcross, assumeByService, type Log, serviceCaller, through } from './sessions.ts';

/** When, for how long and where machines are at work. */
export interface Beat {
  readonly time: number;
  readonly over: number;
  readonly account: string;
  readonly region: string;
}

const fixed = randomFrom('machines of the sample');
const instances = Array.from({ length: 4 }, () => `i-0${fixed.hex(16)}`);
const keys: Readonly<Record<string, string>> = {
  [management]: fixed.uuid(),
  [production]: fixed.uuid(),
  [development]: fixed.uuid(),
};
const outbound: Readonly<Record<string, string>> = {
  [management]: '192.0.2.10',
  [production]: '192.0.2.40',
  [development]: '192.0.2.70',
};

type Work = (log: Log, beat: Beat) => void;

/** Writes the events of one beat. */
export function beatOf(log: Log, beat: Beat): void {
  for (const work of workOf(beat, log)) work(log, beat);
}

function workOf({ account, region }: Beat, log: Log): readonly Work[] {
  if (region === backup) return [backups, recorder];
  if (account === production && region === home) {
    const busy = log.random.shuffled<Work>([instance, worker, task, scaling, scanner, recorder]);
    return [...busy.slice(0, 4), worker];
  }
  if (account === production) return [scannerOfGlobals, edge];
  if (account === development && region === home) {
    return [...log.random.shuffled<Work>([instance, worker, scanner, recorder]).slice(0, 3)];
  }
  if (account === management && region === home) return [bucketChecks, recorder, scanner];
  return [scannerOfGlobals];
}

/** A moment within the beat. */
function within(log: Log, { time, over }: Beat): number {
  return time + log.random.whole(0, over - 1);
}

function instance(log: Log, beat: Beat): void {
  const { account, region } = beat;
  const id = log.random.pick(instances);
  const time = beat.time + log.random.whole(0, 20);
  const by = assumeByService(log, {
    time,
    region,
    service: 'ec2',
    role: role(account, 'web-server'),
    name: id,
    address: outbound[account] ?? '',
    agent: 'aws-sdk-go/1.55.8 (go1.24.9; linux; amd64) amazon-ssm-agent/3.3.3050.0',
  });
  const call = { account, region, by };
  const host = 'ip-10-20-4-17.eu-west-1.compute.internal';
  const report: JsonObject = {
    instanceId: id,
    agentStatus: 'Active',
    agentVersion: '3.3.3050.0',
    computerName: host,
    platformType: 'Linux',
    platformName: 'Amazon Linux',
    platformVersion: '2023',
  };
  const over = Math.max(40, beat.over - 40);
  for (const step of [25, 120]) {
    const at = time + Math.min(step, over);
    log.add({
      ...call,
      time: at,
      service: 'ssm',
      name: 'UpdateInstanceInformation',
      request: report,
    });
  }
  const tags = { maxResults: 50, filterSet: { items: [{ name: 'resource-id', valueSet: [id] }] } };
  log.add({ ...call, time: time + 30, service: 'ec2', name: 'DescribeTags', request: tags });
  const name = '/shop/production/database-url';
  log.add({
    ...call,
    time: time + 33,
    service: 'ssm',
    name: 'GetParameter',
    request: { name, withDecryption: true },
  });
  const arn = `arn:aws:ssm:${region}:${account}:parameter${name}`;
  decrypt(log, beat, through(by, 'ssm'), time + 33, { PARAMETER_ARN: arn });
}

function worker(log: Log, beat: Beat): void {
  const { account, region } = beat;
  const name = log.random.pick(['order-worker', 'invoice-mailer', 'image-resizer']);
  const time = beat.time + log.random.whole(0, Math.max(1, beat.over - 30));
  const by = assumeByService(log, {
    time,
    region,
    service: 'lambda',
    role: role(account, `${name}-execution`, '/service-role/'),
    name,
    address: outbound[account] ?? '',
    agent: 'Boto3/1.40.64 md/Botocore#1.40.64 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13.9',
  });
  const day = isoTime(time).slice(0, 10).replaceAll('-', '/');
  const group = `/aws/lambda/${name}`;
  log.add({
    time: time + 1,
    account,
    region,
    service: 'logs',
    name: 'CreateLogStream',
    by: { ...by, agent: 'awslambda-worker/1.0 rusoto/0.48.0 rust/1.90.0 linux' },
    request: { logGroupName: group, logStreamName: `${day}/[$LATEST]${log.random.hex(32)}` },
  });
  const arn = `arn:aws:lambda:${region}:${account}:function:${name}`;
  decrypt(log, beat, through(by, 'lambda'), time + 1, { 'aws:lambda:FunctionArn': arn });
  const secret = 'shop/payment-gateway';
  const call = { account, region, by };
  log.add({
    ...call,
    time: time + 2,
    service: 'secretsmanager',
    name: 'GetSecretValue',
    request: { secretId: secret },
  });
  const secretArn = `arn:aws:secretsmanager:${region}:${account}:secret:${secret}-EXAMPL`;
  const context = { SecretARN: secretArn, SecretVersionId: log.random.uuid() };
  decrypt(log, beat, through(by, 'secretsmanager'), time + 2, context);
}

function task(log: Log, beat: Beat): void {
  const { account, region } = beat;
  const time = beat.time + log.random.whole(0, Math.max(1, beat.over - 60));
  const by = assumeByService(log, {
    time,
    region,
    service: 'ecs-tasks',
    role: role(account, 'storefront-task-execution'),
    name: log.random.hex(32),
    address: outbound[account] ?? '',
    agent: 'Amazon ECS Agent - v1.101.0 (+https://aws.amazon.com/ecs) aws-sdk-go-v2/1.39.4',
  });
  const call = { account, region, by };
  log.add({ ...call, time: time + 2, service: 'ecr', name: 'GetAuthorizationToken' });
  const stream = `storefront/web/${log.random.hex(32)}`;
  log.add({
    ...call,
    time: time + 6,
    service: 'logs',
    name: 'CreateLogStream',
    request: { logGroupName: '/ecs/storefront', logStreamName: stream },
  });
  const linked = assumeByService(log, {
    time: time + 8,
    region,
    service: 'ecs',
    role: serviceRole(account, 'ecs', 'AWSServiceRoleForECS'),
    name: 'ecs-service-scheduler',
  });
  const group = `targetgroup/storefront/${fixed.fork(account).hex(16)}`;
  const arn = `arn:aws:elasticloadbalancing:${region}:${account}:${group}`;
  const targets = [{ id: `10.20.4.${log.random.whole(20, 90)}`, port: 8080 }];
  const elb = { account, region, by: linked, service: 'elasticloadbalancing' };
  log.add({
    ...elb,
    time: time + 9,
    name: 'RegisterTargets',
    request: { targetGroupArn: arn, targets },
  });
  for (const step of [24, 44]) {
    const request = { targetGroupArn: arn };
    log.add({ ...elb, time: time + step, name: 'DescribeTargetHealth', request });
  }
}

function scaling(log: Log, beat: Beat): void {
  const { account, region } = beat;
  const by = assumeByService(log, {
    time: beat.time + 5,
    region,
    service: 'autoscaling',
    role: serviceRole(account, 'autoscaling', 'AWSServiceRoleForAutoScaling'),
    name: 'AutoScaling',
  });
  const set = { items: instances.map((instanceId) => ({ instanceId })) };
  const call = { account, region, by, service: 'ec2' };
  const asked = { instancesSet: set, filterSet: {}, includeAllInstances: true };
  log.add({ ...call, time: beat.time + 6, name: 'DescribeInstanceStatus', request: asked });
  const shown = { instancesSet: set, filterSet: {} };
  log.add({ ...call, time: beat.time + 7, name: 'DescribeInstances', request: shown });
  if (!log.random.chance(0.3)) return;
  const one = `i-0${log.random.hex(16)}`;
  log.add({
    ...call,
    time: beat.time + 40,
    name: 'TerminateInstances',
    request: { instancesSet: { items: [{ instanceId: one }] } },
    response: {
      requestId: log.random.uuid(),
      instancesSet: {
        items: [
          {
            instanceId: one,
            currentState: { code: 32, name: 'shutting-down' },
            previousState: { code: 16, name: 'running' },
          },
        ],
      },
    },
  });
}

/** The inventory scanner lives in the management account and reads every account. */
function scanner(log: Log, beat: Beat): void {
  const { time, over, account, region } = beat;
  const by = scannerIn(log, account, region, time);
  const denied = log.random.chance(0.4) && account !== management;
  const some = log.random.shuffled(inventory).slice(0, account === production ? 18 : 12);
  const place = { time: time + 4, account, region, by, over: Math.max(20, over - 20) };
  addLines(log, some, place);
  if (!denied) return;
  const detector = `arn:aws:guardduty:${region}:${account}:detector/*`;
  addDenied(log, ['guardduty', 'GetFindings'], { ...place, time: within(log, beat) }, detector);
}

function scannerOfGlobals(log: Log, beat: Beat): void {
  const { time, over, account } = beat;
  const by = scannerIn(log, account, global, time);
  const place = { time: time + 4, account, region: global, by, over: Math.max(20, over - 20) };
  addLines(log, globalInventory, place);
  const user = `arn:aws:iam::${account}:user/*`;
  if (log.random.chance(0.3)) {
    addDenied(log, ['iam', 'ListSSHPublicKeys'], { ...place, time: within(log, beat) }, user);
  }
}

function scannerIn(log: Log, account: string, region: string, time: number): Caller {
  const agent =
    'Boto3/1.40.64 md/Botocore#1.40.64 ua/2.1 os/linux lang/python#3.13.9 inventory/4.2';
  const origin: Caller = {
    identity: sessionIdentity({
      role: role(management, 'inventory-scanner'),
      name: instances[0] ?? '',
      started: isoTime(time - 2_400 - (time % 600)),
      accessKey: temporaryKey(log.random),
      isInstance: true,
    }),
    address: outbound[management] ?? '',
    agent,
    way: 'sdk',
  };
  const to = role(account, 'inventory-read-only');
  const name = `inventory-${isoTime(time).slice(0, 10)}`;
  return assumeAcross(log, origin, { time, region, role: to, name, agent });
}

function recorder(log: Log, beat: Beat): void {
  const { time, account, region, over } = beat;
  const by = assumeByService(log, {
    time: time + 2,
    region,
    service: 'config',
    role: serviceRole(account, 'config', 'AWSServiceRoleForConfig'),
    name: 'AWSConfig-Describe',
  });
  const some = log.random.shuffled(configuration).slice(0, log.random.whole(5, 9));
  addLines(log, some, { time: time + 3, account, region, by, over: Math.min(over - 5, 90) });
}

/** CloudTrail looks whether it may still write into the bucket of the trail. */
function bucketChecks(log: Log, beat: Beat): void {
  const { account, region } = beat;
  const arn = `arn:aws:s3:::${trailBucket}`;
  const keyId = keys[account] ?? '';
  for (let time = beat.time + 3; time < beat.time + beat.over; time += 60) {
    log.add({
      time,
      account,
      region,
      service: 's3',
      name: 'GetBucketAcl',
      by: serviceCaller('cloudtrail'),
      request: {
        bucketName: trailBucket,
        Host: `${trailBucket}.s3.${region}.amazonaws.com`,
        acl: '',
      },
      resources: [resource(account, 'AWS::S3::Bucket', arn)],
      shared: log.random.uuid(),
    });
    log.add({
      time: time + 20,
      account,
      region,
      service: 'kms',
      name: 'GenerateDataKey',
      by: serviceCaller('cloudtrail'),
      request: {
        keyId: `arn:aws:kms:${region}:${account}:key/${keyId}`,
        keySpec: 'AES_256',
        encryptionContext: {
          'aws:cloudtrail:arn': `arn:aws:cloudtrail:${region}:${account}:trail/*`,
        },
      },
      resources: [keyResource(account, region, keyId)],
      shared: log.random.uuid(),
    });
  }
}

/** The reports of the content network, and certificates that renew themselves. */
function edge(log: Log, beat: Beat): void {
  const { account } = beat;
  const service = 'acm';
  const by = serviceCaller('cloudfront');
  const certificateArn = `arn:aws:acm:${global}:${account}:certificate/${keys[account]}`;
  const call = { account, region: global, service, by, request: { certificateArn } };
  log.add({ ...call, time: within(log, beat), name: 'DescribeCertificate' });
}

function backups(log: Log, beat: Beat): void {
  const { account, region, time } = beat;
  const by = assumeByService(log, {
    time,
    region,
    service: 'backup',
    role: serviceRole(account, 'backup', 'AWSServiceRoleForBackup'),
    name: 'AWSBackup-AWSServiceRoleForBackup',
  });
  const call = { account, region, by };
  for (const step of [3, 33, 63]) {
    const snapshotId = `snap-0${log.random.hex(16)}`;
    const request = { maxResults: 100, snapshotSet: { items: [{ snapshotId }] }, filterSet: {} };
    log.add({ ...call, time: time + step, service: 'ec2', name: 'DescribeSnapshots', request });
  }
  const request = { maxRecords: 100, snapshotType: 'awsbackup' };
  log.add({ ...call, time: time + 70, service: 'rds', name: 'DescribeDBSnapshots', request });
}

function decrypt(log: Log, beat: Beat, by: Caller, time: number, context: JsonObject): void {
  const { account, region } = beat;
  const keyId = keys[account] ?? '';
  log.add({
    time,
    account,
    region,
    service: 'kms',
    name: 'Decrypt',
    by,
    request: { encryptionContext: context, encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
    resources: [keyResource(account, region, keyId)],
  });
}

/** Root in the record without anybody being root: AWS acts in the name of an account. */
export function rootNoise(log: Log, times: readonly number[]): string[] {
  const [first = 0, second = 0, third = 0] = times;
  const host = (name: string): Omit<Caller, 'identity'> => {
    return { address: `${name}.amazonaws.com`, agent: `${name}.amazonaws.com`, way: 'service' };
  };
  const forRoot = (name: string, account: string): Caller => {
    const identity = rootIdentity(account, { invokedBy: `${name}.amazonaws.com` });
    return { ...host(name), identity };
  };
  const one = `i-0${log.random.hex(16)}`;
  const tags = [{ key: 'aws:autoscaling:groupName', value: 'web-server' }];
  const request = { resourcesSet: { items: [{ resourceId: one }] }, tagSet: { items: tags } };
  const at = { account: production, region: home };
  return [
    log.add({
      ...at,
      time: first,
      service: 'ec2',
      name: 'CreateTags',
      by: forRoot('autoscaling', production),
      request,
      response: { requestId: log.random.uuid(), _return: true },
    }),
    log.add({
      ...at,
      time: second,
      service: 'ec2',
      name: 'DescribeReservedInstances',
      by: forRoot('support', production),
      request: { reservedInstancesSet: {}, filterSet: {} },
    }),
    log.add({
      account: development,
      region: global,
      time: third,
      service: 'support',
      name: 'RefreshTrustedAdvisorCheck',
      by: forRoot('support', development),
      type: 'AwsServiceEvent',
      details: { checkId: 'Qch7DwouX1', status: 'enqueued' },
    }),
  ];
}

/** What services note down without anybody calling. */
export function serviceEvents(log: Log, time: number): void {
  const keyId = keys[production] ?? '';
  const internal = { address: 'AWS Internal', agent: 'AWS Internal', way: 'service' } as const;
  const at = {
    account: production,
    region: home,
    type: 'AwsServiceEvent',
    readOnly: false,
  } as const;
  log.add({
    ...at,
    time,
    service: 'kms',
    name: 'RotateKey',
    by: { ...internal, identity: { accountId: production, invokedBy: 'AWS Internal' } },
    resources: [keyResource(production, home, keyId)],
    details: { rotationType: 'AUTOMATIC', keyOrigin: 'AWS_KMS', keyId },
  });
  const spot = { accountId: production, invokedBy: 'ec2.amazonaws.com' };
  log.add({
    ...at,
    time: time + 50,
    service: 'ec2',
    name: 'BidEvictedEvent',
    by: { ...serviceCaller('ec2'), identity: spot },
    details: { instanceIdSet: [instances[3] ?? ''] },
  });
}
