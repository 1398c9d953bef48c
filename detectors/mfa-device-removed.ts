// The MFA device of an IAM user was deactivated: by whom, and whether another one took its place.
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
import { actorOf, attack, cis, isByAws, isSelf } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, minuteMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'mfa-device-removed',
  title: 'MFA device of a user removed',
  severity: 'medium',
  practice: 'mfa',
  what: 'An MFA device of an IAM user was deactivated. The severity follows who did it, whether the session had passed MFA, whether a device was registered within the hour and by whom, and whether the user then signed in with a password alone.',
  why: 'Without the device the password is enough. An intruder removes it to come back, or registers a device of their own in its place.',
  innocent: [
    'A new phone: the user removes the old device and registers the new one within the hour, shown as low.',
    'A lost phone: the help desk removes the device and the user registers a new one, shown as low.',
    'A colleague leaves: the user or its console password is deleted with it, shown as low.',
  ],
  firstSteps: [
    'Ask the user and the caller whether they meant it, over a channel outside of AWS; for a lost phone ask for the ticket.',
    'List what the user has now (aws iam list-mfa-devices): a device nobody knows is an intruder’s.',
    'If nobody answers for it: disable console password and keys of the user, and revoke the sessions of the caller.',
    'If it was meant: see that a device is registered today and that calls without MFA are refused.',
  ],
  attack: attack({
    'T1556.006': 'Modify Authentication Process: Multi-Factor Authentication',
    'T1098.005': 'Account Manipulation: Device Registration',
  }),
  cis: [...cis('3.0.0', '1.10', '4.4'), ...cis('5.0.0', '1.9', '4.4')],
  gaps: [
    'A user may have up to eight devices: the trail does not say whether another one is left.',
    'DeleteVirtualMFADevice is not judged: an attached device must be deactivated first.',
    'The MFA of root is told by root-account-used; MFA of Identity Center users is kept elsewhere.',
  ],
};

const config = z.strictObject({
  replacedMinutes: z
    .int()
    .min(1)
    .max(720)
    .default(60)
    .describe(
      'A device registered so many minutes before or after takes the place of the old one.',
    ),
});
type Config = z.infer<typeof config>;

const kinds: Readonly<Record<string, string>> = {
  DeactivateMFADevice: 'removed',
  EnableMFADevice: 'registered',
  DeleteUser: 'gone',
  DeleteLoginProfile: 'gone',
};

export default folding<Config, Steps>({
  meta,
  on: [
    'iam.amazonaws.com:DeactivateMFADevice',
    'iam.amazonaws.com:EnableMFADevice',
    'iam.amazonaws.com:DeleteUser',
    'iam.amazonaws.com:DeleteLoginProfile',
    'signin.amazonaws.com:ConsoleLogin',
  ],
  config,
  state: stepsState({
    bucketMs: dayMs,
    lifetimeMs: 2 * dayMs,
    key(event) {
      if (event.name === 'ConsoleLogin') return loginKey(event);
      if (isByAws(event)) return 'AWS made the call';
      if (event.outcome === 'failure') return 'the call failed and changed nothing';
      if (event.outcome === 'denied' && event.name !== 'DeactivateMFADevice') return 'refused';
      const user = targetOf(event);
      if (user === undefined) return 'the record does not say whose device it is';
      if (event.identityType === 'Root' && /root/i.test(user)) return 'told by root-account-used';
      return { key: `${event.account}/${user}` };
    },
  }),
  isKnown: isPastCut,
  fold(event, state) {
    if (event.name === 'ConsoleLogin') return addStep(state, event, 'login');
    const user = targetOf(event) ?? '';
    const mfa = event.text('userIdentity.sessionContext.attributes.mfaAuthenticated');
    const kind = event.outcome === 'denied' ? 'refused' : (kinds[event.name] ?? 'other');
    return addStep(state, event, kind, {
      user,
      who: actorOf(event),
      by: isSelf(event, user) ? 'self' : 'another',
      passedMfa: mfa?.toLowerCase() === 'true' ? 'yes' : 'no',
      device: plain(event.text('requestParameters.serialNumber')),
    });
  },
  judge(buckets, settings) {
    const all = stepsOf(buckets);
    return all.flatMap((step) => {
      if (step.kind === 'refused') return [refused(step)];
      return step.kind === 'removed' ? [judgeRemoval(step, all, settings)] : [];
    });
  },
});

function loginKey(event: Event): { readonly key: string } | string {
  const login = userSignIn(event);
  if (typeof login === 'string') return login;
  if (!login.succeeded || login.mfa !== 'no') return 'not a login with a password alone';
  return login.user === undefined ? 'no name' : { key: `${event.account}/${login.user}` };
}

/** A call that names no user is about the caller's own. */
function targetOf(event: Event): string | undefined {
  const named = event.text('requestParameters.userName');
  if (named !== undefined) return plain(named);
  if (event.principal.kind === 'root') return 'root';
  return event.principal.kind === 'user' ? event.principal.name : undefined;
}

function refused(step: Step): JudgedSignal {
  const { who, user, by } = step.notes;
  return {
    ...stepSignal(step),
    severity: 'low',
    title: `${who} tried to remove the MFA device of ${by === 'self' ? 'themselves' : user} and was refused`,
    reason: `The call from ${step.proof.from} lacked the right, or a policy that asks for MFA refused it.`,
  };
}

interface Verdict {
  readonly severity: Severity;
  readonly because: string;
  readonly with: readonly Step[];
}

function judgeRemoval(step: Step, all: readonly Step[], settings: Config): JudgedSignal {
  const { who, user, by, device } = step.notes;
  const whose = by === 'self' ? 'their own MFA device' : `the MFA device of IAM user ${user}`;
  const verdict = verdictOf(step, all, settings);
  return {
    ...stepSignal(step, verdict.with),
    severity: verdict.severity,
    title: `${who} removed ${whose}`,
    reason: `${verdict.because} The call came from ${step.proof.from}.`,
    facts: { from: step.proof.from, target: user ?? '', device: device ?? '' },
  };
}

function verdictOf(step: Step, all: readonly Step[], settings: Config): Verdict {
  const withinMs = settings.replacedMinutes * minuteMs;
  const near = all.filter(({ proof }) => Math.abs(proof.time - step.proof.time) <= withinMs);
  const gone = after(step, near, withinMs).filter(({ kind }) => kind === 'gone');
  if (gone.length > 0) {
    return {
      severity: 'low',
      because: 'The user or its password was deleted soon after.',
      with: gone,
    };
  }
  const registered = near.filter(({ kind }) => kind === 'registered');
  const byOther = registered.filter(({ notes }) => notes['by'] !== 'self');
  if (byOther.length > 0) return replacedByOther(step, byOther);
  const isSafe = step.notes['by'] === 'another' || step.notes['passedMfa'] === 'yes';
  if (registered.length > 0) {
    const because = isSafe
      ? 'The user registered a device within the hour: a new phone looks like this.'
      : 'The user registered another device, but the session had not passed MFA: whoever holds the password or a key could have done it.';
    return { severity: isSafe ? 'low' : 'medium', because, with: registered };
  }
  const later = after(step, all, dayMs);
  const logins = later.filter(({ kind }) => kind === 'login');
  const isAgain = later.some(({ kind }) => kind === 'registered');
  if (logins.length > 0 && !isAgain) {
    const because = `No device was registered, and the user then signed in with a password alone from ${logins[0]?.proof.from}.`;
    return { severity: 'high', because, with: logins };
  }
  return {
    severity: isSafe ? 'medium' : 'high',
    because: isSafe
      ? 'No other device was registered within the hour: the password alone may now be enough.'
      : 'No other device was registered, and the session that removed it had not passed MFA itself.',
    with: [],
  };
}

function replacedByOther(step: Step, registered: readonly Step[]): Verdict {
  const who = registered[0]?.notes['who'];
  return {
    severity: 'high',
    because: `${who} registered another device for the user: it is in the hands of whoever did so, not of the user.`,
    with: registered.filter(({ proof }) => proof.id !== step.proof.id),
  };
}
