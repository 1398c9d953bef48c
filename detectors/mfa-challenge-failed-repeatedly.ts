// The password of a user was right and the MFA code wrong, again and again: the password is out.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Severity } from '../src/core/severity.ts';
import {
  addStep,
  after,
  isPastCut,
  type Step,
  type Steps,
  stepSignal,
  stepsOf,
  stepsState,
  userSignIn,
} from '../src/core/steps.ts';
import { listed } from '../src/core/tally.ts';
import { attack, cis } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, minuteMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'mfa-challenge-failed-repeatedly',
  title: 'MFA of a user failed repeatedly',
  severity: 'medium',
  practice: 'mfa',
  what: 'Console logins of an IAM user failed at the MFA step several times within a day (UTC): the record says that MFA was asked for, so the password was right. Told with whether a login succeeded shortly after.',
  why: 'Whoever fails here knows the password already; only the second factor holds. A success after many wrong codes may mean that it no longer does.',
  innocent: [
    'The clock of the phone is wrong, or the user reads the codes of another account: then logins from the same address succeed before or after.',
    'A new or replaced phone that was not registered yet.',
  ],
  firstSteps: [
    'Ask the user whether it was them, over a channel outside of AWS; compare the addresses.',
    'If not: change the console password now, since it is known; look where else it was used.',
    'After a success that nobody answers for: delete the login profile, list the MFA devices, deny older sessions (aws:TokenIssueTime), and read what the session did.',
  ],
  attack: attack({
    T1621: 'Multi-Factor Authentication Request Generation',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [...cis('3.0.0', '4.6'), ...cis('5.0.0', '4.6')],
  gaps: [
    'A single wrong code is everyday life and stays quiet.',
    'A prompt that was left unanswered (CheckMfa without a login after it) is not counted.',
    'MFA of Identity Center and of other providers is asked elsewhere; that of root is told by root-account-used.',
  ],
};

const config = z.strictObject({
  failures: z
    .int()
    .min(2)
    .default(3)
    .describe('Failures at the MFA step in a day (UTC): a signal.'),
  failuresHigh: z.int().min(2).default(10).describe('As many make it high.'),
  successMinutes: z
    .int()
    .min(1)
    .max(720)
    .default(30)
    .describe('A login so many minutes after the last failure is told with it.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Steps>({
  meta,
  on: ['signin.amazonaws.com:ConsoleLogin'],
  config,
  state: stepsState({
    bucketMs: dayMs,
    lifetimeMs: dayMs,
    key(event) {
      const login = userSignIn(event);
      if (typeof login === 'string') return login;
      if (login.user === undefined) return 'CloudTrail hides the name, because nobody has it';
      if (!login.succeeded && login.mfa !== 'yes') return 'the login did not fail at the MFA step';
      return { key: `${event.account}/${login.user}` };
    },
  }),
  isKnown: isPastCut,
  fold(event, state) {
    const login = userSignIn(event);
    if (typeof login === 'string') return false;
    const notes = { user: login.user ?? '', mfa: login.mfa ?? '' };
    return addStep(state, event, login.succeeded ? 'success' : 'failure', notes);
  },
  judge(buckets, settings) {
    const logins = stepsOf(buckets).filter(({ kind }) => kind === 'success');
    return buckets.flatMap((bucket) => judgeDay(bucket, logins, settings));
  },
});

function judgeDay(
  { start, state }: Bucket<Steps>,
  logins: readonly Step[],
  settings: Config,
): readonly JudgedSignal[] {
  const failures = state.steps.filter(({ kind }) => kind === 'failure');
  const [first, ...others] = failures;
  const last = failures.at(-1);
  if (first === undefined || last === undefined || failures.length < settings.failures) return [];
  const from = [...new Set(failures.map(({ proof }) => proof.from))].sort();
  const then = after(last, logins, settings.successMinutes * minuteMs);
  const isOwnPlace = logins.some(({ proof }) => from.includes(proof.from));
  const strange = logins.filter(({ proof }) => !from.includes(proof.from));
  return [
    {
      ...stepSignal(first, [...others, ...then]),
      key: `failures ${formatTime(start).slice(0, 10)}`,
      severity: severityOf({
        count: failures.length,
        isOwnPlace,
        isElsewhere: strange.length > 0,
        hasSuccess: then.length > 0,
        settings,
      }),
      title: titleOf(first, failures.length, then.length > 0),
      reason: `The password was right each time, from ${listed(from)}. ${placeOf(isOwnPlace, strange)}`,
      facts: { from: listed(from) },
      limited: state.isCut || failures.length + then.length > 20,
    },
  ];
}

/** Few wrong codes with a success from the same place are a clumsy user; from a strange place they are not. */
function severityOf(of: {
  count: number;
  isOwnPlace: boolean;
  isElsewhere: boolean;
  hasSuccess: boolean;
  settings: Config;
}): Severity {
  const isMany = of.count >= of.settings.failuresHigh;
  if (of.isOwnPlace) return isMany ? (of.hasSuccess ? 'high' : 'medium') : 'low';
  return isMany || of.isElsewhere ? 'high' : 'medium';
}

function titleOf(first: Step, count: number, hasSuccess: boolean): string {
  const then = hasSuccess ? ', then a login succeeded' : '';
  return `IAM user ${plain(first.notes['user'])} failed ${count} times at MFA in one day${then}`;
}

function placeOf(isOwnPlace: boolean, strange: readonly Step[]): string {
  if (isOwnPlace) return 'Logins from the same address succeeded, so that it may be the user.';
  if (strange.length === 0) return 'No login from there succeeded around that time.';
  const from = [...new Set(strange.map(({ proof }) => proof.from))].sort();
  return `No login from there succeeded; the user signed in from ${listed(from)}.`;
}
