// The root user was used: sign-ins, API calls and access keys, told as one story a session.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  evidenceOf,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Principal } from '../src/core/principal.ts';
import { type RootKind, rootKindOf, rootKinds, rootQuiet } from '../src/core/root.ts';
import type { Severity } from '../src/core/severity.ts';
import {
  evidenceSchema,
  joined,
  listed,
  principalSchema,
  type Tally,
  tallied,
  tallySchema,
} from '../src/core/tally.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, parseTime } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'root-account-used',
  title: 'Root account used',
  severity: 'high',
  practice: 'access-keys',
  what: 'The root user of an account signed in, called an API, or had its credentials changed; or somebody took root access to a member account from the management account (AssumeRoot).',
  why: 'Root can do everything, no policy limits it, and nearly nothing needs it. An attacker who holds it holds the account.',
  innocent: [
    'One of the few tasks that need root: closing the account, changing the support plan, restoring a broken bucket policy.',
    'The first day of a new account.',
    'For AssumeRoot: the security team auditing or removing root credentials of member accounts.',
  ],
  firstSteps: [
    'Ask the keeper of the root credentials whether it was them, and for the ticket; compare address and time.',
    'If nobody answers for it: reset the root password, remove root access keys, re-register MFA, and sign out sessions; from an organisation, use central root access for this.',
    'Read the changes in the timeline and undo them; look for users, keys and roles made on the way.',
  ],
  attack: [
    { version: '18.1', technique: 'T1078.004', name: 'Valid Accounts: Cloud Accounts' },
    { version: '18.1', technique: 'T1098.001', name: 'Additional Cloud Credentials' },
  ],
  cis: [
    { framework: 'CIS AWS Foundations', version: '3.0.0', control: '4.3' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '4.3' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '1.3' },
  ],
  gaps: [
    'Calls that a service made on behalf of root, without a console session behind them, are not judged.',
    'An AssumeRoot session is recognised by its access key; where the management account is not in the trail and the record lacks the assumedRoot mark, it looks like root.',
  ],
};

const config = z.strictObject({
  failedSignIns: z
    .int()
    .min(1)
    .default(3)
    .describe('Failed root sign-ins of an account in one day (UTC) that make a signal.'),
  failedSignInsHigh: z.int().min(1).default(10).describe('As many make it high.'),
});
type Config = z.infer<typeof config>;

const session = z.object({
  started: z.string(),
  accessKey: z.string(),
  isAssumed: z.boolean(),
  tallies: z.partialRecord(z.enum(rootKinds), tallySchema),
});
const token = z.object({
  actor: principalSchema,
  account: z.string(),
  task: z.string(),
  proof: evidenceSchema,
});
const stateSchema = z.object({
  arn: z.string(),
  sessions: z.record(z.string(), session),
  tokens: z.record(z.string(), token),
  limited: z.boolean(),
});
type State = z.infer<typeof stateSchema>;
type Session = z.infer<typeof session>;
type Token = z.infer<typeof token>;

/** Sessions and tokens kept of one account and day: what a person would read. */
const sessionsMax = 60;

export default folding<Config, State>({
  meta,
  on: ['identity:Root', 'sts.amazonaws.com:AssumeRoot'],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'organisation',
    bucketMs: dayMs,
    // Exports of the event history reach back 90 days and begin with the newest event.
    lifetimeMs: 90 * dayMs,
    // A session of AssumeRoot lasts minutes: its token was issued the same day or the one before.
    reachMs: dayMs,
    key(event) {
      if (event.identityType !== 'Root') return assumedAccount(event);
      return rootQuiet(event) ?? { key: event.principal.account };
    },
    empty: () => ({ arn: '', sessions: {}, tokens: {}, limited: false }),
  },
  fold(event, state) {
    if (event.identityType !== 'Root') return addToken(event, state);
    const kind = rootKindOf(event);
    const arn = event.principal.arn ?? '';
    if (state.arn === '' || arn < state.arn) state.arn = arn;
    const started = sessionStart(event);
    const accessKey = plain(event.accessKeyId);
    const found = sessionFor(state, { started, accessKey });
    if (found === undefined) return true;
    const flag = event.field('userIdentity.sessionContext.assumedRoot');
    found.isAssumed ||= flag === true || flag === 'true';
    for (const one of kind) found.tallies[one] = tallied(found.tallies[one], event);
    return true;
  },
  judge(buckets, settings) {
    const tokens = new Map(buckets.flatMap(({ state }) => Object.entries(state.tokens)));
    return buckets.flatMap((bucket) => judgeDay(bucket, tokens, settings));
  },
});

function assumedAccount(event: Event): { readonly key: string } | string {
  const target = event.text('requestParameters.targetPrincipal') ?? '';
  const account = /\d{12}/.exec(target)?.[0];
  return account === undefined ? 'AssumeRoot names no member account' : { key: account };
}

/** A console session's calls carry its creation date, which is the time of the login. */
function sessionStart(event: Event): string {
  if (event.name === 'ConsoleLogin') {
    return event.outcome === 'success' ? formatTime(event.time) : 'failed';
  }
  const created = event.text('userIdentity.sessionContext.attributes.creationDate');
  const time = parseTime(created);
  return time === undefined ? '' : formatTime(time);
}

function sessionFor(state: State, of: { started: string; accessKey: string }): Session | undefined {
  const id = `${of.started}|${of.accessKey}`;
  const known = state.sessions[id];
  if (known !== undefined) return known;
  const ids = Object.keys(state.sessions);
  if (ids.length >= sessionsMax) {
    state.limited = true;
    const largest = ids.sort().at(-1) ?? id;
    if (id > largest) return undefined;
    delete state.sessions[largest];
  }
  const made: Session = { ...of, isAssumed: false, tallies: {} };
  state.sessions[id] = made;
  return made;
}

function addToken(event: Event, state: State): boolean {
  const key = event.text('responseElements.credentials.accessKeyId');
  const id = event.outcome === 'success' && key !== undefined ? plain(key) : `refused ${event.id}`;
  const task = plain(
    event.text('requestParameters.taskPolicyArn.arn') ??
      event.field('requestParameters.taskPolicyArn'),
  );
  const made = {
    actor: { ...event.principal },
    account: event.account,
    task: task.slice(task.lastIndexOf('/') + 1),
    proof: evidenceOf(event),
  };
  if (Object.keys(state.tokens).length >= sessionsMax) state.limited = true;
  else state.tokens[id] = made;
  return true;
}

function judgeDay(
  { key: account, start, state }: Bucket<State>,
  tokens: ReadonlyMap<string, Token>,
  settings: Config,
): readonly JudgedSignal[] {
  const day = formatTime(start).slice(0, 10);
  const own: Session[] = [];
  const central = new Map<string, Session[]>();
  for (const id of Object.keys(state.tokens)) central.set(id, []);
  for (const one of Object.values(state.sessions)) {
    const isCentral = tokens.has(one.accessKey) || one.isAssumed;
    if (isCentral) central.set(one.accessKey, [...(central.get(one.accessKey) ?? []), one]);
    else own.push(one);
  }
  const place = { account, day, state };
  const signals = [...grouped(own)].flatMap(([started, all]) => judgeSession(place, started, all));
  const failed = judgeFailures(place, own, settings);
  const taken = [...central].flatMap(([id, all]) => judgeCentral(place, id, tokens.get(id), all));
  return [...signals, ...failed, ...taken];
}

interface Place {
  readonly account: string;
  readonly day: string;
  readonly state: State;
}

function grouped(sessions: readonly Session[]): Map<string, Session[]> {
  const groups = new Map<string, Session[]>();
  for (const one of sessions) {
    const id = one.started === '' ? one.accessKey : one.started;
    groups.set(id, [...(groups.get(id) ?? []), one]);
  }
  return groups;
}

type Says = (count: number, account: string) => string;
const sessionKinds: readonly { kind: RootKind; severity: Severity; says: Says }[] = [
  {
    kind: 'sign-in-no-mfa',
    severity: 'critical',
    says: (_, account) => `Root ${account} signed in to the console without MFA`,
  },
  {
    kind: 'sign-in-unknown',
    severity: 'high',
    says: (_, account) => `Root ${account} signed in to the console (MFA not recorded)`,
  },
  {
    kind: 'sign-in-mfa',
    severity: 'high',
    says: (_, account) => `Root ${account} signed in to the console with MFA`,
  },
  {
    kind: 'credentials',
    severity: 'critical',
    says: (_, account) => `Root credentials ${account} were changed or issued`,
  },
  {
    kind: 'access-key',
    severity: 'critical',
    says: (n, account) => `A root access key ${account} was used for ${n} ${calls(n)}`,
  },
  {
    kind: 'changes',
    severity: 'high',
    says: (n, account) => `Root ${account} made ${n} ${n === 1 ? 'change' : 'changes'}`,
  },
  {
    kind: 'refused',
    severity: 'medium',
    says: (n, account) => `Root ${account} made ${n} ${calls(n)} that failed`,
  },
  {
    kind: 'reads',
    severity: 'medium',
    says: (n, account) => `Root ${account} looked around in ${n} read ${calls(n)}`,
  },
  {
    kind: 'forwarded',
    severity: 'info',
    says: (n, account) =>
      `AWS services made ${n} ${calls(n)} for a console session of root ${account}`,
  },
];

function judgeSession(place: Place, started: string, all: readonly Session[]): JudgedSignal[] {
  return sessionKinds.flatMap(({ kind, severity, says }) => {
    const sum = totalOf(all, kind);
    if (sum === undefined) return [];
    const title = says(sum.count, `of account ${place.account}`);
    const names = kind.startsWith('sign-in') ? '' : ` Calls: ${listed(sum.names)}.`;
    const since = /^\d{4}-/.test(started) ? ` The session began ${started}.` : '';
    const reason = `${why[kind]}${names} From ${listed(sum.from) || 'an unknown address'}.${since}`;
    const signal = rootSignal(place, `${kind} ${started}`, sum);
    return [{ ...signal, severity, title, reason }];
  });
}

const why: Readonly<Record<RootKind, string>> = {
  'sign-in-no-mfa': 'A password alone opened the account: MFAUsed was "No".',
  'sign-in-unknown': 'The sign-in succeeded; the record does not say whether MFA was used.',
  'sign-in-mfa': 'The sign-in succeeded with MFA. Root is for the few tasks that need it.',
  credentials: 'Password, MFA, e-mail, access keys or tokens of root decide who owns the account.',
  'access-key': 'A root access key has every right, does not expire, and asks for no MFA.',
  changes: 'Nothing limits what root changes.',
  refused: 'Root tried, and the call failed or an organisation policy refused it.',
  reads: 'Looking around as root is rarely needed.',
  forwarded: 'AWS services made these calls for a console session of root.',
  'failed-sign-in': 'Somebody knows the e-mail address of root and tries passwords.',
  'failed-mfa':
    'The password was right and the MFA code was wrong: somebody may know the password.',
};

function judgeFailures(place: Place, all: readonly Session[], settings: Config): JudgedSignal[] {
  const password = totalOf(all, 'failed-sign-in');
  const mfa = totalOf(all, 'failed-mfa');
  const sum = joined([password, mfa]);
  if (sum === undefined || sum.count < settings.failedSignIns) return [];
  const isHigh =
    (mfa?.count ?? 0) >= settings.failedSignIns || sum.count >= settings.failedSignInsHigh;
  const reasons = [
    password && why['failed-sign-in'],
    mfa && `${mfa.count} times: ${why['failed-mfa']}`,
  ];
  return [
    {
      ...rootSignal(place, 'failed sign-ins', sum),
      severity: isHigh ? 'high' : 'medium',
      title: `${sum.count} failed root sign-ins to account ${place.account} in one day`,
      reason: `${reasons.filter(Boolean).join(' ')} From ${listed(sum.from)}.`,
    },
  ];
}

function judgeCentral(
  place: Place,
  id: string,
  by: Token | undefined,
  all: readonly Session[],
): JudgedSignal[] {
  const wasRefused = id.startsWith('refused ');
  const done = joined(rootKinds.map((kind) => totalOf(all, kind)));
  const evidence = [...(by === undefined ? [] : [by.proof]), ...(done?.evidence ?? [])];
  const first = evidence[0];
  // The token may have been issued the day before: that day's signal already names it.
  if (first === undefined || (done === undefined && place.state.tokens[id] === undefined))
    return [];
  const who = by === undefined ? 'somebody in the management account' : plain(by.actor.name);
  const task = by?.task ? ` with task policy ${by.task}` : '';
  const doing =
    done === undefined ? 'No call of the session was seen.' : `Calls: ${listed(done.names)}.`;
  const title = wasRefused
    ? `${who} tried to take central root access to account ${place.account} and failed`
    : `Central root access to account ${place.account} taken by ${who}`;
  const base = rootSignal(place, `central ${id}`, {
    count: evidence.length - (done?.evidence.length ?? 0) + (done?.count ?? 0),
    names: done?.names ?? [],
    from: done?.from ?? [],
    evidence,
  });
  return [
    {
      ...base,
      ...(by === undefined ? {} : { account: by.account, principal: owner(by.actor) }),
      time: first.time,
      severity: 'medium',
      title,
      reason: `AssumeRoot${task} gives a short root session in a member account. ${wasRefused ? 'It was refused.' : doing}`,
      facts: { memberAccount: place.account, ...(by?.task ? { taskPolicy: by.task } : {}) },
    },
  ];
}

function owner(actor: Token['actor']): Principal {
  const { arn, ...rest } = actor;
  return arn === undefined ? rest : { ...rest, arn };
}

function rootSignal(
  place: Place,
  key: string,
  sum: Tally,
): Omit<JudgedSignal, 'severity' | 'title' | 'reason'> {
  const { account, state } = place;
  const arn = state.arn || `arn:aws:iam::${account}:root`;
  const root: Principal = { key: `root/${account}`, kind: 'root', account, name: 'root', arn };
  return {
    key: `${key} ${place.day}`,
    time: sum.evidence[0]?.time ?? 0,
    account,
    principal: root,
    evidence: sum.evidence,
    count: sum.count,
    facts: { from: listed(sum.from) },
    limited: state.limited,
  };
}

function totalOf(all: readonly Session[], kind: RootKind): Tally | undefined {
  return joined(all.map((one) => one.tallies[kind]));
}

function calls(count: number): string {
  return count === 1 ? 'call' : 'calls';
}
