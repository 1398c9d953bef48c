// Cases of trail-stopped-or-deleted.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  awsService,
  iamUser,
  type RawRecord,
  refusal,
} from '../support/records.ts';

const arn = `arn:aws:cloudtrail:eu-central-1:${account}:trail/audit`;

function trail(name: string, at: string, by = iamUser('mallory'), of = arn): RawRecord {
  return apiCall({ source: 'cloudtrail', name, at, by, request: { name: of } });
}

const stop = trail('StopLogging', '2026-03-04T10:00:00Z');

export const cases: DetectorCases = {
  detector: 'trail-stopped-or-deleted',
  cases: [
    {
      name: 'fires when a user stops a trail',
      given: [stop],
      expect: [
        { severity: 'high', title: /^IAM user mallory stopped trail audit$/, reason: /No call/ },
      ],
    },
    {
      name: 'tells stop and deletion by one principal as one story, by name or by ARN',
      given: [
        trail('StopLogging', '2026-03-04T10:00:00Z', iamUser('mallory'), 'audit'),
        trail('DeleteTrail', '2026-03-04T10:01:00Z'),
      ],
      expect: [{ severity: 'high', title: /stopped and deleted trail audit$/ }],
    },
    {
      name: 'says who started it again, and when',
      given: [stop, trail('StartLogging', '2026-03-04T10:07:00Z', assumedRole('SecOps'))],
      expect: [{ severity: 'high', reason: /SecOps started it at 2026-03-04T10:07/ }],
    },
    {
      name: 'takes a trail deleted by who made it within the day for a test, over midnight too',
      given: [
        trail('CreateTrail', '2026-03-03T23:50:00Z', iamUser('mallory'), 'audit'),
        trail('DeleteTrail', '2026-03-04T00:10:00Z'),
      ],
      expect: [{ severity: 'low', reason: /made the trail/ }],
    },
    {
      name: 'does not take it for a test when somebody else made it',
      given: [trail('CreateTrail', '2026-03-04T09:50:00Z', assumedRole('deploy'), 'audit'), stop],
      expect: [{ severity: 'high' }],
    },
    {
      name: 'tells a refused attempt as low',
      given: [
        apiCall({
          source: 'cloudtrail',
          name: 'StopLogging',
          request: { name: 'audit' },
          error: refusal('alice', 'cloudtrail:StopLogging', arn),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to stop trail audit/, reason: /refused/ }],
    },
    {
      // Modelled on elastic-aws-pipeline-2021 EXAMPLE-8cc3-42db-9a0d-EXAMPLE.
      name: 'fires on a record of the console of 2020',
      given: [
        {
          eventVersion: '1.05',
          userIdentity: {
            type: 'IAMUser',
            principalId: 'AIDAEXAMPLEEXAMPLE000',
            arn: `arn:aws:iam::${account}:user/carol`,
            accountId: account,
            accessKeyId: 'ASIAEXAMPLEEXAMPLE00',
            userName: 'carol',
            sessionContext: {
              attributes: { mfaAuthenticated: 'false', creationDate: '2020-01-08T15:12:16Z' },
            },
            invokedBy: 'signin.amazonaws.com',
          },
          eventTime: '2020-01-08T20:51:37Z',
          eventSource: 'cloudtrail.amazonaws.com',
          eventName: 'StopLogging',
          awsRegion: 'us-west-2',
          sourceIPAddress: '198.51.100.7',
          userAgent: 'signin.amazonaws.com',
          requestParameters: { name: `arn:aws:cloudtrail:us-west-2:${account}:trail/TEST-trail` },
          responseElements: null,
          requestID: 'EXAMPLE-d04b-4eff-833a-EXAMPLE',
          eventID: 'EXAMPLE-1111-42db-9a0d-EXAMPLE',
          readOnly: false,
          eventType: 'AwsApiCall',
          recipientAccountId: account,
        },
      ],
      expect: [{ severity: 'high', title: /^IAM user carol stopped trail TEST-trail$/ }],
    },
    {
      name: 'stays quiet when a trail is made and started',
      given: [
        trail('CreateTrail', '2026-03-04T10:00:00Z', assumedRole('deploy'), 'audit'),
        trail('StartLogging', '2026-03-04T10:00:01Z', assumedRole('deploy')),
      ],
      expect: [],
    },
    {
      name: 'fires when the record does not name the trail',
      given: [apiCall({ source: 'cloudtrail', name: 'StopLogging', request: 'x' })],
      expect: [{ severity: 'high', title: /^IAM user alice stopped a trail$/ }],
    },
    {
      name: 'stays quiet when AWS does it',
      given: [trail('DeleteTrail', '2026-03-04T10:00:00Z', awsService('cloudtrail'))],
      expect: [],
    },
  ],
};
