// Cases of region-opened.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, awsService, refusal, stranger } from '../support/records.ts';

export const cases: DetectorCases = {
  detector: 'region-opened',
  cases: [
    {
      // Modelled on the EnableRegion record in panther's tests of AWS.CloudTrail.EnableRegion.
      name: 'fires when a region is enabled',
      given: [
        {
          eventVersion: '1.09',
          userIdentity: {
            type: 'IAMUser',
            principalId: 'AIDAEXAMPLEEXAMPLE000',
            arn: `arn:aws:iam::${account}:user/carol`,
            accountId: account,
            accessKeyId: 'ASIAEXAMPLEEXAMPLE00',
            userName: 'carol',
          },
          eventTime: '2026-03-04T10:00:00Z',
          eventSource: 'account.amazonaws.com',
          eventName: 'EnableRegion',
          awsRegion: 'us-east-1',
          sourceIPAddress: '198.51.100.7',
          userAgent: 'AWS Internal',
          requestParameters: { regionName: 'af-south-1' },
          responseElements: null,
          requestID: '0f0e0d0c-0000-4000-8000-000000000001',
          eventID: '0f0e0d0c-0000-4000-8000-000000000002',
          readOnly: false,
          eventType: 'AwsApiCall',
          managementEvent: true,
          recipientAccountId: account,
          eventCategory: 'Management',
        },
      ],
      expect: [{ severity: 'medium', title: /^IAM user carol enabled the region af-south-1$/ }],
    },
    {
      name: 'names the member account it was done for',
      given: [
        apiCall({
          source: 'account',
          name: 'DisableRegion',
          request: { RegionName: 'me-south-1', AccountId: stranger },
        }),
      ],
      expect: [{ severity: 'low', title: /region me-south-1 for account 444455556666/ }],
    },
    {
      name: 'tells a refused attempt as low',
      given: [
        apiCall({
          source: 'account',
          name: 'EnableRegion',
          request: { regionName: 'af-south-1' },
          error: refusal('alice', 'account:EnableRegion', '*'),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to enable the region af-south-1/ }],
    },
    {
      name: 'fires when the record does not name the region',
      given: [apiCall({ source: 'account', name: 'EnableRegion' })],
      expect: [{ severity: 'medium', title: /enabled the region$/ }],
    },
    {
      name: 'stays quiet when AWS does it, and when somebody looks',
      given: [
        apiCall({ source: 'account', name: 'EnableRegion', by: awsService('account') }),
        apiCall({ source: 'account', name: 'ListRegions' }),
      ],
      expect: [],
    },
  ],
};
