// Judges a scenario through the real pipeline with the full catalogue and tells what fired.
import { detectors } from '../../detectors/index.ts';
import { type Severity, severityRank, worst } from '../../src/core/severity.ts';
import { judge } from '../support/judge.ts';
import type { Scenario } from './scenarios.ts';

/** What came of a scenario. */
export interface Outcome {
  readonly scenario: Scenario;
  /** Severities of the alerts that stand, the worst first. */
  readonly alerts: readonly Severity[];
  /** Detectors that fired, each with its worst severity, the worst first. */
  readonly fired: readonly (readonly [detector: string, severity: Severity])[];
  /** Days (UTC) on which the scenario has events. */
  readonly days: number;
}

/** Believes the user agent. Intruders change it: a rehearsal caught by its name alone is not caught. */
export const believer = 'attack-tool-named-itself';

const others = detectors.filter((one) => one.meta.id !== believer);

/** Takes a scenario; gives what fired, with the default configuration. */
export async function outcomeOf(scenario: Scenario): Promise<Outcome> {
  const catalogue = scenario.kind === 'benign' ? detectors : others;
  const { standing } = await judge(scenario.records, { catalogue });
  const fired = new Map<string, Severity>();
  for (const signal of standing.flatMap((one) => one.signals)) {
    const before = fired.get(signal.detector) ?? 'info';
    fired.set(signal.detector, worst([before, signal.severity]));
  }
  const byWorst = (a: Severity, b: Severity) => severityRank(b) - severityRank(a);
  return {
    scenario,
    alerts: standing.map((one) => one.severity).sort(byWorst),
    fired: [...fired].sort((a, b) => byWorst(a[1], b[1]) || (a[0] < b[0] ? -1 : 1)),
    days: daysOf(scenario.records),
  };
}

/** Whether an alert above info stands. */
export function isCaught(outcome: Outcome): boolean {
  return outcome.alerts.some((one) => one !== 'info');
}

function daysOf(records: readonly unknown[]): number {
  const days = new Set<string>();
  for (const record of records) {
    if (typeof record !== 'object' || record === null) continue;
    const time = 'eventTime' in record ? record.eventTime : Reflect.get(record, '@timestamp');
    if (typeof time === 'string') days.add(time.slice(0, 10));
  }
  return Math.max(1, days.size);
}
