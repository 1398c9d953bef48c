// An account that spoke every hour of a day says nothing for hours, while others go on.
import { z } from 'zod';
import type { JudgedSignal } from '../src/core/detector.ts';
import { type Bucket, type DetectorMeta, evidenceOf, folding } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Principal } from '../src/core/principal.ts';
import { evidenceSchema } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { dayMs, formatTime, hourMs, minuteMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'account-fell-silent',
  title: 'Account fell silent',
  severity: 'medium',
  practice: 'monitoring',
  what: 'No event of an account arrived for three hours, after events in every hour of the day before, while other accounts went on.',
  why: 'A trail can be starved without a call that says so: its bucket, key, role or a delivery on the way. What you do not receive you cannot judge.',
  innocent: [
    'The account was emptied or closed.',
    'A delivery of yours is delayed: the events come late, and the counter of late events rises.',
  ],
  firstSteps: [
    'Ask for the state of its trail (GetTrailStatus: LatestDeliveryError, LatestDeliveryTime).',
    'Check the bucket policy, the KMS key policy and whatever carries the log from there to here.',
    'Read the event history of the account for the silent hours.',
  ],
  attack: attack({ 'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs' }),
  cis: [],
  gaps: [
    'It takes other accounts to tell silence from the end of the log: in a log of one account, or when everything stops, watch the lag that Sentrail reports.',
    'An account with quiet hours is not judged, nor one region of an account.',
    'A log without arrival stamps has a clock for each account: there silence is not seen.',
  ],
};

const config = z.strictObject({
  hours: z
    .int()
    .min(2)
    .max(24)
    .default(24)
    .describe('Hours in a row that must have spoken before.'),
});
type Config = z.infer<typeof config>;

/** Hours of silence that make a signal: deliveries of minutes, even of an hour, are everyday life. */
const silentHours = 3;
const slotMs = 15 * minuteMs;

const stateSchema = z.object({ slot: z.number(), proof: evidenceSchema.optional() });
type State = z.infer<typeof stateSchema>;

export default folding<Config, State>({
  meta,
  on: ['event:*'],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: hourMs,
    lifetimeMs: dayMs + (silentHours + 2) * hourMs,
    reachMs: dayMs,
    settleMs: silentHours * hourMs,
    key: (event) => (event.account === '' ? 'the record names no account' : { key: event.account }),
    empty: () => ({ slot: -1 }),
  },
  isKnown: (event, state) => !isLater(event, state),
  fold(event, state) {
    if (!isLater(event, state)) return false;
    state.slot = slotOf(event);
    state.proof = evidenceOf(event);
    return true;
  },
  judge: (buckets, settings) =>
    buckets.flatMap((bucket) => judgeHour(bucket, buckets, settings.hours)),
});

function slotOf(event: Event): number {
  return Math.floor(event.time / slotMs);
}

/** The first event of the last quarter that spoke stands for the hour: few changes, any order. */
function isLater(event: Event, state: State): boolean {
  const slot = slotOf(event);
  if (slot !== state.slot) return slot > state.slot;
  const { proof } = state;
  if (proof === undefined) return true;
  return event.time < proof.time || (event.time === proof.time && event.id < proof.id);
}

function judgeHour(
  { key: account, start, state }: Bucket<State>,
  all: readonly Bucket<State>[],
  hours: number,
): JudgedSignal[] {
  const { proof } = state;
  const spoke = new Set(all.map((one) => one.start));
  if (proof === undefined) return [];
  for (let at = 1; at <= silentHours; at++) if (spoke.has(start + at * hourMs)) return [];
  for (let at = 1; at < hours; at++) if (!spoke.has(start - at * hourMs)) return [];
  const name = `account ${account}`;
  const principal: Principal = { key: `account/${account}`, kind: 'unknown', account, name };
  return [
    {
      key: `silent ${start}`,
      severity: 'medium',
      time: proof.time,
      account,
      principal,
      title: `Account ${account} fell silent after ${formatTime(proof.time)}`,
      reason: `It had events in each of the ${hours} hours before and none in the ${silentHours} hours after, while other accounts went on.`,
      evidence: [proof],
      count: 1,
      facts: { lastCall: proof.what },
    },
  ];
}
