// One principal read many different secrets within an hour, or asked for all of them in one call.
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
  type Group,
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
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'secrets-read-in-bulk',
  title: 'Secrets read in bulk',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Within an hour one principal read many different secrets of Secrets Manager or decrypted parameters of Systems Manager that it had not read in the day before, was refused many of them, or asked for everything with one catch-all call.',
  why: 'A workload reads the few secrets it needs. Whoever reads them all takes the passwords and keys of everything behind them, and can come back without AWS.',
  innocent: [
    'A deployment tool that reads the parameters of all its stacks: shown as low for roles.',
    'An operator such as External Secrets that starts anew: it stays quiet once it reads the same ones again.',
    'A person who moves secrets to another store: ask for the ticket.',
  ],
  firstSteps: [
    'Ask the owner of the user or role whether this was theirs; compare the address with the usual one.',
    'If not: deactivate the access key or revoke the sessions of the role, and deny it secretsmanager:GetSecretValue and ssm:GetParameter*.',
    'Rotate every secret that was read, those of databases and third parties first; the reason names some, the timeline holds more.',
    'Look for logins to the systems behind these secrets since then.',
  ],
  attack: attack({
    'T1555.006': 'Credentials from Password Stores: Cloud Secrets Management Stores',
    T1552: 'Unsecured Credentials',
  }),
  cis: [],
  gaps: [
    'An hour is a clock hour: reading spread evenly over two of them counts as half.',
    'Only the first hundred names of an hour, in alphabetical order, are kept.',
    'A stolen role session of a function or container looks like the tool itself and is shown as low.',
    'A read of parameters by path is one name, however many parameters it gave.',
    'Management trails that leave out read-only events do not hold these calls.',
  ],
};

const count = z.int().min(2).max(thingsMax);
const config = z.strictObject({
  secrets: count
    .default(20)
    .describe('Different secrets newly read in an hour that make a signal.'),
  parameters: count
    .default(25)
    .describe('Different parameters newly decrypted in an hour that make a signal.'),
  refused: count.default(8).describe('Different secrets refused in an hour that make a signal.'),
});
type Config = z.infer<typeof config>;

type Kind = 'secrets' | 'parameters' | 'refused' | 'all';

export default folding<Config, Spree>({
  meta,
  on: [
    'secretsmanager.amazonaws.com:GetSecretValue',
    'secretsmanager.amazonaws.com:BatchGetSecretValue',
    'ssm.amazonaws.com:GetParameter',
    'ssm.amazonaws.com:GetParameters',
    'ssm.amazonaws.com:GetParametersByPath',
  ],
  config,
  state: spreeState(quiet, dayMs),
  isKnown(event, state) {
    const { kind, things } = readOf(event);
    return isInSpree(state, kind, things, event) && !isNewInstance(event, state);
  },
  fold(event, state) {
    const { kind, things } = readOf(event);
    const instance = instanceOf(event);
    const isNew = spreeAdd(state, kind, things, event);
    return (instance !== undefined && spreeAdd(state, 'instance', [instance], event)) || isNew;
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket) => judgeHour(bucket, buckets, settings));
  },
});

function quiet(event: Event): string | undefined {
  if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS reads by itself';
  if (event.source === 'ssm.amazonaws.com' && !isDecrypted(event)) return 'nothing was decrypted';
  if (event.outcome === 'failure') return 'the call failed';
  const { kind, things } = readOf(event);
  if (kind === 'all') return undefined;
  if (event.name === 'BatchGetSecretValue' && kind !== 'refused') {
    return 'each secret of a batch has a GetSecretValue of its own';
  }
  return things.length === 0 ? 'the record names no secret' : undefined;
}

function isDecrypted(event: Event): boolean {
  return event.field('requestParameters.withDecryption') === true;
}

function readOf(event: Event): { readonly kind: Kind; readonly things: readonly string[] } {
  const things = namesOf(event);
  const isAll = catchAll(event);
  if (event.outcome === 'denied') {
    return { kind: 'refused', things: things.length > 0 ? things : [`${event.name} call`] };
  }
  if (isAll !== undefined) return { kind: 'all', things: [isAll] };
  return { kind: event.source.startsWith('ssm') ? 'parameters' : 'secrets', things };
}

function namesOf(event: Event): readonly string[] {
  const one =
    event.text('requestParameters.secretId') ??
    event.text('requestParameters.name') ??
    event.text('requestParameters.path');
  if (one !== undefined) return [nameIn(one)];
  const many = event.field('requestParameters.names');
  if (!Array.isArray(many)) return [];
  return many.slice(0, 10).flatMap((name) => (typeof name === 'string' ? [nameIn(name)] : []));
}

// A secret is named or given by ARN, which ends with a dash and six characters of its own.
function nameIn(text: string): string {
  const secret = /^arn:[^:]*:secretsmanager:[^:]*:\d*:secret:(.+)$/.exec(text)?.[1];
  if (secret !== undefined) return plain(secret.replace(/-[A-Za-z0-9]{6}$/, ''));
  return plain(/^arn:[^:]*:ssm:[^:]*:\d*:parameter(.+)$/.exec(text)?.[1] ?? text);
}

/** Gives how a call asked for everything; undefined when it asked for some. */
function catchAll(event: Event): string | undefined {
  if (event.name === 'GetParametersByPath') {
    const isAll =
      event.text('requestParameters.path') === '/' &&
      event.field('requestParameters.recursive') === true;
    return isAll ? 'all parameters below /' : undefined;
  }
  if (event.name !== 'BatchGetSecretValue') return undefined;
  const filters = event.field('requestParameters.filters');
  if (!Array.isArray(filters) || filters.length === 0) return undefined;
  const values = filters.flatMap((_, at) => {
    const list = event.field(`requestParameters.filters.${at}.values`);
    return Array.isArray(list) ? list : [''];
  });
  const isNegated = values.every((one) => typeof one === 'string' && one.startsWith('!'));
  return isNegated ? `all secrets but those matching ${listed(values.map(String))}` : undefined;
}

function instanceOf(event: Event): string | undefined {
  const session = event.text('userIdentity.principalId')?.split(':')[1];
  return session !== undefined && /^i-[0-9a-f]{8,17}$/.test(session) ? session : undefined;
}

function isNewInstance(event: Event, state: Spree): boolean {
  const instance = instanceOf(event);
  return instance !== undefined && !isInSpree(state, 'instance', [instance], event);
}

function judgeHour(
  bucket: Bucket<Spree>,
  all: readonly Bucket<Spree>[],
  settings: Config,
): readonly JudgedSignal[] {
  const before = all.filter(({ start }) => start < bucket.start && start >= bucket.start - dayMs);
  return [
    ...judgeReads(bucket, before, 'secrets', settings.secrets),
    ...judgeReads(bucket, before, 'parameters', settings.parameters),
    ...judgeRefused(bucket, settings.refused),
    ...judgeAll(bucket),
  ];
}

/** Things read before are routine: an operator reads the same secrets every hour. */
function judgeReads(
  bucket: Bucket<Spree>,
  before: readonly Bucket<Spree>[],
  kind: 'secrets' | 'parameters',
  enough: number,
): readonly JudgedSignal[] {
  const group = groupsOf(bucket.state, kind);
  if (group.things.length < enough) return [];
  const known = new Set(before.flatMap(({ state }) => groupsOf(state, kind).things));
  const fresh = group.things.filter((one) => !known.has(one));
  if (fresh.length < enough) return [];
  const who = actorIn(bucket.state);
  const hand = handOf(bucket.state);
  const refused = groupsOf(bucket.state, 'refused').things.length;
  const verb = kind === 'secrets' ? 'read' : 'decrypted';
  const size = sizeOf({ ...group, things: fresh });
  const more = refused > 2 ? ` It was also refused ${refused} others.` : '';
  return [
    {
      ...spreeSignal(bucket, kind, group),
      severity: hand === undefined && more === '' ? 'low' : 'medium',
      title: `${nameOf(who)} ${verb} ${size} different ${kind} within an hour`,
      reason: `${hand ?? 'A role of a tool reads many at times.'} New in a day: ${listed(fresh)}.${more}`,
    },
  ];
}

/** Gives why the hand that read is unlikely to be a tool's; undefined when it may be one. */
function handOf(state: Spree): string | undefined {
  const { kind, name } = actorIn(state);
  const instance = groupsOf(state, 'instance').things[0];
  if (instance !== undefined) {
    return `The credentials are those of instance ${instance}, whose application needs few.`;
  }
  if (kind !== 'role') return 'It was not a role: a person or a long-term key read them.';
  const isPerson = name.startsWith('AWSReservedSSO_');
  return isPerson ? 'A person signed in through Identity Center read them.' : undefined;
}

function judgeRefused(bucket: Bucket<Spree>, enough: number): readonly JudgedSignal[] {
  const group: Group = groupsOf(bucket.state, 'refused');
  if (group.things.length < enough) return [];
  return [
    {
      ...spreeSignal(bucket, 'refused', group),
      severity: 'low',
      title: `${nameOf(actorIn(bucket.state))} was refused ${sizeOf(group)} different secrets`,
      reason: `It tried names it has no right to read: ${listed(group.things)}. Nothing was given.`,
    },
  ];
}

function judgeAll(bucket: Bucket<Spree>): readonly JudgedSignal[] {
  const group = groupsOf(bucket.state, 'all');
  if (group.things.length === 0) return [];
  // Tools that turn parameters into settings do read the whole tree.
  const isTool = handOf(bucket.state) === undefined;
  const isTree = group.things.every((one) => one.startsWith('all parameters'));
  return [
    {
      ...spreeSignal(bucket, 'all', group),
      severity: isTool && isTree ? 'low' : 'medium',
      title: `${nameOf(actorIn(bucket.state))} asked for all secrets at once`,
      reason: `The request chose nothing: ${listed(group.things)}. A workload names what it needs.`,
    },
  ];
}
