// Cases of quarantined-key-still-used.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const owner = iamUser('ci');
const policyArn = 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3';

function change(name: string, at: string, request: RawRecord, by = assumedRole('deploy')) {
  return apiCall({ source: 'iam', name, at, request, by });
}

// No set holds a record of a quarantine. Who AWS signs it as is assumed; the detector does not ask.
const quarantine = apiCall({
  source: 'iam',
  name: 'AttachUserPolicy',
  at: '2026-03-04T10:00:00Z',
  by: { type: 'AWSService', invokedBy: 'iam.amazonaws.com' },
  request: { userName: 'ci', policyArn },
});

function used(at: string, more: RawRecord = {}): RawRecord {
  return apiCall({ source: 's3', name: 'ListBuckets', at, by: owner, with: more });
}

export const cases: DetectorCases = {
  detector: 'quarantined-key-still-used',
  cases: [
    {
      // The use is modelled on maheribra-attack-chain-2026 b32cd50d-a1fb-4238-970d-0bc70a35864d.
      name: 'fires high when a stranger tries the leaked key hours later',
      given: [
        quarantine,
        {
          eventVersion: '1.11',
          userIdentity: owner,
          eventTime: '2026-03-04T19:15:20Z',
          eventSource: 'sts.amazonaws.com',
          eventName: 'GetCallerIdentity',
          awsRegion: 'eu-west-1',
          sourceIPAddress: '203.0.113.74',
          userAgent: 'aws-cli/2.31.3 ua/2.1 os/windows#11 md/command#sts.get-caller-identity',
          requestParameters: null,
          responseElements: null,
          requestID: 'd5a1c0de-0b7e-4c6a-9d8e-1a2b3c4d5e6f',
          eventID: 'c1d2e3f4-a5b6-4c7d-8e9f-0a1b2c3d4e5f',
          readOnly: true,
          eventType: 'AwsApiCall',
          managementEvent: true,
          recipientAccountId: '111122223333',
          eventCategory: 'Management',
        },
      ],
      expect: [{ severity: 'high', reason: /sts:GetCallerIdentity from 203\.0\.113\.74/ }],
    },
    {
      name: 'fires high for each day on which the key is still used',
      given: [
        used('2026-03-04T09:00:00Z'),
        quarantine,
        used('2026-03-04T14:10:00Z'),
        used('2026-03-04T14:40:00Z', { sourceIPAddress: '203.0.113.50' }),
        used('2026-03-06T14:40:00Z'),
      ],
      expect: [
        { severity: 'high', title: /quarantined user ci was still used on 2026-03-04$/ },
        { severity: 'high', title: /2026-03-06$/, reason: /s3:ListBuckets from 203\.0\.113\.10/ },
      ],
    },
    {
      name: 'knows the older inline policy too',
      given: [
        change('PutUserPolicy', '2026-03-04T10:00:00Z', {
          userName: 'ci',
          policyName: 'AWSExposedCredentialPolicy_DO_NOT_REMOVE',
          policyDocument: '{}',
        }),
        used('2026-03-05T10:00:00Z'),
      ],
      expect: [{ severity: 'high' }],
    },
    {
      name: 'fires high when a key of the user is set to active again',
      given: [
        quarantine,
        change('UpdateAccessKey', '2026-03-05T10:00:00Z', {
          userName: 'ci',
          accessKeyId: 'AKIALEAKEDEXAMPLE001',
          status: 'Active',
        }),
      ],
      expect: [
        { severity: 'high', title: /AKIALEAKED.* was set to active again/, reason: /deploy/ },
      ],
    },
    {
      name: 'stays quiet within the hour, and after the policy was detached',
      given: [
        quarantine,
        used('2026-03-04T10:30:00Z'),
        change('DetachUserPolicy', '2026-03-04T11:00:00Z', { userName: 'ci', policyArn }),
        used('2026-03-05T10:00:00Z'),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on other users, other policies, and a quarantine that failed',
      given: [
        quarantine,
        apiCall({
          source: 's3',
          name: 'ListBuckets',
          at: '2026-03-05T10:00:00Z',
          by: iamUser('x'),
        }),
        change('AttachUserPolicy', '2026-03-04T10:00:00Z', {
          userName: 'x',
          policyArn: 'arn:aws:iam::111122223333:policy/AWSCompromisedKeyQuarantineV3',
        }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        quarantine,
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'AttachUserPolicy',
          eventTime: '2026-03-05T10:00:00Z',
          requestParameters: null,
          userIdentity: { accessKeyId: 'AKIANOBODYEXAMPLE001' },
        },
      ],
      expect: [],
    },
  ],
};
