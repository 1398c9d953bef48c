// Cases of policies-attached-straight-to-users.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, awsService, iamUser, type RawRecord } from '../support/records.ts';

const policyArn = 'arn:aws:iam::aws:policy/ReadOnlyAccess';

interface Given {
  readonly user: string;
  readonly hour: string;
  readonly by?: RawRecord;
  readonly name?: string;
}

function give({ user, hour, by = iamUser('carol'), name = 'AttachUserPolicy' }: Given): RawRecord {
  const at = `2026-03-04T${hour}:00:00Z`;
  return apiCall({ source: 'iam', name, by, at, request: { userName: user, policyArn } });
}

const three = [
  give({ user: 'ann', hour: '08' }),
  give({ user: 'ben', hour: '12', name: 'PutUserPolicy' }),
  give({ user: 'cem', hour: '17' }),
];

export const cases: DetectorCases = {
  detector: 'policies-attached-straight-to-users',
  cases: [
    {
      // Modelled on stratus-detonations-2024 083dc4ad-e264-46bc-a407-d0dd31b58bdc.
      name: 'fires low when three users are given policies in a day',
      given: three,
      expect: [
        {
          severity: 'low',
          title: /^IAM user carol gave policies straight to 3 users in a day$/,
          reason: /ann, ben, cem/,
        },
      ],
    },
    {
      name: 'stays quiet on two users, however many policies',
      given: [...three.slice(1), give({ user: 'ben', hour: '18' })],
      expect: [],
    },
    {
      name: 'stays quiet when two principals share the work, and on AWS itself',
      given: [
        ...three.slice(1),
        give({ user: 'ann', hour: '08', by: iamUser('dora') }),
        ...['x', 'y', 'z'].map((user) => give({ user, hour: '09', by: awsService('sso') })),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'PutUserPolicy',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: null,
        },
      ],
      expect: [],
    },
  ],
};
