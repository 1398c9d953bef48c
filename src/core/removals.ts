// What was taken away from logging or detection in an hour or a day, as steps that a fold detector keeps:
// so that what is put back at once, or goes with the thing it served, is told apart from what stays away.
import { z } from 'zod';
import { type Bucket, evidenceOf, type JudgedSignal, type StateSpec } from './detector.ts';
import type { Event } from './event.ts';
import {
  attempted,
  type Calls,
  type Context,
  type Deed,
  endOf,
  ownWork,
  readOf,
} from './monitoring.ts';
import { type Severity, severities, severityRank } from './severity.ts';
import { evidenceSchema, listed, principalSchema } from './tally.ts';
import { actorOf } from './telling.ts';
import { plain } from './text.ts';
import { dayMs, hourMs } from './time.ts';

const stepSchema = z.object({
  identity: z.string(),
  isCorrection: z.boolean(),
  kind: z.enum(['deed', 'made', 'torn']),
  severity: z.enum(severities),
  did: z.string(),
  tried: z.string(),
  end: z.string(),
  things: z.array(z.string()),
  why: z.string(),
  who: z.string(),
  account: z.string(),
  principal: principalSchema,
  proof: evidenceSchema,
});
/** One call that was told apart: what it did, by whom, and how it ended. */
export type Step = z.infer<typeof stepSchema>;

const stepsSchema = z.object({ steps: z.array(stepSchema), limited: z.boolean() });
/** Steps by identity: the gravest are kept, then the earliest. */
export type Steps = z.infer<typeof stepsSchema>;

/** Steps of one kind kept in a bucket, and things in a step: what a person would read. */
const stepsMax = 40;
const thingsMax = 20;

/** Takes how long a bucket is and its key; gives the state of a detector that keeps steps. */
export function stepsState(bucketMs: number, key: (event: Event) => string): StateSpec<Steps> {
  return {
    version: 1,
    schema: stepsSchema,
    scope: 'account',
    isReplacing: true,
    bucketMs,
    lifetimeMs: 2 * dayMs + 2 * bucketMs,
    // Signals look one bucket to each side, and an event's neighbours are judged with theirs.
    reachMs: 2 * bucketMs,
    key(event) {
      return ownWork(event) ?? { key: key(event) };
    },
    empty: () => ({ steps: [], limited: false }),
  };
}

/** Takes an event; gives a key for what one principal did in one account. */
export function byActor(event: Event): string {
  return `${event.principal.key} in ${event.account}`;
}

/** Takes a table of calls; gives a `fold` that keeps what each did. */
export function foldingSteps<Config>(calls: Calls<Config, Deed | Context>) {
  return (event: Event, state: Steps, config: Config): boolean => {
    const read = readOf(calls, event, config);
    if (typeof read === 'string') return false;
    const step = stepOf(event, read);
    return step === undefined ? false : addStep(state, step);
  };
}

function stepOf(event: Event, read: Deed | Context): Step | undefined {
  const isDeed = 'severity' in read;
  if (!isDeed && event.outcome !== 'success') return undefined;
  return {
    identity: event.identity,
    isCorrection: event.isCorrection,
    kind: isDeed ? 'deed' : read.kind,
    severity: isDeed ? read.severity : 'info',
    did: isDeed ? read.did : '',
    tried: isDeed ? read.tried : '',
    end: event.outcome === 'success' ? '' : endOf(event),
    things: read.things.slice(0, thingsMax).map((one) => plain(one)),
    why: isDeed ? read.why : '',
    who: actorOf(event),
    account: event.account,
    principal: { ...event.principal },
    proof: evidenceOf(event),
  };
}

function addStep(state: Steps, step: Step): boolean {
  const at = state.steps.findIndex((one) => one.identity === step.identity);
  const known = state.steps[at];
  if (known !== undefined) {
    if (!replaces(step, known)) return false;
    state.steps.splice(at, 1);
  }
  state.steps.push(step);
  state.steps.sort(inOrder);
  const same = state.steps.filter((one) => one.kind === step.kind);
  if (same.length <= stepsMax) return true;
  state.limited = true;
  state.steps = state.steps.filter((one) => one !== same.at(-1));
  return true;
}

// Of two corrections of one event the smaller id stands, whichever came first.
function replaces(one: Step, known: Step): boolean {
  if (one.isCorrection !== known.isCorrection) return one.isCorrection;
  return one.isCorrection && one.proof.id < known.proof.id;
}

function inOrder(a: Step, b: Step): number {
  const graver = severityRank(b.severity) - severityRank(a.severity);
  return graver || inTime(a, b);
}

function inTime(a: Step, b: Step): number {
  return a.proof.time - b.proof.time || (a.identity < b.identity ? -1 : 1);
}

/** Takes steps; gives them by time. */
function byTime(steps: readonly Step[]): Step[] {
  return [...steps].sort(inTime);
}

/** Takes a bucket and what to say of steps in it, the telling first; gives the signal. */
function signalOf(
  bucket: Bucket<Steps>,
  steps: readonly Step[],
  what: { key: string; severity: Severity; title: string; reason: string },
): readonly JudgedSignal[] {
  const ordered = byTime(steps);
  const first = ordered[0];
  if (first === undefined) return [];
  const { arn, ...rest } = first.principal;
  return [
    {
      ...what,
      key: `${what.key} ${bucket.start} ${bucket.key}`,
      time: first.proof.time,
      account: first.account,
      principal: arn === undefined ? rest : { ...rest, arn },
      evidence: ordered.slice(0, thingsMax).map((one) => one.proof),
      count: ordered.length,
      facts: { from: listed(unique(ordered.map((one) => one.proof.from))), target: all(ordered) },
      limited: bucket.state.limited,
    },
  ];
}

/** Takes steps; gives the things they are about as text. */
function all(steps: readonly Step[]): string {
  return listed(unique(steps.flatMap((one) => one.things)));
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/**
 * Takes the standing buckets of one principal and a name for what they take away; gives for each a signal of
 * what stayed away, one of what was made again or went with what it served, one of what was tried in vain.
 */
export function judgeRemovals(buckets: readonly Bucket<Steps>[], noun: string): JudgedSignal[] {
  return buckets.flatMap((bucket) => {
    const near = buckets.filter((one) => Math.abs(one.start - bucket.start) <= hourMs);
    const around = near.flatMap((one) => one.state.steps);
    const made = new Set(around.filter((one) => one.kind === 'made').flatMap((one) => one.things));
    const isTorn = around.some((one) => one.kind === 'torn');
    const deeds = bucket.state.steps.filter((one) => one.kind === 'deed');
    const isMild = (one: Step) =>
      isTorn || made.has('*') || (one.things.length > 0 && one.things.every((it) => made.has(it)));
    const why = isTorn
      ? 'The same principal tore down what they served, or one like it, about the same hour.'
      : 'The same principal put them in place again about the same hour.';
    const failed = deeds.filter((one) => one.end !== '');
    const gone = deeds.filter((one) => one.end === '' && !isMild(one));
    const passing = deeds.filter((one) => one.end === '' && isMild(one));
    return [
      ...removed(bucket, gone, noun),
      ...mild(bucket, passing, noun, why),
      ...inVain(bucket, failed, noun),
    ];
  });
}

function removed(bucket: Bucket<Steps>, steps: readonly Step[], noun: string) {
  const gravest = steps[0];
  if (gravest === undefined) return [];
  const grave = steps.filter((one) => one.severity === gravest.severity);
  const reasons = unique(grave.map((one) => one.why));
  return signalOf(bucket, steps, {
    key: 'removed',
    severity: gravest.severity,
    title: `${gravest.who} ${summary(steps, noun)}`,
    reason: `${reasons.slice(0, 3).join(' ')} ${nameAll(steps)}`.trim(),
  });
}

function mild(bucket: Bucket<Steps>, steps: readonly Step[], noun: string, why: string) {
  const first = steps[0];
  if (first === undefined) return [];
  return signalOf(bucket, steps, {
    key: 'replaced',
    severity: 'info',
    title: `${first.who} ${summary(steps, noun)} in passing`,
    reason: `${why} ${nameAll(steps)}`.trim(),
  });
}

function inVain(bucket: Bucket<Steps>, steps: readonly Step[], noun: string) {
  const first = steps[0];
  if (first === undefined) return [];
  const what = steps.length === 1 ? `${first.tried} ${all(steps)}` : `do away with ${noun}`;
  return signalOf(bucket, steps, {
    key: 'tried',
    severity: attempted(first.severity),
    title: `${first.who} tried to ${what}`.trim(),
    reason:
      `The ${steps.length === 1 ? 'call' : 'first call'} ${first.end}. ${nameAll(steps)}`.trim(),
  });
}

function summary(steps: readonly Step[], noun: string): string {
  const [one] = steps;
  if (steps.length === 1 && one !== undefined) return `${one.did} ${all(steps)}`.trim();
  return `weakened ${noun} in ${steps.length} calls`;
}

function nameAll(steps: readonly Step[]): string {
  const things = all(steps);
  return steps.length > 1 && things !== '' ? `They are: ${things}.` : '';
}
