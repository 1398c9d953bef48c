// The small organisation of the sample: its accounts, people, roles and machines. All invented; the
// addresses are of the documentation ranges (RFC 5737, RFC 3849).
import type { JsonObject } from './event.ts';
import { exampleId, type Random, randomFrom } from './random.ts';

/** The seed of everything that looks random in the trail. */
export const seed = 'sentrail sample trail 2026-11-09';
/** The organisation's id, which stands in the path of an organisation trail. */
export const organisation = 'o-exampleorgid';
/** The account that owns the organisation and the trail. */
export const management = '111122223333';
/** The account the customers use. */
export const production = '444455556666';
/** The account developers use. */
export const development = '777788889999';
/** The Region where the company works, and where Identity Center lives. */
export const home = 'eu-west-1';
/** The Region that records IAM and the sign-in of root. */
export const global = 'us-east-1';
/** The Region that keeps production's backups. */
export const backup = 'eu-central-1';
/** The trail's bucket and name. */
export const trailBucket = 'example-org-cloudtrail-111122223333';
export const trailName = 'organisation-trail';

const ids = randomFrom(seed).fork('organisation');
const known = new Map<string, string>();

/** Takes an account and a name; gives the unique id AWS gave it, always the same. */
export function uniqueId(prefix: 'AROA' | 'AIDA' | 'ANPA', account: string, name: string): string {
  const key = `${prefix}${account}/${name}`;
  const found = known.get(key) ?? exampleId(ids.fork(key), prefix, 21);
  known.set(key, found);
  return found;
}

/** A role of an account. */
export interface Role {
  readonly account: string;
  readonly name: string;
  readonly path: string;
}

/** Takes account, name and path; gives the role. */
export function role(account: string, name: string, path = '/'): Role {
  return { account, name, path };
}

/** Takes a role; gives its ARN, with the path. */
export function roleArn({ account, path, name }: Role): string {
  return `arn:aws:iam::${account}:role${path}${name}`;
}

/** Takes a role; gives its unique id. */
export function roleId({ account, name }: Role): string {
  return uniqueId('AROA', account, name);
}

/** A permission set of Identity Center as it stands in an account. */
export function ssoRole(account: string, permissionSet: string): Role {
  const suffix = ids.fork(`sso ${account} ${permissionSet}`).hex(16);
  const path = `/aws-reserved/sso.amazonaws.com/${home}/`;
  return role(account, `AWSReservedSSO_${permissionSet}_${suffix}`, path);
}

/** A service-linked role. */
export function serviceRole(account: string, service: string, name: string): Role {
  return role(account, name, `/aws-service-role/${service}.amazonaws.com/`);
}

/** A session of a role: what stands in userIdentity of its calls. */
export interface SessionOf {
  readonly role: Role;
  readonly name: string;
  readonly started: string;
  readonly accessKey?: string;
  readonly invokedBy?: string;
  readonly isInstance?: boolean;
  readonly federatedProvider?: string;
  readonly sourceIdentity?: string;
}

/** Takes a session of a role; gives the identity of its calls. */
export function sessionIdentity(of: SessionOf): JsonObject {
  const federated = { federatedProvider: of.federatedProvider ?? '', attributes: {} };
  return {
    type: 'AssumedRole',
    principalId: `${roleId(of.role)}:${of.name}`,
    arn: `arn:aws:sts::${of.role.account}:assumed-role/${of.role.name}/${of.name}`,
    accountId: of.role.account,
    ...(of.accessKey === undefined ? {} : { accessKeyId: of.accessKey }),
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: roleId(of.role),
        arn: roleArn(of.role),
        accountId: of.role.account,
        userName: of.role.name,
      },
      ...(of.federatedProvider === undefined ? {} : { webIdFederationData: federated }),
      attributes: { creationDate: of.started, mfaAuthenticated: 'false' },
      ...(of.sourceIdentity === undefined ? {} : { sourceIdentity: of.sourceIdentity }),
      ...(of.isInstance ? { ec2RoleDelivery: '2.0' } : {}),
    },
    ...(of.invokedBy === undefined ? {} : { invokedBy: of.invokedBy }),
  };
}

/** Takes an IAM user's account and name; gives the identity, with key and session if any. */
export function userIdentity(
  account: string,
  name: string,
  more: { accessKey?: string; started?: string; hasMfa?: boolean } = {},
): JsonObject {
  const attributes = {
    creationDate: more.started ?? '',
    mfaAuthenticated: more.hasMfa ? 'true' : 'false',
  };
  return {
    type: 'IAMUser',
    principalId: uniqueId('AIDA', account, name),
    arn: `arn:aws:iam::${account}:user/${name}`,
    accountId: account,
    ...(more.accessKey === undefined ? {} : { accessKeyId: more.accessKey }),
    userName: name,
    ...(more.started === undefined ? {} : { sessionContext: { attributes } }),
  };
}

/** Takes an account; gives the identity of its root user. */
export function rootIdentity(
  account: string,
  more: { accessKey?: string; started?: string; invokedBy?: string } = {},
): JsonObject {
  const attributes = { creationDate: more.started ?? '', mfaAuthenticated: 'false' };
  return {
    type: 'Root',
    principalId: account,
    arn: `arn:aws:iam::${account}:root`,
    accountId: account,
    ...(more.accessKey === undefined ? {} : { accessKeyId: more.accessKey }),
    ...(more.started === undefined ? {} : { sessionContext: { attributes } }),
    ...(more.invokedBy === undefined ? {} : { invokedBy: more.invokedBy }),
  };
}

/** A person of the company, known to Identity Center. */
export interface Person {
  readonly name: string;
  readonly userId: string;
  readonly address: string;
  readonly browser: string;
  readonly cli: string;
  /** The accounts and permission sets the person works with. */
  readonly access: readonly (readonly [account: string, permissionSet: string])[];
}

const edge =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
  'Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0';
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0';
/** A browser on a Mac; also what the contractor uses. */
export const chromeOnMac =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) ' +
  'Chrome/142.0.0.0 Safari/537.36';
/** A browser on Windows that nobody in the company uses. */
export const chromeOnWindows =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
  'Chrome/138.0.0.0 Safari/537.36';

/** Takes a system and a command; gives the user agent of the AWS CLI, version 2. */
export function cliAgent(system: 'macos#25.1.0' | 'linux#6.8.0', command: string): string {
  const arch = system.startsWith('mac') ? 'arm64' : 'x86_64';
  return (
    `aws-cli/2.31.38 md/awscrt#0.28.4 ua/2.1 os/${system} md/arch#${arch} lang/python#3.13.9 ` +
    'md/pyimpl#CPython m/Z,b,E,n cfg/retry-mode#standard md/installer#exe ' +
    `md/prompt#off md/command#${command}`
  );
}

/** The people, by first name. */
export const people = {
  ingrid: person('ingrid.solberg', '203.0.113.24', edge, [
    [management, 'SecurityOperations'],
    [production, 'ReadOnlyAccess'],
  ]),
  tomas: person('tomas.novak', '203.0.113.25', firefox, [
    [production, 'PlatformEngineer'],
    [development, 'PlatformEngineer'],
  ]),
  leila: person('leila.haddad', '203.0.113.26', chromeOnMac, [[development, 'Developer']]),
  // Works from home, where the provider gives IPv6 only.
  owen: person('owen.pryce', '2001:db8:4a:1107:9c1:22ff:fe5e:810a', firefox, [
    [development, 'Developer'],
    [production, 'ReadOnlyAccess'],
  ]),
  ruth: person('ruth.amsel', '203.0.113.28', edge, [[management, 'Billing']]),
} as const;

function person(name: string, address: string, browser: string, access: Person['access']): Person {
  const of = ids.fork(`person ${name}`);
  const userId = `${of.hex(8)}-${of.hex(4)}-70${of.hex(2)}-${of.hex(4)}-${of.hex(12)}`;
  const cli = browser === chromeOnMac ? 'macos#25.1.0' : 'linux#6.8.0';
  return { name, userId, address, browser, cli, access };
}

/** The identity store's ARN and id. */
export const identityStore = `arn:aws:identitystore::${management}:identitystore/d-9367EXAMPL`;

/** Takes a random source; gives a new temporary key. */
export function temporaryKey(random: Random): string {
  return exampleId(random, 'ASIA');
}
