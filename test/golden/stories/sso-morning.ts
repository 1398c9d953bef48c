// An SSO morning: sixty people sign in through Identity Center or SAML, where the identity provider asks for
// the second factor and AWS writes "No"; a few IAM users sign in with MFA, one after typing it wrong.
import { account, iamUser, type RawRecord, uuidOf } from '../../support/records.ts';
import { cloudShell, fromTrain, loginFromCli, switchRole } from './admin-morning.ts';
import { refusedPage } from './console-denials.ts';
import {
  browser,
  type Caller,
  consoleOf,
  type Diary,
  diary,
  fromConsole,
  type Line,
  opened,
  roleArn,
  sessionOf,
} from './diary.ts';

const portalPath = '/aws-reserved/sso.amazonaws.com/eu-central-1/';
const suffix = '0a1b2c3d4e5f6a7b';

/** Gives the morning's records. */
export function ssoMorning(): RawRecord[] {
  const day = diary('2026-03-04');
  day.at('07:30');
  for (let i = 0; i < 40; i++) {
    const person = portalPerson(i);
    const session = intoConsole(day, person, i % 5 === 0 ? 'Administrator' : 'Developer');
    day.lines(session, looks.slice(i % 4, (i % 4) + 6));
    if (i % 4 === 0) intoCommandLine(day, person);
    if (i % 8 === 1) cloudShell(day, session);
    if (i % 8 === 3) loginFromCli(day, session);
    if (i % 8 === 5) fromTrain(day, session);
    if (i % 3 === 2) refusedPage(day, session);
  }
  for (let i = 40; i < 60; i++) throughSaml(day, i);
  day.at('09:10');
  for (const name of ['bob', 'carol', 'dave']) day.lines(signIn(day, name), looks.slice(0, 5));
  switchRole(day, signIn(day, 'grace'), 'grace');
  forgotPassword(day);
  newPhone(day);
  return day.records;
}

interface Person {
  readonly name: string;
  readonly address: string;
  readonly identity: RawRecord;
}

function portalPerson(i: number): Person {
  const name = `person${i}@example.com`;
  const userId = uuidOf('identity-center', name);
  const identityStoreArn = `arn:aws:identitystore::${account}:identitystore/d-9967000000`;
  return {
    name,
    address: i % 3 === 0 ? `203.0.113.${20 + i}` : '198.51.100.5',
    identity: {
      type: 'IdentityCenterUser',
      accountId: account,
      onBehalfOf: { userId, identityStoreArn },
      credentialId: uuidOf('credential', name),
    },
  };
}

/** Password and code at the portal, an account chosen, the console opened. */
function intoConsole(day: Diary, person: Person, set: 'Administrator' | 'Developer'): Caller {
  const by = { identity: person.identity, address: person.address, agent: browser };
  const workflow = uuidOf('workflow', person.name);
  const event = (source: string, name: string, more: RawRecord) =>
    day.call(by, source, name, {
      with: { eventType: 'AwsServiceEvent', readOnly: false, tlsDetails: undefined, ...more },
    });
  for (const type of ['PASSWORD', 'TOTP']) {
    for (const name of ['CredentialChallenge', 'CredentialVerification']) {
      event('signin', name, {
        additionalEventData: { AuthWorkflowID: workflow, CredentialType: type },
        serviceEventDetails: { [name]: 'Success' },
      });
    }
  }
  event('signin', 'UserAuthentication', {
    additionalEventData: {
      AuthWorkflowID: workflow,
      CredentialType: 'PASSWORD,TOTP',
      LoginTo: 'https://d-9967000000.awsapps.com/start/',
    },
    serviceEventDetails: { UserAuthentication: 'Success' },
  });
  event('sso', 'Authenticate', {});
  event('sso', 'ListApplications', {});
  event('sso', 'ListAccountsForUser', {});
  event('sso', 'Federate', { serviceEventDetails: { role_name: set, account_id: account } });
  const role = `AWSReservedSSO_${set}_${suffix}`;
  const identity = sessionOf(role, person.name, day.now(), portalPath);
  const portal = `Jersey/\${project.version} (HttpUrlConnection 21.0.8)`;
  signInEvent(day, { identity, address: '192.0.2.201', agent: portal }, 'GetSigninToken', 'No');
  signInEvent(day, { identity, address: person.address, agent: browser }, 'ConsoleLogin', 'No');
  return { identity, address: person.address, agent: browser };
}

/** The same person on the command line: role keys from the portal, then a role of a tool. */
function intoCommandLine(day: Diary, person: Person): void {
  const portal = { identity: person.identity, address: person.address, agent: cli };
  day.call(portal, 'sso', 'GetRoleCredentials', {
    with: {
      eventType: 'AwsServiceEvent',
      serviceEventDetails: { role_name: 'Developer', account_id: account },
    },
  });
  const role = `AWSReservedSSO_Developer_${suffix}`;
  const identity = sessionOf(role, person.name, day.now(), portalPath);
  const by = { identity, address: person.address, agent: cli };
  day.lines(by, [
    ['sts', 'GetCallerIdentity'],
    ['s3', 'ListBuckets', { Host: 's3.eu-central-1.amazonaws.com' }],
    ['eks', 'DescribeCluster', { name: 'shop' }],
    ['secretsmanager', 'GetSecretValue', { secretId: 'shop/dev' }],
  ]);
  const name = person.name.replace('@example.com', '');
  const session = sessionOf('shop-operator', name, day.now());
  day.call(by, 'sts', 'AssumeRole', {
    request: { roleArn: roleArn('shop-operator'), roleSessionName: name, durationSeconds: 3600 },
    response: opened(session, 'Mar 4, 2026, 10:00:00 AM'),
  });
  day.lines({ ...by, identity: session }, [
    ['ecs', 'ListTasks', { cluster: 'shop' }],
    ['ecs', 'DescribeTasks', { cluster: 'shop', tasks: ['0a'] }],
    ['logs', 'DescribeLogStreams', { logGroupName: '/ecs/storefront' }],
  ]);
}

const cli =
  'aws-cli/2.32.7 md/awscrt#0.29.1 ua/2.1 os/macos#25.1.0 md/arch#arm64 lang/python#3.13.9';

/** Straight from the company's identity provider into a role, without Identity Center. */
function throughSaml(day: Diary, i: number): void {
  const name = `person${i}@example.com`;
  const role = i % 5 === 0 ? 'PlatformAdmin' : 'SupportReadOnly';
  const provider = `arn:aws:iam::${account}:saml-provider/company`;
  const identity = sessionOf(role, name, day.now());
  const address = `198.51.100.${i}`;
  const user = {
    type: 'SAMLUser',
    principalId: `ZHVtbXkgbmFtZSBxdWFsaWZpZXI=:${name}`,
    userName: name,
    identityProvider: 'ZHVtbXkgbmFtZSBxdWFsaWZpZXI=',
  };
  day.call({ identity: user, address, agent: browser }, 'sts', 'AssumeRoleWithSAML', {
    request: {
      sAMLAssertionID: `_${uuidOf('assertion', name)}`,
      roleSessionName: name,
      durationSeconds: 28800,
      roleArn: roleArn(role),
      principalArn: provider,
    },
    response: {
      ...opened(identity, 'Mar 4, 2026, 5:00:00 PM'),
      subject: name,
      subjectType: 'persistent',
      issuer: 'https://login.example.com/company',
      audience: 'https://signin.aws.amazon.com/saml',
    },
  });
  const by = { identity, address, agent: browser };
  signInEvent(day, by, 'ConsoleLogin', 'No', { SamlProviderArn: provider });
  day.lines(by, looks.slice(2, 6));
  refusedPage(day, by);
}

/** An IAM user with a hardware key; gives the console session. */
function signIn(day: Diary, name: string): Caller {
  const user = plain(name);
  const at = { address: '203.0.113.80', agent: browser };
  day.call({ identity: user, ...at }, 'signin', 'CheckMfa', {
    response: { CheckMfa: 'Success' },
    with: {
      eventType: 'AwsConsoleSignIn',
      additionalEventData: { MfaType: 'Virtual MFA' },
      tlsDetails: undefined,
    },
  });
  signInEvent(day, { identity: user, ...at }, 'ConsoleLogin', 'Yes', {
    MFAIdentifier: `arn:aws:iam::${account}:mfa/${name}`,
  });
  return { identity: consoleOf(iamUser(name), day.now()), ...at };
}

/** An IAM user as sign-in events know one: no key yet. */
function plain(name: string): RawRecord {
  return { ...iamUser(name), accessKeyId: undefined };
}

/** Wrong twice, then right, with MFA. */
function forgotPassword(day: Diary): void {
  for (let i = 0; i < 2; i++) {
    day.call(
      { identity: plain('erin'), address: '203.0.113.81', agent: browser },
      'signin',
      'ConsoleLogin',
      {
        response: { ConsoleLogin: 'Failure' },
        with: {
          eventType: 'AwsConsoleSignIn',
          errorMessage: 'Failed authentication',
          additionalEventData: { LoginTo: page, MobileVersion: 'No', MFAUsed: 'No' },
          tlsDetails: undefined,
        },
      },
    );
  }
  const by = signIn(day, 'erin');
  day.call(by, 'iam', 'ChangePassword', { with: { ...fromConsole } });
  day.lines(by, looks.slice(0, 4));
}

/** Frank changes phones: the new device is made and enabled, then the old one goes; all his own. */
function newPhone(day: Diary): void {
  const by = signIn(day, 'frank');
  const userName = 'frank';
  const mfa = `arn:aws:iam::${account}:mfa`;
  const own = (name: string, request: RawRecord, response: unknown = null) =>
    day.call(by, 'iam', name, { request, response, with: { ...fromConsole } });
  own('GetUser', { userName });
  own('ListMFADevices', { userName });
  own(
    'CreateVirtualMFADevice',
    { virtualMFADeviceName: 'frank-new', path: '/' },
    { virtualMFADevice: { serialNumber: `${mfa}/frank-new` } },
  );
  own('EnableMFADevice', { userName, serialNumber: `${mfa}/frank-new` });
  own('DeactivateMFADevice', { userName, serialNumber: `${mfa}/frank` });
  own('DeleteVirtualMFADevice', { serialNumber: `${mfa}/frank` });
  own('ListMFADevices', { userName });
}

const page =
  'https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true&state=hashArgsFromTB_eu-central-1_0a1b2c';

function signInEvent(
  day: Diary,
  by: Caller,
  name: 'ConsoleLogin' | 'GetSigninToken',
  MFAUsed: 'Yes' | 'No',
  more: RawRecord = {},
): void {
  const LoginTo = name === 'ConsoleLogin' ? page : undefined;
  const identity = { ...by.identity, accessKeyId: undefined };
  day.call({ ...by, identity }, 'signin', name, {
    response: { [name]: 'Success' },
    with: {
      eventType: 'AwsConsoleSignIn',
      readOnly: false,
      additionalEventData: { LoginTo, MobileVersion: 'No', MFAUsed, ...more },
    },
  });
}

/** What somebody looks at in the console before work begins. */
const looks: readonly Line[] = [
  ['health', 'DescribeEventAggregates', { aggregateField: 'eventTypeCategory' }],
  ['ce', 'GetCostAndUsage', { granularity: 'MONTHLY' }],
  ['ec2', 'DescribeRegions', { regionSet: {}, allRegions: true }],
  ['ec2', 'DescribeInstances', { maxResults: 1000, instancesSet: {}, filterSet: {} }],
  ['monitoring', 'DescribeAlarms', { maxRecords: 100 }],
  ['s3', 'ListBuckets', { Host: 's3.amazonaws.com' }],
  ['lambda', 'ListFunctions20150331', { maxItems: 50 }],
  ['rds', 'DescribeDBInstances', { maxRecords: 100 }],
  ['iam', 'ListAccountAliases'],
  ['notifications', 'ListNotificationHubs', {}],
];
