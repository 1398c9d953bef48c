// Cases of console-passwords-guessed.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, iamUser, type RawRecord, rootUser, uuidOf } from '../support/records.ts';

const { accessKeyId: _key, ...bob } = iamUser('bob');
// A failed login names the user and neither ARN nor id.
const bobUnproven = { type: 'IAMUser', accountId: account, accessKeyId: '', userName: 'bob' };

function login(result: string, at: string, mfa = 'No', more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    at,
    id: uuidOf(result, at, mfa),
    by: result === 'Success' ? bob : bobUnproven,
    response: { ConsoleLogin: result },
    with: {
      eventType: 'AwsConsoleSignIn',
      additionalEventData: { MobileVersion: 'No', MFAUsed: mfa },
      ...(result === 'Failure' ? { errorMessage: 'Failed authentication' } : {}),
      ...more,
    },
  });
}

function failures(count: number, hour = '10', more: RawRecord = {}, mfa = 'No'): RawRecord[] {
  return Array.from({ length: count }, (_, at) =>
    login(
      'Failure',
      `2026-03-04T${hour}:0${Math.floor(at / 6)}:${(at % 6) * 10 || '00'}Z`,
      mfa,
      more,
    ),
  );
}

export const cases: DetectorCases = {
  detector: 'console-passwords-guessed',
  cases: [
    {
      // Modelled on aws-docs-examples 11ea990b-4678-4bcd-8fbe-62509088b7cf: a wrong password.
      name: 'fires when the passwords of a user were wrong ten times in a day',
      given: failures(10),
      expect: [
        {
          severity: 'medium',
          title: /^10 console logins of IAM user bob failed in one day$/,
          reason: /203\.0\.113\.10/,
        },
      ],
    },
    {
      name: 'stays quiet below the threshold, and when the user gets in after three tries',
      given: [...failures(3), login('Success', '2026-03-04T10:05:00Z')],
      expect: [],
    },
    {
      name: 'fires high when a login without MFA succeeds after five failures',
      given: [
        ...failures(5, '10', { sourceIPAddress: '198.51.100.7' }),
        login('Success', '2026-03-04T10:05:00Z', 'No', { sourceIPAddress: '198.51.100.8' }),
      ],
      expect: [
        {
          severity: 'high',
          title: /^IAM user bob signed in after 5 failed logins$/,
          reason: /came from 198\.51\.100\.7, the success from 198\.51\.100\.8/,
        },
      ],
    },
    {
      name: 'gives medium when the login after them passed MFA',
      given: [...failures(6), login('Success', '2026-03-04T10:05:00Z', 'Yes')],
      expect: [{ severity: 'medium', reason: /passed MFA/ }],
    },
    {
      name: 'puts failures before midnight and a success after it together',
      given: [
        ...failures(0),
        ...[1, 2, 3, 4, 5].map((at) => login('Failure', `2026-03-04T23:5${at}:00Z`)),
        login('Success', '2026-03-05T00:01:00Z'),
      ],
      expect: [{ severity: 'high' }],
    },
    {
      name: 'stays quiet when the success comes hours later, or before the failures',
      given: [
        ...failures(5),
        login('Success', '2026-03-04T14:05:00Z'),
        login('Success', '2026-03-04T09:05:00Z'),
      ],
      expect: [],
    },
    {
      name: 'leaves wrong MFA codes and failures of root to their detectors',
      given: [
        ...failures(10, '10', {}, 'Yes'),
        ...failures(10, '11', { userIdentity: rootUser() }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on names that nobody has, and on records that lack fields',
      given: [
        ...failures(12, '10', {
          userIdentity: { ...bobUnproven, userName: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
          errorMessage: 'No username found in supplied account',
        }),
        ...failures(12, '11', { responseElements: null }),
        ...failures(12, '12', { userIdentity: null }),
      ],
      expect: [],
    },
    {
      name: 'counts where the record does not say whether MFA was asked for',
      given: failures(10, '10', { additionalEventData: null }),
      expect: [{ severity: 'medium' }],
    },
  ],
};
