// One principal tried the doors of many buckets within an hour, and found many of them shut.
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
  counted,
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  spreeAdd,
  spreeSignal,
  spreeState,
  thingsMax,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'buckets-probed',
  title: 'Buckets probed',
  severity: 'low',
  practice: 'least-privilege',
  what: 'Within an hour a principal was refused at many different buckets, or one that is not a role asked many buckets for their policy, ACL, versions or encryption.',
  why: 'Whoever holds a stolen key first learns which buckets it opens and how they are guarded.',
  innocent: [
    'A scanner of security settings that lacks some rights: give its role an exception or the rights.',
    'A person clicks through the console, which asks several things about each bucket.',
  ],
  firstSteps: [
    'Ask the owner of the credentials; compare the address with the usual one.',
    'See in the timeline which buckets answered, and what was read there.',
    'If nobody answers for it: deactivate the key or revoke the sessions.',
  ],
  attack: attack({
    T1619: 'Cloud Storage Object Discovery',
    T1580: 'Cloud Infrastructure Discovery',
  }),
  cis: [],
  gaps: [
    'Sweeps by a role that has all the rights are not told: scanners do that all day.',
    'Buckets of other accounts that refuse leave no event here.',
  ],
};

const count = z.int().min(2).max(thingsMax);
const config = z.strictObject({
  refused: count.default(15).describe('Different buckets refused in an hour that make a signal.'),
  asked: count
    .default(30)
    .describe('Different buckets asked in an hour by one that is not a role that make a signal.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Spree>({
  meta,
  on: [
    's3.amazonaws.com:GetBucketAcl',
    's3.amazonaws.com:GetBucketPolicy',
    's3.amazonaws.com:GetBucketPolicyStatus',
    's3.amazonaws.com:GetBucketPublicAccessBlock',
    's3.amazonaws.com:GetBucketVersioning',
    's3.amazonaws.com:GetBucketEncryption',
    's3.amazonaws.com:GetBucketLogging',
    's3.amazonaws.com:GetBucketReplication',
    's3.amazonaws.com:ListObjects',
    's3.amazonaws.com:HeadBucket',
  ],
  config,
  state: spreeState((event) => {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS asked';
    if (bucketOf(event) === '') return 'no bucket is named';
    const isTool = event.principal.kind === 'role' && event.outcome !== 'denied';
    return isTool ? 'a role asked what it may ask' : undefined;
  }),
  isKnown: (event, state) => isInSpree(state, kindOf(event), [bucketOf(event)], event),
  fold: (event, state) => spreeAdd(state, kindOf(event), [bucketOf(event)], event),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function bucketOf(event: Event): string {
  return plain(event.text('requestParameters.bucketName'));
}

// A missing policy or block answers with an error of its own: the door was open.
function kindOf(event: Event): 'refused' | 'asked' {
  return event.outcome === 'denied' ? 'refused' : 'asked';
}

function judgeHour(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const who = nameOf(actorIn(bucket.state));
  const refused = groupsOf(bucket.state, 'refused');
  const asked = groupsOf(bucket.state, 'asked');
  if (refused.things.length >= settings.refused) {
    const got = asked.things.length > 0 ? ` ${counted(asked, 'bucket')} answered.` : '';
    return [
      {
        ...spreeSignal(bucket, 'refused', refused),
        severity: 'low',
        title: `${who} was refused at ${counted(refused, 'bucket')} within an hour`,
        reason: `It does not know what it may read: ${listed(refused.things)}.${got}`,
      },
    ];
  }
  if (asked.things.length < settings.asked) return [];
  return [
    {
      ...spreeSignal(bucket, 'asked', asked),
      severity: 'low',
      title: `${who} asked ${counted(asked, 'bucket')} how they are guarded within an hour`,
      reason: `Scanners use a role; this is a person or a key: ${listed(asked.things)}.`,
    },
  ];
}
