// The stories of the week: what an analyst should find, and what must stay quiet. Each gives the
// ids of its events, which stories.json keeps.
import { accountPages, addLines } from './calls.ts';
import {
  allowing,
  attach,
  createPolicy,
  type Job,
  newRole,
  plan,
  putRolePolicy,
  release,
} from './deployments.ts';
import { type Caller, isoTime, type JsonObject, secondsOf, spokenTime } from './event.ts';
import {
  chromeOnMac,
  chromeOnWindows,
  cliAgent,
  development,
  global,
  home,
  management,
  people,
  production,
  rootIdentity,
  temporaryKey,
  userIdentity,
} from './organisation.ts';
import { browse, consoleLogin, portalLogin, portalToCli } from './people.ts';
import { exampleId } from './random.ts';
import { type Log, newCredentials } from './sessions.ts';

/** A story, as stories.json tells it. */
export interface Story {
  readonly story: string;
  readonly quiet: boolean;
  readonly accounts: readonly string[];
  readonly eventIds: readonly string[];
  readonly expectDetector: string;
  readonly what: string;
}

/** 1: root of production signs in by night without MFA, looks around, and makes itself a key. */
export function rootByNight(log: Log): Story {
  const login = secondsOf('2026-11-12T02:13:09Z');
  const address = '198.51.100.23';
  const browser = chromeOnWindows;
  const ids = [
    consoleLogin(log, {
      time: login,
      account: production,
      identity: { ...rootIdentity(production), accessKeyId: '' },
      address,
      browser,
      mfa: 'No',
    }),
  ];
  const started = isoTime(login);
  const identity = rootIdentity(production, { accessKey: temporaryKey(log.random), started });
  const by: Caller = { identity, address, agent: browser, way: 'console' };
  const place = { time: login + 22, account: production, region: home, by, over: 310 };
  ids.push(...addLines(log, accountPages, place));
  const accessKeyId = exampleId(log.random, 'AKIA');
  const made = login + 431;
  ids.push(
    log.add({
      time: made,
      account: production,
      region: global,
      service: 'iam',
      name: 'CreateAccessKey',
      by,
      response: { accessKey: { accessKeyId, status: 'Active', createDate: spokenTime(made) } },
    }),
  );
  const agent = 'aws-cli/1.42.61 md/Botocore#1.40.61 ua/2.1 os/linux#5.15.0 lang/python#3.10.12';
  const key = rootIdentity(production, { accessKey: accessKeyId });
  const thief: Caller = { identity: key, address: '203.0.113.190', agent, way: 'sdk' };
  const later = { account: production, region: home, by: thief, time: made + 1_204, over: 160 };
  ids.push(
    ...addLines(
      log,
      [
        ['sts', 'GetCallerIdentity'],
        ['iam', 'ListUsers'],
        ['s3', 'ListBuckets', { Host: `s3.${home}.amazonaws.com` }],
        ['secretsmanager', 'ListSecrets', {}],
        ['ec2', 'DescribeInstances', { instancesSet: {}, filterSet: {} }],
      ],
      later,
    ),
  );
  return {
    story: 'root-by-night',
    quiet: false,
    accounts: [production],
    eventIds: ids,
    expectDetector: 'root-account-used',
    what:
      'Root of production signs in without MFA at 02:13, looks around and makes an access ' +
      'key, which is used 20 minutes later from another address.',
  };
}

const everything = JSON.stringify(
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
  null,
  2,
);

/** 2: a developer, refused administrator rights, writes them into a policy that is hers. */
export function sandboxEscape(log: Log): Story {
  const name = 'leila.haddad';
  const user = userIdentity(development, name, { accessKey: exampleId(log.random, 'AKIA') });
  const time = secondsOf('2026-11-11T15:42:18Z');
  const arn = `arn:aws:iam::${development}:policy/developer-sandbox`;
  const caller = (command: string): Caller => {
    const agent = cliAgent('macos#25.1.0', command);
    return { identity: user, address: people.leila.address, agent, way: 'sdk' };
  };
  const call = { account: development, region: global, service: 'iam' };
  const on = `on resource: user ${name}`;
  const why = 'because no identity-based policy allows the iam:AttachUserPolicy action';
  const says = `User: ${String(user['arn'])} is not authorized to perform: iam:AttachUserPolicy`;
  const denied = log.add({
    ...call,
    time,
    name: 'AttachUserPolicy',
    by: caller('iam.attach-user-policy'),
    error: { code: 'AccessDenied', message: `${says} ${on} ${why}` },
  });
  const look = { ...call, request: { userName: name } };
  const listed = caller('iam.list-attached-user-policies');
  log.add({ ...look, time: time + 61, name: 'ListAttachedUserPolicies', by: listed });
  const got = { ...call, time: time + 94, name: 'GetPolicyVersion' };
  const request = { policyArn: arn, versionId: 'v1' };
  log.add({ ...got, by: caller('iam.get-policy-version'), request });
  const made = log.add({
    ...call,
    time: time + 212,
    name: 'CreatePolicyVersion',
    by: caller('iam.create-policy-version'),
    request: { policyArn: arn, policyDocument: everything, setAsDefault: true },
    response: {
      policyVersion: {
        versionId: 'v2',
        isDefaultVersion: true,
        createDate: spokenTime(time + 212),
      },
    },
  });
  const after = { account: development, region: home, over: 1 };
  const users = { ...after, time: time + 251, by: caller('iam.list-users') };
  addLines(log, [['iam', 'ListUsers']], users);
  const secrets = { ...after, time: time + 280, by: caller('secretsmanager.list-secrets') };
  addLines(log, [['secretsmanager', 'ListSecrets', {}]], secrets);
  return {
    story: 'sandbox-escape',
    quiet: false,
    accounts: [development],
    eventIds: [denied, made],
    expectDetector: 'iam-policy-changed',
    what:
      'A developer is refused AdministratorAccess, then writes a version that allows ' +
      'everything into the customer-managed policy attached to her own user.',
  };
}

/** 3: a contractor's IAM user signs in with a password alone. */
export function contractorLogin(log: Log): Story {
  const time = secondsOf('2026-11-09T13:07:41Z');
  const address = '198.51.100.64';
  const name = 'contractor-vega';
  const login = consoleLogin(log, {
    time,
    account: development,
    // The sign-in page was opened from a bookmark of a Region.
    region: home,
    identity: userIdentity(development, name),
    address,
    browser: chromeOnMac,
    mfa: 'No',
  });
  const accessKey = temporaryKey(log.random);
  const identity = userIdentity(development, name, { accessKey, started: isoTime(time) });
  const by: Caller = { identity, address, agent: chromeOnMac, way: 'console' };
  browse(log, by, time + 9, 140);
  return {
    story: 'contractor-login',
    quiet: false,
    accounts: [development],
    eventIds: [login],
    expectDetector: 'console-login-without-mfa',
    what:
      'The IAM user of a contractor signs in to the console of development with a ' +
      'password and no MFA.',
  };
}

/** 5: the security team audits production's root from the management account. */
export function centralRoot(log: Log): Story {
  const time = secondsOf('2026-11-13T09:31:26Z');
  const { ingrid } = people;
  portalLogin(log, ingrid, time - 74);
  const officer = portalToCli(log, ingrid, [management, 'SecurityOperations'], time - 40);
  const credentials = newCredentials(log.random, time, 900);
  const agent = (command: string) => cliAgent('linux#6.8.0', command);
  const taken = log.add({
    time,
    account: management,
    region: home,
    service: 'sts',
    name: 'AssumeRoot',
    by: { ...officer, agent: agent('sts.assume-root') },
    request: {
      targetPrincipal: production,
      taskPolicyArn: { arn: 'arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials' },
      durationSeconds: 900,
    },
    response: { credentials },
  });
  const started = isoTime(time);
  const identity = rootIdentity(production, { accessKey: credentials.accessKeyId, started });
  const names = [
    ['ListAccessKeys', 'iam.list-access-keys', 28],
    ['GetLoginProfile', 'iam.get-login-profile', 51],
  ] as const;
  const calls = names.map(([name, command, wait]) => {
    const by: Caller = { identity, address: ingrid.address, agent: agent(command), way: 'sdk' };
    const where = { account: production, region: global, service: 'iam' };
    return log.add({ ...where, time: time + wait, name, by });
  });
  return {
    story: 'central-root-access',
    quiet: false,
    accounts: [management, production],
    eventIds: [taken, ...calls],
    expectDetector: 'root-account-used',
    what:
      'The security team takes central root access to production with AssumeRoot and ' +
      'looks at root credentials: a case of its own, never root without MFA.',
  };
}

/** 6: a role of development is opened to every repository on GitHub. */
export function openCiTrust(log: Log): Story {
  const time = secondsOf('2026-11-13T16:38:52Z');
  const { owen } = people;
  portalLogin(log, owen, time - 120);
  const session = portalToCli(log, owen, [development, 'Developer'], time - 80);
  const roleName = 'preview-deploy';
  const host = 'token.actions.githubusercontent.com';
  const by = (command: string) => ({ ...session, agent: cliAgent('linux#6.8.0', command) });
  const call = { account: development, region: global, service: 'iam' };
  const shown = { ...call, time: time - 35, name: 'GetRole', request: { roleName } };
  log.add({ ...shown, by: by('iam.get-role') });
  const statement: JsonObject = {
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::${development}:oidc-provider/${host}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${host}:aud`]: 'sts.amazonaws.com' } },
  };
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] }, null, 4);
  const id = log.add({
    ...call,
    time,
    name: 'UpdateAssumeRolePolicy',
    by: by('iam.update-assume-role-policy'),
    request: { roleName, policyDocument },
  });
  return {
    story: 'open-ci-trust',
    quiet: false,
    accounts: [development],
    eventIds: [id],
    expectDetector: 'iam-policy-changed',
    what:
      'A role of development gets a trust policy for GitHub that checks the audience ' +
      'only, so that any repository on GitHub may take it.',
  };
}

/** 7: Terraform applies what was reviewed; every change is narrow. */
export function terraformDay(log: Log): Story {
  const ids: string[] = [];
  const first = plan(log, development, secondsOf('2026-11-11T09:04:40Z'));
  ids.push(...newRole(log, first, 'thumbnail-cache', 'lambda'));
  const second = plan(log, production, secondsOf('2026-11-11T10:19:33Z'));
  ids.push(...newRole(log, second, 'report-runner', 'ec2'));
  const reports = 'arn:aws:s3:::example-org-reports';
  const policy = {
    name: 'report-runner-reads',
    document: allowing(['s3:GetObject', 's3:ListBucket'], [reports, `${reports}/*`]),
    about: 'Reads the reports',
  };
  ids.push(createPolicy(log, second, policy));
  ids.push(attach(log, second, { role: 'report-runner' }, policy.name));
  release(log, second);
  const third = plan(log, production, secondsOf('2026-11-11T14:41:02Z'));
  ids.push(routinePolicy(log, third));
  return {
    story: 'terraform-day',
    quiet: true,
    accounts: [development, production],
    eventIds: ids,
    expectDetector: 'iam-policy-changed',
    what:
      'An ordinary day of Terraform: new roles for EC2 and Lambda, narrow policies put ' +
      'and attached; the changes are noted as low at most.',
  };
}

/** A worker may read one more queue; gives the id. */
export function routinePolicy(log: Log, job: Job): string {
  const queue = `arn:aws:sqs:${home}:${job.account}:orders`;
  const document = allowing(['sqs:ReceiveMessage', 'sqs:DeleteMessage'], [queue]);
  return putRolePolicy(log, job, 'order-worker-execution', 'read-orders', document);
}

/** One wrong password for root of development: a typing error, below any threshold. */
export function rootTypo(log: Log): Story {
  const id = consoleLogin(log, {
    time: secondsOf('2026-11-10T10:52:07Z'),
    account: development,
    identity: { ...rootIdentity(development), accessKeyId: '' },
    address: people.tomas.address,
    browser: people.tomas.browser,
    mfa: 'No',
    failure: 'Failed authentication',
  });
  return {
    story: 'root-password-typo',
    quiet: true,
    accounts: [development],
    eventIds: [id],
    expectDetector: 'root-account-used',
    what:
      'One failed sign-in of root from the office: a typing error, below the threshold of ' +
      'three.',
  };
}
