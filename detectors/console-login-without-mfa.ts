// A person signed in to the console with a password alone.
import { z } from 'zod';
import { type DetectorMeta, signalFrom, stateless } from '../src/core/detector.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'console-login-without-mfa',
  title: 'Console login without MFA',
  severity: 'medium',
  practice: 'mfa',
  what: 'An IAM user or the root user signed in to the AWS console with a password and no second factor.',
  why: 'Whoever learns the password owns the session: nothing else stood in the way. For root it is the whole account.',
  innocent: [
    'A new user on the first day, before a device was registered.',
    'A break-glass user that is kept without MFA on purpose: give it an exception with an owner.',
  ],
  firstSteps: [
    'Ask the user whether it was them, over a channel that does not depend on AWS; compare address and time.',
    'If not: delete the login profile (or reset the root password), end sessions with a deny on older tokens, and read what the session did from the timeline on.',
    'If yes: have an MFA device registered today and refuse calls without MFA by policy.',
  ],
  attack: [{ version: '18.1', technique: 'T1078.004', name: 'Valid Accounts: Cloud Accounts' }],
  cis: [
    { framework: 'CIS AWS Foundations', version: '3.0.0', control: '4.2' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '4.2' },
  ],
  gaps: [
    'For SAML and Identity Center the second factor is asked by the identity provider; CloudTrail cannot see it.',
    'A record that does not say whether MFA was used is not judged.',
  ],
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: ['signin.amazonaws.com:ConsoleLogin'],
  config,
  detect(event) {
    if (event.outcome !== 'success' || event.text('responseElements.ConsoleLogin') !== 'Success') {
      return 'the login did not succeed';
    }
    const type = event.identityType;
    if (type !== 'IAMUser' && type !== 'Root') {
      return `a ${type || 'nameless'} session: the second factor, if any, was asked before AWS saw it`;
    }
    if (event.field('additionalEventData.SamlProviderArn') !== undefined) {
      return 'a SAML login: the identity provider asks for the second factor';
    }
    if (
      event.text('userIdentity.sessionContext.attributes.mfaAuthenticated')?.toLowerCase() ===
      'true'
    ) {
      return 'the session it was made from had passed MFA';
    }
    const used = event.text('additionalEventData.MFAUsed');
    if (used === undefined) return 'the record does not say whether MFA was used';
    if (used.toLowerCase() !== 'no') return `MFAUsed is ${plain(used)}`;
    const isRoot = type === 'Root';
    const who = isRoot
      ? `Root of account ${plain(event.account)}`
      : `IAM user ${plain(event.principal.name)}`;
    const from = plain(event.origin.text) || 'an unknown address';
    return {
      ...signalFrom(event),
      severity: isRoot ? 'critical' : 'medium',
      title: `${who} signed in to the console without MFA`,
      reason: `The login from ${from} succeeded with a password alone (MFAUsed "No").${
        isRoot ? ' Root can do everything in the account and no policy limits it.' : ''
      }`,
      facts: { from, userAgent: plain(event.userAgent), mfaUsed: plain(used) },
    };
  },
});
