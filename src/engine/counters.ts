// The accounting identity (law 4): what was unwrapped is in exactly one of the kinds.
import type { Counters } from '../core/ports.ts';

/** Gives counters at zero. */
export function emptyCounters(): Counters {
  return {
    items: 0,
    events: 0,
    duplicates: 0,
    findings: 0,
    insights: 0,
    aggregated: 0,
    digests: 0,
    control: 0,
    samples: 0,
    rejected: {},
    late: 0,
    ahead: 0,
    beyondMemory: 0,
    outsideRange: 0,
    hidden: {},
    detectorErrors: {},
    limits: {},
  };
}

/** Takes counters; gives items less everything they were counted as. Zero, or the law is broken. */
export function balance(counters: Readonly<Counters>): number {
  const { items, events, duplicates, findings, insights, aggregated } = counters;
  const { digests, control, samples } = counters;
  const counted = events + duplicates + findings + insights + aggregated + digests;
  return items - counted - control - samples - rejectedTotal(counters);
}

/** Takes counters; gives how many items were rejected for any reason. */
export function rejectedTotal(counters: Readonly<Counters>): number {
  return Object.values(counters.rejected).reduce((sum, one) => sum + one, 0);
}
