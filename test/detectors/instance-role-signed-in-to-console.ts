// Cases of instance-role-signed-in-to-console.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type RawRecord } from '../support/records.ts';

function signin(name: string, session: string, more: RawRecord = {}): RawRecord {
  const { accessKeyId: _key, ...by } = assumedRole('web', session);
  const result = { [name]: 'Success' };
  const sign = { eventType: 'AwsConsoleSignIn', userAgent: 'Python-urllib/3.12', ...more };
  return apiCall({ source: 'signin', name, by, response: result, with: sign });
}

export const cases: DetectorCases = {
  detector: 'instance-role-signed-in-to-console',
  cases: [
    {
      // Modelled on aws-docs-examples 654ccbc0-ba0d-486a-9076-dbf7274677a7: the sign-in of a role.
      name: 'fires high when the session of an instance signs in',
      given: [signin('ConsoleLogin', 'i-0123456789abcdef0')],
      expect: [
        { severity: 'high', title: /^Credentials of instance i-0123456789abcdef0 .* signed in/ },
      ],
    },
    {
      name: 'fires high when it gets a sign-in token',
      given: [signin('GetSigninToken', 'i-0123456789abcdef0')],
      expect: [{ severity: 'high', title: /got a console sign-in token$/ }],
    },
    {
      name: 'is medium where the sign-in failed',
      given: [
        signin('ConsoleLogin', 'i-0123456789abcdef0', {
          responseElements: { ConsoleLogin: 'Failure' },
          errorMessage: 'Failed authentication',
        }),
      ],
      expect: [{ severity: 'medium', title: /were refused to sign in/ }],
    },
    {
      name: 'stays quiet for people, whatever role they have',
      given: [signin('ConsoleLogin', 'bob@example.com'), signin('GetSigninToken', 'carol')],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        signin('GetSigninToken', 'i-0123456789abcdef0', { responseElements: null, userAgent: 5 }),
        signin('GetSigninToken', 'x', { userIdentity: null }),
      ],
      expect: [{ severity: 'high' }],
    },
  ],
};
