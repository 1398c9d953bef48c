// An access key was taken out of use, and a session that it had made before goes on.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { type Firsts, firstsSchema, isNews, noted, proofsOf } from '../src/core/instances.ts';
import type { Principal } from '../src/core/principal.ts';
import type { Evidence } from '../src/core/signal.ts';
import { listed, principalSchema } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, minuteMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'session-outlived-its-key',
  title: 'Session outlived its access key',
  severity: 'high',
  practice: 'temporary-credentials',
  what: 'An access key of an IAM user was deactivated or deleted, and a session that this key had made with GetFederationToken or GetSessionToken made calls afterwards.',
  why: 'Whoever closed the key believes the intruder is out. The session stays valid for up to 36 hours, and who holds it can go on, or make new ways in.',
  innocent: [
    'A rotation of keys while a session of the old key still runs; where the user made the new key or closed the old one itself, this is low.',
  ],
  firstSteps: [
    'Attach a policy to the user that denies everything now (or to the user as issuer a deny on aws:TokenIssueTime before this moment): the session is bound by the policies of the user.',
    'Read what the session did after the key was closed, from the timeline on; look for new keys, users and roles.',
    'Only then delete the user or give it a new key.',
  ],
  attack: attack({
    'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'The call that made the session must be in the trail, at most two days before.',
    'A federated name that another key of the user also made sessions for is not judged.',
    'Calls that are refused are not counted: then the session can do nothing more.',
    'Uses are kept once in twenty minutes; one just before and one just after the closing may be taken for one.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

const stateSchema = z.object({
  account: z.string(),
  user: principalSchema.optional(),
  /** `session key` for each session that a key made. */
  issued: firstsSchema,
  /** `key fate`: Inactive, Active, deleted; `new made` for a key made for the user. */
  keys: firstsSchema,
  /** `slot session call`: the first of each slot. */
  uses: firstsSchema,
});
type State = z.infer<typeof stateSchema>;

const slotMs = 20 * minuteMs;
const namesMax = 150;

export default folding<Config, State>({
  meta,
  on: [
    'sts.amazonaws.com:GetFederationToken',
    'sts.amazonaws.com:GetSessionToken',
    'iam.amazonaws.com:CreateAccessKey',
    'iam.amazonaws.com:UpdateAccessKey',
    'iam.amazonaws.com:DeleteAccessKey',
    'identity:FederatedUser',
    'identity:IAMUser',
  ],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 4 * dayMs,
    // A session lives 36 hours at most.
    reachMs: 2 * dayMs,
    key(event) {
      const entry = entryOf(event);
      if (typeof entry === 'string') return entry;
      return { key: `${plain(event.account)} ${plain(entry.user)}` };
    },
    empty: () => ({ account: '', issued: {}, keys: {}, uses: {} }),
  },
  isKnown(event, state) {
    const entry = entryOf(event);
    if (typeof entry === 'string' || entry.section !== 'uses') return false;
    return state.account !== '' && !isNews(state.uses, entry.name, event, namesMax);
  },
  fold(event, state) {
    const entry = entryOf(event);
    if (typeof entry === 'string') return false;
    state.account = plain(event.account);
    if (entry.section === 'issued') keepUser(event, state);
    return noted(state[entry.section], entry.name, event, namesMax);
  },
  judge: (buckets) => buckets.flatMap((bucket) => judgeUses(bucket, buckets)),
});

interface Entry {
  readonly user: string;
  readonly section: 'issued' | 'keys' | 'uses';
  readonly name: string;
}

function entryOf(event: Event): Entry | string {
  if (event.outcome === 'denied') return 'refused';
  if (event.source === 'iam.amazonaws.com' && /AccessKey$/.test(event.name)) {
    const fate = fateOf(event);
    if (fate !== undefined) return fate;
  }
  if (event.identityType === 'IAMUser' && /^Get(Session|Federation)Token$/.test(event.name)) {
    const made = sessionMadeBy(event);
    if (made === undefined) return 'the record does not say which session was made';
    return { user: event.principal.name, section: 'issued', name: made };
  }
  return useOf(event);
}

function fateOf(event: Event): Entry | undefined {
  const own = event.identityType === 'IAMUser' ? event.principal.name : undefined;
  const user = event.text('requestParameters.userName') ?? own;
  if (event.outcome !== 'success' || user === undefined) return undefined;
  if (event.name === 'CreateAccessKey') return { user, section: 'keys', name: 'new made' };
  const key = event.text('requestParameters.accessKeyId');
  const status = plain(event.text('requestParameters.status') ?? '');
  const fate = event.name === 'DeleteAccessKey' ? 'deleted' : status.toLowerCase();
  if (key === undefined || !/^(deleted|inactive|active)$/.test(fate)) return undefined;
  return { user, section: 'keys', name: `${plain(key, 40)} ${fate}` };
}

/** A federated session is known by its name: turned into a console session, it has another key. */
function sessionMadeBy(event: Event): string | undefined {
  const key = event.accessKeyId;
  if (event.outcome !== 'success' || !key.startsWith('AKIA')) return undefined;
  const session =
    event.name === 'GetFederationToken'
      ? event.text('requestParameters.name')
      : event.text('responseElements.credentials.accessKeyId');
  return session === undefined ? undefined : `${plain(session, 64)} ${plain(key, 40)}`;
}

function useOf(event: Event): Entry | string {
  const slot = formatTime(Math.floor(event.time / slotMs) * slotMs);
  if (event.identityType === 'FederatedUser') {
    const issuer = 'userIdentity.sessionContext.sessionIssuer.';
    const user = event.text(`${issuer}userName`);
    if (user === undefined || event.text(`${issuer}type`) === 'Root') return 'no user behind it';
    const session = plain(event.principal.name, 64);
    return { user, section: 'uses', name: `${slot} ${session}` };
  }
  if (event.identityType !== 'IAMUser' || !event.accessKeyId.startsWith('ASIA')) {
    return 'not a session of a user';
  }
  const fromConsole = event.field('sessionCredentialFromConsole');
  if (fromConsole === true || fromConsole === 'true') return 'a console session';
  const name = `${slot} ${plain(event.accessKeyId, 64)}`;
  return { user: event.principal.name, section: 'uses', name };
}

// The smallest stands, so that order does not matter.
function keepUser(event: Event, state: State): void {
  const user = { ...event.principal };
  if (state.user === undefined || JSON.stringify(user) < JSON.stringify(state.user)) {
    state.user = user;
  }
}

function judgeUses(bucket: Bucket<State>, all: readonly Bucket<State>[]): JudgedSignal[] {
  const sessions = new Map<string, Evidence[]>();
  for (const [name, use] of Object.entries(bucket.state.uses)) {
    const session = name.slice(name.indexOf(' ') + 1);
    sessions.set(session, [...(sessions.get(session) ?? []), use]);
  }
  return [...sessions.keys()].sort().flatMap((session) => {
    const makers = makersOf(session, all);
    const closings = makers.map(({ key, proof }) => closingOf(key, proof.time, all));
    if (makers.length === 0 || closings.some((one) => one === undefined)) return [];
    const closed = closings.filter((one) => one !== undefined).sort((a, b) => b.time - a.time);
    const last = closed[0];
    if (last === undefined) return [];
    const after = (sessions.get(session) ?? []).filter((use) => use.time > last.time);
    if (after.length === 0) return [];
    return [tell(bucket, all, { session, makers, last, after })];
  });
}

interface Maker {
  readonly key: string;
  readonly proof: Evidence;
}

function makersOf(session: string, all: readonly Bucket<State>[]): Maker[] {
  return all.flatMap(({ state }) =>
    Object.entries(state.issued).flatMap(([name, proof]) => {
      const at = name.lastIndexOf(' ');
      return name.slice(0, at) === session ? [{ key: name.slice(at + 1), proof }] : [];
    }),
  );
}

function closingOf(
  key: string,
  after: number,
  all: readonly Bucket<State>[],
): Evidence | undefined {
  const seen = (fate: string) =>
    all
      .flatMap(({ state }) => state.keys[`${key} ${fate}`] ?? [])
      .filter((one) => one.time >= after)
      .sort((a, b) => a.time - b.time);
  const first = [...seen('inactive'), ...seen('deleted')].sort((a, b) => a.time - b.time)[0];
  if (first === undefined) return undefined;
  const isBack = seen('active').some((one) => one.time > first.time);
  return isBack ? seen('deleted')[0] : first;
}

interface Outlived {
  readonly session: string;
  readonly makers: readonly Maker[];
  readonly last: Evidence;
  readonly after: readonly Evidence[];
}

function tell(bucket: Bucket<State>, all: readonly Bucket<State>[], of: Outlived): JudgedSignal {
  const { session, makers, last, after } = of;
  const user = userOf(all, bucket.state.account);
  const isOwn = last.caller?.principal.key === user.key;
  const made = all.some(
    ({ state }) => (state.keys['new made']?.time ?? Number.POSITIVE_INFINITY) <= last.time,
  );
  const keys = listed([...new Set(makers.map((one) => one.key))].sort());
  const calls = listed([...new Set(after.map((one) => one.what))].sort());
  const from = listed([...new Set(after.map((one) => one.from))].sort());
  const hand = isOwn ? 'the user itself' : last.who;
  const why = isOwn
    ? 'The user closed its own key, as in a rotation.'
    : made
      ? 'A new key had been made for the user before, as in a rotation.'
      : 'No new key was made before: it looks like a key closed against somebody, who is still in.';
  const proofs: Firsts = Object.fromEntries(
    [...makers.map((one) => one.proof), last, ...after].map((one) => [one.id, one]),
  );
  return {
    key: `${session} ${bucket.key} ${bucket.start}`,
    time: after.reduce((min, one) => Math.min(min, one.time), Number.POSITIVE_INFINITY),
    account: bucket.state.account,
    principal: user,
    evidence: proofsOf(proofs),
    count: after.length,
    severity: isOwn || made ? 'low' : 'high',
    title: `Session ${session} of IAM user ${user.name} went on after its access key was closed`,
    reason: `Key ${keys} was closed at ${formatTime(last.time)} by ${hand}. ${why} Calls afterwards: ${calls}, from ${from}.`,
    facts: { session, accessKey: keys, closedBy: hand, from },
    limited: Object.keys(bucket.state.uses).length >= namesMax,
  };
}

function userOf(all: readonly Bucket<State>[], account: string): Principal {
  const found = all.flatMap(({ state }) => state.user ?? [])[0];
  if (found === undefined) return { key: 'unknown', kind: 'unknown', account, name: 'unknown' };
  const { arn, ...rest } = found;
  return arn === undefined ? rest : { ...rest, arn };
}
