// Cases of login-profile-made-for-another.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  refusal,
  rootUser,
} from '../support/records.ts';

function set(name: string, request: unknown, more: RawRecord = {}, by = iamUser('mallory')) {
  return apiCall({ source: 'iam', name, by, request, with: more });
}
const session = { ...iamUser('mallory'), accessKeyId: 'ASIASESSIONEXAMPLE01' };

export const cases: DetectorCases = {
  detector: 'login-profile-made-for-another',
  cases: [
    {
      // Modelled on stratus-detonations-2024 a46a1a42-9ef1-48d4-9c61-507eb6d4019f: only the name is sent.
      name: 'fires high when a key changes the password of another user and forces no change',
      given: [set('UpdateLoginProfile', { userName: 'victim' })],
      expect: [
        {
          severity: 'high',
          title: /^IAM user mallory changed the console password of IAM user victim$/,
          reason: /No change is forced/,
        },
      ],
    },
    {
      name: 'fires medium when a role does it',
      given: [set('UpdateLoginProfile', { userName: 'victim' }, {}, assumedRole('Admin'))],
      expect: [{ severity: 'medium', title: /^Role Admin changed/ }],
    },
    {
      name: 'gives low to an onboarding that forces a new password',
      given: [
        set('CreateLoginProfile', { userName: 'new', passwordResetRequired: true }),
        set('UpdateLoginProfile', { userName: 'new', passwordResetRequired: true }, {}, session),
      ],
      expect: [{ severity: 'low' }, { severity: 'low' }],
    },
    {
      name: 'gives medium to a first password that need not be changed',
      given: [set('CreateLoginProfile', { userName: 'new', passwordResetRequired: false })],
      expect: [{ severity: 'medium', title: /made a console password for IAM user new/ }],
    },
    {
      name: 'fires when the holder of a key gives their own user a console password',
      given: [set('CreateLoginProfile', { userName: 'mallory' })],
      expect: [{ severity: 'medium', reason: /leaked key becomes a console login/ }],
    },
    {
      name: 'stays quiet when a user changes their own password',
      given: [set('UpdateLoginProfile', { userName: 'mallory' }, {}, session)],
      expect: [],
    },
    {
      name: 'gives low to a refused attempt, whose request may be missing',
      given: [
        apiCall({
          source: 'iam',
          name: 'UpdateLoginProfile',
          by: iamUser('mallory'),
          error: refusal(
            `arn:aws:iam::${account}:user/mallory`,
            'iam:UpdateLoginProfile',
            `arn:aws:iam::${account}:user/victim`,
          ),
        }),
      ],
      expect: [{ severity: 'low', title: /of a user and was refused/ }],
    },
    {
      name: 'stays quiet when the call failed, when root sets its own, and when nobody is named',
      given: [
        set('CreateLoginProfile', { userName: 'x' }, { errorCode: 'EntityAlreadyExistsException' }),
        set('CreateLoginProfile', null, {}, rootUser()),
        set('UpdateLoginProfile', { userName: 7, passwordResetRequired: 'maybe' }),
      ],
      expect: [],
    },
  ],
};
