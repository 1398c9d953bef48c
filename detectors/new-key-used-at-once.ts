// A new access key was used within a day: by its maker in the name of another, or far from its maker.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { type Firsts, firstsSchema, isNews, noted, proofsOf } from '../src/core/instances.ts';
import {
  callerNetworkOf,
  isByOwner,
  isByPerson,
  networkOfShown,
  newKeyOf,
  ownerIn,
  userKeyOf,
} from '../src/core/keys.ts';
import type { Severity } from '../src/core/severity.ts';
import type { Evidence } from '../src/core/signal.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, hourMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'new-key-used-at-once',
  title: 'New access key used at once',
  severity: 'medium',
  practice: 'access-keys',
  what: 'A long-term access key was made and signed calls within a day: from the network of the person who made it for another user, or from a network far from its maker.',
  why: 'Who takes over a session or a key makes a new key at once, tries it, and goes on with it elsewhere. Changes to IAM with the new key show that the back door is in use.',
  innocent: [
    'An administrator tries a key before handing it over.',
    'A key made at a desk is put into a build system or a server: shown as low.',
  ],
  firstSteps: [
    'Ask the maker what the key is for, and whether the first calls were theirs, over a channel outside of AWS.',
    'Read what the new key did in the timeline, IAM changes first.',
    'If nobody answers for it: deactivate the new key (aws iam update-access-key --status Inactive), disable the key or revoke the sessions of its maker, and undo what both did.',
  ],
  attack: attack({
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'A key that a role of no person made is told only where it goes on to change IAM: pipelines make keys and others use them.',
    'Use through AWS services and from private addresses does not say where the user sits.',
    'Who waits longer than a day is not seen here.',
  ],
};

const config = z.strictObject({
  hours: z
    .int()
    .min(1)
    .max(24)
    .default(24)
    .describe('Hours after the making in which use of a new key is looked at.'),
});
type Config = z.infer<typeof config>;

const makers = ['self', 'person', 'key', 'workload'] as const;
const stateSchema = z.object({
  account: z.string(),
  key: z.string(),
  /** By maker's kind, the making: there is one. */
  made: z.partialRecord(z.enum(makers), firstsSchema),
  /** By network, the first use of the day. */
  uses: firstsSchema,
  /** By call, the first change of IAM that the key signed. */
  changes: firstsSchema,
});
type State = z.infer<typeof stateSchema>;
type Maker = (typeof makers)[number];

const namesMax = 20;

export default folding<Config, State>({
  meta,
  on: ['iam.amazonaws.com:CreateAccessKey', 'key:long-term'],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 2 * dayMs,
    reachMs: dayMs,
    key(event) {
      const key = madeBy(event) ?? userKeyOf(event);
      if (key === undefined) return 'not signed with the key of a user';
      return { key: `${plain(key)} in ${plain(event.account)}` };
    },
    empty: () => ({ account: '', key: '', made: {}, uses: {}, changes: {} }),
  },
  isKnown(event, state) {
    if (madeBy(event) !== undefined) return false;
    const network = callerNetworkOf(event);
    if (network !== undefined && isNews(state.uses, network, event, namesMax)) return false;
    return !isChange(event) || !isNews(state.changes, event.name, event, namesMax);
  },
  fold(event, state) {
    const made = madeBy(event);
    state.account = plain(event.account);
    state.key = plain(made ?? userKeyOf(event));
    if (made !== undefined) {
      const kind = makerOf(event);
      const makings: Firsts = state.made[kind] ?? {};
      state.made[kind] = makings;
      return noted(makings, plain(ownerIn(event)) || 'unknown', event, 1);
    }
    const network = callerNetworkOf(event);
    const isUse = network !== undefined && noted(state.uses, network, event, namesMax);
    return (isChange(event) && noted(state.changes, event.name, event, namesMax)) || isUse;
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket) => {
      const near = buckets.filter(
        (one) => one.start === bucket.start || one.start === bucket.start + dayMs,
      );
      return Object.entries(bucket.state.made).flatMap(([kind, makings]) =>
        Object.entries(makings ?? {}).flatMap(([owner, made]) =>
          judgeKey(near, { kind: kind as Maker, owner, made }, settings),
        ),
      );
    });
  },
});

function madeBy(event: Event): string | undefined {
  if (event.name !== 'CreateAccessKey' || event.source !== 'iam.amazonaws.com') return undefined;
  return event.outcome === 'success' && !isByAws(event) ? newKeyOf(event) : undefined;
}

function makerOf(event: Event): Maker {
  const owner = ownerIn(event);
  if (owner !== undefined && isByOwner(event, owner)) return 'self';
  if (event.invokedBy === '' && userKeyOf(event) !== undefined) return 'key';
  return isByPerson(event) ? 'person' : 'workload';
}

function isChange(event: Event): boolean {
  return event.source === 'iam.amazonaws.com' && event.readOnly === false;
}

interface Making {
  readonly kind: Maker;
  readonly owner: string;
  readonly made: Evidence;
}

function judgeKey(
  near: readonly Bucket<State>[],
  making: Making,
  settings: Config,
): readonly JudgedSignal[] {
  const { owner, made } = making;
  const state = near[0]?.state;
  if (state === undefined) return [];
  const end = made.time + settings.hours * hourMs;
  const inTime = (all: Firsts) =>
    Object.entries(all).filter(([, one]) => one.time >= made.time && one.time <= end);
  const uses = near.flatMap((one) => inTime(one.state.uses));
  const changes = near.flatMap((one) => inTime(one.state.changes));
  const home = networkOfShown(made.from);
  const networks = [...new Set(uses.map(([network]) => network))].sort();
  const away = home === undefined ? [] : networks.filter((one) => one !== home);
  const isHome = home !== undefined && networks.includes(home);
  const severity = severityOf(making.kind, { isHome, isAway: away.length > 0, changes });
  if (severity === undefined) return [];
  const evidence = proofsOf({ made }, Object.fromEntries(changes), Object.fromEntries(uses));
  const calls = listed([...new Set(changes.map(([name]) => name))].sort());
  const where = isHome && making.kind !== 'self' ? 'by its maker' : 'away from its maker';
  const who = making.kind === 'self' ? 'The user made it for itself' : `${made.who} made it`;
  const arn = `arn:aws:iam::${state.account}:user/${owner}`;
  return [
    {
      key: `${state.key} ${formatTime(made.time)}`,
      time: evidence.find((one) => one.id !== made.id)?.time ?? made.time,
      account: state.account,
      principal: made.caller?.principal ?? {
        key: `user/${state.account}/${arn}`,
        kind: 'user',
        account: state.account,
        name: owner,
        arn,
      },
      evidence,
      count: evidence.length,
      severity,
      title: `New access key ${state.key} of IAM user ${owner} was used at once ${where}`,
      reason: `${who} at ${formatTime(made.time)} from ${made.from}. Within ${settings.hours} hours it was used from ${listed(networks) || 'no network of the internet'}${calls === '' ? '.' : `, and called ${calls} of IAM.`}`,
      facts: { from: listed(networks), accessKey: state.key, target: owner },
    },
  ];
}

interface Use {
  readonly isHome: boolean;
  readonly isAway: boolean;
  readonly changes: readonly unknown[];
}

/** Keys are made to be used elsewhere; what is grave is who made it, and that it changes IAM at once. */
function severityOf(kind: Maker, { isHome, isAway, changes }: Use): Severity | undefined {
  if (!isHome && !isAway) return undefined;
  const hasChanged = changes.length > 0;
  if (kind === 'self') return isAway ? (hasChanged ? 'medium' : 'low') : undefined;
  if (kind === 'workload') return isAway && hasChanged ? 'low' : undefined;
  if (kind === 'key') return hasChanged ? 'high' : 'medium';
  if (isHome) return hasChanged ? 'high' : 'medium';
  return hasChanged ? 'medium' : 'low';
}
