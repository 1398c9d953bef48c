// Cases of mfa-challenge-failed-repeatedly.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, iamUser, type RawRecord, rootUser, uuidOf } from '../support/records.ts';

const { accessKeyId: _key, ...bob } = iamUser('bob');
const unproven = { type: 'IAMUser', accountId: account, accessKeyId: '', userName: 'bob' };

// Modelled on aws-docs-examples d38ce1b3-4575-4cb8-a632-611b8243bfc3: the code was wrong.
function login(result: string, minute: number, more: RawRecord = {}, mfa = 'Yes'): RawRecord {
  const at = `2026-03-04T10:${String(minute).padStart(2, '0')}:00Z`;
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    at,
    id: uuidOf(result, at, JSON.stringify(more)),
    by: result === 'Success' ? bob : unproven,
    response: { ConsoleLogin: result },
    with: {
      eventType: 'AwsConsoleSignIn',
      additionalEventData: { MobileVersion: 'No', MFAUsed: mfa },
      ...(result === 'Failure' ? { errorMessage: 'Failed authentication' } : {}),
      ...more,
    },
  });
}
function wrong(count: number, more: RawRecord = {}, mfa = 'Yes'): RawRecord[] {
  return Array.from({ length: count }, (_, at) => login('Failure', at, more, mfa));
}
const elsewhere = { sourceIPAddress: '198.51.100.7' };

export const cases: DetectorCases = {
  detector: 'mfa-challenge-failed-repeatedly',
  cases: [
    {
      name: 'fires medium when the password was right three times and the code wrong',
      given: wrong(3),
      expect: [{ severity: 'medium', title: /^IAM user bob failed 3 times at MFA in one day$/ }],
    },
    {
      name: 'fires high when the user signs in from another address that day',
      given: [...wrong(3, elsewhere), login('Success', 40)],
      expect: [{ severity: 'high', reason: /signed in from 203\.0\.113\.10/ }],
    },
    {
      name: 'gives low when a login from the same address succeeds: a wrong clock',
      given: [...wrong(4), login('Success', 9)],
      expect: [{ severity: 'low', title: /then a login succeeded$/ }],
    },
    {
      name: 'fires high when a login succeeds after ten wrong codes',
      given: [...wrong(10), login('Success', 12)],
      expect: [{ severity: 'high', title: /failed 10 times .* then a login succeeded$/ }],
    },
    {
      name: 'stays quiet on two wrong codes and on wrong passwords',
      given: [...wrong(2), login('Success', 5), ...wrong(6, elsewhere, 'No')],
      expect: [],
    },
    {
      name: 'stays quiet on root and on records that lack fields',
      given: [
        ...wrong(5, { userIdentity: rootUser() }),
        ...wrong(5, { additionalEventData: null }),
        ...wrong(5, { responseElements: 'x' }),
      ],
      expect: [],
    },
  ],
};
