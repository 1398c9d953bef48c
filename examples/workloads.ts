// What the company's own machines do all week: instances, functions, tasks, scaling. One `beat` is
// a few minutes of one account and Region.
import { keyResource } from './calls.ts';
import { type Caller, isoTime, type JsonObject } from './event.ts';
import {
  backups,
  bucketChecks,
  edge,
  recorder,
  scanner,
  scannerOfGlobals,
} from './housekeeping.ts';
import { type Beat, instances, keys, outbound, stages, targetGroup } from './machines.ts';
import {
  backup,
  development,
  home,
  management,
  production,
  role,
  serviceRole,
} from './organisation.ts';
import { assumeByService, type Log, through } from './sessions.ts';

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

function instance(log: Log, beat: Beat): void {
  const { account, region } = beat;
  const id = log.random.pick(instances[account] ?? []);
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
  const name = `/shop/${stages[account]}/database-url`;
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
  const secret = `shop/${stages[account]}/payment-gateway`;
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
  const group = targetGroup(account);
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
  const set = { items: (instances[account] ?? []).map((instanceId) => ({ instanceId })) };
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
