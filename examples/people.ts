// What people do: the access portal of Identity Center in the morning, then console or command
// line; an IAM user with MFA; a partner through SAML. None of it may raise an alert.
import { addDenied, addLines, type Line, pages } from './calls.ts';
import { type Call, type Caller, isoTime, type JsonObject, resource } from './event.ts';
import {
  chromeOnMac,
  cliAgent,
  global,
  home,
  identityStore,
  management,
  type Person,
  production,
  type Role,
  role,
  roleArn,
  roleId,
  sessionIdentity,
  ssoRole,
  temporaryKey,
  userIdentity,
} from './organisation.ts';
import { type Log, newCredentials } from './sessions.ts';

/** A sign-in to the console, whoever it is; gives the id of its event. */
export function consoleLogin(
  log: Log,
  of: {
    readonly time: number;
    readonly account: string;
    readonly region?: string;
    readonly identity: JsonObject;
    readonly address: string;
    readonly browser: string;
    readonly mfa: 'Yes' | 'No';
    readonly more?: JsonObject;
    readonly failure?: string;
  },
): string {
  const region = of.region ?? global;
  const page = `https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true`;
  return log.add({
    time: of.time,
    account: of.account,
    region,
    service: 'signin',
    name: 'ConsoleLogin',
    type: 'AwsConsoleSignIn',
    by: { identity: of.identity, address: of.address, agent: of.browser, way: 'sdk' },
    response: { ConsoleLogin: of.failure === undefined ? 'Success' : 'Failure' },
    extra: { LoginTo: page, MobileVersion: 'No', MFAUsed: of.mfa, ...of.more },
    ...(of.failure === undefined ? {} : { error: { message: of.failure } }),
  });
}

/** Somebody signs in to the access portal with password and authenticator. */
export function portalLogin(log: Log, person: Person, time: number): void {
  const by = portalCaller(log, person, time);
  const workflow = log.random.uuid();
  const base = { account: management, region: home, by, type: 'AwsServiceEvent' } as const;
  const extra = (type: string) => ({ AuthWorkflowID: workflow, CredentialType: type });
  const verified = [
    ['CredentialChallenge', 'PASSWORD', 0],
    ['CredentialVerification', 'PASSWORD', 6],
    ['CredentialChallenge', 'TOTP', 6],
    ['CredentialVerification', 'TOTP', 15],
  ] as const;
  for (const [name, type, wait] of verified) {
    const details = { [name]: 'Success' };
    log.add({ ...base, time: time + wait, service: 'signin', name, extra: extra(type), details });
  }
  const login = `https://d-9367EXAMPL.awsapps.com/start/`;
  log.add({
    ...base,
    time: time + 15,
    service: 'signin',
    name: 'UserAuthentication',
    extra: { ...extra('PASSWORD,TOTP'), LoginTo: login },
    details: { UserAuthentication: 'Success' },
  });
  log.add({ ...base, time: time + 16, service: 'sso', name: 'Authenticate' });
  log.add({ ...base, time: time + 18, service: 'sso', name: 'ListApplications' });
}

/** From the portal into the console of an account; gives the session and the id of the sign-in. */
export function portalToConsole(
  log: Log,
  person: Person,
  choice: readonly [account: string, permissionSet: string],
  time: number,
): { readonly by: Caller; readonly login: string } {
  const [account, permissionSet] = choice;
  const details = { role_name: permissionSet, account_id: account };
  log.add({ ...portalCall(log, person, time), name: 'Federate', details });
  const started = isoTime(time + 2);
  const session = {
    role: ssoRole(account, permissionSet),
    name: person.name,
    started,
  };
  const signIn = sessionIdentity({ ...session, accessKey: temporaryKey(log.random) });
  log.add({
    time: time + 2,
    account,
    region: global,
    service: 'signin',
    name: 'GetSigninToken',
    type: 'AwsConsoleSignIn',
    by: {
      identity: signIn,
      address: '192.0.2.201',
      // The portal's own software never filled in its version.
      agent: `Jersey/\${project.version} (HttpUrlConnection 21.0.8)`,
      way: 'sdk',
    },
    response: { GetSigninToken: 'Success' },
    extra: { MobileVersion: 'No', MFAUsed: 'No' },
  });
  const login = consoleLogin(log, {
    time: time + 2,
    account,
    identity: signIn,
    address: person.address,
    browser: person.browser,
    mfa: 'No',
  });
  const identity = sessionIdentity({ ...session, accessKey: temporaryKey(log.random) });
  return {
    by: { identity, address: person.address, agent: person.browser, way: 'console' },
    login,
  };
}

/** From the portal to the command line; gives the session. */
export function portalToCli(
  log: Log,
  person: Person,
  choice: readonly [account: string, permissionSet: string],
  time: number,
): Caller {
  const [account, permissionSet] = choice;
  const details = { role_name: permissionSet, account_id: account };
  const agent = cliOf(person, 'sts', 'GetCallerIdentity');
  const asked = portalCall(log, person, time);
  log.add({ ...asked, by: { ...asked.by, agent }, name: 'GetRoleCredentials', details });
  const identity = sessionIdentity({
    role: ssoRole(account, permissionSet),
    name: person.name,
    started: isoTime(time),
    accessKey: temporaryKey(log.random),
  });
  const by: Caller = { identity, address: person.address, agent, way: 'sdk' };
  log.add({
    time: time + 1,
    account,
    region: home,
    service: 'sts',
    name: 'GetCallerIdentity',
    by,
  });
  return by;
}

/** A person of the company clicks through pages of the console. */
export function browse(log: Log, by: Caller, time: number, over: number): void {
  const account = String(by.identity['accountId']);
  const some = log.random.shuffled(pages).slice(0, log.random.whole(7, 13));
  addLines(log, some, { time, account, region: home, by, over });
}

/** A person works on the command line; what they may not do is refused, as on any day. */
export function typeCommands(log: Log, person: Person, by: Caller, time: number): void {
  const account = String(by.identity['accountId']);
  const commands = log.random.shuffled(terminal).slice(0, log.random.whole(5, 9));
  let at = time;
  for (const line of commands) {
    at += log.random.whole(8, 30);
    const agent = cliOf(person, line[0], line[1]);
    addLines(log, [line], { time: at, account, region: home, by: { ...by, agent }, over: 1 });
  }
  if (!log.random.chance(0.4)) return;
  const [line, on] = log.random.pick(refusals);
  const agent = cliOf(person, line[0], line[1]);
  const place = { time: at + 20, account, region: home, by: { ...by, agent }, over: 1 };
  addDenied(log, line, place, on.replace('ACCOUNT', account));
}

const terminal: readonly Line[] = [
  ['sts', 'GetCallerIdentity'],
  ['s3', 'ListBuckets', { Host: `s3.${home}.amazonaws.com` }],
  ['ecs', 'DescribeServices', { cluster: 'shop', services: ['storefront'] }],
  ['ecs', 'ListTasks', { cluster: 'shop', serviceName: 'storefront' }],
  ['logs', 'DescribeLogStreams', { logGroupName: '/ecs/storefront', orderBy: 'LastEventTime' }],
  ['logs', 'FilterLogEvents', { logGroupName: '/ecs/storefront', filterPattern: 'ERROR' }],
  ['lambda', 'GetFunctionConfiguration20150331v2', { functionName: 'image-resizer' }],
  ['ecr', 'GetAuthorizationToken'],
  ['ec2', 'DescribeInstances', { instancesSet: {}, filterSet: {} }],
  ['rds', 'DescribeDBInstances', { dBInstanceIdentifier: 'orders' }],
  ['ssm', 'DescribeParameters', { maxResults: 50 }],
  ['dynamodb', 'DescribeTable', { tableName: 'orders' }],
];
const refusals: readonly (readonly [Line, string])[] = [
  [
    [
      'ec2',
      'StopInstances',
      { instancesSet: { items: [{ instanceId: 'i-0a1b2c3d4e5f67890' }] }, force: false },
    ],
    `arn:aws:ec2:${home}:ACCOUNT:instance/*`,
  ],
  [['iam', 'ListUsers'], 'arn:aws:iam::ACCOUNT:user/'],
  [['kms', 'ListKeys'], '*'],
  [['organizations', 'DescribeOrganization'], '*'],
];

/** Takes service and call; gives the command line's user agent, which names its own command. */
function cliOf(person: Person, service: string, name: string): string {
  const spoken = name
    .replace(/\d{8}(v\d+)?$/, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1-$2')
    .toLowerCase();
  const system = person.cli === 'macos#25.1.0' ? 'macos#25.1.0' : 'linux#6.8.0';
  return cliAgent(system, `${service}.${spoken}`);
}

/** The on-call engineer still has an IAM user in production, with a security key. */
export function onCallUser(log: Log, time: number, isRoaming: boolean): void {
  const name = 'oncall-henrik';
  const address = isRoaming ? '198.51.100.77' : '203.0.113.31';
  const browser = chromeOnMac;
  const plain = userIdentity(production, name);
  const { type, principalId, accountId, userName } = plain;
  log.add({
    time,
    account: production,
    region: global,
    service: 'signin',
    name: 'CheckMfa',
    type: 'AwsConsoleSignIn',
    by: {
      identity: {
        type: type ?? '',
        principalId: principalId ?? '',
        accountId: accountId ?? '',
        accessKeyId: '',
        userName: userName ?? '',
      },
      address,
      agent: browser,
      way: 'sdk',
    },
    response: { CheckMfa: 'Success' },
    extra: { MfaType: 'U2F MFA' },
  });
  const device = `arn:aws:iam::${production}:u2f/user/${name}/yubikey-EXAMPLEEXAMPLEEXAMPLEEXAMP`;
  consoleLogin(log, {
    time: time + 11,
    account: production,
    identity: plain,
    address,
    browser,
    mfa: 'Yes',
    more: { MFAIdentifier: device },
  });
  const accessKey = temporaryKey(log.random);
  const started = isoTime(time + 11);
  const identity = userIdentity(production, name, { accessKey, started, hasMfa: true });
  const by: Caller = { identity, address, agent: browser, way: 'console' };
  browse(log, by, time + 14, 150);
}

/** The payment partner comes through SAML; gives the id of the sign-in. */
export function samlLogin(log: Log, time: number): string {
  const partner = role(production, 'PaymentPartnerSupport');
  const provider = `arn:aws:iam::${production}:saml-provider/payment-partner`;
  const subject = 'support.desk@payments.example';
  const address = '198.51.100.140';
  const browser = chromeOnMac;
  const credentials = newCredentials(log.random, time);
  log.add({
    time,
    account: production,
    region: global,
    service: 'sts',
    name: 'AssumeRoleWithSAML',
    by: {
      identity: {
        type: 'SAMLUser',
        principalId: `TlZqcGpVYnhFWEFNUExFPQ==:${subject}`,
        userName: subject,
        identityProvider: 'TlZqcGpVYnhFWEFNUExFPQ==',
      },
      address,
      agent: 'aws-internal/3 aws-sdk-java/2.35.5 Linux/5.10.244 OpenJDK_64-Bit_Server_VM/21.0.8',
      way: 'sdk',
    },
    request: {
      sAMLAssertionID: `_${log.random.uuid()}`,
      roleSessionName: subject,
      durationSeconds: 3600,
      roleArn: roleArn(partner),
      principalArn: provider,
    },
    response: {
      subjectType: 'persistent',
      issuer: 'https://idp.payments.example/saml',
      credentials,
      nameQualifier: 'TlZqcGpVYnhFWEFNUExFPQ==',
      ...samlUser(partner, subject),
      subject,
      audience: 'https://signin.aws.amazon.com/saml',
    },
    resources: [
      resource(production, 'AWS::IAM::Role', roleArn(partner)),
      resource(production, 'AWS::IAM::SAMLProvider', provider),
    ],
  });
  const session = { role: partner, name: subject, started: isoTime(time) };
  const login = consoleLogin(log, {
    time: time + 1,
    account: production,
    identity: sessionIdentity({ ...session, accessKey: credentials.accessKeyId }),
    address,
    browser,
    mfa: 'No',
    more: { SamlProviderArn: provider },
  });
  const identity = sessionIdentity({ ...session, accessKey: temporaryKey(log.random) });
  browse(log, { identity, address, agent: browser, way: 'console' }, time + 5, 120);
  return login;
}

function samlUser(partner: Role, subject: string): JsonObject {
  const arn = `arn:aws:sts::${production}:assumed-role/${partner.name}/${subject}`;
  return { assumedRoleUser: { assumedRoleId: `${roleId(partner)}:${subject}`, arn } };
}

function portalCall(log: Log, person: Person, time: number): Omit<Call, 'name'> {
  const by = portalCaller(log, person, time);
  const where = { time, account: management, region: home };
  return { ...where, service: 'sso', by, type: 'AwsServiceEvent' };
}

function portalCaller(log: Log, person: Person, time: number): Caller {
  const onBehalfOf = { userId: person.userId, identityStoreArn: identityStore };
  const identity = {
    type: 'IdentityCenterUser',
    accountId: management,
    onBehalfOf,
    // One for the day's session of the portal.
    credentialId: log.random.fork(`${person.name} ${isoTime(time).slice(0, 10)}`).uuid(),
  };
  return { identity, address: person.address, agent: person.browser, way: 'sdk' };
}
