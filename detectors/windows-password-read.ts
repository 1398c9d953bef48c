// Somebody asks EC2 for the administrator passwords of Windows instances, many at once or without the right.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  type Diary,
  diaryOfDay,
  type Entry,
  isWritten,
  nameOf,
  namesIn,
  signalOf,
  written,
} from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws } from '../src/core/telling.ts';

const meta: DetectorMeta = {
  id: 'windows-password-read',
  title: 'Windows passwords of many instances were asked for',
  severity: 'medium',
  practice: 'instance-roles',
  what: 'One principal called GetPasswordData for several instances in one day, or was refused it several times.',
  why: 'The call gives the encrypted first password of the administrator. Asking for many at once, or again and again without the right, is how somebody goes from the account into the machines.',
  innocent: [
    'An administrator sets up a batch of Windows servers.',
    'Terraform with get_password_data reads it for each instance it makes.',
  ],
  firstSteps: [
    'Ask the principal whether it set up these instances today.',
    'If not: end its sessions or deactivate its key, and change the administrator passwords of the instances that were read.',
    'Find out who holds the private key of the key pair: without it the answer cannot be decrypted.',
  ],
  attack: attack({
    'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
    T1555: 'Credentials from Password Stores',
  }),
  cis: [],
  gaps: ['Whether the caller has the private key that decrypts the password is not in the trail.'],
};

const config = z.strictObject({
  instances: z.int().min(2).default(5).describe('Instances in one day (UTC) that make a signal.'),
  instancesHigh: z.int().min(2).default(25).describe('As many, really read, make it high.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: ['ec2.amazonaws.com:GetPasswordData'],
  config,
  state: {
    ...diaryOfDay,
    key: (event) =>
      isByAws(event) ? 'an AWS service acted by itself' : { key: event.principal.key },
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeDay(bucket, settings)),
});

function entriesOf(event: Event): readonly Entry[] {
  // A refusal may come without its request: then each call counts by itself.
  const instance = event.text('requestParameters.instanceId') ?? `unnamed ${event.identity}`;
  return [[event.outcome === 'success' ? 'read' : 'refused', instance]];
}

function judgeDay(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state } = bucket;
  const [read, refused] = [namesIn(state, 'read'), namesIn(state, 'refused')];
  const all = [...new Set([...read, ...refused])].sort();
  if (all.length < settings.instances) return [];
  const severity: Severity = read.length >= settings.instancesHigh ? 'high' : 'medium';
  const did = read.length === 0 ? 'was refused' : 'asked for';
  return [
    {
      ...signalOf(bucket, 'passwords', ['read', 'refused']),
      severity,
      title: `${nameOf(state)} ${did} the Windows passwords of ${all.length} instances`,
      reason: `${read.length} were read and ${refused.length} refused. One or two are daily work; so many in one day are set-up or search.`,
      facts: { instances: listed(all.filter((one) => !one.startsWith('unnamed '))) },
    },
  ];
}
