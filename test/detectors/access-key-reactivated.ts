// Cases of access-key-reactivated.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, awsService, iamUser, type RawRecord } from '../support/records.ts';

const accessKeyId = 'AKIAOLDKEYEXAMPLE001';

function set(status: string, by: RawRecord, userName = 'bob', more: RawRecord = {}): RawRecord {
  const request = { status, accessKeyId, userName };
  return apiCall({ source: 'iam', name: 'UpdateAccessKey', by, request, with: more });
}

export const cases: DetectorCases = {
  detector: 'access-key-reactivated',
  cases: [
    {
      // Modelled on elastic-aws-pipeline-2021 EXAMPLE-0ef0-42cd-8551-EXAMPLE, with the other status.
      name: 'fires medium when a person switches on the key of another in the console',
      given: [
        {
          eventVersion: '1.05',
          userIdentity: {
            ...iamUser('alice'),
            accessKeyId: 'ASIAALICECONSOLEEXAM',
            sessionContext: {
              attributes: { mfaAuthenticated: 'true', creationDate: '2026-03-04T14:38:30Z' },
            },
          },
          eventTime: '2026-03-04T15:01:23Z',
          eventSource: 'iam.amazonaws.com',
          eventName: 'UpdateAccessKey',
          awsRegion: 'us-east-1',
          sourceIPAddress: '192.0.2.10',
          userAgent: 'console.amazonaws.com',
          requestParameters: { status: 'Active', accessKeyId, userName: 'bob' },
          responseElements: null,
          requestID: '7d0c45f4-0b2a-4f7e-9a1b-2c3d4e5f6a7b',
          eventID: '0ef042cd-8551-4a2b-8c3d-4e5f6a7b8c9d',
          eventType: 'AwsApiCall',
          recipientAccountId: '111122223333',
        },
      ],
      expect: [
        { severity: 'medium', title: /alice switched access key AKIAOLD\w+ \(of IAM user bob\)/ },
      ],
    },
    {
      name: 'fires medium when it was signed with a long-term key, high from an instance',
      given: [
        set('Active', iamUser('eve')),
        set('Active', assumedRole('web', 'i-0123456789abcdef0')),
      ],
      expect: [{ severity: 'medium', reason: /long-term key AKIA/ }, { severity: 'high' }],
    },
    {
      name: 'is low for the own key and for a pipeline',
      given: [set('Active', iamUser('bob')), set('Active', assumedRole('deploy'))],
      expect: [{ severity: 'low', title: /its own/ }, { severity: 'low' }],
    },
    {
      name: 'stays quiet on a key switched off, a refusal, and AWS',
      given: [
        set('Inactive', iamUser('alice')),
        set('Active', iamUser('alice'), 'x', { errorCode: 'AccessDenied' }),
        set('Active', awsService('iam')),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'UpdateAccessKey',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: null,
        },
      ],
      expect: [],
    },
  ],
};
