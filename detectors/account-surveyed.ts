// A long-term key looked around in many services within an hour.
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
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'account-surveyed',
  title: 'Account surveyed',
  severity: 'low',
  practice: 'least-privilege',
  what: 'Within an hour a long-term key made many different Describe, List and Get calls in many services that it had not made in the day before; or it read the structure of the organisation.',
  why: 'An application asks the few services it uses. Whoever has found its key first looks at everything the account has.',
  innocent: [
    'A scanner or inventory that runs with the key of a user: the same calls each day.',
    'Terraform run with the key of a user over a large stack.',
    'A person with a key who works in many services.',
  ],
  firstSteps: [
    'Find out what the key is for, and whether its address and user agent are the usual ones.',
    'If it is not a tool: deactivate the key.',
    'Read what it did after looking around: reads of secrets, snapshots shared, identities made.',
  ],
  attack: attack({
    T1580: 'Cloud Infrastructure Discovery',
    T1526: 'Cloud Service Discovery',
    'T1087.004': 'Account Discovery: Cloud Account',
  }),
  cis: [],
  gaps: [
    'Role sessions are not watched: consoles and tools read widely all day. instance-role-enumerates watches those of instances.',
    'Looking around slowly, over hours, counts as less.',
    'A trail without read-only events does not hold these calls.',
  ],
};

const count = z.int().min(2).max(thingsMax);
const config = z.strictObject({
  calls: count.default(30).describe('Different reads, new in a day, that make a signal.'),
  services: count.default(8).describe('Different services these must touch.'),
  organisation: count
    .default(3)
    .describe('Different reads of the structure of the organisation that make a signal.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Spree>({
  meta,
  on: ['key:long-term'],
  config,
  state: spreeState(quiet, dayMs),
  isKnown: (event, state) =>
    thingsOf(event).every(([group, thing]) => isInSpree(state, group, [thing], event)),
  fold: (event, state) =>
    thingsOf(event)
      .map(([group, thing]) => spreeAdd(state, group, [thing], event))
      .some(Boolean),
  judge: (buckets, settings) =>
    buckets.flatMap((bucket) => [
      ...judgeReads(bucket, buckets, settings),
      ...judgeOrganisation(bucket, buckets, settings),
    ]),
});

function quiet(event: Event): string | undefined {
  if (event.outcome !== 'success') return 'the call gave nothing away';
  if (!/^(Describe|List|Get|Search|BatchGet)/.test(event.name)) return 'the call is not a read';
  if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
  if (event.principal.kind === 'root') return 'root-account-used tells what root reads';
  if (event.principal.kind === 'unknown') return 'the record names no principal';
  return event.origin.kind === 'service' ? 'a service forwarded the call' : undefined;
}

function thingsOf(event: Event): readonly (readonly [group: string, thing: string])[] {
  const service = event.source.replace('.amazonaws.com', '');
  const call = `${service}:${event.name}`;
  const structure = service === 'organizations' ? ([['organisation', call]] as const) : [];
  return [['reads', call], ...structure];
}

/** What a principal read within the day before is its routine. */
function freshIn(
  bucket: Bucket<Spree>,
  all: readonly Bucket<Spree>[],
  group: string,
): readonly string[] {
  const known = new Set(
    all
      .filter(({ start }) => start < bucket.start && start >= bucket.start - dayMs)
      .flatMap(({ state }) => groupsOf(state, group).things),
  );
  return groupsOf(bucket.state, group).things.filter((one) => !known.has(one));
}

function judgeReads(
  bucket: Bucket<Spree>,
  all: readonly Bucket<Spree>[],
  settings: Config,
): readonly JudgedSignal[] {
  const fresh = freshIn(bucket, all, 'reads');
  const services = [...new Set(fresh.map((one) => one.slice(0, one.indexOf(':'))))];
  if (fresh.length < settings.calls || services.length < settings.services) return [];
  const group = groupsOf(bucket.state, 'reads');
  const size = sizeOf({ ...group, things: [...fresh] });
  return [
    {
      ...spreeSignal(bucket, 'reads', group),
      severity: 'low',
      title: `${nameOf(actorIn(bucket.state))} made ${size} different reads in ${services.length} services`,
      reason: `With a long-term key, none made in the day before. Services: ${listed(services)}. Calls: ${listed(fresh)}.`,
    },
  ];
}

function judgeOrganisation(
  bucket: Bucket<Spree>,
  all: readonly Bucket<Spree>[],
  settings: Config,
): readonly JudgedSignal[] {
  const fresh = freshIn(bucket, all, 'organisation');
  if (fresh.length < settings.organisation) return [];
  return [
    {
      ...spreeSignal(bucket, 'organisation', groupsOf(bucket.state, 'organisation')),
      severity: 'low',
      title: `${nameOf(actorIn(bucket.state))} read the structure of the organisation`,
      reason: `With a long-term key: ${listed(fresh)}. This names every account there is to go to.`,
    },
  ];
}
