// One principal was refused many different calls within an hour: it tries what its credentials can
// do.
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
import { attack, cis, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'calls-refused-in-many-services',
  title: 'Calls refused in many services',
  severity: 'low',
  practice: 'least-privilege',
  what: 'Within an hour one principal was refused many different calls in several services, which it had not been refused in the day before.',
  why: 'Whoever finds a key does not know what it may do, and tries. Each refusal is the least privilege at work; many different ones together are somebody who does not know the job of this principal.',
  innocent: [
    'A posture scanner or inventory tool whose role lacks some rights: it is refused the same calls each day.',
    'A person with few rights who clicks through the console, which asks many services at once.',
    'A new workload whose policy is being written by trial.',
  ],
  firstSteps: [
    'Look at what the principal is for: would it ever call the services in the reason?',
    'If not: deactivate the key or revoke the sessions of the role, then read what was not refused in its timeline, for those calls worked.',
    'If it is a scanner: give it the rights it needs or an exception with an owner.',
  ],
  attack: attack({
    T1580: 'Cloud Infrastructure Discovery',
    T1526: 'Cloud Service Discovery',
    'T1087.004': 'Account Discovery: Cloud Account',
  }),
  cis: [...cis('3.0.0', '4.1'), ...cis('5.0.0', '4.1')],
  gaps: [
    'An hour is a clock hour: trying slowly, or over two hours, counts as less.',
    'How many calls were allowed meanwhile is not counted.',
    'The sessions of instances are left to instance-role-enumerates.',
    'Refused data events, such as reading objects, are seen only where the trail records them.',
  ],
};

const count = z.int().min(2).max(thingsMax);
const config = z.strictObject({
  actions: count
    .default(10)
    .describe('Different calls newly refused in an hour that make a signal.'),
  services: count.default(4).describe('Different services these calls must touch.'),
  actionsMedium: count.default(30).describe('As many make it medium for a long-term key.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Spree>({
  meta,
  on: ['outcome:denied'],
  config,
  state: spreeState(quiet, dayMs),
  isKnown(event, state) {
    if (isByKey(event) && !isInSpree(state, 'by key', ['yes'], event)) return false;
    return isInSpree(state, 'refused', [callOf(event)], event);
  },
  fold(event, state) {
    const isNew = spreeAdd(state, 'refused', [callOf(event)], event);
    return (isByKey(event) && spreeAdd(state, 'by key', ['yes'], event)) || isNew;
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket) => judgeHour(bucket, buckets, settings));
  },
});

function quiet(event: Event): string | undefined {
  if (event.outcome !== 'denied') return 'the call was not refused';
  if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
  const { kind } = event.principal;
  if (kind === 'unknown' || kind === 'service') return 'the record names no principal';
  if (kind === 'root') return 'root-account-used tells what root was refused';
  if (isInstance(event)) return 'instance-role-enumerates tells what instances are refused';
  return event.origin.kind === 'service' ? 'a service forwarded the call' : undefined;
}

function callOf(event: Event): string {
  return `${event.source.replace('.amazonaws.com', '')}:${event.name}`;
}

function isInstance(event: Event): boolean {
  return /^[^:]+:i-[0-9a-f]{8,17}$/.test(event.text('userIdentity.principalId') ?? '');
}

function isByKey(event: Event): boolean {
  return event.accessKeyId.startsWith('AKIA');
}

function judgeHour(
  bucket: Bucket<Spree>,
  all: readonly Bucket<Spree>[],
  settings: Config,
): readonly JudgedSignal[] {
  const group = groupsOf(bucket.state, 'refused');
  const known = new Set(
    all
      .filter(({ start }) => start < bucket.start && start >= bucket.start - dayMs)
      .flatMap(({ state }) => groupsOf(state, 'refused').things),
  );
  const fresh = group.things.filter((one) => !known.has(one));
  const services = [...new Set(fresh.map((one) => one.slice(0, one.indexOf(':'))))];
  if (fresh.length < settings.actions || services.length < settings.services) return [];
  const byKey = groupsOf(bucket.state, 'by key').things.length > 0;
  const isMany = byKey && fresh.length >= settings.actionsMedium;
  const whose = byKey ? 'With a long-term key. ' : '';
  const who = nameOf(actorIn(bucket.state));
  const size = sizeOf({ ...group, things: fresh });
  return [
    {
      ...spreeSignal(bucket, 'refused', group),
      severity: isMany ? 'medium' : 'low',
      title: `${who} was refused ${size} different calls in ${services.length} services`,
      reason: `${whose}New in a day: ${listed(fresh)}. Services: ${listed(services)}.`,
    },
  ];
}
