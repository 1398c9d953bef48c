// Cases of password-set-then-login-from-same-address.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const mallory = iamUser('mallory');
const { accessKeyId: _key, ...victim } = iamUser('victim');

// Modelled on stratus-detonations-2024 a46a1a42-9ef1-48d4-9c61-507eb6d4019f, and the login after it.
function set(name = 'UpdateLoginProfile', request: RawRecord = {}, by: RawRecord = mallory) {
  const at = '2026-03-04T10:00:00Z';
  return apiCall({ source: 'iam', name, by, at, request: { userName: 'victim', ...request } });
}
function login(at = '2026-03-04T10:07:00Z', more: RawRecord = {}, mfa = 'No'): RawRecord {
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    by: victim,
    at,
    response: { ConsoleLogin: 'Success' },
    with: { eventType: 'AwsConsoleSignIn', additionalEventData: { MFAUsed: mfa }, ...more },
  });
}
const made = apiCall({
  source: 'iam',
  name: 'CreateUser',
  by: mallory,
  at: '2026-03-04T09:59:00Z',
  request: { userName: 'victim' },
});

export const cases: DetectorCases = {
  detector: 'password-set-then-login-from-same-address',
  cases: [
    {
      name: 'fires high when a user that existed is taken over',
      given: [set(), login()],
      expect: [
        {
          severity: 'high',
          title: /^IAM user mallory set the password of IAM user victim, then a login/,
          reason: /after 7 minutes from 203\.0\.113\.10/,
        },
      ],
    },
    {
      name: 'fires for a role, and when the login comes the next morning',
      given: [set('CreateLoginProfile', {}, assumedRole('Admin')), login('2026-03-05T08:00:00Z')],
      expect: [{ severity: 'high', title: /^Role Admin/ }],
    },
    {
      name: 'gives medium to a new user without a forced change, and to a login that passed MFA',
      given: [made, set('CreateLoginProfile'), login()],
      expect: [{ severity: 'medium', reason: /The user itself was new/ }],
    },
    {
      name: 'gives medium when the login passed MFA',
      given: [set(), login('2026-03-04T10:07:00Z', {}, 'Yes')],
      expect: [{ severity: 'medium', reason: /passed MFA/ }],
    },
    {
      name: 'gives low to an onboarding in one office',
      given: [made, set('CreateLoginProfile', { passwordResetRequired: true }), login()],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet when the login comes from elsewhere, before the change, or days later',
      given: [
        set(),
        login('2026-03-04T10:08:00Z', { sourceIPAddress: '198.51.100.9' }),
        login('2026-03-04T09:00:00Z'),
        login('2026-03-06T10:00:00Z'),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when users set their own, when the login fails, and when names are missing',
      given: [
        set('UpdateLoginProfile', {}, iamUser('victim')),
        set('UpdateLoginProfile', { userName: null }),
        login('2026-03-04T10:09:00Z', { responseElements: { ConsoleLogin: 'Failure' } }),
        login(),
      ],
      expect: [],
    },
  ],
};
