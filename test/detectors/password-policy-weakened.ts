// Cases of password-policy-weakened.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  refusal,
} from '../support/records.ts';

const strong = {
  minimumPasswordLength: 14,
  passwordReusePrevention: 24,
  requireSymbols: true,
  requireNumbers: true,
  requireUppercaseCharacters: true,
  requireLowercaseCharacters: true,
  allowUsersToChangePassword: true,
};
const terraform = assumedRole('Deploy', 'terraform');

function set(at: string, request: unknown, by: RawRecord = terraform): RawRecord {
  return apiCall({ source: 'iam', name: 'UpdateAccountPasswordPolicy', by, request, at });
}
function remove(at: string, more: RawRecord = {}): RawRecord {
  const name = 'DeleteAccountPasswordPolicy';
  return apiCall({ source: 'iam', name, by: terraform, at, with: more });
}
const first = set('2026-01-04T10:00:00Z', strong);

export const cases: DetectorCases = {
  detector: 'password-policy-weakened',
  cases: [
    {
      name: 'fires medium when the policy asks for less than it did two months ago',
      given: [
        first,
        set('2026-03-04T10:00:00Z', {
          ...strong,
          minimumPasswordLength: 10,
          passwordReusePrevention: 5,
          requireSymbols: false,
        }),
      ],
      expect: [
        {
          severity: 'medium',
          title: /^Role Deploy weakened the password policy of account 111122223333$/,
          reason:
            /length 10 instead of 14; old passwords remembered 5 instead of 24; no longer asks for: symbol/,
        },
      ],
    },
    {
      name: 'fires high when parameters left out fall back to the default of six characters',
      given: [first, set('2026-03-04T10:00:00Z', { requireSymbols: true })],
      expect: [{ severity: 'high', reason: /length 6 instead of 14/ }],
    },
    {
      name: 'fires medium when the policy is deleted',
      given: [remove('2026-03-04T10:00:00Z')],
      expect: [{ severity: 'medium', title: /deleted the password policy/ }],
    },
    {
      name: 'gives low to a replacement: deleted and set as strong again within minutes',
      given: [first, remove('2026-03-04T10:00:00Z'), set('2026-03-04T10:00:04Z', strong)],
      expect: [{ severity: 'low', reason: /a replacement/ }],
    },
    {
      // Modelled on elastic-aws-pipeline-2021 EXAMPLE-91f9-49f3-948c-EXAMPLE: twelve characters.
      name: 'gives low to a policy below CIS where nothing earlier is known',
      given: [
        set(
          '2026-03-04T10:00:00Z',
          {
            requireLowercaseCharacters: true,
            requireSymbols: true,
            requireNumbers: true,
            minimumPasswordLength: 12,
            requireUppercaseCharacters: true,
            allowUsersToChangePassword: true,
          },
          { ...iamUser('alice'), invokedBy: 'signin.amazonaws.com' },
        ),
      ],
      expect: [
        { severity: 'low', reason: /length 12, not 14; 0 old passwords remembered, not 24/ },
      ],
    },
    {
      name: 'stays quiet on a strong policy, the same again, and a stronger one that is not yet CIS',
      given: [
        first,
        set('2026-03-04T10:00:00Z', strong),
        set('2026-03-05T10:00:00Z', { ...strong, minimumPasswordLength: 20 }),
      ],
      expect: [],
    },
    {
      name: 'gives low to a refused attempt',
      given: [
        apiCall({
          source: 'iam',
          name: 'DeleteAccountPasswordPolicy',
          by: iamUser('mallory'),
          error: refusal(
            `arn:aws:iam::${account}:user/mallory`,
            'iam:DeleteAccountPasswordPolicy',
            `account:${account}`,
          ),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to delete the password policy .* refused$/ }],
    },
    {
      name: 'stays quiet when the call failed and when the request is missing',
      given: [
        remove('2026-03-04T10:00:00Z', { errorCode: 'NoSuchEntityException' }),
        set('2026-03-04T10:00:00Z', null),
      ],
      expect: [],
    },
    {
      name: 'takes values of other types for left out',
      given: [set('2026-03-04T10:00:00Z', { minimumPasswordLength: {}, requireSymbols: 'TRUE' })],
      expect: [{ severity: 'medium', reason: /length 6, not 14/ }],
    },
  ],
};
