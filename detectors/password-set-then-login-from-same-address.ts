// A user's console password was set by another, and then somebody signed in as that user from the same address.
import { z } from 'zod';
import { type DetectorMeta, folding, type JudgedSignal } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
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
import { actorOf, attack, isByAws, isSelf } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, hourMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'password-set-then-login-from-same-address',
  title: 'Password set, then login as that user from the same address',
  severity: 'high',
  practice: 'password-policy',
  what: 'One principal created or changed the console password of an IAM user, and within a day a login as that user succeeded from the address the change came from.',
  why: 'Whoever resets a password and then uses it has taken the user over, and acts on under its name.',
  innocent: [
    'Administrator and user sit in the same office behind one address: for a new user with a forced change it is shown as low.',
    'Somebody keeps a second user for themselves, such as a break-glass user, and tests it.',
  ],
  firstSteps: [
    'Ask the user whether they signed in at that time, over a channel outside of AWS.',
    'If not: delete the login profile, deny older sessions of the user (aws:TokenIssueTime), and disable the key or revoke the sessions of the one who set it.',
    'Read what the session of the user did since the login.',
  ],
  attack: attack({
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'A login from another address than that of the change is not told here.',
    'Changes made through CloudShell or an AWS service come from an address of AWS.',
  ],
};

const config = z.strictObject({
  withinHours: z
    .int()
    .min(1)
    .max(48)
    .default(24)
    .describe('Hours between the change and the login.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Steps>({
  meta,
  on: [
    'iam.amazonaws.com:CreateLoginProfile',
    'iam.amazonaws.com:UpdateLoginProfile',
    'iam.amazonaws.com:CreateUser',
    'signin.amazonaws.com:ConsoleLogin',
  ],
  config,
  state: stepsState({
    bucketMs: dayMs,
    lifetimeMs: 3 * dayMs,
    key(event) {
      const user = userOf(event);
      if (user === undefined) return 'the record does not say which user';
      if (event.outcome !== 'success') return 'it did not succeed';
      if (event.origin.kind !== 'ip' && event.name !== 'CreateUser')
        return 'no address of a person';
      if (isByAws(event)) return 'AWS made the call';
      return isSelf(event, user) && event.name !== 'ConsoleLogin'
        ? 'the user set their own password'
        : { key: `${event.account}/${user}` };
    },
  }),
  isKnown: isPastCut,
  fold(event, state) {
    const user = userOf(event) ?? '';
    const forced = [
      event.field('requestParameters.passwordResetRequired'),
      event.field('responseElements.loginProfile.passwordResetRequired'),
    ].some((flag) => flag === true || flag === 'true');
    return addStep(state, event, kinds[event.name] ?? 'set', {
      user,
      who: actorOf(event),
      forced: forced ? 'yes' : 'no',
      mfa: event.text('additionalEventData.MFAUsed')?.toLowerCase() === 'yes' ? 'yes' : 'no',
    });
  },
  judge(buckets, settings) {
    const all = stepsOf(buckets);
    return all.filter(({ kind }) => kind === 'set').flatMap((set) => judgeSet(set, all, settings));
  },
});

const kinds: Readonly<Record<string, string>> = { ConsoleLogin: 'login', CreateUser: 'made' };

function userOf(event: Event): string | undefined {
  if (event.name !== 'ConsoleLogin') {
    const named = event.text('requestParameters.userName');
    return named === undefined ? undefined : plain(named);
  }
  const login = userSignIn(event);
  return typeof login === 'string' || !login.succeeded ? undefined : login.user;
}

function judgeSet(set: Step, all: readonly Step[], settings: Config): readonly JudgedSignal[] {
  const logins = after(set, all, settings.withinHours * hourMs).filter(
    ({ kind, proof }) => kind === 'login' && proof.from === set.proof.from,
  );
  const first = logins[0];
  if (first === undefined) return [];
  const isNew = all.some(
    ({ kind, proof }) =>
      kind === 'made' && proof.time <= set.proof.time && set.proof.time - proof.time <= dayMs,
  );
  const isForced = set.notes['forced'] === 'yes';
  const minutes = Math.round((first.proof.time - set.proof.time) / 60_000);
  const force = isForced
    ? 'A new password was to be chosen at the login.'
    : 'No new password had to be chosen.';
  const made = isNew ? ' The user itself was new.' : '';
  const mfa = first.notes['mfa'] === 'yes' ? ' The login passed MFA.' : '';
  return [
    {
      ...stepSignal(set, logins),
      severity: severityOf({ isNew, isForced, passedMfa: first.notes['mfa'] === 'yes' }),
      title: `${set.notes['who']} set the password of IAM user ${set.notes['user']}, then a login as that user came from the same address`,
      reason: `The login followed after ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} from ${set.proof.from}. ${force}${made}${mfa}`,
      facts: { from: set.proof.from, target: set.notes['user'] ?? '' },
    },
  ];
}

/** A device of the user's own that passed MFA speaks for the user; a new user has none yet. */
function severityOf(of: { isNew: boolean; isForced: boolean; passedMfa: boolean }): Severity {
  if (of.isNew && of.isForced) return 'low';
  return of.isNew || of.isForced || of.passedMfa ? 'medium' : 'high';
}
