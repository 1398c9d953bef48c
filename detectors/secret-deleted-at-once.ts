// A secret was deleted without the days in which it could be restored.
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
  id: 'secret-deleted-at-once',
  title: 'Secret deleted at once',
  severity: 'low',
  practice: 'least-privilege',
  what: 'Secrets of Secrets Manager were deleted with ForceDeleteWithoutRecovery, or many were scheduled for deletion, within an hour by one principal.',
  why: 'A secret deleted so cannot be restored. Whoever read it first is then the only one who has it.',
  innocent: [
    'Deployment tools force the deletion to be able to make the secret anew under its name: low for a role.',
    'A test environment is taken down.',
  ],
  firstSteps: [
    'For those that were only scheduled: aws secretsmanager restore-secret --secret-id <name>.',
    'See in the timeline whether the caller had read the secrets before: then rotate what they open.',
    'Ask the caller; check replicas in other regions, which may still hold the value.',
  ],
  attack: attack({ T1485: 'Data Destruction' }),
  cis: [],
  gaps: ['Parameters of Systems Manager are not looked at.', 'An hour is a clock hour.'],
};

const config = z.strictObject({
  many: z
    .int()
    .min(2)
    .max(thingsMax)
    .default(10)
    .describe('Secrets deleted in an hour, in either way, that are many.'),
});

export default folding<z.infer<typeof config>, Spree>({
  meta,
  on: ['secretsmanager.amazonaws.com:DeleteSecret'],
  config,
  state: spreeState((event) => {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS did it';
    return event.outcome === 'success' ? undefined : 'nothing was deleted';
  }),
  isKnown: (event, state) => isInSpree(state, kindOf(event), [nameIn(event)], event),
  fold: (event, state) => spreeAdd(state, kindOf(event), [nameIn(event)], event),
  judge: (buckets, { many }) => buckets.flatMap((bucket) => judgeHour(bucket, many)),
});

function kindOf(event: Event): string {
  const isForced = event.field('requestParameters.forceDeleteWithoutRecovery') === true;
  return isForced ? 'forced' : 'scheduled';
}

function nameIn(event: Event): string {
  const id = event.text('requestParameters.secretId') ?? event.text('responseElements.name');
  const named = id?.replace(/^arn:[^:]*:secretsmanager:[^:]*:\d*:secret:(.+)-[^-]{6}$/, '$1');
  return plain(named ?? `not named (${event.id})`);
}

function judgeHour(bucket: Bucket<Spree>, many: number): readonly JudgedSignal[] {
  const forced = groupsOf(bucket.state, 'forced');
  const all = groupsOf(bucket.state, 'forced', 'scheduled');
  const isMany = all.things.length >= many;
  if (forced.things.length === 0 && !isMany) return [];
  const actor = actorIn(bucket.state);
  const isTool = actor.kind === 'role' && !actor.name.startsWith('AWSReservedSSO_');
  const isAtOnce = forced.things.length > 0;
  const told = isAtOnce && !isMany ? forced : all;
  return [
    {
      ...spreeSignal(bucket, 'deleted', told),
      severity: isTool && !(isMany && isAtOnce) ? 'low' : isMany ? 'medium' : 'low',
      title: `${nameOf(actor)} deleted ${counted(told, 'secret')}${isAtOnce ? ' without recovery' : ''}`,
      reason: isAtOnce
        ? `${forced.things.length} cannot be restored: ${listed(forced.things)}.`
        : `They can be restored for some days: ${listed(all.things)}.`,
    },
  ];
}
