// One set of temporary credentials was used from several networks within an hour.
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
  diarySchema,
  type Entry,
  emptyDiary,
  instanceOf,
  isWritten,
  nameOf,
  namesIn,
  networkOf,
  publicAddressOf,
  signalOf,
  written,
} from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, hourMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'session-used-from-several-networks',
  title: 'Session used from several networks',
  severity: 'medium',
  practice: 'temporary-credentials',
  what: 'The same temporary access key was seen from two or more networks (/16, IPv6 /32) within an hour, in calls to IAM, STS, Secrets Manager and Organizations and in the first looks at S3 and EC2.',
  why: 'Credentials that are copied keep working for hours, anywhere. Two places at once mean that two machines hold them.',
  innocent: [
    'A laptop that joins or leaves a VPN, or moves to another network.',
    'An egress with addresses in several networks, or a proxy for some services only.',
    'Credentials that one machine gets and another uses on purpose, such as a runner outside of the pipeline.',
  ],
  firstSteps: [
    'Ask the person or owner behind the session for the second network; compare the programs in the records.',
    'If it is foreign: put a deny on older tokens on the role (aws:TokenIssueTime) or end the sessions in Identity Center, then look how the credentials left the machine.',
    'Read every call from the later network in the timeline.',
  ],
  attack: attack({
    'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    T1528: 'Steal Application Access Token',
  }),
  cis: [],
  gaps: [
    'Sessions of instances are told by instance-credentials-used-elsewhere; those of functions move between networks of AWS by themselves and are not judged.',
    'Console sessions are not judged: browsers move.',
    'An hour is a clock hour. Calls through VPC endpoints show private addresses and are not compared.',
  ],
};

const config = z.strictObject({
  networks: z
    .int()
    .min(2)
    .max(8)
    .default(3)
    .describe('Networks of one access key within an hour that make it medium by themselves.'),
});
type Config = z.infer<typeof config>;

/** Calls that make a new way in or hand out more, and are no part of looking around. */
const gains =
  /^(iam:(Create|Put|Attach|Update|Add|Upload|Delete|Detach|Set|Deactivate|Enable)|secretsmanager:(Batch)?GetSecretValue|organizations:(Create|Leave|Invite|Attach|Detach))/;

const networksMax = 12;

export default folding<Config, Diary>({
  meta,
  on: [
    'sts.amazonaws.com:*',
    'iam.amazonaws.com:*',
    'secretsmanager.amazonaws.com:*',
    'organizations.amazonaws.com:*',
    's3.amazonaws.com:ListBuckets',
    'ec2.amazonaws.com:DescribeInstances',
  ],
  config,
  state: {
    version: 1,
    schema: diarySchema,
    scope: 'organisation',
    bucketMs: hourMs,
    lifetimeMs: dayMs,
    reachMs: 0,
    key(event) {
      const reason = quietOn(event);
      return reason ?? { key: plain(event.accessKeyId, 64) };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event), networksMax),
  fold: (event, state) => written(state, event, entriesOf(event), networksMax),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function quietOn(event: Event): string | undefined {
  if (!event.accessKeyId.startsWith('ASIA')) return 'not a temporary key';
  if (publicAddressOf(event) === undefined) return 'not from a public address';
  if (event.outcome !== 'success') return 'it did not succeed';
  if (instanceOf(event) !== undefined) return 'instance-credentials-used-elsewhere tells it';
  if (event.field('userIdentity.inScopeOf') !== undefined) return 'a session of a function';
  const fromConsole = event.field('sessionCredentialFromConsole');
  return fromConsole === true || fromConsole === 'true' ? 'a console session' : undefined;
}

function entriesOf(event: Event): readonly Entry[] {
  const network = networkOf(publicAddressOf(event) ?? '');
  const call = `${event.source.replace('.amazonaws.com', '')}:${event.name}`;
  const gain: Entry = [`gains ${network}`, call];
  return [['networks', network], ...(gains.test(call) ? [gain] : [])];
}

function judgeHour(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const all = namesIn(bucket.state, 'networks');
  // A machine with both families uses one of each.
  const families = [
    all.filter((one) => one.includes(':')),
    all.filter((one) => !one.includes(':')),
  ];
  return families.flatMap((networks, at) => {
    if (networks.length < 2) return [];
    return [tell(bucket, networks, at === 0 ? 'IPv6' : 'IPv4', settings)];
  });
}

function tell(
  bucket: Bucket<Diary>,
  networks: readonly string[],
  family: string,
  settings: Config,
): JudgedSignal {
  const { state } = bucket;
  const uses = state.sections['networks'] ?? {};
  const byTime = [...networks].sort(
    (a, b) => (uses[a]?.time ?? 0) - (uses[b]?.time ?? 0) || (a < b ? -1 : 1),
  );
  const later = byTime.slice(1);
  const gained = [...new Set(later.flatMap((one) => namesIn(state, `gains ${one}`)))].sort();
  const isMedium = gained.length > 0 || networks.length >= settings.networks;
  const signal = signalOf(bucket, `networks ${bucket.key} ${family}`, [
    'networks',
    ...later.map((one) => `gains ${one}`),
  ]);
  const why =
    gained.length > 0
      ? `From the later one it did what an intruder would do: ${listed(gained)}.`
      : 'From the later one nothing was changed and no secret was read.';
  return {
    ...signal,
    severity: isMedium ? 'medium' : 'low',
    title: `A session of ${nameOf(state)} was used from ${networks.length} networks within an hour`,
    reason: `Access key ${bucket.key} was seen first from ${byTime[0]}, then from ${listed(later)}. ${why}`,
    facts: { accessKey: bucket.key, networks: listed(byTime) },
  };
}
