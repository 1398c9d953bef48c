// Cases of many-ways-to-more-rights.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, awsService, iamUser, type RawRecord } from '../support/records.ts';

const people = ['AttachUserPolicy', 'CreateAccessKey', 'CreateLoginProfile', 'AddUserToGroup'];
const machines = [
  ['iam', 'AttachRolePolicy'],
  ['iam', 'PutRolePolicy'],
  ['iam', 'UpdateAssumeRolePolicy'],
  ['lambda', 'CreateFunction20150331'],
  ['lambda', 'UpdateFunctionCode20150331v2'],
  ['ec2', 'RunInstances'],
  ['cloudformation', 'CreateStack'],
  ['glue', 'CreateDevEndpoint'],
] as const;

interface Day {
  readonly by: RawRecord;
  readonly ofPeople: number;
  readonly ofMachines: number;
  readonly isRefused?: boolean;
}

function day({ by, ofPeople, ofMachines, isRefused = false }: Day): RawRecord[] {
  const all = [
    ...people.slice(0, ofPeople).map((name) => ['iam', name] as const),
    ...machines.slice(0, ofMachines),
  ];
  return all.map(([source, name], n) =>
    apiCall({
      source,
      name,
      by,
      at: `2026-03-04T${String(8 + n).padStart(2, '0')}:00:00Z`,
      ...(isRefused ? { error: ['AccessDenied', 'no'] as const } : {}),
    }),
  );
}

export const cases: DetectorCases = {
  detector: 'many-ways-to-more-rights',
  cases: [
    {
      name: 'fires medium when a user takes ten ways in a day',
      given: day({ by: iamUser('bob'), ofPeople: 4, ofMachines: 6 }),
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob took 10 of 47 known ways to more rights in a day$/,
          reason: /^4 of them give rights or credentials to people/,
        },
      ],
    },
    {
      name: 'fires medium when they are refused, even to a role',
      given: day({ by: assumedRole('ci'), ofPeople: 4, ofMachines: 6, isRefused: true }),
      expect: [{ severity: 'medium', reason: /Done: none\. Refused: / }],
    },
    {
      name: 'keeps a wide run of a tool low',
      given: day({ by: assumedRole('terraform'), ofPeople: 4, ofMachines: 8 }),
      expect: [{ severity: 'low', title: /^Role terraform took 12/ }],
    },
    {
      name: 'stays quiet on a deployment: it gives nothing to people',
      given: day({ by: assumedRole('deploy'), ofPeople: 3, ofMachines: 8 }),
      expect: [],
    },
    {
      name: 'stays quiet on nine ways, and on AWS itself',
      given: [
        ...day({ by: iamUser('bob'), ofPeople: 4, ofMachines: 5 }),
        ...day({ by: awsService('cloudformation'), ofPeople: 4, ofMachines: 8 }),
      ],
      expect: [],
    },
    {
      // Modelled on maheribra-attack-chain-2026: calls that fail for want of a thing are no way.
      name: 'does not count calls that failed for another reason',
      given: day({ by: iamUser('bob'), ofPeople: 4, ofMachines: 6 }).map((record) => ({
        ...record,
        errorCode: 'NoSuchEntityException',
        errorMessage: 'The user with name x cannot be found.',
      })),
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'AttachUserPolicy',
          eventTime: '2026-03-04T10:00:00Z',
          userIdentity: {},
        },
      ],
      expect: [],
    },
  ],
};
