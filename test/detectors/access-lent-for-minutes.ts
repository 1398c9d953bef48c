// Cases of access-lent-for-minutes.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, awsService, iamUser, type RawRecord } from '../support/records.ts';

const bob = iamUser('bob');
const admin = { policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' };
const narrow = { policyArn: 'arn:aws:iam::aws:policy/IAMUserChangePassword' };

interface Step {
  readonly by?: RawRecord;
  readonly name: string;
  readonly at: string;
  readonly request: RawRecord;
  readonly response?: RawRecord;
}

function iam({ by = bob, at, ...call }: Step): RawRecord {
  return apiCall({ source: 'iam', by, at: `2026-03-04T${at}:00Z`, ...call });
}

function lent(by: RawRecord, policy: RawRecord, until: string): RawRecord[] {
  const request = { ...policy, userName: 'eve' };
  return [
    iam({ by, name: 'AttachUserPolicy', at: '10:00', request }),
    iam({ by, name: 'DetachUserPolicy', at: until, request }),
  ];
}

export const cases: DetectorCases = {
  detector: 'access-lent-for-minutes',
  cases: [
    {
      name: 'fires medium when a user attaches a powerful policy for twelve minutes',
      given: lent(bob, admin, '10:12'),
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob gave policy AdministratorAccess for user eve and took it back$/,
          reason: /about 12 minutes/,
        },
      ],
    },
    {
      name: 'keeps a tool low: its tests build and remove',
      given: lent(assumedRole('terraform'), admin, '10:12'),
      expect: [{ severity: 'low', title: /^Role terraform/ }],
    },
    {
      // Modelled on stratus-detonations-2024 c64c4ded-ef03-4e5c-81eb-153b118d72f2: the key's id is
      // in
      // the response of the creation, and in the request of the deletion.
      name: 'fires low when an access key is made and deleted again',
      given: [
        iam({
          name: 'CreateAccessKey',
          at: '10:00',
          request: { userName: 'eve' },
          response: {
            accessKey: {
              accessKeyId: 'AKIAEXAMPLE000000001',
              createDate: 'Mar 4, 2026 10:00:00 AM',
              status: 'Active',
              userName: 'eve',
            },
          },
        }),
        iam({
          name: 'DeleteAccessKey',
          at: '10:30',
          request: { userName: 'eve', accessKeyId: 'AKIAEXAMPLE000000001' },
        }),
      ],
      expect: [{ severity: 'low', title: /gave access key AKIAEXAMPLE000000001 and took it back/ }],
    },
    {
      name: 'tells one signal a day, however often',
      given: [
        ...lent(bob, admin, '10:12'),
        iam({ name: 'AttachUserPolicy', at: '15:00', request: { ...admin, userName: 'eve' } }),
        iam({ name: 'DetachUserPolicy', at: '15:05', request: { ...admin, userName: 'eve' } }),
      ],
      expect: [{ severity: 'medium', reason: /2 times that day/ }],
    },
    {
      name: 'stays quiet after the window, on narrow policies, and when others take it back',
      given: [
        ...lent(bob, admin, '11:01'),
        ...lent(iamUser('carol'), narrow, '10:12'),
        iam({ name: 'CreateUser', at: '10:00', request: { userName: 'x' } }),
        iam({ by: iamUser('carol'), name: 'DeleteUser', at: '10:05', request: { userName: 'x' } }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on rotation: another key is deleted than was made',
      given: [
        iam({
          name: 'CreateAccessKey',
          at: '10:00',
          request: { userName: 'eve' },
          response: { accessKey: { accessKeyId: 'AKIAEXAMPLE000000002' } },
        }),
        iam({
          name: 'DeleteAccessKey',
          at: '10:01',
          request: { userName: 'eve', accessKeyId: 'AKIAEXAMPLE000000001' },
        }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on a replacement, which takes first and gives then, and on AWS itself',
      given: [
        iam({ name: 'DetachUserPolicy', at: '10:00', request: { ...admin, userName: 'eve' } }),
        iam({ name: 'AttachUserPolicy', at: '10:01', request: { ...admin, userName: 'eve' } }),
        ...lent(awsService('sso'), admin, '10:12'),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: ['CreateUser', 'DeleteUser', 'AttachRolePolicy', 'CreateAccessKey'].map(
        (eventName) => ({
          eventSource: 'iam.amazonaws.com',
          eventName,
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: null,
        }),
      ),
      expect: [],
    },
  ],
};
