// Cases of iam-changes-refused.
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

interface Try {
  readonly by: RawRecord;
  readonly name: string;
  readonly at: string;
  readonly request?: RawRecord;
}

function refused({ by, name, at, request }: Try): RawRecord {
  const who = `arn:aws:iam::${account}:user/bob`;
  const error = refusal(who, `iam:${name}`, 'user bob');
  return apiCall({ source: 'iam', name, by, at, error, ...(request ? { request } : {}) });
}

const ways = [
  'CreateUser',
  'AttachUserPolicy',
  'PutUserPolicy',
  'CreateAccessKey',
  'AddUserToGroup',
  'UpdateAssumeRolePolicy',
];

function tries(by: RawRecord, count: number): RawRecord[] {
  return ways
    .slice(0, count)
    .map((name, n) => refused({ by, name, at: `2026-03-04T10:0${n}:00Z` }));
}

export const cases: DetectorCases = {
  detector: 'iam-changes-refused',
  cases: [
    {
      name: 'fires medium when a user tries four ways to more rights, on itself',
      given: tries(iamUser('bob'), 4),
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob was refused 4 different changes of IAM$/,
          reason: /AttachUserPolicy.*They aimed at itself\./,
        },
      ],
    },
    {
      name: 'keeps a deployment role that lacks four rights low',
      given: tries(assumedRole('deploy'), 4),
      expect: [{ severity: 'low', reason: /may lack rights/ }],
    },
    {
      name: 'fires medium when a role tries six',
      given: tries(assumedRole('deploy'), 6),
      expect: [{ severity: 'medium' }],
    },
    {
      name: 'stays quiet when one call is refused again and again, whoever the target',
      given: ['a', 'b', 'c', 'd', 'e'].map((userName, n) =>
        refused({
          by: iamUser('bob'),
          name: 'CreateUser',
          at: `2026-03-04T10:0${n}:00Z`,
          request: { userName },
        }),
      ),
      expect: [],
    },
    {
      name: 'stays quiet on calls that worked, and on AWS itself',
      given: [
        ...ways.map((name) => apiCall({ source: 'iam', name, by: iamUser('bob') })),
        ...tries(awsService('cloudformation'), 6),
        ...tries(assumedRole('app', 'i-0123456789abcdef0'), 6),
      ],
      expect: [],
    },
    {
      // Modelled on traildiscover-events 37bd1355-17f1-4e7e-8775-1b67b63cefe6: the request is null,
      // the message says "user NAME".
      name: 'stays quiet on one refused attachment, which iam-policy-changed tells',
      given: [
        refused({ by: iamUser('bob'), name: 'AttachUserPolicy', at: '2024-08-18T11:40:56Z' }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: ways.map((eventName) => ({
        eventSource: 'iam.amazonaws.com',
        eventName,
        eventTime: '2026-03-04T10:00:00Z',
        errorCode: 'AccessDenied',
      })),
      expect: [],
    },
  ],
};
