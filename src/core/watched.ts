// Calls that are a signal by themselves, as a table: what was done to what, how grave, and why.
import type { Quiet } from './detector.ts';
import type { Event } from './event.ts';
import type { Severity } from './severity.ts';
import type { SignalDraft } from './signal.ts';
import { actorOf, isByAws, originOf, said } from './telling.ts';
import { plain } from './text.ts';

/** One call. */
export interface Watched {
  /** As it stands between actor and name: `stopped the trail`. */
  readonly did: string;
  /** As it stands after `tried to`: `stop the trail`. */
  readonly todo: string;
  /** Where the name of what it was done to stands; the first that holds text counts. */
  readonly names: readonly string[];
  readonly severity: Severity;
  /** Why it matters, a sentence. */
  readonly why: string;
  /** Absent: always. Gives a reason to stay quiet, or another severity and why for this event. */
  weigh?(event: Event): Quiet | Pick<Watched, 'severity' | 'why'> | undefined;
}

/** Takes an event and the table by call name; gives the signal, or why it is quiet. */
export function watched(
  event: Event,
  table: Readonly<Record<string, Watched>>,
): SignalDraft | Quiet {
  const row = table[event.name];
  if (row === undefined) return 'not one of the calls that are watched';
  if (isByAws(event)) return 'AWS itself made the call';
  const weighed = row.weigh?.(event);
  if (typeof weighed === 'string') return weighed;
  const { severity, why } = weighed ?? row;
  const name = nameIn(event, row.names);
  const target = name === '' ? '' : ` ${name}`;
  const facts = { call: plain(event.name), ...(name === '' ? {} : { target: name }) };
  const where = `${originOf(event)}, region ${plain(event.region) || 'unknown'}`;
  if (event.outcome === 'success') {
    const title = `${actorOf(event)} ${row.did}${target}`;
    return said(event, { severity, title, reason: `${why} From ${where}.`, facts });
  }
  return said(event, {
    severity: severity === 'info' ? 'info' : 'low',
    title: `${actorOf(event)} tried to ${row.todo}${target} and failed`,
    reason: `The call failed (${plain(event.errorCode) || 'no code'}), nothing changed. ${why} From ${where}.`,
    facts,
  });
}

/** Takes a source and its table; gives the patterns of `on`. */
export function callsOf(
  source: string,
  table: Readonly<Record<string, Watched>>,
): `${string}:${string}`[] {
  return Object.keys(table).map((name) => `${source}:${name}` as const);
}

/** Takes paths; gives the first text found at one, or the texts of a list there, safe to print. */
function nameIn(event: Event, paths: readonly string[]): string {
  for (const path of paths) {
    const value = event.field(path);
    const texts = Array.isArray(value) ? value : [value];
    const shown = texts.map((one) => plain(one)).filter((one) => one !== '');
    if (shown.length > 3) return `${shown.slice(0, 3).join(', ')} and ${shown.length - 3} more`;
    if (shown.length > 0) return shown.join(', ');
  }
  return '';
}
