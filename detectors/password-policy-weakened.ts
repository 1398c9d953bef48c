// The password policy of an account was deleted or made weaker than it was, or set below CIS.
import { z } from 'zod';
import { type DetectorMeta, folding, type JudgedSignal } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import {
  addStep,
  isPastCut,
  type Step,
  type Steps,
  stepSignal,
  stepsOf,
  stepsState,
} from '../src/core/steps.ts';
import { actorOf, attack, cis, isByAws } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, minuteMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'password-policy-weakened',
  title: 'Account password policy weakened',
  severity: 'medium',
  practice: 'password-policy',
  what: 'The password policy for the IAM users of an account was deleted, or set weaker than the trail knows it to have been: shorter passwords, fewer kinds of characters, old ones allowed again. Where nothing earlier is known it is held against CIS (14 characters, 24 remembered).',
  why: 'Weaker passwords are guessed sooner. An intruder loosens the policy to set passwords that would be refused; a mistake here stays unseen until somebody guesses one.',
  innocent: [
    'A deployment tool replaces the policy: deleted and set again within minutes, shown as low.',
    'An account without IAM users is cleaned up, since people sign in through Identity Center.',
  ],
  firstSteps: [
    'Ask the caller for the ticket; look at what else the session did, above all console passwords it set.',
    'Set the policy back (aws iam update-account-password-policy with at least 14 characters and 24 remembered): parameters left out fall back to weak defaults.',
    'List the users whose password changed since (credential report, password_last_changed) and have them choose anew.',
  ],
  attack: attack({
    T1556: 'Modify Authentication Process',
    'T1110.001': 'Brute Force: Password Guessing',
  }),
  cis: [...cis('3.0.0', '1.8', '1.9'), ...cis('5.0.0', '1.7', '1.8')],
  gaps: [
    'The policy as it stood before the trail is not known: reads of it are recorded without their answer.',
    'Expiry of passwords is not judged: neither CIS nor NIST asks for it any more.',
    'The policy for Identity Center users cannot be changed; that of root is set by AWS.',
  ],
};

const config = z.strictObject({
  length: z.int().min(6).max(128).default(14).describe('Shortest length that is not a signal.'),
  remembered: z.int().min(0).max(24).default(24).describe('Old passwords that must be refused.'),
  weakLength: z.int().min(6).max(128).default(8).describe('A length below this is worse.'),
  undoneMinutes: z
    .int()
    .min(0)
    .max(1440)
    .default(15)
    .describe('A change undone within so many minutes is a replacement, and low.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Steps>({
  meta,
  on: [
    'iam.amazonaws.com:UpdateAccountPasswordPolicy',
    'iam.amazonaws.com:DeleteAccountPasswordPolicy',
  ],
  config,
  state: stepsState({
    // The policy of half a year ago is still what a change is held against; changes are rare.
    bucketMs: 30 * dayMs,
    lifetimeMs: 180 * dayMs,
    key(event) {
      if (isByAws(event)) return 'AWS made the call';
      if (event.outcome === 'failure') return 'the call failed and changed nothing';
      return { key: event.account };
    },
  }),
  isKnown: isPastCut,
  fold(event, state) {
    const isDeletion = event.name === 'DeleteAccountPasswordPolicy';
    const kind = event.outcome === 'denied' ? 'refused' : isDeletion ? 'deleted' : 'set';
    if (kind === 'set' && !isObject(event.field('requestParameters'))) return false;
    const policy = kind === 'set' ? policyIn(event) : {};
    return addStep(state, event, kind, { who: actorOf(event), ...policy });
  },
  judge(buckets, settings) {
    const all = stepsOf(buckets);
    const changes = all.filter(({ kind }) => kind !== 'refused');
    const signals = changes.map((step, at) => judgeChange(step, at, changes, settings));
    const refusals = all.filter(({ kind }) => kind === 'refused').map(refused);
    return [...signals.filter((one) => one !== undefined), ...refusals];
  },
});

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

const classes = {
  upper: 'requireUppercaseCharacters',
  lower: 'requireLowercaseCharacters',
  digit: 'requireNumbers',
  symbol: 'requireSymbols',
} as const;

/** An update replaces the whole policy: what the request leaves out falls back to the API's default. */
function policyIn(event: Event): Record<string, string> {
  const number = (name: string, otherwise: number) => {
    const value = Number(plain(event.field(`requestParameters.${name}`)) || Number.NaN);
    return String(Number.isInteger(value) ? value : otherwise);
  };
  const needs = Object.entries(classes)
    .filter(([, name]) => /^true$/i.test(plain(event.field(`requestParameters.${name}`))))
    .map(([kind]) => kind);
  return {
    length: number('minimumPasswordLength', 6),
    remembered: number('passwordReusePrevention', 0),
    needs: needs.join(' '),
  };
}

function refused(step: Step): JudgedSignal {
  const isDeletion = step.proof.what.endsWith(':DeleteAccountPasswordPolicy');
  return {
    ...stepSignal(step),
    severity: 'low',
    title: `${step.notes['who']} tried to ${isDeletion ? 'delete' : 'change'} the password policy of account ${step.account} and was refused`,
    reason: `The call from ${step.proof.from} lacked the right.`,
  };
}

interface Verdict {
  readonly severity: Severity;
  readonly title: string;
  readonly because: string;
}

function judgeChange(
  step: Step,
  at: number,
  changes: readonly Step[],
  settings: Config,
): JudgedSignal | undefined {
  const before = changes[at - 1];
  const verdict = verdictOf(step, before, settings);
  if (verdict === undefined) return undefined;
  const next = changes[at + 1];
  const isUndone =
    next !== undefined &&
    next.proof.time - step.proof.time <= settings.undoneMinutes * minuteMs &&
    isRestored(next, before, settings);
  const undone = isUndone ? ' It was set as strong again within minutes: a replacement.' : '';
  const earlier = before === undefined ? [] : [before];
  return {
    ...stepSignal(step, isUndone ? [...earlier, next] : earlier),
    severity: isUndone ? 'low' : verdict.severity,
    title: `${step.notes['who']} ${verdict.title} of account ${step.account}`,
    reason: `${verdict.because}${undone} The call came from ${step.proof.from}.`,
  };
}

function isRestored(next: Step, before: Step | undefined, settings: Config): boolean {
  if (next.kind !== 'set') return false;
  return before === undefined || before.kind === 'deleted'
    ? verdictOf(next, undefined, settings) === undefined
    : weaknesses(next, before).length === 0;
}

function verdictOf(step: Step, before: Step | undefined, settings: Config): Verdict | undefined {
  if (step.kind === 'deleted') {
    return {
      severity: 'medium',
      title: 'deleted the password policy',
      because: 'The default of AWS holds now: 8 characters, and old passwords may come back.',
    };
  }
  const isWeak = numberIn(step, 'length') < settings.weakLength;
  if (before?.kind === 'set') {
    const weaker = weaknesses(step, before);
    if (weaker.length === 0) return undefined;
    const since = formatTime(before.proof.time);
    return {
      severity: isWeak ? 'high' : 'medium',
      title: 'weakened the password policy',
      because: `Since the policy of ${since}: ${weaker.join('; ')}.`,
    };
  }
  const lacks = shortfalls(step, settings);
  if (lacks.length === 0) return undefined;
  return {
    severity: isWeak ? 'medium' : 'low',
    title: 'set a weak password policy',
    because: `It is below CIS: ${lacks.join('; ')}. What it was before is not in the trail, so it may even be stronger now.`,
  };
}

/** What the newer policy asks less of than the older. */
function weaknesses(newer: Step, older: Step): string[] {
  const fell = (name: string, text: string) => {
    const [was, is] = [numberIn(older, name), numberIn(newer, name)];
    return is < was ? [`${text} ${is} instead of ${was}`] : [];
  };
  const has = new Set((newer.notes['needs'] ?? '').split(' '));
  const lost = (older.notes['needs'] ?? '').split(' ').filter((one) => one !== '' && !has.has(one));
  return [
    ...fell('length', 'shortest length'),
    ...fell('remembered', 'old passwords remembered'),
    ...(lost.length > 0 ? [`no longer asks for: ${lost.join(', ')}`] : []),
  ];
}

function shortfalls(step: Step, settings: Config): string[] {
  const [length, remembered] = [numberIn(step, 'length'), numberIn(step, 'remembered')];
  return [
    ...(length < settings.length ? [`shortest length ${length}, not ${settings.length}`] : []),
    ...(remembered < settings.remembered
      ? [`${remembered} old passwords remembered, not ${settings.remembered}`]
      : []),
  ];
}

function numberIn(step: Step, name: string): number {
  return Number(step.notes[name] ?? 0);
}
