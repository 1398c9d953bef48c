// What people do after they signed in: another role, a cloud shell, keys for the command line, a shell on two
// machines, a colleague's question answered from a train.
import { account, type RawRecord } from '../../support/records.ts';
import {
  browser,
  type Caller,
  type Diary,
  fromConsole,
  opened,
  roleArn,
  sessionOf,
} from './diary.ts';

/** In the console, a user takes a role of operations. */
export function switchRole(day: Diary, by: Caller, name: string): void {
  const role = 'operations';
  const identity = sessionOf(role, name, day.now());
  day.call(by, 'sts', 'AssumeRole', {
    request: { roleArn: roleArn(role), roleSessionName: name },
    response: opened(identity, 'Mar 4, 2026, 10:30:00 AM'),
    with: { sourceIPAddress: 'AWS Internal', userAgent: 'AWS Internal', ...fromConsole },
  });
  const at = { identity, address: by.address, agent: browser };
  const page = 'https://eu-central-1.console.aws.amazon.com/console/home';
  day.call(at, 'signin', 'SwitchRole', {
    response: { SwitchRole: 'Success' },
    with: {
      eventType: 'AwsConsoleSignIn',
      readOnly: false,
      additionalEventData: { SwitchFrom: by.identity['arn'], RedirectTo: page },
    },
  });
  for (const instanceId of ['i-0a1b2c3d4e5f60000', 'i-0a1b2c3d4e5f60001']) {
    day.call(at, 'ssm', 'StartSession', { request: { target: instanceId }, with: fromConsole });
    day.call(at, 'ssm', 'TerminateSession', { request: { sessionId: `${name}-${instanceId}` } });
  }
  day.lines(at, [
    [
      'ec2',
      'RebootInstances',
      { instancesSet: { items: [{ instanceId: 'i-0a1b2c3d4e5f60001' }] } },
    ],
    ['rds', 'CreateDBSnapshot', { dBInstanceIdentifier: 'orders', dBSnapshotIdentifier: 'now' }],
    ['autoscaling', 'SetDesiredCapacity', { autoScalingGroupName: 'web-server' }],
  ]);
}

/** A shell in the browser: the same session, from an address of AWS. */
export function cloudShell(day: Diary, by: Caller): void {
  day.call(by, 'cloudshell', 'CreateEnvironment', { with: fromConsole });
  day.call(by, 'cloudshell', 'CreateSession', {
    request: { EnvironmentId: '0a1b', SessionType: 'TMUX', QCliDisabled: false },
    with: fromConsole,
  });
  day.call(by, 'cloudshell', 'PutCredentials', { request: { EnvironmentId: '0a1b' } });
  const agent = 'aws-cli/2.32.7 md/awscrt#0.29.1 exec-env/CloudShell ua/2.1 os/linux#6.1';
  const shell = { ...by, identity: otherKey(by.identity), address: '192.0.2.33', agent };
  day.lines(shell, [
    ['sts', 'GetCallerIdentity'],
    ['s3', 'ListBuckets', { Host: 's3.amazonaws.com' }],
    ['logs', 'FilterLogEvents', { logGroupName: '/ecs/storefront' }],
  ]);
}

function otherKey(identity: RawRecord): RawRecord {
  const accessKeyId = String(identity['accessKeyId']).replace(/^ASIA./, 'ASIAX');
  return { ...identity, accessKeyId };
}

/** `aws login`: the browser gives the command line its keys. */
export function loginFromCli(day: Diary, by: Caller): void {
  const client_id = 'arn:aws:signin:::devtools/same-device';
  const request = { client_id, grant_type: 'authorization_code' };
  const fields = { readOnly: true, additionalEventData: { success: 'true' } };
  day.call(by, 'signin', 'AuthorizeOAuth2Access', { request, with: fields });
  day.call(by, 'signin', 'CreateOAuth2Token', { request, with: fields });
  const agent = 'aws-cli/2.32.7 md/awscrt#0.29.1 ua/2.1 os/macos#25.1.0 md/arch#arm64';
  const cli = { ...by, identity: otherKey(by.identity), agent };
  day.lines(cli, [
    ['sts', 'GetCallerIdentity'],
    ['ecs', 'ListClusters', {}],
  ]);
}

/** The same session goes on over a phone's network. */
export function fromTrain(day: Diary, by: Caller): void {
  const train = { ...by, address: '192.0.2.180' };
  day.call(train, 'monitoring', 'DescribeAlarms', { with: fromConsole });
  day.call(train, 'ecs', 'DescribeServices', {
    request: { cluster: `arn:aws:ecs:eu-central-1:${account}:cluster/shop` },
    with: fromConsole,
  });
}
