// Cases of instance-role-enumerates.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, type RawRecord } from '../support/records.ts';

const web = assumedRole('web', 'i-0123456789abcdef0');
const looks = [
  'sts:GetCallerIdentity',
  's3:ListBuckets',
  'iam:GetAccountSummary',
  'iam:ListRoles',
  'iam:ListUsers',
  'cloudtrail:DescribeTrails',
  'guardduty:ListDetectors',
  'ec2:DescribeSnapshots',
];
const more = ['rds:DescribeDBClusters', 'ecs:ListClusters', 'sqs:ListQueues'];

function calls(names: readonly string[], by: RawRecord, other: Partial<Call> = {}): RawRecord[] {
  return names.map((one) => {
    const [source = '', name = ''] = one.split(':');
    return apiCall({ source, name, by, ...other });
  });
}

const denied: Partial<Call> = { error: ['AccessDenied', 'User is not authorized'] };

export const cases: DetectorCases = {
  detector: 'instance-role-enumerates',
  cases: [
    {
      // Modelled on stratus-detonations-2024 b379479b-05c9-4c3c-af4b-cbd43acf29e1: who am I, first.
      name: 'fires low when an instance asks who it is and what there is',
      given: calls(looks, web),
      expect: [
        {
          severity: 'low',
          title: /^Instance i-0123456789abcdef0 \(role web\) looked around in the account$/,
          reason: /sts:GetCallerIdentity|cloudtrail:DescribeTrails/,
        },
      ],
    },
    {
      name: 'fires medium when it is refused most of it',
      given: calls([...looks, ...more], web, denied),
      expect: [{ severity: 'medium', reason: /refused 11 different reads of 9 services/ }],
    },
    {
      name: 'is low for a scanner on an instance, of which a few reads are refused',
      given: [...calls(looks, web), ...calls(more, web, denied)],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet on daily calls, on other sessions, and on calls hours apart',
      given: [
        ...calls(['sts:GetCallerIdentity', 'ec2:DescribeInstances', 's3:ListBuckets'], web),
        ...calls(looks, assumedRole('deploy', 'ci')),
        ...looks.flatMap((one, at) =>
          calls([one], assumedRole('cron', 'i-0fedcba9876543210'), {
            at: `2026-03-04T1${at}:00:00Z`,
          }),
        ),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: calls(looks, { type: 'AssumedRole', principalId: 'AROAEXAMPLE:i-', arn: 5 }, denied),
      expect: [],
    },
  ],
};
