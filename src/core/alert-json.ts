// The engine's alert as the JSON that leaves (schemas/alert.ts): ordered, with times as text.
import {
  type AlertJson,
  alertSchemaVersion,
  type SignalInAlertJson,
  type SignalJson,
  signalSchemaVersion,
  type TimelineEntry,
} from '../../schemas/alert.ts';
import type { Alert } from './alert.ts';
import { personOf, type Standing, standingRank } from './chain.ts';
import type { Principal } from './principal.ts';
import { severityRank, worst } from './severity.ts';
import type { Evidence, Signal } from './signal.ts';
import { formatTime } from './time.ts';

/** Takes an alert; gives it as it leaves. The same alert gives the same bytes. */
export function alertJson(alert: Alert): AlertJson {
  const timeline = timelineOf(alert.signals);
  const lead = leadOf(alert.signals);
  const principal = alert.signals[0]?.principal ?? alert.principal;
  return {
    schema: alertSchemaVersion,
    id: alert.id,
    revision: alert.revision,
    severity: worst(alert.signals.map((one) => one.severity)),
    title: titleOf(alert, lead),
    account: alert.account,
    principal,
    persons: personsOf(alert.signals),
    status: alert.status,
    window: { from: formatTime(alert.windowFrom), to: formatTime(alert.windowTo) },
    from: timeline[0]?.time ?? formatTime(alert.windowFrom),
    to: timeline.at(-1)?.time ?? formatTime(alert.windowFrom),
    signals: alert.signals.map(signalInAlert),
    signalsOverLimit: alert.signalsOverLimit,
    findings: [],
    related: [...alert.related],
    exceptions: alert.hidden.map((one) => ({
      id: one.exception,
      owner: one.owner,
      reason: one.reason,
      expires: one.expires,
      hidden: one.signals.length,
    })),
    timeline,
  };
}

/** Takes a signal and its alert's id; gives it as it leaves on its own. */
export function signalJson(signal: Signal, alertId: string): SignalJson {
  return { schema: signalSchemaVersion, alert: alertId, ...signalInAlert(signal) };
}

function signalInAlert(signal: Signal): SignalInAlertJson {
  return {
    id: signal.id,
    detector: signal.detector,
    severity: signal.severity,
    time: formatTime(signal.time),
    account: signal.account,
    principal: signal.principal,
    title: signal.title,
    reason: signal.reason,
    events: signal.evidence.map((one) => one.id),
    count: signal.count,
    facts: { ...signal.facts },
    chains: signal.chains.map((chain) => ({
      ...chain,
      hops: chain.hops.map((hop) => ({ ...hop })),
    })),
    late: signal.late,
    limited: signal.limited,
  };
}

/** Takes signals; gives the persons behind them, each once with its surest standing. */
export function personsOf(signals: readonly Signal[]): AlertJson['persons'] {
  const persons = new Map<string, { principal: Principal; standing: Standing }>();
  for (const { person, standing } of signals.flatMap((one) => one.chains)) {
    if (person === undefined) continue;
    const known = persons.get(person.key);
    if (known !== undefined && standingRank(known.standing) >= standingRank(standing)) continue;
    persons.set(person.key, { principal: person, standing });
  }
  return [...persons.values()].sort(
    (a, b) =>
      standingRank(b.standing) - standingRank(a.standing) ||
      compare(a.principal.key, b.principal.key),
  );
}

/** The signal that speaks for the alert: the worst, and of those the first. */
export function leadOf(signals: readonly Signal[]): Signal | undefined {
  let lead: Signal | undefined;
  for (const one of signals) {
    if (lead === undefined || severityRank(one.severity) > severityRank(lead.severity)) lead = one;
  }
  return lead;
}

function titleOf(alert: Alert, lead: Signal | undefined): string {
  if (lead === undefined) return 'Withdrawn: what it stood on no longer holds';
  const others = alert.signals.length - 1 + alert.signalsOverLimit;
  return others === 0 ? lead.title : `${lead.title} (and ${others} more)`;
}

function timelineOf(signals: readonly Signal[]): TimelineEntry[] {
  const entries = new Map<string, { at: number; entry: TimelineEntry }>();
  for (const signal of signals) {
    for (const proof of signal.evidence) {
      const key = `${proof.time}/${proof.id}`;
      const known = entries.get(key);
      if (known !== undefined) {
        known.entry.signals.push(signal.id);
        continue;
      }
      const entry = timelineEntry(proof, signal);
      entries.set(key, { at: proof.time, entry });
    }
  }
  const ordered = [...entries.values()].sort(
    (a, b) => a.at - b.at || compare(a.entry.event, b.entry.event),
  );
  return ordered.map((one) => one.entry);
}

function timelineEntry(proof: Evidence, signal: Signal): TimelineEntry {
  const { id, time, who, what, from, region, outcome, session } = proof;
  const chain = signal.chains.find((one) => one.session === session);
  const isOther = chain?.person !== undefined && chain.person.key !== chain.principal;
  return {
    time: formatTime(time),
    event: id,
    who,
    ...(isOther ? { person: personOf(chain) } : {}),
    what,
    from,
    region,
    outcome,
    signals: [signal.id],
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
