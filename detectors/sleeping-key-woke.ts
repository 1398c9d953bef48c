// A long-term key that nobody had used for months signed a call.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { firstsSchema, isNews, noted } from '../src/core/instances.ts';
import {
  callerNetworkOf,
  isOwnerNews,
  networkOfShown,
  newKeyOf,
  noteOwner,
  ownerOf,
  userKeyOf,
} from '../src/core/keys.ts';
import { listed, principalSchema } from '../src/core/tally.ts';
import { attack, cis } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, hourMs, windowStart } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'sleeping-key-woke',
  title: 'Sleeping access key woke',
  severity: 'medium',
  practice: 'access-keys',
  what: 'A long-term access key of an IAM user signed a call after months in which it was not used, or for the first time months after it was made.',
  why: 'A key that nobody uses is a key that nobody watches. When it wakes, often somebody found it in an old disk, backup or repository.',
  innocent: [
    'A job that runs once a quarter or once a year.',
    'A break-glass or disaster recovery drill.',
    'A colleague is back after a long absence.',
  ],
  firstSteps: [
    'Ask the owner of the user what woke the key, over a channel outside of AWS; compare the address with those of its earlier life.',
    'Read in the timeline what the key did since it woke.',
    'If nobody answers for it: deactivate the key (aws iam update-access-key --status Inactive) and look for users, keys and roles made with it.',
    'In any case: delete keys that are not used for 45 days.',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    'T1552.001': 'Unsecured Credentials: Credentials In Files',
  }),
  cis: [...cis('3.0.0', '1.12'), ...cis('5.0.0', '1.11')],
  gaps: [
    'Only sleep that lies within the trail is known: a key is never told at first sight, and not after more than 400 days.',
    'Use that CloudTrail does not record, such as data events that are not logged, looks like sleep.',
    'Sleeping passwords and roles are not watched.',
  ],
};

/** Longest sleep that is known, in days: how long state is kept. */
const memoryDays = 400;
const weekMs = 7 * dayMs;
/** Networks kept a week: more are of no use for the comparison. */
const networksMax = 20;

const config = z.strictObject({
  sleepDays: z
    .int()
    .min(14)
    .max(memoryDays - 10)
    .default(90)
    .describe('Days without use after which a key counts as asleep.'),
});
type Config = z.infer<typeof config>;

const stateSchema = z.object({
  account: z.string(),
  key: z.string(),
  actor: principalSchema.optional(),
  /** `made` and `used`: the first event of each. */
  firsts: firstsSchema,
  networks: firstsSchema,
  /** The hour of the last use: coarse, so that a busy key changes state once an hour. */
  lastHour: z.number(),
});
type State = z.infer<typeof stateSchema>;

export default folding<Config, State>({
  meta,
  on: ['key:long-term', 'iam.amazonaws.com:CreateAccessKey'],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: weekMs,
    lifetimeMs: memoryDays * dayMs,
    reachMs: memoryDays * dayMs,
    // A key that makes another is used too: the making is noted under the new key, the use is lost.
    key(event) {
      const key = madeBy(event) ?? userKeyOf(event);
      if (key === undefined) return 'not signed with the key of a user';
      return { key: `${plain(key)} in ${plain(event.account)}` };
    },
    empty: () => ({ account: '', key: '', firsts: {}, networks: {}, lastHour: 0 }),
  },
  isKnown(event, state) {
    if (madeBy(event) !== undefined) return !isNews(state.firsts, 'made', event, 2);
    if (windowStart(event.time, hourMs) > state.lastHour) return false;
    const network = callerNetworkOf(event);
    if (network !== undefined && isNews(state.networks, network, event, networksMax)) return false;
    return !isOwnerNews(state, event) && !isNews(state.firsts, 'used', event, 2);
  },
  fold(event, state) {
    const made = madeBy(event);
    state.account = plain(event.account);
    state.key = plain(made ?? userKeyOf(event));
    if (made !== undefined) return noted(state.firsts, 'made', event, 2);
    const hour = windowStart(event.time, hourMs);
    const isLater = hour > state.lastHour;
    if (isLater) state.lastHour = hour;
    const network = callerNetworkOf(event);
    const isNetwork = network !== undefined && noted(state.networks, network, event, networksMax);
    const isOwner = noteOwner(state, event);
    return noted(state.firsts, 'used', event, 2) || isLater || isNetwork || isOwner;
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket, at) => judgeWeek(bucket, buckets.slice(0, at), settings));
  },
});

function madeBy(event: Event): string | undefined {
  if (event.name !== 'CreateAccessKey' || event.source !== 'iam.amazonaws.com') return undefined;
  return event.outcome === 'success' ? newKeyOf(event) : undefined;
}

function judgeWeek(
  { state }: Bucket<State>,
  earlier: readonly Bucket<State>[],
  settings: Config,
): readonly JudgedSignal[] {
  const woke = state.firsts['used'];
  if (woke === undefined) return [];
  const uses = earlier.filter((one) => one.state.firsts['used'] !== undefined);
  const lastUse = uses.at(-1)?.state.lastHour;
  const made = earlier.flatMap((one) => one.state.firsts['made'] ?? [])[0];
  const since = lastUse ?? made?.time;
  if (since === undefined) return [];
  const days = Math.floor((woke.time - since) / dayMs);
  if (days < settings.sleepDays || days > memoryDays) return [];
  const owner = ownerOf(state, state.account);
  const usual = [...new Set(uses.flatMap((one) => Object.keys(one.state.networks)))].sort();
  const network = networkOfShown(woke.from);
  const isElsewhere = usual.length > 0 && network !== undefined && !usual.includes(network);
  const slept =
    lastUse === undefined
      ? `It was made on ${dayOf(since)} and had never been used in the trail.`
      : `Its last use was on ${dayOf(since)}.`;
  const where = isElsewhere
    ? `It woke in a network it was not used from before: ${network}, not ${listed(usual)}.`
    : `It woke at ${woke.from || 'an unknown address'}.`;
  return [
    {
      key: `${state.key} ${dayOf(woke.time)}`,
      time: woke.time,
      account: state.account,
      principal: owner,
      evidence: lastUse === undefined && made !== undefined ? [made, woke] : [woke],
      count: 1,
      severity: isElsewhere ? 'high' : 'medium',
      title: `Access key ${state.key} of ${plain(owner.name)} woke after ${days} days without use`,
      reason: `${slept} ${where} First call: ${woke.what}, ${woke.outcome}.`,
      facts: { from: woke.from, accessKey: state.key, lastSeen: dayOf(since) },
    },
  ];
}

function dayOf(time: number): string {
  return formatTime(time).slice(0, 10);
}
