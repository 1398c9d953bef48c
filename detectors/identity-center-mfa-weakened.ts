// The MFA settings of IAM Identity Center were changed: who is asked for a second factor, and when.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { actorOf, attack, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'identity-center-mfa-weakened',
  title: 'MFA settings of Identity Center weakened',
  severity: 'high',
  practice: 'mfa',
  what: 'Somebody changed when IAM Identity Center asks for a second factor: never, or letting in users without a device, or who may manage devices. Where the record shows the new settings, the severity follows them.',
  why: 'These settings guard every account behind Identity Center at once. Switched off, a password opens all of them.',
  innocent: [
    'The first set-up of an instance.',
    'People sign in through another identity provider that asks for MFA itself; then these settings do not matter.',
    'A workshop account, where nobody has a device.',
  ],
  firstSteps: [
    'Ask the caller for the ticket. In the Identity Center console open Settings, Authentication, and set MFA back to every sign-in or to context-aware, without a device: blocked or register at sign-in.',
    'Look for sign-ins of users that showed only PASSWORD as CredentialType since.',
    'If nobody answers for it: revoke the sessions of the caller and look at permission sets and assignments it changed.',
  ],
  attack: attack({
    'T1556.006': 'Modify Authentication Process: Multi-Factor Authentication',
  }),
  cis: [],
  gaps: [
    'AWS documents no public API for these settings: the shapes are those the console sends, and may change.',
    'What the settings were before is not in the record.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'sso.amazonaws.com:UpdateSsoConfiguration',
    'sso.amazonaws.com:UpdateSSOConfiguration',
    'sso.amazonaws.com:PutMfaDeviceManagementForDirectory',
    'sso.amazonaws.com:UpdateMfaDeviceManagementForDirectory',
    'sso-directory.amazonaws.com:PutMfaDeviceManagementForDirectory',
    'sso-directory.amazonaws.com:UpdateMfaDeviceManagementForDirectory',
  ],
  config,
  detect(event) {
    if (isByAws(event)) return 'AWS made the call';
    if (event.outcome === 'failure') return 'the call failed and changed nothing';
    if (event.outcome === 'denied') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried to change the MFA settings of Identity Center and was refused`,
        reason: `${plain(event.name)} from ${originOf(event)} lacked the right.`,
      });
    }
    return event.name.includes('MfaDevice') ? devices(event) : settings(event);
  },
});

/** Who may add and remove devices: users themselves or administrators. */
function devices(event: Event) {
  return said(event, {
    severity: 'medium',
    title: `${actorOf(event)} changed who may manage MFA devices in Identity Center`,
    reason: `${plain(event.name)} from ${originOf(event)} decides whether users may add and remove their own devices.`,
  });
}

function settings(event: Event) {
  const mode = settingOf(event, 'mfaMode');
  const without =
    settingOf(event, 'noMfaSignInBehavior') ?? settingOf(event, 'noMfaSigninBehavior');
  const type = event.text('requestParameters.configurationType');
  if (mode === undefined && without === undefined) {
    if (type !== undefined && type !== 'APP_AUTHENTICATION_CONFIGURATION') {
      return `a change of ${plain(type)}, not of MFA`;
    }
    return said(event, {
      severity: 'medium',
      title: `${actorOf(event)} changed the settings of Identity Center`,
      reason: `The record of ${plain(event.name)} from ${originOf(event)} does not show the new settings: MFA may be among them.`,
    });
  }
  const shown = [mode && `mfaMode ${mode}`, without && `without a device ${without}`];
  const facts = { settings: shown.filter(Boolean).join(', ') };
  if (mode === 'DISABLED') {
    return said(event, {
      severity: 'high',
      title: `${actorOf(event)} switched off MFA in Identity Center`,
      reason: `mfaMode DISABLED, from ${originOf(event)}: nobody is asked for a second factor, in any account behind it.`,
      facts,
    });
  }
  if (without === 'ALLOWED') {
    return said(event, {
      severity: 'medium',
      title: `${actorOf(event)} lets users without an MFA device sign in to Identity Center`,
      reason: `Without a device: ALLOWED, from ${originOf(event)}. A password is enough for whoever never registered one.`,
      facts,
    });
  }
  return `MFA stays on: ${facts.settings}`;
}

/** The setting stands in an object of its own; where that is logged flat, beside the others. */
function settingOf(event: Event, name: string): string | undefined {
  const found =
    event.text(`requestParameters.ssoConfiguration.${name}`) ??
    event.text(`requestParameters.${name}`);
  return found === undefined ? undefined : plain(found).toUpperCase();
}
