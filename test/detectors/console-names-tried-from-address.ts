// Cases of console-names-tried-from-address.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, type RawRecord, stranger, uuidOf } from '../support/records.ts';

function login(user: string, result = 'Failure', minute = 0, more: RawRecord = {}): RawRecord {
  const at = `2026-03-04T10:${String(minute).padStart(2, '0')}:00Z`;
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    at,
    id: uuidOf(user, result, at),
    by: { type: 'IAMUser', accountId: account, accessKeyId: '', userName: user },
    response: { ConsoleLogin: result },
    with: {
      eventType: 'AwsConsoleSignIn',
      additionalEventData: { MobileVersion: 'No', MFAUsed: 'No' },
      ...more,
    },
  });
}

const names = ['ann', 'ben', 'cat', 'dan', 'eve', 'fay'];
const spray = names.map((name, at) => login(name, 'Failure', at));
const hidden = 'HIDDEN_DUE_TO_SECURITY_REASONS';
// Modelled on aws-docs-examples a7654656-0417-45c6-9386-ea8231385051: CloudTrail hides the name.
const unknown = Array.from({ length: 10 }, (_, at) =>
  login(hidden, 'Failure', at, { errorMessage: 'No username found in supplied account' }),
);

export const cases: DetectorCases = {
  detector: 'console-names-tried-from-address',
  cases: [
    {
      name: 'fires medium when six users fail from one address within an hour',
      given: spray,
      expect: [
        {
          severity: 'medium',
          title: /^Address 203\.0\.113\.10: failed logins of 6 users within an hour$/,
          reason: /ann in 111122223333/,
        },
      ],
    },
    {
      name: 'fires high when one of them then got in',
      given: [...spray, login('eve', 'Success', 30)],
      expect: [{ severity: 'high', title: /and eve in 111122223333 got in$/ }],
    },
    {
      name: 'counts users across accounts',
      given: [
        ...spray.slice(0, 3),
        ...names.slice(0, 3).map((name) =>
          login(name, 'Failure', 9, {
            recipientAccountId: stranger,
            eventID: uuidOf('other', name),
          }),
        ),
      ],
      expect: [{ severity: 'medium', title: /failed logins of 6 users/ }],
    },
    {
      name: 'gives low where at least as many others sign in without trouble: an office',
      given: [...spray, ...names.map((name, at) => login(`colleague-${name}`, 'Success', at))],
      expect: [{ severity: 'low', reason: /may be the address of an office/ }],
    },
    {
      name: 'gives low to names that nobody has',
      given: unknown,
      expect: [{ severity: 'low', title: /10 failed logins with unknown names/ }],
    },
    {
      name: 'stays quiet on five users, on one user who fails often, and on few unknown names',
      given: [
        ...spray.slice(0, 5),
        ...Array.from({ length: 9 }, (_, at) => login('ann', 'Failure', 20 + at)),
        ...unknown.slice(0, 4),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when the failures come from different addresses, or from none',
      given: [
        ...names.map((name, at) =>
          login(name, 'Failure', at, { sourceIPAddress: `198.51.100.${at}` }),
        ),
        ...names.map((name, at) =>
          login(name, 'Failure', 30 + at, { sourceIPAddress: null, requestParameters: 7 }),
        ),
      ],
      expect: [],
    },
  ],
};
