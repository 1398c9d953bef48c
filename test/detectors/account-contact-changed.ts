// Cases of account-contact-changed. No set of records has these calls: the shape follows the API's.
import type { DetectorCases } from '../support/cases.ts';
import {
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  rootUser,
  stranger,
} from '../support/records.ts';

const sso = assumedRole('AWSReservedSSO_Administrator_0123456789abcdef', 'bob@example.com');
const hidden = 'HIDDEN_DUE_TO_SECURITY_REASONS';

function call(name: string, by: RawRecord, request: unknown, more: RawRecord = {}): RawRecord {
  return apiCall({ source: 'account', name, by, request, with: more });
}

function contact(alternateContactType: string): RawRecord {
  return { alternateContactType, emailAddress: hidden, name: hidden, phoneNumber: hidden };
}

export const cases: DetectorCases = {
  detector: 'account-contact-changed',
  cases: [
    {
      name: 'fires high when the root e-mail address of a member was changed',
      given: [
        {
          eventVersion: '1.11',
          userIdentity: sso,
          eventTime: '2026-03-04T10:00:00Z',
          eventSource: 'account.amazonaws.com',
          eventName: 'AcceptPrimaryEmailUpdate',
          awsRegion: 'us-east-1',
          sourceIPAddress: '192.0.2.10',
          userAgent: 'aws-cli/2.31.3',
          requestParameters: { accountId: stranger, primaryEmail: hidden, otp: hidden },
          responseElements: { status: 'ACCEPTED' },
          requestID: '0d5a1c0d-e0b7-4ec6-a9d8-e1a2b3c4d5e7',
          eventID: '4c1d2e3f-4a5b-46c7-8d8e-9f0a1b2c3d4e',
          readOnly: false,
          eventType: 'AwsApiCall',
          managementEvent: true,
          recipientAccountId: '111122223333',
          eventCategory: 'Management',
        },
      ],
      expect: [
        { severity: 'high', title: /changed the root e-mail address of account 444455556666$/ },
      ],
    },
    {
      name: 'fires medium when a change of it begins, or a person removes the security contact',
      given: [
        call('StartPrimaryEmailUpdate', sso, { accountId: stranger }),
        call('DeleteAlternateContact', sso, { alternateContactType: 'SECURITY' }),
      ],
      expect: [
        { severity: 'medium', title: /began to change/ },
        { severity: 'medium', title: /removed the security contact of account 111122223333$/ },
      ],
    },
    {
      name: 'fires medium when a long-term key sets the security or the primary contact',
      given: [
        call('PutAlternateContact', iamUser('eve'), contact('SECURITY')),
        call('PutContactInformation', iamUser('eve'), null),
      ],
      expect: [{ severity: 'medium' }, { severity: 'medium', title: /primary contact/ }],
    },
    {
      name: 'is low for Terraform that sets contacts, and for a refusal',
      given: [
        call('PutAlternateContact', assumedRole('deploy'), contact('SECURITY')),
        call('DeleteAlternateContact', assumedRole('deploy'), { alternateContactType: 'SECURITY' }),
        call('PutContactInformation', sso, null, { errorCode: 'AccessDeniedException' }),
      ],
      expect: [
        { severity: 'low', title: /tried to change the primary contact .* and was refused$/ },
        { severity: 'low', title: /set the security contact/ },
        { severity: 'low', title: /removed the security contact/ },
      ],
    },
    {
      name: 'stays quiet on root, which another tells, and on a failure',
      given: [
        call('PutContactInformation', rootUser(), null),
        call('PutContactInformation', sso, null, { errorCode: 'ValidationException' }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'account.amazonaws.com',
          eventName: 'PutAlternateContact',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: [],
        },
      ],
      expect: [{ severity: 'low', title: /^Somebody set the alternate contact/ }],
    },
  ],
};
