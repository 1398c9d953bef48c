// Builds CloudTrail records of management events as AWS writes them (eventVersion 1.08 to 1.11).
// Accounts, keys and addresses are generated or those AWS and RFC 5737 keep for documentation.
import { createHash } from 'node:crypto';

/** A record before it is bytes. */
export type RawRecord = Record<string, unknown>;

/** The account records belong to, unless a test says otherwise. */
export const account = '111122223333';
/** An account of strangers. */
export const stranger = '444455556666';

/** What a test says of a call; the rest is filled in. */
export interface Call {
  readonly source: string;
  readonly name: string;
  readonly by?: RawRecord;
  readonly request?: unknown;
  readonly response?: unknown;
  readonly at?: string;
  readonly id?: string;
  readonly error?: readonly [code: string, message: string];
  /** Fields set over the rest; one set to undefined is left out. */
  readonly with?: RawRecord;
}

/** Takes a call; gives its record. The same call gives the same record. */
export function apiCall(call: Call): RawRecord {
  const at = call.at ?? '2026-03-04T10:00:00Z';
  const isRead = /^(Get|List|Describe)/.test(call.name);
  const record: RawRecord = {
    eventVersion: '1.11',
    userIdentity: call.by ?? iamUser('alice'),
    eventTime: at,
    eventSource: `${call.source}.amazonaws.com`,
    eventName: call.name,
    awsRegion: isGlobal(call.source) ? 'us-east-1' : 'eu-central-1',
    sourceIPAddress: '203.0.113.10',
    userAgent:
      'aws-cli/2.22.1 md/awscrt#0.23.1 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.12.6',
    ...(call.error ? { errorCode: call.error[0], errorMessage: call.error[1] } : {}),
    requestParameters: call.request ?? null,
    responseElements: call.response ?? null,
    requestID: uuidOf('request', JSON.stringify(call)),
    eventID: call.id ?? uuidOf('event', JSON.stringify(call)),
    readOnly: isRead,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: `${call.source}.amazonaws.com`,
    },
    ...call.with,
  };
  for (const key of Object.keys(record)) if (record[key] === undefined) delete record[key];
  return record;
}

/** An IAM user with a long-term key. */
export function iamUser(name: string, of = account): RawRecord {
  return {
    type: 'IAMUser',
    principalId: idOf('AIDA', `${of}/${name}`),
    arn: `arn:aws:iam::${of}:user/${name}`,
    accountId: of,
    accessKeyId: idOf('AKIA', `${of}/${name}`),
    userName: name,
  };
}

/** A session of a role; `path` is that of the role, which the session's own ARN drops. */
export function assumedRole(role: string, session = 'alice', path = '/', of = account): RawRecord {
  const id = idOf('AROA', `${of}/${role}`);
  return {
    type: 'AssumedRole',
    principalId: `${id}:${session}`,
    arn: `arn:aws:sts::${of}:assumed-role/${role}/${session}`,
    accountId: of,
    accessKeyId: idOf('ASIA', `${of}/${role}/${session}`),
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: id,
        arn: `arn:aws:iam::${of}:role${path}${role}`,
        accountId: of,
        userName: role,
      },
      attributes: { creationDate: '2026-03-04T09:30:00Z', mfaAuthenticated: 'false' },
    },
  };
}

/** The root user with a console session. */
export function rootUser(of = account): RawRecord {
  return {
    type: 'Root',
    principalId: of,
    arn: `arn:aws:iam::${of}:root`,
    accountId: of,
    accessKeyId: idOf('ASIA', `${of}/root`),
    sessionContext: {
      attributes: { creationDate: '2026-03-04T09:30:00Z', mfaAuthenticated: 'true' },
    },
  };
}

/** An AWS service that calls by itself: two fields and no more. */
export function awsService(name: string): RawRecord {
  return { type: 'AWSService', invokedBy: `${name}.amazonaws.com` };
}

/** A session of a service-linked role. */
export function serviceLinkedRole(role: string, service: string): RawRecord {
  return {
    ...assumedRole(role, service, `/aws-service-role/${service}.amazonaws.com/`),
    invokedBy: `${service}.amazonaws.com`,
  };
}

/** The fields of a call that a service forwarded with the caller's rights. */
export function through(identity: RawRecord, service: string): Pick<Call, 'by' | 'with'> {
  const host = `${service}.amazonaws.com`;
  return {
    by: { ...identity, invokedBy: host },
    with: { sourceIPAddress: host, userAgent: host, tlsDetails: undefined },
  };
}

/** The message IAM gives on a refusal. */
export function refusal(who: string, action: string, resource: string): readonly [string, string] {
  const because = `because no identity-based policy allows the ${action} action`;
  return [
    'AccessDenied',
    `User: ${who} is not authorized to perform: ${action} on resource: ${resource} ${because}`,
  ];
}

/** Takes statements; gives the document as IAM logs it: text, not URL-encoded. */
export function document(...statements: readonly unknown[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 2);
}

/** Takes actions and resources; gives a statement that allows them. */
export function allow(action: unknown, resource: unknown = '*', condition?: unknown): RawRecord {
  return {
    Effect: 'Allow',
    Action: action,
    Resource: resource,
    ...(condition === undefined ? {} : { Condition: condition }),
  };
}

/** Takes a Principal and a condition; gives a trust statement. */
export function trusts(
  principal: unknown,
  condition?: unknown,
  action: unknown = 'sts:AssumeRole',
): RawRecord {
  return {
    Effect: 'Allow',
    Principal: principal,
    Action: action,
    ...(condition === undefined ? {} : { Condition: condition }),
  };
}

function isGlobal(source: string): boolean {
  return /^(iam|sts|organizations|signin|route53)$/.test(source);
}

/** Takes parts; gives a UUID made of their hash. */
export function uuidOf(...parts: readonly string[]): string {
  const hash = createHash('sha256').update(parts.join('\n')).digest('hex');
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `4${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-');
}

// Unique ids of IAM are 21 characters, key ids 20; EXAMPLE marks them as made up.
export function idOf(prefix: string, name: string): string {
  const hash = createHash('sha256').update(name).digest('hex').toUpperCase();
  const length = /^(AKIA|ASIA)$/.test(prefix) ? 9 : 10;
  return `${prefix}${hash.replace(/[01]/g, 'Z').slice(0, length)}EXAMPLE`;
}
