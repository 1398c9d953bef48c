// An MFA device was registered by somebody other than the user, or with an access key: a way to come back.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { actorOf, attack, cis, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'mfa-device-added-by-another',
  title: 'MFA device registered by another or by key',
  severity: 'medium',
  practice: 'mfa',
  what: 'An MFA device of an IAM user was registered or resynchronised by another principal; or by the user through the API, with a long-term key or a temporary token that had not passed MFA.',
  why: 'To register a device one must hold it: two of its codes are sent along. Whoever registers it for another can answer the MFA question in that user’s name, and with a key alone one gains what policies grant only with MFA.',
  innocent: [
    'An administrator hands out hardware tokens and registers them.',
    'A user registers a first device with the AWS CLI instead of the console.',
  ],
  firstSteps: [
    'Ask the user whether they hold the device named in the alert, over a channel outside of AWS.',
    'If not: remove it (aws iam deactivate-mfa-device, delete-virtual-mfa-device), change the password, deactivate the keys of user and caller, and revoke their sessions.',
    'Look for console logins and AssumeRole calls of the user with this device since.',
  ],
  attack: attack({
    'T1098.005': 'Account Manipulation: Device Registration',
    'T1556.006': 'Modify Authentication Process: Multi-Factor Authentication',
  }),
  cis: [...cis('3.0.0', '1.10'), ...cis('5.0.0', '1.9')],
  gaps: [
    'A user who registers their own device in the console is the rule, and so would be an intruder who holds the password of a user without MFA.',
    'CreateVirtualMFADevice is not judged: a device serves nothing before it is enabled for a user.',
    'Console sessions are known by their mark in the record; records before version 1.08 lack it, so that MFA decides.',
    'Devices of root are told by root-account-used.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: ['iam.amazonaws.com:EnableMFADevice', 'iam.amazonaws.com:ResyncMFADevice'],
  config,
  detect(event) {
    if (isByAws(event)) return 'AWS made the call';
    const user = targetOf(event);
    if (user === undefined) return 'the record does not say whose device it is';
    if (event.principal.kind === 'root' && /root/i.test(user)) return 'told by root-account-used';
    const isOwn = event.principal.kind === 'user' && event.principal.name === user;
    if (event.outcome !== 'success') return isOwn ? 'the call failed' : refused(event, user);
    return isOwn ? own(event) : anothers(event, user);
  },
});

/** A call that names no user is about the caller's own. */
function targetOf(event: Event): string | undefined {
  const named = event.text('requestParameters.userName');
  if (named !== undefined) return plain(named);
  if (event.principal.kind === 'root') return 'root';
  return event.principal.kind === 'user' ? event.principal.name : undefined;
}

function refused(event: Event, user: string) {
  if (event.outcome !== 'denied') return 'the call failed and changed nothing';
  return said(event, {
    severity: 'low',
    title: `${actorOf(event)} tried to register an MFA device for IAM user ${user} and was refused`,
    reason: `The call from ${originOf(event)} lacked the right.`,
    facts: { target: user },
  });
}

function own(event: Event) {
  if (event.name === 'ResyncMFADevice') return 'the user resynchronised their own device';
  if (isFromConsole(event)) return 'the user registered their own device in the console';
  const mfa = event.text('userIdentity.sessionContext.attributes.mfaAuthenticated');
  if (mfa?.toLowerCase() === 'true') return 'the session had passed MFA: a further device';
  const isByKey = event.accessKeyId.startsWith('AKIA');
  if (!isByKey && !event.accessKeyId.startsWith('ASIA'))
    return 'the record does not say by which key';
  const how = isByKey ? 'a long-term key' : 'a temporary token made without MFA';
  return said(event, {
    severity: 'medium',
    title: `${actorOf(event)} registered an MFA device with ${how}`,
    reason: `People do this in the console. Who stole ${isByKey ? 'the key' : 'the token'} gains what policies allow only with MFA, and can do it from ${originOf(event)}.`,
    facts: deviceOf(event),
  });
}

function isFromConsole(event: Event): boolean {
  const flag = event.field('sessionCredentialFromConsole');
  const isForwarded = event.invokedBy === 'signin.amazonaws.com';
  return flag === true || flag === 'true' || isForwarded;
}

function anothers(event: Event, user: string) {
  const isNew = event.name === 'EnableMFADevice';
  return said(event, {
    severity: isNew ? 'medium' : 'low',
    title: `${actorOf(event)} ${isNew ? 'registered an' : 'resynchronised the'} MFA device ${isNew ? 'for' : 'of'} IAM user ${user}`,
    reason: `Whoever does this has codes of the device: it is in the hands of the caller at ${originOf(event)}, not of the user.`,
    facts: { target: user, ...deviceOf(event) },
  });
}

function deviceOf(event: Event): Readonly<Record<string, string>> {
  const device = event.text('requestParameters.serialNumber');
  return device === undefined ? {} : { device: plain(device) };
}
