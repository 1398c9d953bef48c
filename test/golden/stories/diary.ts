// A day of calls in the making: who calls, from where, and a clock that moves with every call.
import { account, apiCall, assumedRole, type Call, type RawRecord } from '../../support/records.ts';

/** Who calls, from where and with what. */
export interface Caller {
  readonly identity: RawRecord;
  readonly address: string;
  readonly agent: string;
}

/** What a call says besides its caller, service and name. */
export type Details = Pick<Call, 'request' | 'response' | 'error' | 'with'>;

/** A service, a call and what was asked, as the stories list them. */
export type Line = readonly [source: string, name: string, request?: unknown];

/** A day; `records` holds what was called so far. */
export interface Diary {
  readonly records: RawRecord[];
  /** Moves the clock to an hour and minute of the day. */
  at(time: `${number}:${number}`): void;
  /** The time of the next call. */
  now(): string;
  /** Makes a call; the clock moves on by one to three seconds. */
  call(by: Caller, source: string, name: string, details?: Details): void;
  /** Makes calls of which only the request matters. */
  lines(by: Caller, lines: readonly Line[]): void;
  /** Adds a record that is no call of somebody, as AWS events are. */
  add(call: Call): void;
}

/** Takes a date; gives an empty day. */
export function diary(date: string): Diary {
  let ms = Date.parse(`${date}T00:00:00Z`);
  const start = ms;
  const now = () => new Date(ms).toISOString().replace('.000', '');
  const records: RawRecord[] = [];
  const self: Diary = {
    records,
    now,
    at(time) {
      const [hour = 0, minute = 0] = time.split(':').map(Number);
      ms = start + (hour * 60 + minute) * 60_000;
    },
    add(call) {
      records.push(apiCall({ ...call, at: now() }));
      ms += (1 + (records.length % 3)) * 1000;
    },
    call({ identity, address, agent }, source, name, details = {}) {
      const { with: more, ...rest } = details;
      const over = { sourceIPAddress: address, userAgent: agent, ...more };
      self.add({ source, name, by: identity, ...rest, with: over });
    },
    lines(by, lines) {
      for (const [source, name, request] of lines) self.call(by, source, name, { request });
    },
  };
  return self;
}

/** Takes a role and a session name; gives the identity of a session that began then. */
export function sessionOf(role: string, name: string, from: string, path = '/'): RawRecord {
  return withStart(assumedRole(role, name, path), from, 'false');
}

/** Takes a user; gives the identity of a console session that began then, with MFA. */
export function consoleOf(user: RawRecord, from: string): RawRecord {
  const key = String(user['accessKeyId']).replace(/^AKIA/, 'ASIA');
  return withStart({ ...user, accessKeyId: key }, from, 'true');
}

function withStart(identity: RawRecord, from: string, mfaAuthenticated: string): RawRecord {
  const context = identity['sessionContext'];
  const rest = typeof context === 'object' ? context : {};
  const attributes = { creationDate: from, mfaAuthenticated };
  return { ...identity, sessionContext: { ...rest, attributes } };
}

/** Takes a session; gives what STS answers to whoever opens it. */
export function opened(session: RawRecord, until: string): RawRecord {
  const { arn, principalId, accessKeyId } = session;
  return {
    credentials: { accessKeyId, sessionToken: 'HIDDEN', expiration: until },
    assumedRoleUser: { assumedRoleId: principalId, arn },
  };
}

/** The ARN of a role of the account. */
export function roleArn(name: string, path = '/'): string {
  return `arn:aws:iam::${account}:role${path}${name}`;
}

/** Fields that make a call one of the console. */
export const fromConsole: RawRecord = { sessionCredentialFromConsole: 'true' };

/** The agent of a browser. */
export const browser =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36';
