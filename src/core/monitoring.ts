// Watching the watchers: what the detectors of the chapter on monitoring have in common. They read what a
// call took away from logging or detection, and tell it, one call at a time or an hour of calls together.
import { z } from 'zod';
import type { Bucket, CallPattern, JudgedSignal, Quiet, StateSpec } from './detector.ts';
import { evidenceOf } from './detector.ts';
import type { Event } from './event.ts';
import { type Severity, severities, severityRank } from './severity.ts';
import type { SignalDraft } from './signal.ts';
import { evidenceSchema, listed, principalSchema } from './tally.ts';
import { actorOf, isByAws, originOf, said } from './telling.ts';
import { plain } from './text.ts';
import { dayMs, hourMs } from './time.ts';

/** What a call took away: `did` and `tried` are phrases that the name of the thing follows. */
export interface Deed {
  readonly severity: Severity;
  readonly did: string;
  readonly tried: string;
  readonly things: readonly string[];
  readonly why: string;
}

/** What a call put in place, or what it tore down together with that which was watched. */
export interface Context {
  readonly kind: 'made' | 'torn';
  readonly things: readonly string[];
}

/** Reads one call; gives what it did, or why it does not matter. */
export type Read<Config, Kind = Deed> = (event: Event, config: Config) => Kind | Quiet;
/** The calls a detector reads. */
export type Calls<Config, Kind = Deed> = Readonly<Record<CallPattern, Read<Config, Kind>>>;

/** Takes a table of calls; gives what a detector asks for. */
export function callsOf<Config, Kind>(calls: Calls<Config, Kind>): readonly CallPattern[] {
  // Object.keys widens to string; the table's type allows no other keys.
  return Object.keys(calls) as CallPattern[];
}

/** Takes an event; gives why it is AWS's own work, undefined where it is somebody's. */
export function ownWork(event: Event): Quiet | undefined {
  if (isByAws(event)) return 'an AWS service did it by itself';
  // Only AWS can put a role under this path.
  const isLinked = event.principal.arn?.includes(':role/aws-service-role/') === true;
  return isLinked ? 'a service-linked role of AWS did it' : undefined;
}

/** Takes a table of calls and an event; gives what its call did, or why that does not matter. */
export function readOf<Config, Kind>(
  calls: Calls<Config, Kind>,
  event: Event,
  config: Config,
): Kind | Quiet {
  const own = ownWork(event);
  if (own !== undefined) return own;
  return calls[`${event.source}:${event.name}`]?.(event, config) ?? 'another call';
}

/** Takes a table of calls; gives a `detect` that tells each call by itself. */
export function detecting<Config>(calls: Calls<Config>) {
  return (event: Event, config: Config): SignalDraft | Quiet => {
    const deed = readOf(calls, event, config);
    return typeof deed === 'string' ? deed : tell(event, deed);
  };
}

/** Takes an event and what it did or tried; gives the signal. */
export function tell(event: Event, deed: Deed): SignalDraft {
  const things = listed(deed.things);
  const facts = things === '' ? {} : { target: things };
  const who = actorOf(event);
  if (event.outcome === 'success') {
    const title = `${who} ${deed.did} ${things}`.trim();
    const reason = `${deed.why} The call came from ${originOf(event)}.`;
    return said(event, { severity: deed.severity, title, reason, facts });
  }
  return said(event, {
    severity: attempted(deed.severity),
    title: `${who} tried to ${deed.tried} ${things}`.trim(),
    reason: `The call from ${originOf(event)} ${endOf(event)} and changed nothing.`,
    facts,
  });
}

/** An attempt at what is grave is worth a look, at what is not it is for the record. */
function attempted(severity: Severity): Severity {
  return severityRank(severity) >= severityRank('medium') ? 'low' : 'info';
}

function endOf(event: Event): string {
  const code = plain(event.errorCode) || 'an error';
  return event.outcome === 'denied' ? `was refused (${code})` : `failed with ${code}`;
}

/** Takes an event and a path below requestParameters; gives what is there, in either case of each key. */
export function asked(event: Event, path: string): unknown {
  return within(event.field('requestParameters'), path);
}

/** Takes a value and a dotted path; gives what is there, in either case of each key's first letter. */
export function within(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split('.')) {
    if (at === null || typeof at !== 'object') return undefined;
    // It is an object, whose keys may be read as unknown.
    const here = at as Record<string, unknown>;
    const first = key.charAt(0);
    const other = first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase();
    at = here[key] ?? here[`${other}${key.slice(1)}`];
  }
  return at;
}

/** Takes an event and a path below requestParameters; gives a text there, '' where there is none. */
export function askedText(event: Event, path: string): string {
  const value = asked(event, path);
  return typeof value === 'string' ? value : '';
}

/** Takes a flag of a record; gives true when it says false: services write it as text too. */
export function isFalse(value: unknown): boolean {
  return value === false || (typeof value === 'string' && value.toLowerCase() === 'false');
}

/** As isFalse, for true. */
export function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
}

/** What is read of a request: a list of a million names is no list to a person. */
const textsMax = 200;
const depthMax = 8;

/** Takes any part of a request; gives the texts in it that match, at most 200, in order. */
export function textsIn(value: unknown, pattern = /./): string[] {
  const found: string[] = [];
  collect(value, { pattern, found }, depthMax);
  return found;
}

function collect(
  value: unknown,
  into: { readonly pattern: RegExp; readonly found: string[] },
  depth: number,
): void {
  if (into.found.length >= textsMax || depth === 0) return;
  if (typeof value === 'string') {
    if (into.pattern.test(value)) into.found.push(value);
    return;
  }
  if (value === null || typeof value !== 'object') return;
  for (const one of Object.values(value)) collect(one, into, depth - 1);
}

/** Takes any part of a request; gives it as a list of objects, however it was written. */
export function listOf(value: unknown): readonly Record<string, unknown>[] {
  const list = Array.isArray(value) ? value.slice(0, textsMax) : [value];
  return list.filter((one) => one !== null && typeof one === 'object');
}

// Names by which people tell security's own log groups, alarms and event buses from the application's.
const guardian =
  /cloud-?trail|guard-?duty|security|vpc.?flow|flow-?logs?\b|unauthori[sz]ed|root.?(account|user|login|usage)|\bcis[-_. ]?\d|console-?(sign|login)|mfa|\bsiem\b|\bsoc\b|audit|sentrail|waf-logs|resolver|dns-?(query|logs)|access-?analy[sz]er|macie|inspector|iam-?(policy|change)/i;

/** Takes the name of an alarm, a log group or the like; gives whether it seems to serve security. */
export function servesSecurity(name: string): boolean {
  return guardian.test(name);
}

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
export function stepsState(
  bucketMs: number,
  key: (event: Event) => string | undefined,
): StateSpec<Steps> {
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
      const own = ownWork(event);
      if (own !== undefined) return own;
      const found = key(event);
      return found === undefined ? 'the record does not name what it is about' : { key: found };
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
export function byTime(steps: readonly Step[]): Step[] {
  return [...steps].sort(inTime);
}

/** Takes a bucket and what to say of steps in it, the telling first; gives the signal. */
export function signalOf(
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
export function all(steps: readonly Step[]): string {
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
