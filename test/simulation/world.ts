// A small world from a seed: what happened in some accounts over some days, and how the log told of it.
import { minuteMs } from '../../src/core/time.ts';
import {
  allow,
  apiCall,
  assumedRole,
  document,
  iamUser,
  type RawRecord,
  rootUser,
  uuidOf,
} from '../support/records.ts';
import type { Chance } from './chance.ts';

const accounts = ['111122223333', '222233334444', '333344445555'];
const start = Date.UTC(2026, 2, 4, 20);
const spanMs = 30 * 3_600_000;

/** A record as it arrives: its bytes, and the minute at which the log delivered it. */
export interface Arrival {
  readonly text: string;
  readonly arrival: number;
}

/** Takes chance and a number of happenings; gives their records in order of event time. */
export function makeEvents(chance: Chance, count: number): RawRecord[] {
  const events: RawRecord[] = [];
  for (let n = 0; n < count; n++) {
    const at = start + chance.below(spanMs / 1000) * 1000;
    events.push(...happening(chance, at, n));
  }
  return events.sort((a, b) => (String(a['eventTime']) < String(b['eventTime']) ? -1 : 1));
}

/**
 * Takes events in order; gives them as the log delivers them: each within the bound of the newest one
 * before it, some twice, some broken.
 */
export function deliver(chance: Chance, events: readonly RawRecord[], boundMs: number): Arrival[] {
  const arrivals = events.map((event) => {
    const time = Date.parse(String(event['eventTime']));
    return { text: JSON.stringify(event), at: time + chance.below(boundMs) };
  });
  const copies = arrivals
    .filter(() => chance.happens(0.15))
    .map((one) => ({ ...one, at: one.at + chance.below(boundMs / 3) }));
  const ordered = [...arrivals, ...copies].sort((a, b) => a.at - b.at);
  return ordered.flatMap(({ text, at }) => {
    const arrival = Math.ceil(at / minuteMs) * minuteMs;
    const broken = chance.happens(0.02) ? [{ text: text.slice(0, 40), arrival }] : [];
    return [...broken, { text, arrival }];
  });
}

function happening(chance: Chance, at: number, n: number): RawRecord[] {
  const of = chance.one(accounts);
  const time = (seconds: number) =>
    new Date(at + seconds * 1000).toISOString().replace('.000Z', 'Z');
  const more = { recipientAccountId: of };
  const id = (part: string) => uuidOf('world', String(at), String(n), part);
  const user = iamUser(chance.one(['alice', 'bob', 'carol']), of);
  const role = assumedRole(chance.one(['deploy', 'admin']), chance.one(['x', 'y']), '/', of);
  const by = chance.one([user, role]);
  const call = (source: string, name: string, rest: object = {}, seconds = 0): RawRecord =>
    apiCall({ source, name, by, at: time(seconds), id: id(name + seconds), with: more, ...rest });
  const stories = [
    () => [call('ec2', 'DescribeInstances')],
    () => [call('s3', 'ListBuckets')],
    () => [call('iam', 'PutUserPolicy', { request: inline(chance) })],
    () => [call('iam', 'DetachRolePolicy', { request: { roleName: 'r', policyArn: 'p' } })],
    () => consoleLogin(chance, call, user, more),
    () => rootSession(chance, call, of, time(0), id),
    () => failedRoot(chance, call, of, more),
    () => storedPolicy(chance, call, of),
    () => centralRoot(call, of, time(0), n),
  ];
  return chance.one(stories)();
}

type Caller = (source: string, name: string, rest?: object, seconds?: number) => RawRecord;

function inline(chance: Chance): object {
  const action = chance.one(['*', 's3:GetObject', 'iam:CreatePolicyVersion']);
  return { userName: 'dave', policyName: 'p', policyDocument: document(allow(action)) };
}

function consoleLogin(chance: Chance, call: Caller, by: RawRecord, more: RawRecord): RawRecord[] {
  const additionalEventData = { MFAUsed: chance.one(['Yes', 'No']) };
  const rest = { ...more, additionalEventData, eventType: 'AwsConsoleSignIn' };
  return [
    call('signin', 'ConsoleLogin', { by, response: { ConsoleLogin: 'Success' }, with: rest }),
  ];
}

function rootAt(of: string, key: string, created?: string): RawRecord {
  const { sessionContext: _none, ...root } = rootUser(of);
  const attributes = { creationDate: created, mfaAuthenticated: 'false' };
  return { ...root, accessKeyId: key, ...(created ? { sessionContext: { attributes } } : {}) };
}

function rootSession(
  chance: Chance,
  call: Caller,
  of: string,
  started: string,
  id: (part: string) => string,
): RawRecord[] {
  const by = rootAt(of, `ASIA${id('key').slice(0, 8)}`, started);
  const additionalEventData = { MFAUsed: chance.one(['Yes', 'No']) };
  const rest = { recipientAccountId: of, additionalEventData, eventType: 'AwsConsoleSignIn' };
  const response = { ConsoleLogin: 'Success' };
  const calls = Array.from({ length: 1 + chance.below(4) }, (_, at) =>
    call('iam', chance.one(['ListUsers', 'CreateUser', 'CreateAccessKey']), { by }, 60 + at * 7),
  );
  return [call('signin', 'ConsoleLogin', { by: rootAt(of, ''), response, with: rest }), ...calls];
}

function failedRoot(chance: Chance, call: Caller, of: string, more: RawRecord): RawRecord[] {
  const by = rootAt(of, '');
  const rest = { ...more, errorMessage: 'Failed authentication', eventType: 'AwsConsoleSignIn' };
  const response = { ConsoleLogin: 'Failure' };
  return Array.from({ length: 1 + chance.below(4) }, (_, at) =>
    call('signin', 'ConsoleLogin', { by, response, with: rest }, at * 30),
  );
}

function storedPolicy(chance: Chance, call: Caller, of: string): RawRecord[] {
  const arn = `arn:aws:iam::${of}:policy/${chance.one(['a', 'b'])}`;
  const policyDocument = document(allow(chance.one(['*', 's3:GetObject'])));
  const request = { policyArn: arn, policyDocument, setAsDefault: true };
  const response = { policyVersion: { versionId: `v${1 + chance.below(5)}` } };
  return [
    call('iam', 'CreatePolicyVersion', { request, response }),
    call('iam', 'AttachUserPolicy', { request: { policyArn: arn, userName: 'dave' } }, 40),
  ];
}

function centralRoot(call: Caller, of: string, created: string, n: number): RawRecord[] {
  const key = `ASIACENTRAL${n}`;
  const management = '999988887777';
  const assume = call('sts', 'AssumeRoot', {
    by: assumedRole('Security', 'carol', '/', management),
    request: { targetPrincipal: of, taskPolicyArn: { arn: 'x/IAMAuditRootUserCredentials' } },
    response: { credentials: { accessKeyId: key } },
    with: { recipientAccountId: management },
  });
  return [assume, call('iam', 'ListAccessKeys', { by: rootAt(of, key, created) }, 20)];
}
