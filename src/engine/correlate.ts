// Gathers signals into alerts: by account, principal and window. Pure: takes the operations of one
// event and the alerts as they stand, gives the alerts as they stand afterwards, one revision each.
import type { Alert, HiddenBy } from '../core/alert.ts';
import { severityRank, worst } from '../core/severity.ts';
import type { Signal } from '../core/signal.ts';
import { windowStart } from '../core/time.ts';
import { surer } from './chains.ts';
import type { Judgement } from './lane.ts';
import { alertIdOf, type Operation } from './operations.ts';

/** What correlation needs of the config. */
export interface CorrelateConfig {
  readonly window: number;
  readonly signalsMax: number;
}

/** Alerts by id; undefined where there is none. */
export type AlertLookup = (id: string) => Alert | undefined;

/** Takes judgements; gives the id of every alert they touch, to be loaded before `alertsBeside`. */
export function alertsTouched(judgements: readonly Judgement[]): Set<string> {
  return new Set(judgements.flat().map((operation) => operation.alertId));
}

/** Takes judgements and the alerts they touch; gives the ids of those in the windows beside them. */
export function alertsBeside(
  judgements: readonly Judgement[],
  lookup: AlertLookup,
  windowMs: number,
): Set<string> {
  const ids = new Set<string>();
  for (const operation of judgements.flat()) {
    // A removal names no principal: its alert does, and without an alert there is nothing to remove.
    const at = 'signal' in operation ? operation.signal : lookup(operation.alertId);
    if (at === undefined) continue;
    const time = 'windowFrom' in at ? at.windowFrom : at.time;
    for (const beside of [time - windowMs, time + windowMs]) {
      ids.add(alertIdOf(at.account, at.principal.key, beside, windowMs));
    }
  }
  return ids;
}

/** One revised alert, and whether this revision is worth sending out. */
export interface Revised {
  readonly alert: Alert;
  readonly isNotable: boolean;
}

/**
 * Takes the operations of one event, the alerts as they stand, and limits. Gives the alerts that
 * changed, each one revision on. A revision is notable when the alert opens, its severity or status
 * changes, a kind of signal joins or leaves, or the number of its events passes a power of two.
 */
export function correlate(
  judgement: Judgement,
  lookup: AlertLookup,
  config: CorrelateConfig,
): readonly Revised[] {
  const drafts = new Map<string, Alert>();
  const current: AlertLookup = (id) => drafts.get(id) ?? lookup(id);
  for (const operation of judgement) {
    const before = current(operation.alertId);
    const after = apply(before, operation, config);
    if (after !== undefined && after !== before) drafts.set(after.id, after);
  }
  for (const alert of [...drafts.values()])
    relate(alert, lookup(alert.id), current, drafts, config);
  return [...drafts.values()].map((draft) => revise(lookup(draft.id), draft));
}

function apply(
  before: Alert | undefined,
  operation: Operation,
  config: CorrelateConfig,
): Alert | undefined {
  if (operation.kind === 'remove') {
    return before === undefined ? undefined : without(before, operation.signalId);
  }
  if (operation.kind === 'chain') {
    return before === undefined ? undefined : amended(before, operation);
  }
  const { signal } = operation;
  const alert = before ?? emptyAlert(operation.alertId, signal, config.window);
  if (operation.kind === 'hide') {
    const { id } = operation.exception;
    const by = alert.hidden.find((one) => one.exception === id);
    return by?.signals.includes(signal.id) ? alert : hide(without(alert, signal.id), operation);
  }
  const shown = unhide(alert, signal.id);
  const old = shown.signals.find((one) => one.id === signal.id);
  const merged: Signal = {
    ...signal,
    late: signal.late || (old?.late ?? false),
    chains: surer(old?.chains ?? [], signal.chains),
  };
  if (old !== undefined && JSON.stringify(old) === JSON.stringify(merged)) return shown;
  const rest = shown.signals.filter((one) => one.id !== signal.id);
  return limited({ ...shown, signals: insert(rest, merged) }, config.signalsMax);
}

/** The way to the person became clearer; the person may be one whom an exception names. */
function amended(alert: Alert, operation: Extract<Operation, { kind: 'chain' }>): Alert {
  const { alertId, signalId, exception } = operation;
  const signal = alert.signals.find((one) => one.id === signalId);
  if (signal === undefined) return alert;
  const chains = surer(signal.chains, operation.chains);
  if (JSON.stringify(chains) === JSON.stringify(signal.chains)) return alert;
  const better: Signal = { ...signal, chains };
  if (exception !== undefined) {
    return hide(without(alert, signalId), { kind: 'hide', alertId, signal: better, exception });
  }
  const signals = alert.signals.map((one) => (one === signal ? better : one));
  return { ...alert, signals };
}

function emptyAlert(id: string, signal: Signal, windowMs: number): Alert {
  const windowFrom = windowStart(signal.time, windowMs);
  return {
    id,
    revision: 0,
    status: 'withdrawn',
    account: signal.account,
    principal: signal.principal,
    windowFrom,
    windowTo: windowFrom + windowMs,
    signals: [],
    related: [],
    hidden: [],
    signalsOverLimit: 0,
    delivered: 0,
  };
}

function without(alert: Alert, signalId: string): Alert {
  const shown = unhide(alert, signalId);
  const signals = shown.signals.filter((one) => one.id !== signalId);
  return signals.length === shown.signals.length ? shown : { ...shown, signals };
}

function hide(alert: Alert, operation: Extract<Operation, { kind: 'hide' }>): Alert {
  const { id, owner, reason, expires } = operation.exception;
  const old = alert.hidden.find((one) => one.exception === id);
  const signals = [...(old?.signals ?? []), operation.signal.id].sort();
  const entry: HiddenBy = { exception: id, owner, reason, expires, signals };
  const others = alert.hidden.filter((one) => one.exception !== id);
  return {
    ...alert,
    hidden: [...others, entry].sort((a, b) => (a.exception < b.exception ? -1 : 1)),
  };
}

function unhide(alert: Alert, signalId: string): Alert {
  if (!alert.hidden.some((one) => one.signals.includes(signalId))) return alert;
  const hidden = alert.hidden
    .map((one) => ({ ...one, signals: one.signals.filter((id) => id !== signalId) }))
    .filter((one) => one.signals.length > 0);
  return { ...alert, hidden };
}

function insert(signals: readonly Signal[], signal: Signal): Signal[] {
  const at = signals.findIndex((one) => inOrder(signal, one) < 0);
  if (at < 0) return [...signals, signal];
  return [...signals.slice(0, at), signal, ...signals.slice(at)];
}

function inOrder(a: Signal, b: Signal): number {
  return a.time - b.time || (a.id < b.id ? -1 : 1);
}

/** Beyond the limit the least severe goes first, and of those the latest: a worse one is never lost. */
function limited(alert: Alert, max: number): Alert {
  if (alert.signals.length <= max) return alert;
  let least = alert.signals[0];
  for (const one of alert.signals) {
    if (least === undefined || severityRank(one.severity) <= severityRank(least.severity))
      least = one;
  }
  const signals = alert.signals.filter((one) => one !== least);
  return { ...alert, signals, signalsOverLimit: alert.signalsOverLimit + 1 };
}

/** Neighbouring windows of one principal name each other while both stand. */
function relate(
  alert: Alert,
  before: Alert | undefined,
  current: AlertLookup,
  drafts: Map<string, Alert>,
  config: CorrelateConfig,
): void {
  const stands = alert.signals.length > 0;
  const stood = before !== undefined && before.status !== 'withdrawn';
  if (stood === stands) return;
  let related: string[] = [];
  for (const at of [alert.windowFrom - config.window, alert.windowTo]) {
    const id = alertIdOf(alert.account, alert.principal.key, at, config.window);
    const neighbour = current(id);
    if (neighbour === undefined || neighbour.signals.length === 0) continue;
    related = stands ? [...related, id].sort() : related;
    const theirs = neighbour.related.filter((one) => one !== alert.id);
    const named = stands ? [...theirs, alert.id].sort() : theirs;
    drafts.set(id, { ...neighbour, related: named });
  }
  drafts.set(alert.id, { ...(drafts.get(alert.id) ?? alert), related });
}

function revise(before: Alert | undefined, draft: Alert): Revised {
  const status = draft.signals.length === 0 ? 'withdrawn' : standing(before?.status);
  const first = draft.signals[0];
  const alert: Alert = {
    ...draft,
    status,
    principal: first?.principal ?? draft.principal,
    revision: (before?.revision ?? 0) + 1,
  };
  const isNotable = notable(before, alert);
  return { alert: isNotable ? { ...alert, delivered: alert.revision } : alert, isNotable };
}

function standing(status: Alert['status'] | undefined): Alert['status'] {
  return status === undefined || status === 'withdrawn' ? 'open' : status;
}

function notable(before: Alert | undefined, after: Alert): boolean {
  // An alert that only ever held hidden signals was never sent, and is not sent now.
  if ((before?.delivered ?? 0) === 0 && after.status === 'withdrawn') return false;
  if (before === undefined || before.status !== after.status) return true;
  const wasWorst = worst(before.signals.map((one) => one.severity));
  if (wasWorst !== worst(after.signals.map((one) => one.severity))) return true;
  if (kindsOf(before) !== kindsOf(after)) return true;
  if (personsIn(before) !== personsIn(after)) return true;
  return magnitude(before) !== magnitude(after);
}

/** The persons as they stand: that one became known is news to whoever holds the alert. */
function personsIn(alert: Alert): string {
  const all = alert.signals.flatMap(({ chains }) =>
    chains.map(({ person, standing }) => `${person?.key}/${standing}`),
  );
  return [...new Set(all)].sort().join();
}

function kindsOf(alert: Alert): string {
  return [...new Set(alert.signals.map((one) => `${one.detector}/${one.severity}`))].sort().join();
}

function magnitude(alert: Alert): number {
  const events = alert.signals.reduce((sum, one) => sum + one.count, alert.signalsOverLimit);
  return Math.floor(Math.log2(events + 1));
}
