// Watching the watchers: how the detectors of the chapter on monitoring read what a call took away from
// logging or detection, and how they tell it.
import type { CallPattern, Quiet } from './detector.ts';
import type { Event } from './event.ts';
import { type Severity, severityRank } from './severity.ts';
import type { SignalDraft } from './signal.ts';
import { listed } from './tally.ts';
import { actorOf, isByAws, originOf, said } from './telling.ts';
import { plain } from './text.ts';

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

/**
 * Takes how grave a call is, its verb in the past and in the infinitive, the paths below requestParameters
 * that name what it is about, and why it matters; gives how to read it. `applies` gives why it may not.
 */
export function taking(
  severity: Severity,
  verbs: readonly [did: string, tried: string],
  paths: readonly string[],
  why: string,
  applies: (event: Event) => Quiet | undefined = () => undefined,
): Read<unknown> {
  return (event) => {
    const quiet = applies(event);
    if (quiet !== undefined) return quiet;
    const things = paths.flatMap((path) => textsIn(asked(event, path)));
    return { severity, did: verbs[0], tried: verbs[1], things, why };
  };
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
export function attempted(severity: Severity): Severity {
  return severityRank(severity) >= severityRank('medium') ? 'low' : 'info';
}

/** Takes an event that did not succeed; gives how it ended. */
export function endOf(event: Event): string {
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

/** Takes a flag; gives true when it says false: services write it as text too. */
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
