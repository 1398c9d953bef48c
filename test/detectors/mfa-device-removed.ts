// Cases of mfa-device-removed.
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

function console(name: string, mfa: string): RawRecord {
  const attributes = { creationDate: '2026-03-04T09:30:00Z', mfaAuthenticated: mfa };
  const by = iamUser(name);
  return { ...by, accessKeyId: 'ASIACONSOLEEXAMPLE01', sessionContext: { attributes } };
}
const bob = console('bob', 'true');
const admin = assumedRole('HelpDesk', 'alice');

function call(name: string, by: RawRecord, minute: number, user?: string): RawRecord {
  const at = `2026-03-04T10:${String(minute).padStart(2, '0')}:00Z`;
  const serialNumber = `arn:aws:iam::${account}:mfa/${user}`;
  const request = user === undefined ? { serialNumber } : { userName: user, serialNumber };
  return apiCall({ source: 'iam', name, by, at, request });
}

function passwordLogin(at: string): RawRecord {
  const { accessKeyId: _key, ...by } = iamUser('bob');
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    by,
    at,
    response: { ConsoleLogin: 'Success' },
    with: { eventType: 'AwsConsoleSignIn', additionalEventData: { MFAUsed: 'No' } },
  });
}
const removal = call('DeactivateMFADevice', admin, 0, 'bob');

export const cases: DetectorCases = {
  detector: 'mfa-device-removed',
  cases: [
    {
      name: 'fires medium when another removes the device and none takes its place',
      given: [removal],
      expect: [
        { severity: 'medium', title: /^Role HelpDesk removed the MFA device of IAM user bob$/ },
      ],
    },
    {
      // Modelled on elastic-aws-pipeline-2021 EXAMPLE-1889-416b-ace9-EXAMPLE: a user, in the console.
      name: 'gives medium to a user who removes their own device in a session with MFA',
      given: [call('DeactivateMFADevice', { ...bob, invokedBy: 'signin.amazonaws.com' }, 0, 'bob')],
      expect: [{ severity: 'medium', title: /^IAM user bob removed their own MFA device$/ }],
    },
    {
      name: 'fires high when the session that removed it had not passed MFA',
      given: [call('DeactivateMFADevice', iamUser('bob'), 0)],
      expect: [{ severity: 'high', reason: /had not passed MFA itself/ }],
    },
    {
      name: 'gives low to a new phone: removed and registered by the user within the hour',
      given: [
        call('DeactivateMFADevice', bob, 0, 'bob'),
        call('EnableMFADevice', console('bob', 'false'), 9, 'bob'),
      ],
      expect: [{ severity: 'low', reason: /a new phone looks like this/ }],
    },
    {
      name: 'gives low to a lost phone: the help desk removes, the user signs in and registers',
      given: [
        removal,
        passwordLogin('2026-03-04T10:10:00Z'),
        call('EnableMFADevice', console('bob', 'false'), 12, 'bob'),
      ],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'fires high when another puts a device in its place',
      given: [removal, call('EnableMFADevice', admin, 3, 'bob')],
      expect: [{ severity: 'high', reason: /^Role HelpDesk registered another device/ }],
    },
    {
      name: 'fires high when the user then signs in with a password alone, even on the next day',
      given: [removal, passwordLogin('2026-03-05T08:10:00Z')],
      expect: [{ severity: 'high', reason: /password alone from 203\.0\.113\.10/ }],
    },
    {
      name: 'gives low when the user is deleted soon after',
      given: [
        removal,
        call('DeleteLoginProfile', admin, 1, 'bob'),
        call('DeleteUser', admin, 2, 'bob'),
      ],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'gives low to a refused attempt',
      given: [
        apiCall({
          source: 'iam',
          name: 'DeactivateMFADevice',
          by: iamUser('mallory'),
          error: refusal(
            `arn:aws:iam::${account}:user/mallory`,
            'iam:DeactivateMFADevice',
            `arn:aws:iam::${account}:user/bob`,
          ),
        }),
      ],
      expect: [{ severity: 'low', title: /was refused$/ }],
    },
    {
      name: 'stays quiet on registrations, on root, on failures and on a deletion that names nobody',
      given: [
        call('EnableMFADevice', bob, 0, 'bob'),
        call('DeactivateMFADevice', rootUser(), 1, 'AWS ROOT USER'),
        { ...call('DeactivateMFADevice', admin, 2, 'bob'), errorCode: 'NoSuchEntityException' },
        { ...call('DeactivateMFADevice', admin, 3), requestParameters: null },
        passwordLogin('2026-03-04T11:10:00Z'),
      ],
      expect: [],
    },
  ],
};
