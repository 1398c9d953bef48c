// The five severities, from the least to the worst, and how to compare them.

/** A severity, as it leaves in JSON. */
export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical';

/** All severities, least first. */
export const severities = ['info', 'low', 'medium', 'high', 'critical'] as const;

/** Takes a severity; gives its rank, 0 for info to 4 for critical. */
export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}

/** Takes any number of severities; gives the worst, `info` for none. */
export function worst(all: Iterable<Severity>): Severity {
  let rank = 0;
  for (const one of all) rank = Math.max(rank, severityRank(one));
  return severities[rank] ?? 'info';
}
