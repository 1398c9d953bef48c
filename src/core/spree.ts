// A spree: what one principal did to many different things within an hour, kept as sets so that a fold
// detector can ask how many, whatever the order. It keeps no sum of calls, so that repeats cost nothing.
import { z } from 'zod';
import { type Bucket, evidenceOf, type JudgedSignal, type StateSpec } from './detector.ts';
import type { Event } from './event.ts';
import type { Principal } from './principal.ts';
import type { Evidence } from './signal.ts';
import { evidenceSchema, listed, principalSchema } from './tally.ts';
import { plain } from './text.ts';
import { dayMs, hourMs } from './time.ts';

const groupSchema = z.object({
  things: z.array(z.string()),
  evidence: z.array(evidenceSchema),
  isCut: z.boolean(),
});
const spreeSchema = z.object({
  account: z.string(),
  actor: principalSchema.optional(),
  groups: z.record(z.string(), groupSchema),
});

/** Different things of one kind, sorted and cut to the smallest, with the first proofs. */
export type Group = z.infer<typeof groupSchema>;
export type Spree = z.infer<typeof spreeSchema>;

/** Things kept of a group: a threshold must not be above it. */
export const thingsMax = 100;
const evidenceMax = 20;

/** Takes what says which events belong; gives the state of a detector that keeps a spree an hour. */
export function spreeState(
  quiet: (event: Event) => string | undefined,
  reachMs = 0,
): StateSpec<Spree> {
  return {
    version: 1,
    schema: spreeSchema,
    scope: 'account',
    bucketMs: hourMs,
    // A day, so that an hour can be held against those before it, and one for late arrivals.
    lifetimeMs: 2 * dayMs,
    reachMs,
    key(event) {
      return quiet(event) ?? { key: `${event.principal.key} in ${event.account}` };
    },
    empty: () => ({ account: '', groups: {} }),
  };
}

/** Takes an event and the things it touched; puts them into the spree. Gives true when it changed. */
export function spreeAdd(
  spree: Spree,
  name: string,
  things: readonly string[],
  event: Event,
): boolean {
  if (isInSpree(spree, name, things, event)) return false;
  spree.account = event.account;
  const actor = { ...event.principal };
  if (spree.actor === undefined || JSON.stringify(actor) < JSON.stringify(spree.actor)) {
    spree.actor = actor;
  }
  const group = spree.groups[name] ?? { things: [], evidence: [], isCut: false };
  const all = [...new Set([...group.things, ...things.map((one) => plain(one))])].sort();
  spree.groups[name] = {
    things: all.slice(0, thingsMax),
    evidence: [...group.evidence, evidenceOf(event)].sort(inOrder).slice(0, evidenceMax),
    isCut: group.isCut || all.length > thingsMax,
  };
  return true;
}

/** Takes the same; gives true when adding would change nothing. */
export function isInSpree(
  spree: Spree,
  name: string,
  things: readonly string[],
  event: Event,
): boolean {
  const group = spree.groups[name];
  if (group === undefined || group.evidence.length < evidenceMax) return false;
  const last = group.evidence.at(-1);
  const isEarlier = (at: Evidence) =>
    event.time < at.time || (event.time === at.time && plain(event.id) < at.id);
  if (last === undefined || isEarlier(last)) return false;
  const largest = group.things.at(-1) ?? '';
  return things.every((one) => {
    const thing = plain(one);
    return group.things.includes(thing) || (group.isCut && thing > largest);
  });
}

/** Takes groups; gives the sum of them, and of no group an empty one. */
export function groupsOf(spree: Spree, ...names: readonly string[]): Group {
  const some = names.flatMap((name) => spree.groups[name] ?? []);
  const [only] = some;
  if (only === undefined) return { things: [], evidence: [], isCut: false };
  // One group is kept sorted and cut as it is; asked for on every event, it is not copied.
  if (some.length === 1) return only;
  const things = [...new Set(some.flatMap((one) => one.things))].sort();
  const evidence = new Map(some.flatMap((one) => one.evidence.map((line) => [line.id, line])));
  return {
    things,
    evidence: [...evidence.values()].sort(inOrder).slice(0, evidenceMax),
    isCut: some.some((one) => one.isCut),
  };
}

/** Takes a group; gives its size as a sentence says it: `23`, or `at least 100` when it was cut. */
export function sizeOf(group: Group): string {
  return group.isCut ? `at least ${group.things.length}` : String(group.things.length);
}

/** Takes a group and what one of its things is called; gives `1 object`, `23 objects`. */
export function counted(group: Group, noun: string): string {
  return `${sizeOf(group)} ${noun}${group.things.length === 1 ? '' : 's'}`;
}

/** Takes a bucket and a group of it; gives the parts of a signal that follow from them. */
export function spreeSignal(
  { key, start, state }: Bucket<Spree>,
  name: string,
  group: Group,
): Omit<JudgedSignal, 'severity' | 'title' | 'reason'> {
  const from = [...new Set(group.evidence.map((one) => one.from))].sort();
  return {
    key: `${name} ${key} ${start}`,
    time: group.evidence[0]?.time ?? start,
    account: state.account,
    principal: actorIn(state),
    evidence: group.evidence,
    count: group.evidence.length,
    facts: { from: listed(from), things: listed(group.things) },
    limited: group.isCut || group.evidence.length >= evidenceMax,
  };
}

/** Takes a spree; gives who is behind it. */
export function actorIn(spree: Spree): Principal {
  const unknown: Principal = { key: 'unknown', kind: 'unknown', account: '', name: 'unknown' };
  const { arn, ...rest } = spree.actor ?? unknown;
  return arn === undefined ? rest : { ...rest, arn };
}

/** Takes a principal; gives its name as a sentence begins. */
export function nameOf({ kind, name, account }: Principal): string {
  if (kind === 'root') return `Root of account ${account}`;
  if (kind === 'user') return `IAM user ${name}`;
  return kind === 'role' ? `Role ${name}` : name;
}

function inOrder(a: Evidence, b: Evidence): number {
  return a.time - b.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
