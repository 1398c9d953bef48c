// The role of an instance looks around in the account as a newcomer does.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  actorIn,
  type Diary,
  diaryOfDay,
  type Entry,
  instanceOf,
  isWritten,
  namesIn,
  signalOf,
  written,
} from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { hourMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'instance-role-enumerates',
  title: 'An instance role looks around',
  severity: 'low',
  practice: 'instance-roles',
  what: 'The role session of one instance made several of the calls with which somebody finds out where they are, within an hour; or was refused many different reads.',
  why: 'A program knows what it wants. Whoever has just come into an instance asks who it is, what there is, and what it may do, and is refused most of it.',
  innocent: [
    'A posture scanner or inventory agent that runs on an instance with its role.',
    'An administrator on a bastion who uses its role.',
  ],
  firstSteps: [
    'Compare with what this instance did on other days; ask its owner.',
    'If it is new: see who was on the instance, and whether the address is its own; isolate it and keep its disks.',
    'Read on in the timeline for what was allowed after the looking around.',
  ],
  attack: attack({
    T1580: 'Cloud Infrastructure Discovery',
    T1526: 'Cloud Service Discovery',
    'T1087.004': 'Account Discovery: Cloud Account',
  }),
  cis: [],
  gaps: [
    'What the instance usually does is not learnt; a scanner needs an exception.',
    'A burst across the end of an hour is seen as two smaller ones.',
  ],
};

const config = z.strictObject({
  calls: z.int().min(2).default(6).describe('Tell-tale calls within an hour that make a signal.'),
  refused: z
    .int()
    .min(2)
    .default(10)
    .describe(
      'Different reads refused within an hour, more than were allowed, that make it medium.',
    ),
  services: z.int().min(1).default(4).describe('Services over which the refused reads spread.'),
});
type Config = z.infer<typeof config>;

const telltale = new Set([
  'sts:GetCallerIdentity',
  'iam:ListUsers',
  'iam:ListRoles',
  'iam:ListGroups',
  'iam:ListPolicies',
  'iam:ListAccessKeys',
  'iam:ListAccountAliases',
  'iam:GetAccountSummary',
  'iam:GetAccountAuthorizationDetails',
  'iam:ListAttachedRolePolicies',
  'iam:ListRolePolicies',
  'iam:GetRolePolicy',
  'iam:GetUser',
  's3:ListBuckets',
  'cloudtrail:DescribeTrails',
  'guardduty:ListDetectors',
  'organizations:DescribeOrganization',
  'organizations:ListAccounts',
  'secretsmanager:ListSecrets',
  'ssm:DescribeParameters',
  'ec2:DescribeSnapshots',
  'ec2:DescribeRegions',
  'ec2:DescribeKeyPairs',
  'rds:DescribeDBInstances',
  'lambda:ListFunctions',
  'ses:GetSendQuota',
  'ses:ListIdentities',
]);

export default folding<Config, Diary>({
  meta,
  on: ['session:instance'],
  config,
  state: {
    ...diaryOfDay,
    bucketMs: hourMs,
    key(event) {
      const instance = instanceOf(event);
      if (instance === undefined) return 'not the session of an instance';
      if (event.invokedBy !== '') return 'an AWS service made the call';
      if (entriesOf(event).length === 0)
        return 'neither a tell-tale call nor a read that was refused';
      return { key: `${event.principal.key} ${instance}` };
    },
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function entriesOf(event: Event): readonly Entry[] {
  const call = `${event.source.replace('.amazonaws.com', '')}:${event.name}`;
  const isRead = /^(Get|List|Describe|Lookup|Search)/.test(event.name);
  if (event.outcome === 'denied' && isRead) return [['refused', call]];
  if (event.outcome !== 'success' || !telltale.has(call)) return [];
  return [['calls', call]];
}

function judgeHour(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state, key } = bucket;
  const [allowed, refused] = [namesIn(state, 'calls'), namesIn(state, 'refused')];
  const tells = new Set([...allowed, ...refused.filter((one) => telltale.has(one))]);
  const services = new Set(refused.map((one) => one.split(':')[0])).size;
  const isBlind =
    refused.length >= settings.refused &&
    refused.length > allowed.length &&
    services >= settings.services;
  if (!isBlind && tells.size < settings.calls) return [];
  const instance = plain(key.slice(key.lastIndexOf(' ') + 1));
  return [
    {
      ...signalOf(bucket, instance, ['calls', 'refused']),
      severity: isBlind ? 'medium' : 'low',
      title: `Instance ${instance} (role ${actorIn(state).name}) looked around in the account`,
      reason: [
        allowed.length > 0 ? `Within an hour it called ${listed(allowed)}.` : '',
        refused.length > 0
          ? `It was refused ${refused.length} different reads of ${services} services: ${listed(refused)}.`
          : '',
        isBlind ? 'A program of the instance knows its rights; this one tries what there is.' : '',
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { instance },
    },
  ];
}
