// Cases of mfa-device-added-by-another.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  rootUser,
} from '../support/records.ts';

function enable(by: RawRecord, user: string | undefined, more: RawRecord = {}): RawRecord {
  const serialNumber = `arn:aws:iam::${account}:mfa/${user}`;
  const request = user === undefined ? { serialNumber } : { userName: user, serialNumber };
  return apiCall({ source: 'iam', name: 'EnableMFADevice', by, request, with: more });
}
const token = {
  ...iamUser('bob'),
  accessKeyId: 'ASIATOKENEXAMPLE0001',
  sessionContext: {
    attributes: { creationDate: '2026-03-04T09:30:00Z', mfaAuthenticated: 'false' },
  },
};

export const cases: DetectorCases = {
  detector: 'mfa-device-added-by-another',
  cases: [
    {
      // Modelled on elastic-aws-pipeline-2021 EXAMPLE-3fdc-4b2a-9885-EXAMPLE: a user, for another.
      name: 'fires when a user registers a device for another',
      given: [enable(iamUser('alice'), 'bob')],
      expect: [
        { severity: 'medium', title: /^IAM user alice registered an MFA device for IAM user bob$/ },
      ],
    },
    {
      name: 'fires when a user registers a device with a long-term key, and names nobody',
      given: [enable(iamUser('bob'), undefined)],
      expect: [{ severity: 'medium', title: /with a long-term key$/ }],
    },
    {
      name: 'fires when it is done with a temporary token that had not passed MFA',
      given: [enable(token, 'bob')],
      expect: [{ severity: 'medium', title: /with a temporary token made without MFA$/ }],
    },
    {
      name: 'stays quiet when a user registers their own device in the console',
      given: [
        enable(token, 'bob', { sessionCredentialFromConsole: 'true' }),
        enable({ ...token, invokedBy: 'signin.amazonaws.com' }, 'bob'),
      ],
      expect: [],
    },
    {
      name: 'gives low to a resynchronisation for another and to a refused attempt',
      given: [
        enable(assumedRole('HelpDesk'), 'bob', { eventName: 'ResyncMFADevice' }),
        enable(iamUser('mallory'), 'bob', { errorCode: 'AccessDenied', errorMessage: 'x' }),
      ],
      expect: [
        { severity: 'low', title: /resynchronised the MFA device of IAM user bob/ },
        { severity: 'low', title: /was refused$/ },
      ],
    },
    {
      name: 'stays quiet on root, on failures, and where the record does not name a user',
      given: [
        enable(rootUser(), 'AWS ROOT USER'),
        enable(iamUser('alice'), 'bob', { errorCode: 'InvalidAuthenticationCodeException' }),
        enable(assumedRole('HelpDesk'), undefined, { requestParameters: null }),
        enable({ ...token, accessKeyId: undefined, sessionContext: 3 }, 'bob'),
      ],
      expect: [],
    },
  ],
};
