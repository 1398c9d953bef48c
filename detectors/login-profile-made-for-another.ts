// Somebody set a console password of an IAM user: another's, or with an access key their own.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, cis, isByAws, isSelf, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'login-profile-made-for-another',
  title: 'Console password set for another user',
  severity: 'medium',
  practice: 'password-policy',
  what: 'Somebody created or changed the console password of an IAM user that is not their own; or the holder of an access key gave their own user a console password.',
  why: 'Whoever sets a password knows it. Without a forced change at the first login they can go on signing in as that user, with its rights and under its name.',
  innocent: [
    'The help desk resets a forgotten password; then the user must choose a new one at the login, which is shown as low.',
    'A new colleague is set up by an administrator or by Terraform, whose login profiles force no change unless told to.',
  ],
  firstSteps: [
    'Ask the caller for the ticket and the target user whether they asked for it, over a channel outside of AWS.',
    'Look for console logins of the target after this time, and compare their address with that of the caller.',
    'If nobody asked: delete the login profile (aws iam delete-login-profile), revoke sessions of the target, and disable the key or sessions of the caller.',
    'If it was meant: have the user choose a new password at the next login and register MFA.',
  ],
  attack: attack({
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [...cis('3.0.0', '1.21'), ...cis('5.0.0', '1.20')],
  gaps: [
    'Passwords of Identity Center users are set elsewhere and are not judged here.',
    'A forced change helps only the one who signs in first: whoever set the password may be that one.',
    'A password that root makes for itself is told by root-account-used.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: ['iam.amazonaws.com:CreateLoginProfile', 'iam.amazonaws.com:UpdateLoginProfile'],
  config,
  detect(event) {
    if (isByAws(event)) return 'AWS made the call';
    const target = event.text('requestParameters.userName') ?? namedInAnswer(event);
    if (event.outcome === 'failure') return 'the call failed and changed nothing';
    if (event.outcome === 'denied') return refused(event, target);
    if (target === undefined) {
      return event.identityType === 'Root'
        ? 'root set its own password, which root-account-used tells'
        : 'the record does not say whose password it is';
    }
    return isSelf(event, target) ? own(event, target) : anothers(event, target);
  },
});

function namedInAnswer(event: Event): string | undefined {
  return event.text('responseElements.loginProfile.userName');
}

function refused(event: Event, target: string | undefined) {
  const whose = target === undefined ? 'a user' : `IAM user ${plain(target)}`;
  return said(event, {
    severity: 'low',
    title: `${actorOf(event)} tried to set the console password of ${whose} and was refused`,
    reason: `The call from ${originOf(event)} lacked the right. Setting passwords of others is a common way to more rights.`,
    facts: target === undefined ? {} : { target: plain(target) },
  });
}

function own(event: Event, target: string) {
  if (event.name === 'UpdateLoginProfile') return 'the user changed their own password';
  const isByKey = event.accessKeyId.startsWith('AKIA');
  return said(event, {
    severity: isByKey ? 'medium' : 'low',
    title: `${actorOf(event)} gave their own user a console password`,
    reason: isByKey
      ? `The user had no console password; the call from ${originOf(event)} was signed with a long-term key. So a leaked key becomes a console login.`
      : `The user had no console password until this call from ${originOf(event)}.`,
    facts: { target: plain(target) },
  });
}

function anothers(event: Event, target: string) {
  const isForced =
    isTrue(event.field('requestParameters.passwordResetRequired')) ||
    isTrue(event.field('responseElements.loginProfile.passwordResetRequired'));
  const isNew = event.name === 'CreateLoginProfile';
  const how = isForced
    ? 'The user must choose a new one at the next login.'
    : 'No change is forced at the login, so the caller goes on knowing it.';
  const key =
    event.accessKeyId.startsWith('AKIA') && !isForced
      ? ' The call was signed with a long-term key.'
      : '';
  return said(event, {
    severity: severityOf(event, isForced, isNew),
    title: `${actorOf(event)} ${isNew ? 'made a console password for' : 'changed the console password of'} IAM user ${plain(target)}`,
    reason: `${how}${key} From ${originOf(event)}.`,
    facts: { target: plain(target), changeForced: isForced ? 'yes' : 'no' },
  });
}

/** A user that has a password already is taken over by a new one; a leaked key does it without console. */
function severityOf(event: Event, isForced: boolean, isNew: boolean): Severity {
  if (isForced) return 'low';
  const isByUserKey = event.identityType === 'IAMUser' && event.accessKeyId.startsWith('AKIA');
  return isByUserKey && !isNew ? 'high' : 'medium';
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
