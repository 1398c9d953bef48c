// A long-term key that should have been replaced long ago still signs calls.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { firstsSchema, isNews, noted } from '../src/core/instances.ts';
import { isOwnerNews, newKeyOf, noteOwner, ownerOf, userKeyOf } from '../src/core/keys.ts';
import { principalSchema } from '../src/core/tally.ts';
import { attack, cis } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, parseTime } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'old-key-still-used',
  title: 'Old access key still used',
  severity: 'low',
  practice: 'access-keys',
  what: 'A long-term access key of an IAM user signed calls although it is older than keys may become. One signal a key and month.',
  why: 'Each month more copies of a key lie about: in images, backups, laptops of people who left. Replacing it makes all of them worthless.',
  innocent: [
    'A device or a partner whose key can be replaced only by hand: give it an exception with an owner and an end.',
  ],
  firstSteps: [
    'Find the owner of the user, and ask whether a role could take the place of the key.',
    'If not: make a second key, hand it over, wait until the old one is silent (aws iam get-access-key-last-used), deactivate it, and delete it a week later.',
    'Look in the timeline for networks and calls that are not those of the workload.',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    'T1552.001': 'Unsecured Credentials: Credentials In Files',
  }),
  cis: [...cis('3.0.0', '1.14'), ...cis('5.0.0', '1.13')],
  gaps: [
    'The age counts from CreateAccessKey, from keysMadeAt, or else from the first use in the trail: then the key is at least that old.',
    'What lies more than 400 days back is forgotten: an older key shows as about 400 days old, unless keysMadeAt names it.',
    'Old keys that nobody uses are not seen: the credential report lists them.',
    'A key that passes its age within a week is told by the first use of the next.',
  ],
};

/** How far back making and use are known, in days. */
const memoryDays = 400;

const config = z.strictObject({
  ageDaysMax: z
    .int()
    .min(7)
    .max(390)
    .default(90)
    .describe('Days after which a key should have been replaced.'),
  ageDaysMedium: z
    .int()
    .min(7)
    .max(390)
    .default(365)
    .describe('Days after which its use is medium.'),
  keysMadeAt: z
    .record(
      z.string(),
      z.string().refine((text) => parseTime(text) !== undefined, 'an ISO 8601 time'),
    )
    .default({})
    .describe(
      'When keys were made, as the credential report says: access key id to ISO 8601 time.',
    ),
});
type Config = z.infer<typeof config>;

const stateSchema = z.object({
  account: z.string(),
  key: z.string(),
  actor: principalSchema.optional(),
  /** The first `made` and the first `used` of the week. */
  firsts: firstsSchema,
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
    bucketMs: 7 * dayMs,
    lifetimeMs: memoryDays * dayMs,
    reachMs: memoryDays * dayMs,
    key(event) {
      const key = madeBy(event) ?? userKeyOf(event);
      if (key === undefined) return 'not signed with the key of a user';
      return { key: `${plain(key)} in ${plain(event.account)}` };
    },
    empty: () => ({ account: '', key: '', firsts: {} }),
  },
  isKnown(event, state) {
    if (madeBy(event) !== undefined) return !isNews(state.firsts, 'made', event, 2);
    return !isOwnerNews(state, event) && !isNews(state.firsts, 'used', event, 2);
  },
  fold(event, state) {
    const made = madeBy(event);
    state.account = plain(event.account);
    state.key = plain(made ?? userKeyOf(event));
    if (made !== undefined) return noted(state.firsts, 'made', event, 2);
    const isOwner = noteOwner(state, event);
    return noted(state.firsts, 'used', event, 2) || isOwner;
  },
  judge(buckets, settings) {
    const told = new Set<string>();
    return buckets.flatMap((bucket, at) => {
      const signal = judgeWeek(bucket, buckets.slice(0, at + 1), settings);
      if (signal === undefined || told.has(signal.key)) return [];
      told.add(signal.key);
      return [signal];
    });
  },
});

function madeBy(event: Event): string | undefined {
  if (event.name !== 'CreateAccessKey' || event.source !== 'iam.amazonaws.com') return undefined;
  return event.outcome === 'success' ? newKeyOf(event) : undefined;
}

function judgeWeek(
  { start, state }: Bucket<State>,
  weeks: readonly Bucket<State>[],
  settings: Config,
): JudgedSignal | undefined {
  const used = state.firsts['used'];
  if (used === undefined) return undefined;
  const near = weeks.filter((one) => one.start >= start - memoryDays * dayMs);
  const { since, basis } = madeAt(state.key, near, settings);
  const days = Math.floor((used.time - since) / dayMs);
  if (days < settings.ageDaysMax) return undefined;
  const owner = ownerOf(state, state.account);
  const atLeast = basis === 'first use' ? 'at least ' : '';
  return {
    key: `${state.key} ${formatTime(used.time).slice(0, 7)}`,
    time: used.time,
    account: state.account,
    principal: owner,
    evidence: [used],
    count: 1,
    severity: days >= settings.ageDaysMedium ? 'medium' : 'low',
    title: `Access key ${state.key} of ${plain(owner.name)} is ${atLeast}${days} days old and still used`,
    reason: `${says[basis]} ${formatTime(since).slice(0, 10)}; keys should be replaced after ${settings.ageDaysMax} days. Used on ${formatTime(used.time).slice(0, 10)} from ${used.from || 'an unknown address'}: ${used.what}.`,
    facts: { from: used.from, accessKey: state.key, ageDays: `${atLeast}${days}` },
  };
}

type Basis = 'told' | 'made' | 'first use';
const says: Readonly<Record<Basis, string>> = {
  told: 'By the list keysMadeAt it was made on',
  made: 'It was made on',
  'first use': 'The trail does not show when it was made; it was in use on',
};

function madeAt(
  key: string,
  weeks: readonly Bucket<State>[],
  { keysMadeAt }: Config,
): { since: number; basis: Basis } {
  const told = parseTime(Object.hasOwn(keysMadeAt, key) ? keysMadeAt[key] : undefined);
  if (told !== undefined) return { since: told, basis: 'told' };
  const made = weeks.flatMap(({ state }) => state.firsts['made']?.time ?? []);
  if (made.length > 0) return { since: Math.min(...made), basis: 'made' };
  const uses = weeks.flatMap(({ state }) => state.firsts['used']?.time ?? []);
  return { since: Math.min(...uses), basis: 'first use' };
}
