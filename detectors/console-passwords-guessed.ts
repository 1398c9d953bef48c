// Passwords of one IAM user were guessed at the console, and perhaps the right one was found.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import {
  addStep,
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
  id: 'console-passwords-guessed',
  title: 'Passwords of a user guessed',
  severity: 'medium',
  practice: 'password-policy',
  what: 'Console logins of one IAM user failed again and again within a day (UTC); or a login succeeded after several that failed shortly before.',
  why: 'The console stands open to the world and asks for a name and a password. A success after many failures may be the guess that was right.',
  innocent: [
    'Somebody forgot the password or has an old one in a password manager: a few failures, then a reset.',
    'A browser or script of the user keeps trying a password that was changed.',
  ],
  firstSteps: [
    'Ask the user whether it was them, over a channel outside of AWS; compare the addresses with those of earlier logins.',
    'After a success that nobody answers for: delete the login profile, deny older sessions of the user by policy (aws:TokenIssueTime), deactivate access keys made since, and read what the session did.',
    'Otherwise: see to MFA for the user, and consider removing the console password where Identity Center is used.',
  ],
  attack: attack({
    'T1110.001': 'Brute Force: Password Guessing',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [...cis('3.0.0', '4.6'), ...cis('5.0.0', '4.6')],
  gaps: [
    'Failures of names that nobody has are without a name in CloudTrail: console-names-tried-from-address counts them.',
    'Failures at the MFA step are told by mfa-challenge-failed-repeatedly, those of root by root-account-used.',
    'Wrong passwords typed at an identity provider never reach AWS.',
    'One guess a day stays below any threshold.',
  ],
};

const config = z.strictObject({
  failures: z.int().min(2).default(10).describe('Failed logins of a user in a day (UTC): medium.'),
  failuresBeforeSuccess: z
    .int()
    .min(2)
    .default(5)
    .describe('Failed logins shortly before a success that make a signal of the success.'),
  beforeMinutes: z.int().min(1).max(720).default(30).describe('How long before is shortly.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Steps>({
  meta,
  on: ['signin.amazonaws.com:ConsoleLogin'],
  config,
  state: stepsState({
    bucketMs: dayMs,
    lifetimeMs: dayMs,
    reachMs: dayMs,
    key(event) {
      const login = userSignIn(event);
      if (typeof login === 'string') return login;
      if (login.user === undefined) return 'CloudTrail hides the name, because nobody has it';
      if (!login.succeeded && login.mfa === 'yes') return 'the password was right, the code wrong';
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
    const failures = stepsOf(buckets).filter(({ kind }) => kind === 'failure');
    return buckets.flatMap((bucket) => [
      ...guesses(bucket, settings),
      ...bucket.state.steps
        .filter(({ kind }) => kind === 'success')
        .flatMap((success) => judgeSuccess(success, failures, settings)),
    ]);
  },
});

function guesses({ start, state }: Bucket<Steps>, settings: Config): JudgedSignal[] {
  const failures = state.steps.filter(({ kind }) => kind === 'failure');
  const [first, ...others] = failures;
  if (first === undefined || failures.length < settings.failures) return [];
  const from = addressesOf(failures);
  const count = state.isCut ? `More than ${failures.length}` : String(failures.length);
  return [
    {
      ...stepSignal(first, others),
      key: `guesses ${formatTime(start).slice(0, 10)}`,
      severity: 'medium',
      title: `${count} console logins of IAM user ${plain(first.notes['user'])} failed in one day`,
      reason: `The user exists and the password was wrong each time, from ${listed(from)}.`,
      facts: { from: listed(from) },
      limited: state.isCut || failures.length > 20,
    },
  ];
}

/** A few failures before a success are typing; many are a search that ended. */
function judgeSuccess(
  success: Step,
  all: readonly Step[],
  settings: Config,
): readonly JudgedSignal[] {
  const end = success.proof.time;
  const since = end - settings.beforeMinutes * minuteMs;
  const failures = all.filter(({ proof }) => proof.time >= since && proof.time <= end);
  if (failures.length < settings.failuresBeforeSuccess) return [];
  const from = addressesOf(failures);
  const isKnownFactor = success.notes['mfa'] === 'yes';
  const isElsewhere = !from.includes(success.proof.from);
  const passed = isKnownFactor
    ? 'The login also passed MFA, so that it may well be the user.'
    : 'No second factor stood in the way.';
  const place = isElsewhere
    ? `The failures came from ${listed(from)}, the success from ${success.proof.from}.`
    : `Failures and success came from ${success.proof.from}.`;
  return [
    {
      ...stepSignal(success, failures),
      severity: isKnownFactor ? 'medium' : 'high',
      title: `IAM user ${plain(success.notes['user'])} signed in after ${failures.length} failed logins`,
      reason: `All within ${settings.beforeMinutes} minutes. ${passed} ${place}`,
    },
  ];
}

function addressesOf(steps: readonly Step[]): string[] {
  return [...new Set(steps.map(({ proof }) => proof.from))].sort();
}
