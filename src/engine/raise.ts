// From what a detector says to a signal in an alert: ids, severity, limits.
import type { Config } from '../../schemas/config.ts';
import type { JudgedSignal, Quiet } from '../core/detector.ts';
import type { Evidence, Signal, SignalDraft } from '../core/signal.ts';
import type { Enabled } from './catalogue.ts';
import { alertIdOf, type Operation, signalIdOf } from './operations.ts';

/** A signal before it has its chains. */
export type Raised = Extract<Operation, { kind: 'set' }>;

/** Takes limits, a detector and what it says; gives the signal and the alert it belongs to. */
export function raised(
  { window, evidenceMax }: Config['alerts'],
  one: Enabled,
  { limited: wasLimited = false, ...draft }: JudgedSignal,
  late: boolean,
): Raised {
  const evidence = smallest(draft.evidence, evidenceMax);
  const signal: Signal = {
    ...draft,
    evidence,
    severity: one.severity ?? draft.severity,
    id: signalIdOf(one.id, draft),
    detector: one.id,
    late,
    limited: wasLimited || draft.count > evidence.length,
    chains: [],
  };
  return {
    kind: 'set',
    alertId: alertIdOf(draft.account, draft.principal.key, draft.time, window),
    signal,
  };
}

/** Takes what `detect` gave; gives its signals, none for a quiet sentence. */
export function draftsOf(
  opinion: SignalDraft | readonly SignalDraft[] | Quiet,
): readonly SignalDraft[] {
  if (typeof opinion === 'string') return [];
  return 'key' in opinion ? [opinion] : opinion;
}

function smallest(evidence: readonly Evidence[], max: number): readonly Evidence[] {
  if (evidence.length <= 1) return evidence;
  const sorted = [...evidence].sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
  return sorted.slice(0, max);
}
