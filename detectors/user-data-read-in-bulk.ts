// Somebody reads the start-up scripts of many instances, where secrets are often left.
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
  diarySchema,
  type Entry,
  emptyDiary,
  instanceOf,
  isWritten,
  nameOf,
  namesIn,
  signalOf,
  written,
} from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'user-data-read-in-bulk',
  title: 'Start-up scripts of many instances were read',
  severity: 'medium',
  practice: 'instance-roles',
  what: 'One principal read, or tried to read, the user data of many instances in one day.',
  why: 'Start-up scripts hold passwords, tokens and addresses more often than they should. Reading all of them is how somebody with few rights looks for more.',
  innocent: [
    'Terraform reads user data, with other attributes, of every instance it manages.',
    'A posture scanner looks for secrets in user data.',
  ],
  firstSteps: [
    'Ask the owner of the principal which program reads user data.',
    'If nobody knows: end its sessions or deactivate its key, and list the secrets in the scripts that were read (the instances are in the signal); rotate them.',
    'Move secrets from user data to Secrets Manager or Parameter Store.',
  ],
  attack: attack({
    'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
    T1580: 'Cloud Infrastructure Discovery',
  }),
  cis: [],
  gaps: [
    'User data that the instance reads of itself, through the metadata service, is not in the trail.',
  ],
};

const config = z.strictObject({
  instances: z
    .int()
    .min(2)
    .default(10)
    .describe('Instances read in one day (UTC) that make a signal.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: ['ec2.amazonaws.com:DescribeInstanceAttribute'],
  config,
  state: {
    version: 1,
    schema: diarySchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 8 * dayMs,
    reachMs: 0,
    key(event) {
      if (isByAws(event) || isServiceLinked(event)) return 'an AWS service acted by itself';
      return { key: event.principal.key };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeDay(bucket, settings)),
});

function entriesOf(event: Event): readonly Entry[] {
  const attribute = event.text('requestParameters.attribute') ?? 'userData';
  if (attribute !== 'userData') return [['others', attribute]];
  const instance = event.text('requestParameters.instanceId') ?? `unnamed ${event.identity}`;
  const machine: readonly Entry[] = instanceOf(event) === undefined ? [] : [['machine', 'yes']];
  return [[event.outcome === 'success' ? 'read' : 'refused', instance], ...machine];
}

function judgeDay(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state } = bucket;
  const [read, refused] = [namesIn(state, 'read'), namesIn(state, 'refused')];
  const all = new Set([...read, ...refused]).size;
  if (all < settings.instances) return [];
  const isMostlyRefused = refused.length >= settings.instances && refused.length > read.length;
  const others = namesIn(state, 'others');
  const isMachine = namesIn(state, 'machine').length > 0;
  const isAlone = others.length === 0 && (actorIn(state).kind === 'user' || isMachine);
  const did = isMostlyRefused ? 'was refused' : 'read';
  return [
    {
      ...signalOf(bucket, 'user data', ['read', 'refused']),
      severity: isMostlyRefused || isAlone ? 'medium' : 'low',
      title: `${nameOf(state)} ${did} the start-up scripts of ${isMostlyRefused ? refused.length : all} instances`,
      reason: [
        `${read.length} were read and ${refused.length} refused.`,
        isMostlyRefused ? 'A tool that does this daily has the right to; this one has not.' : '',
        others.length > 0
          ? `It also read ${listed(others)}, as tools do that manage instances.`
          : 'It read no other attribute of instances.',
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { instances: listed(read.length > 0 ? read : refused) },
    },
  ];
}
