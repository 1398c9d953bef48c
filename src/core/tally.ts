// A tally: how often something was seen, under which names, from where, with the first proofs. Order-free,
// so that a fold detector can keep one in its state.
import { z } from 'zod';
import { principalSchema } from '../../schemas/alert.ts';
import { evidenceOf } from './detector.ts';
import type { Event } from './event.ts';
import type { Evidence } from './signal.ts';
import { plain } from './text.ts';

/** The shape of Caller, for state. */
const callerSchema = z.object({
  principal: principalSchema,
  key: z.string(),
  session: z.string().exactOptional(),
  began: z.number().exactOptional(),
  source: z.string().exactOptional(),
  behalf: z.string().exactOptional(),
  workload: z.string().exactOptional(),
  issuer: principalSchema.exactOptional(),
  isVouched: z.literal(true).exactOptional(),
  isAssumedRoot: z.literal(true).exactOptional(),
  isConsole: z.literal(true).exactOptional(),
  shared: z.string().exactOptional(),
});

/** The shape of Evidence, for state. */
export const evidenceSchema = z.object({
  id: z.string(),
  time: z.number(),
  who: z.string(),
  what: z.string(),
  from: z.string(),
  region: z.string(),
  outcome: z.enum(['success', 'failure', 'denied']),
  caller: callerSchema.exactOptional(),
});

export { principalSchema };

/** The shape of a tally: `names` are calls, `from` addresses, both sorted and cut. */
export const tallySchema = z.object({
  count: z.number(),
  names: z.array(z.string()),
  from: z.array(z.string()),
  evidence: z.array(evidenceSchema),
});
export type Tally = z.infer<typeof tallySchema>;

/** What a person would read; the smallest are kept, so that order does not matter. */
const namesMax = 40;
const evidenceMax = 20;

/** Takes a tally, if there is one yet, and an event; gives the tally with the event in it. */
export function tallied(old: Tally | undefined, event: Event): Tally {
  const was = old ?? { count: 0, names: [], from: [], evidence: [] };
  const line = evidenceOf(event);
  return {
    count: was.count + 1,
    names: union(was.names, [line.what]),
    from: union(was.from, [line.from]),
    evidence: [...was.evidence, line].sort(inOrder).slice(0, evidenceMax),
  };
}

/** Takes tallies; gives their sum, undefined when there is none. */
export function joined(tallies: readonly (Tally | undefined)[]): Tally | undefined {
  const some = tallies.filter((one) => one !== undefined);
  if (some.length === 0) return undefined;
  return {
    count: some.reduce((sum, one) => sum + one.count, 0),
    names: union(...some.map((one) => one.names)),
    from: union(...some.map((one) => one.from)),
    evidence: some
      .flatMap((one) => one.evidence)
      .sort(inOrder)
      .slice(0, evidenceMax),
  };
}

/** Takes names; gives the first few as text, and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 6).map((one) => plain(one));
  return names.length > 6 ? `${shown.join(', ')} and ${names.length - 6} more` : shown.join(', ');
}

function union(...sets: readonly (readonly string[])[]): string[] {
  return [...new Set(sets.flat())].sort().slice(0, namesMax);
}

function inOrder(a: Evidence, b: Evidence): number {
  return a.time - b.time || (a.id < b.id ? -1 : 1);
}
