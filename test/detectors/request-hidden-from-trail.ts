// Cases of request-hidden-from-trail.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  allow,
  apiCall,
  assumedRole,
  document,
  serviceLinkedRole,
} from '../support/records.ts';

const omitted = {
  reason: 'requestParameters too large',
  omitted: 'true',
  originalSize: '149893',
};

export const cases: DetectorCases = {
  detector: 'request-hidden-from-trail',
  cases: [
    {
      name: 'fires when the whole request of a change was left out',
      given: [
        apiCall({
          source: 'iam',
          name: 'PutRolePolicy',
          by: assumedRole('dev'),
          request: omitted,
        }),
      ],
      expect: [
        {
          severity: 'medium',
          title: /^Role dev made iam:PutRolePolicy with a request too large/,
          reason: /149893 bytes/,
        },
      ],
    },
    {
      name: 'fires when one parameter was left out',
      given: [
        apiCall({
          source: 'organizations',
          name: 'UpdatePolicy',
          request: { policyId: 'p-examplepolicyid', content: { omitted: true } },
        }),
      ],
      expect: [{ severity: 'medium', reason: /left content of organizations:UpdatePolicy/ }],
    },
    {
      name: 'tells a refused one as low',
      given: [
        apiCall({
          source: 'iam',
          name: 'CreatePolicy',
          request: omitted,
          error: ['AccessDenied', 'no'],
        }),
      ],
      expect: [{ severity: 'low', title: /tried iam:CreatePolicy/ }],
    },
    {
      // Modelled on traildiscover-events: the request is null, as denied calls often have it.
      name: 'stays quiet on a request that is null: CloudTrail says so when it leaves one out',
      given: [
        {
          eventVersion: '1.08',
          userIdentity: {
            type: 'IAMUser',
            principalId: 'AIDAEXAMPLEEXAMPLE000',
            arn: `arn:aws:iam::${account}:user/carol`,
            accountId: account,
            accessKeyId: 'AKIAEXAMPLEEXAMPLE00',
            userName: 'carol',
          },
          eventTime: '2026-03-04T10:00:00Z',
          eventSource: 'cloudtrail.amazonaws.com',
          eventName: 'DeleteTrail',
          awsRegion: 'us-east-1',
          sourceIPAddress: '198.51.100.7',
          userAgent: 'aws-cli/2.15.0',
          errorCode: 'AccessDenied',
          errorMessage: 'User is not authorized to perform: cloudtrail:DeleteTrail',
          requestParameters: null,
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
      expect: [],
    },
    {
      name: 'stays quiet on requests that are there, however odd, on reads and on AWS itself',
      given: [
        apiCall({
          source: 'iam',
          name: 'PutUserPolicy',
          request: { userName: 'bob', policyDocument: document(allow('s3:*')), omitted: 'false' },
        }),
        apiCall({ source: 'iam', name: 'CreateUser', request: 'omitted' }),
        apiCall({ source: 'iam', name: 'GetPolicy', request: omitted }),
        apiCall({
          source: 'iam',
          name: 'PutRolePolicy',
          request: omitted,
          by: serviceLinkedRole('AWSServiceRoleForSSO', 'sso'),
        }),
      ],
      expect: [],
    },
  ],
};
