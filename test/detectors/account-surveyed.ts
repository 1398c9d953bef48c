// Cases of account-surveyed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const services = ['ec2', 'rds', 's3', 'lambda', 'kms', 'sqs', 'sns', 'ecs', 'glue', 'athena'];
const instance = assumedRole('app', 'i-0123456789abcdef0');

interface Sweep {
  readonly by: RawRecord;
  readonly count: number;
  readonly among?: number;
  readonly hour?: string;
}

function sweep({ by, count, among = 10, hour = '10' }: Sweep): RawRecord[] {
  return Array.from({ length: count }, (_, n) =>
    apiCall({
      source: services[n % among] ?? 'ec2',
      name: `Describe${['Things', 'Parts', 'Names', 'Tags'][Math.floor(n / among)] ?? `Odd${n}`}`,
      by,
      at: `2026-03-04T${hour}:${String(n).padStart(2, '0')}:00Z`,
    }),
  );
}

const organisation = ['DescribeOrganization', 'ListAccounts', 'ListRoots'];

function structure(by: RawRecord, names: readonly string[]): RawRecord[] {
  return names.map((name, n) =>
    apiCall({ source: 'organizations', name, by, at: `2026-03-04T10:0${n}:00Z` }),
  );
}

export const cases: DetectorCases = {
  detector: 'account-surveyed',
  cases: [
    {
      // Modelled on flaws-cloud-excerpt-2020: a user reads every service with Boto3 in minutes.
      name: 'fires low when a long-term key reads widely',
      given: sweep({ by: iamUser('Level6'), count: 30 }),
      expect: [
        {
          severity: 'low',
          title: /^IAM user Level6 made 30 different reads in 10 services$/,
          reason: /a long-term key, none made in the day before/,
        },
      ],
    },
    {
      name: 'tells a scanner with the key of a user once a day',
      given: [
        ...sweep({ by: iamUser('scanner'), count: 40 }),
        ...sweep({ by: iamUser('scanner'), count: 40, hour: '16' }),
      ],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'fires low when a key reads the structure of the organisation',
      given: structure(iamUser('bob'), organisation),
      expect: [{ severity: 'low', reason: /ListAccounts/ }],
    },
    {
      name: 'stays quiet on too few reads, or too few services, or too few of the organisation',
      given: [
        ...sweep({ by: iamUser('eve'), count: 29 }),
        ...sweep({ by: iamUser('app'), count: 28, among: 7 }),
        ...structure(iamUser('bob'), organisation.slice(1)),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on role sessions: those of instances have a detector of their own',
      given: [
        ...sweep({ by: instance, count: 40 }),
        ...sweep({ by: assumedRole('scanner'), count: 50 }),
        ...structure(assumedRole('scanner'), organisation),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'ec2.amazonaws.com',
          eventName: 'DescribeVpcs',
          eventTime: '2026-03-04T10:00:00Z',
          userIdentity: { accessKeyId: 'AKIAEXAMPLE' },
        },
      ],
      expect: [],
    },
  ],
};
