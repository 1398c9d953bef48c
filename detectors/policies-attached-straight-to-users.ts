// Rights were given straight to users, one after the other, instead of through groups or roles.
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
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  sizeOf,
  spreeAdd,
  spreeSignal,
  spreeState,
  thingsMax,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, cis, isByAws } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'policies-attached-straight-to-users',
  title: 'Policies attached straight to users',
  severity: 'low',
  practice: 'separation-of-duties',
  what: 'Within a day (UTC) one principal attached policies to several IAM users, or wrote inline policies into them, instead of using groups or roles.',
  why: 'Rights that hang on single users are overlooked when people change their job, and nobody can say which duty they belong to. Arming many users at once can also be an intruder who leaves many doors.',
  innocent: [
    'Users of machines, each with a policy of its own.',
    'An account that has not moved to groups or federation yet.',
  ],
  firstSteps: [
    'See whether the users are people or machines.',
    'People: give the rights to a group or a permission set, and detach them from the users.',
    'If nobody knows of the change: detach the policies, and look at the keys and passwords of these users.',
  ],
  attack: attack({ 'T1098.003': 'Account Manipulation: Additional Cloud Roles' }),
  cis: [...cis('3.0.0', '1.15'), ...cis('5.0.0', '1.14')],
  gaps: [
    'One or two users are told by iam-policy-changed alone, which also judges every policy.',
    'What hung on users before the trail began is not seen.',
  ],
};

const config = z.strictObject({
  users: z
    .int()
    .min(2)
    .max(thingsMax)
    .default(3)
    .describe('Different users given policies in a day that make a signal.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Spree>({
  meta,
  on: ['iam.amazonaws.com:AttachUserPolicy', 'iam.amazonaws.com:PutUserPolicy'],
  config,
  state: { ...spreeState(quiet), bucketMs: dayMs, lifetimeMs: 2 * dayMs },
  isKnown: (event, state) => isInSpree(state, 'users', [userOf(event)], event),
  fold: (event, state) => spreeAdd(state, 'users', [userOf(event)], event),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeDay(bucket, settings)),
});

function quiet(event: Event): string | undefined {
  if (event.outcome !== 'success') return 'the call did not succeed';
  if (isByAws(event)) return 'a service of AWS acted by itself';
  if (/Quarantine/.test(event.text('requestParameters.policyArn') ?? '')) {
    return 'the quarantine of AWS takes rights away';
  }
  return userOf(event) === '' ? 'the record names no user' : undefined;
}

function userOf(event: Event): string {
  return plain(event.text('requestParameters.userName'));
}

function judgeDay(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const group = groupsOf(bucket.state, 'users');
  if (group.things.length < settings.users) return [];
  return [
    {
      ...spreeSignal(bucket, 'users', group),
      severity: 'low',
      title: `${nameOf(actorIn(bucket.state))} gave policies straight to ${sizeOf(group)} users in a day`,
      reason: `Users: ${listed(group.things)}. Rights belong to groups or roles, which stand for a duty.`,
    },
  ];
}
