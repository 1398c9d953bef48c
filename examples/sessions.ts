// How sessions begin: a service takes a role, a role of one account takes a role of another, CI
// comes with a web identity. Each writes its events and gives the caller for what follows.
import {
  type Call,
  type Caller,
  eventOf,
  isoTime,
  type JsonObject,
  resource,
  type TrailEvent,
} from './event.ts';
import { type Role, roleArn, roleId, sessionIdentity, temporaryKey } from './organisation.ts';
import { type Random, randomFrom } from './random.ts';

/** Where events are gathered, with the random source of the part that writes them. */
export interface Log {
  readonly random: Random;
  readonly events: TrailEvent[];
  /** Writes one call; gives the id of its event. */
  add(call: Call): string;
}

/** Takes a seed; gives an empty log. */
export function newLog(seed: string): Log {
  const random = randomFrom(seed);
  const events: TrailEvent[] = [];
  const add = (call: Call) => {
    const event = eventOf(call, random);
    events.push(event);
    return event.eventID;
  };
  return { random, events, add };
}

/** Takes a service's first name; gives it as a caller of its own accord. */
export function serviceCaller(service: string): Caller {
  const host = `${service}.amazonaws.com`;
  const identity = { type: 'AWSService', invokedBy: host };
  return { identity, address: host, agent: host, way: 'service' };
}

/** A session that is to begin. */
export interface Begin {
  readonly time: number;
  readonly region: string;
  readonly role: Role;
  readonly name: string;
}

/** A service takes a role for a workload, which then calls from `address` with `agent`. */
export interface ServiceBegin extends Begin {
  readonly service: string;
  readonly address?: string;
  readonly agent?: string;
}

/** Writes the AssumeRole of a service; gives the workload as a caller. */
export function assumeByService(log: Log, begin: ServiceBegin): Caller {
  const { role, name, region, time, service } = begin;
  const credentials = newCredentials(log.random, time);
  log.add({
    time,
    account: role.account,
    region,
    service: 'sts',
    name: 'AssumeRole',
    by: serviceCaller(service),
    request: { roleArn: roleArn(role), roleSessionName: name },
    response: { credentials, ...assumed(role, name) },
    resources: [resource(role.account, 'AWS::IAM::Role', roleArn(role))],
    shared: log.random.uuid(),
  });
  const isService = begin.address === undefined;
  const host = `${service}.amazonaws.com`;
  const identity = sessionIdentity({
    role,
    name,
    started: isoTime(time),
    accessKey: credentials.accessKeyId,
    isInstance: service === 'ec2',
    ...(isService ? { invokedBy: host } : {}),
  });
  return {
    identity,
    address: begin.address ?? host,
    agent: begin.agent ?? host,
    way: isService ? 'service' : 'sdk',
  };
}

/** Writes both copies of a cross-account AssumeRole; gives the session in the other account. */
export function assumeAcross(log: Log, from: Caller, begin: Begin & { agent: string }): Caller {
  const { role, name, region, time } = begin;
  const fromAccount = String(from.identity['accountId']);
  const credentials = newCredentials(log.random, time);
  const isAcross = fromAccount !== role.account;
  log.add({
    time,
    account: fromAccount,
    region,
    service: 'sts',
    name: 'AssumeRole',
    by: from,
    request: { roleArn: roleArn(role), roleSessionName: name },
    response: { credentials, ...assumed(role, name) },
    resources: [resource(role.account, 'AWS::IAM::Role', roleArn(role))],
    ...(isAcross ? { shared: log.random.uuid() } : {}),
  });
  const own = log.events.at(-1);
  if (isAcross && own !== undefined) {
    // The account of the role learns who called only by account and unique id.
    const { principalId } = from.identity;
    log.events.push({
      ...own,
      userIdentity: {
        type: 'AWSAccount',
        principalId: principalId ?? '',
        accountId: fromAccount,
      },
      eventID: log.random.uuid(3),
      recipientAccountId: role.account,
    });
  }
  const identity = sessionIdentity({
    role,
    name,
    started: isoTime(time),
    accessKey: credentials.accessKeyId,
  });
  return { identity, address: from.address, agent: begin.agent, way: 'sdk' };
}

/** Writes the AssumeRoleWithWebIdentity of a GitHub job; gives the job as a caller. */
export function assumeFromGitHub(
  log: Log,
  begin: Begin & { address: string; repository: string; agent: string },
): Caller {
  const { role, name, region, time, repository } = begin;
  const provider = `arn:aws:iam::${role.account}:oidc-provider/token.actions.githubusercontent.com`;
  const subject = `repo:${repository}:ref:refs/heads/main`;
  const credentials = newCredentials(log.random, time);
  log.add({
    time,
    account: role.account,
    region,
    service: 'sts',
    name: 'AssumeRoleWithWebIdentity',
    by: {
      identity: {
        type: 'WebIdentityUser',
        principalId: `${provider}:sts.amazonaws.com:${subject}`,
        userName: subject,
        identityProvider: provider,
      },
      address: begin.address,
      agent: 'configure-aws-credentials-for-github-actions aws-sdk-js/3.921.0 os/linux lang/js',
      way: 'sdk',
    },
    request: { roleArn: roleArn(role), roleSessionName: name, durationSeconds: 3600 },
    response: {
      credentials,
      subjectFromWebIdentityToken: subject,
      ...assumed(role, name),
      provider,
      audience: 'sts.amazonaws.com',
    },
    resources: [resource(role.account, 'AWS::IAM::Role', roleArn(role))],
  });
  const identity = sessionIdentity({
    role,
    name,
    started: isoTime(time),
    accessKey: credentials.accessKeyId,
    federatedProvider: provider,
  });
  return { identity, address: begin.address, agent: begin.agent, way: 'sdk' };
}

/** The same caller, where a service makes the call with its credentials. */
export function through(caller: Caller, service: string): Caller {
  const host = `${service}.amazonaws.com`;
  const identity = { ...caller.identity, invokedBy: host };
  return { identity, address: host, agent: host, way: 'service' };
}

/** Credentials as STS answers; the token is cut short, for a real one has a thousand letters. */
export function newCredentials(random: Random, time: number, seconds = 3600) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return {
    accessKeyId: temporaryKey(random),
    sessionToken: `IQoJb3JpZ2luX2VjEXAMPLE${random.text(12, letters)}==`,
    expiration: isoTime(time + seconds),
  };
}

function assumed(role: Role, name: string): JsonObject {
  const arn = `arn:aws:sts::${role.account}:assumed-role/${role.name}/${name}`;
  return { assumedRoleUser: { assumedRoleId: `${roleId(role)}:${name}`, arn } };
}
