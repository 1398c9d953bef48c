// A CloudTrail trail was stopped or deleted: who did it, whether it speaks again, whether it was a test.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  askedText,
  type Calls,
  type Context,
  callsOf,
  type Deed,
  trailOf,
} from '../src/core/monitoring.ts';
import {
  all,
  byTime,
  foldingSteps,
  type Step,
  type Steps,
  signalOf,
  stepsState,
} from '../src/core/removals.ts';
import { attack, cis } from '../src/core/telling.ts';
import { dayMs, formatTime } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'trail-stopped-or-deleted',
  title: 'Trail stopped or deleted',
  severity: 'high',
  practice: 'monitoring',
  what: 'Somebody stopped the logging of a CloudTrail trail, or deleted the trail.',
  why: 'Nothing that happens afterwards is written where we and the auditors read. Intruders do it before the loud part of their work.',
  innocent: [
    'A trail is replaced by one of the organisation: then another trail of the account is logging.',
    'An account is closed down, announced and by the people who close accounts.',
    'A trail made for a test is deleted by the one who made it; this is told as low.',
  ],
  firstSteps: [
    'Start it again: aws cloudtrail start-logging --name <trail>; a deleted one is made anew with its old bucket (aws cloudtrail create-trail, put-event-selectors, start-logging).',
    'Read what the trail missed: aws cloudtrail lookup-events keeps the management events of 90 days in each region, whatever trails do.',
    'Ask the caller for the ticket. If nobody answers for it: revoke the sessions of the caller and follow what it did in the hour before.',
    'Deny cloudtrail:StopLogging and cloudtrail:DeleteTrail by a service control policy.',
  ],
  attack: attack({ 'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs' }),
  cis: [...cis('3.0.0', '3.1', '4.5'), ...cis('5.0.0', '3.1', '4.5')],
  gaps: [
    'Whether another trail still logs the same events is not known from the call.',
    'Where the only way to us is the trail that was stopped, this is the last event we see; silence is watched apart.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

const calls: Calls<Config, Deed | Context> = {
  'cloudtrail.amazonaws.com:StopLogging': (event) => ended(event, 'stopped', 'stop'),
  'cloudtrail.amazonaws.com:DeleteTrail': (event) => ended(event, 'deleted', 'delete'),
  'cloudtrail.amazonaws.com:CreateTrail': () => ({ kind: 'made', things: ['created'] }),
  'cloudtrail.amazonaws.com:StartLogging': () => ({ kind: 'made', things: ['started'] }),
};

function ended(event: Event, did: string, tried: string): Deed {
  const name = askedText(event, 'name').split(':trail/').at(-1) ?? '';
  return { severity: 'high', did, tried, things: name === '' ? [] : [name], why: '' };
}

export default folding<Config, Steps>({
  meta,
  on: callsOf(calls),
  config,
  state: stepsState(dayMs, trailOf),
  fold: foldingSteps(calls),
  judge: (buckets) => buckets.flatMap((bucket) => judgeDay(bucket, buckets)),
});

function judgeDay(
  bucket: Bucket<Steps>,
  buckets: readonly Bucket<Steps>[],
): readonly JudgedSignal[] {
  const near = buckets.filter((one) => Math.abs(one.start - bucket.start) <= dayMs);
  const around = byTime(near.flatMap((one) => one.state.steps));
  const actors = [...new Set(bucket.state.steps.map((one) => one.principal.key))].sort();
  return actors.flatMap((actor) => {
    const deeds = bucket.state.steps.filter(
      (one) => one.kind === 'deed' && one.principal.key === actor,
    );
    const done = byTime(deeds.filter((one) => one.end === ''));
    return [...told(bucket, done, around), ...inVain(bucket, deeds)];
  });
}

function told(bucket: Bucket<Steps>, done: readonly Step[], around: readonly Step[]) {
  const first = done[0];
  if (first === undefined) return [];
  const ways = [...new Set(done.map((one) => one.did))].join(' and ');
  const isOwn = around.some(
    (one) =>
      one.things.includes('created') &&
      one.principal.key === first.principal.key &&
      one.proof.time <= first.proof.time,
  );
  return signalOf(bucket, done, {
    key: first.principal.key,
    severity: isOwn ? 'low' : 'high',
    title: `${first.who} ${ways} ${nameOf(done)}`,
    reason: isOwn
      ? 'The same principal made the trail within the day before, so little can be lost with it.'
      : `Since ${formatTime(first.proof.time)} it writes nothing. ${spokenAgain(done, around)}`,
  });
}

function spokenAgain(done: readonly Step[], around: readonly Step[]): string {
  const last = done.at(-1)?.proof.time ?? 0;
  const again = around.find((one) => one.kind === 'made' && one.proof.time > last);
  return again === undefined
    ? 'No call that starts it again was seen.'
    : `${again.who} ${again.things[0]} it at ${formatTime(again.proof.time)}; what came between is missing.`;
}

function inVain(bucket: Bucket<Steps>, deeds: readonly Step[]) {
  const failed = byTime(deeds.filter((one) => one.end !== ''));
  const first = failed[0];
  if (first === undefined) return [];
  const ways = [...new Set(failed.map((one) => one.tried))].join(' and ');
  return signalOf(bucket, failed, {
    key: `tried ${first.principal.key}`,
    severity: 'low',
    title: `${first.who} tried to ${ways} ${nameOf(failed)}`,
    reason: `The call ${first.end}; the trail goes on. Few people have a reason to try.`,
  });
}

function nameOf(steps: readonly Step[]): string {
  const name = all(steps);
  return name === '' ? 'a trail' : `trail ${name}`;
}
