// One address tried console logins of many users, or of names that nobody has.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  evidenceOf,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import type { Evidence } from '../src/core/signal.ts';
import { userSignIn } from '../src/core/steps.ts';
import {
  evidenceSchema,
  joined,
  listed,
  principalSchema,
  tallied,
  tallySchema,
} from '../src/core/tally.ts';
import { attack, cis } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, hourMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'console-names-tried-from-address',
  title: 'One address tried passwords of many users',
  severity: 'medium',
  practice: 'password-policy',
  what: 'Within an hour console logins of many different IAM users failed from one address, in one or several accounts; or many logins with names that nobody has. A success of one of the names from there is told with it.',
  why: 'Spraying tries a few likely passwords with many names, so that no single user shows many failures. One weak password is enough.',
  innocent: [
    'A large office behind one address on the morning after forced password changes: then most logins from there succeed, which lowers it.',
    'A test of the security team: ask for the announcement.',
  ],
  firstSteps: [
    'Look whether any login from this address succeeded, in all accounts; treat such a user as taken over.',
    'Find out whose address it is: office, VPN, hosting provider.',
    'If it is a stranger: see to MFA and long passwords for the users named, and deny console use from outside known networks by policy (aws:SourceIp).',
  ],
  attack: attack({
    'T1110.003': 'Brute Force: Password Spraying',
    'T1110.004': 'Brute Force: Credential Stuffing',
  }),
  cis: [...cis('3.0.0', '4.6'), ...cis('5.0.0', '4.6')],
  gaps: [
    'Spraying from many addresses, a few names each, is not put together.',
    'CloudTrail hides names that nobody has, so that different ones cannot be told apart.',
  ],
};

const config = z.strictObject({
  users: z.int().min(2).max(100).default(6).describe('Users with failed logins an hour: medium.'),
  unknownNames: z
    .int()
    .min(2)
    .default(10)
    .describe('Failed logins with names that nobody has, an hour: low.'),
});
type Config = z.infer<typeof config>;

const stateSchema = z.object({
  failed: z.array(z.string()),
  passed: z.array(z.string()),
  failures: tallySchema.optional(),
  unknown: tallySchema.optional(),
  successes: z.record(z.string(), evidenceSchema),
  place: z.object({ account: z.string(), actor: principalSchema }).optional(),
});
type State = z.infer<typeof stateSchema>;

/** Names kept of an address and hour. */
const namesMax = 100;
const evidenceMax = 20;
const foundMax = 10;

export default folding<Config, State>({
  meta,
  on: ['signin.amazonaws.com:ConsoleLogin'],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'organisation',
    bucketMs: hourMs,
    lifetimeMs: dayMs,
    reachMs: 0,
    key(event) {
      const login = userSignIn(event);
      if (typeof login === 'string') return login;
      if (event.origin.kind !== 'ip') return 'the record names no address';
      return { key: plain(event.origin.text) };
    },
    empty: () => ({ failed: [], passed: [], successes: {} }),
  },
  fold(event, state) {
    const login = userSignIn(event);
    if (typeof login === 'string') return false;
    setPlace(state, event);
    if (login.succeeded) return addSuccess(state, event, login.user ?? '');
    if (login.user === undefined) {
      state.unknown = tallied(state.unknown, event);
      return true;
    }
    state.failed = withName(state.failed, nameIn(event, login.user));
    state.failures = tallied(state.failures, event);
    return true;
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket) => judgeHour(bucket, settings));
  },
});

function nameIn(event: Event, user: string): string {
  return `${user} in ${plain(event.account)}`;
}

function withName(names: readonly string[], name: string): string[] {
  return names.includes(name) ? [...names] : [...names, name].sort().slice(0, namesMax);
}

function addSuccess(state: State, event: Event, user: string): boolean {
  const name = nameIn(event, user);
  state.passed = withName(state.passed, name);
  const proof = evidenceOf(event);
  const known = state.successes[name];
  const isEarlier = known === undefined || inOrder(proof, known) < 0;
  if (isEarlier) state.successes[name] = proof;
  const last = Object.keys(state.successes).sort().at(namesMax);
  if (last !== undefined) delete state.successes[last];
  return true;
}

/** An alert belongs to one principal: the smallest name that was tried, so that order does not matter. */
function setPlace(state: State, event: Event): void {
  const place = { account: plain(event.account), actor: { ...event.principal } };
  const text = JSON.stringify(place);
  if (state.place === undefined || text < JSON.stringify(state.place)) state.place = place;
}

function judgeHour({ key, start, state }: Bucket<State>, settings: Config): JudgedSignal[] {
  const unknown = state.unknown?.count ?? 0;
  const isSpray = state.failed.length >= settings.users;
  const sum = joined([state.failures, state.unknown]);
  if ((!isSpray && unknown < settings.unknownNames) || sum === undefined) return [];
  if (state.place === undefined) return [];
  // Those who failed and then got in, or got in and failed: only they can be victims.
  const found = state.passed.filter((name) => state.failed.includes(name)).slice(0, foundMax);
  const clean = state.passed.filter((name) => !state.failed.includes(name));
  const isOffice = clean.length >= state.failed.length;
  const wins = found.flatMap((name) => state.successes[name] ?? []);
  // The logins that got in are shown whatever the number of failures.
  const evidence = [...sum.evidence.slice(0, evidenceMax - wins.length), ...wins].sort(inOrder);
  const count = sum.count + wins.length;
  const { arn, ...rest } = state.place.actor;
  return [
    {
      key: `${key} ${formatTime(start)}`,
      time: evidence[0]?.time ?? start,
      account: state.place.account,
      principal: arn === undefined ? rest : { ...rest, arn },
      evidence,
      count,
      facts: { from: key },
      limited: state.failed.length >= namesMax || count > evidence.length,
      severity: severityOf({ isSpray, isOffice, hasFound: found.length > 0 }),
      title: titleOf(key, state.failed.length, unknown, found),
      reason: reasonOf(state.failed, unknown, { clean, isOffice }),
    },
  ];
}

function severityOf(of: { isSpray: boolean; isOffice: boolean; hasFound: boolean }): Severity {
  if (of.isOffice) return 'low';
  if (of.hasFound) return 'high';
  return of.isSpray ? 'medium' : 'low';
}

function titleOf(
  address: string,
  failed: number,
  unknown: number,
  found: readonly string[],
): string {
  const hidden = unknown > 0 ? ` and ${unknown} with unknown names` : '';
  const tried =
    failed > 0
      ? `failed logins of ${failed} ${failed === 1 ? 'user' : 'users'}${hidden}`
      : `${unknown} failed logins with unknown names`;
  const then = found.length > 0 ? `, and ${listed(found)} got in` : '';
  return `Address ${address}: ${tried} within an hour${then}`;
}

function reasonOf(
  failed: readonly string[],
  unknown: number,
  { clean, isOffice }: { clean: readonly string[]; isOffice: boolean },
): string {
  const names = failed.length > 0 ? `Names tried: ${listed(failed)}. ` : '';
  const hidden = unknown > 0 ? `${unknown} logins used names that nobody has. ` : '';
  if (!isOffice) return `${names}${hidden}One password tried with many names looks like this.`;
  const others = `${clean.length} other users signed in from there without a failure`;
  return `${names}${hidden}${others}, so that it may be the address of an office.`;
}

function inOrder(a: Evidence, b: Evidence): number {
  return a.time - b.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
