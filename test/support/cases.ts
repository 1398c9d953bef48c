// The shape of a detector's case table.
import type { Severity } from '../../src/core/severity.ts';

/** A signal that a case expects; patterns are tried only where they are given. */
export interface ExpectedSignal {
  readonly severity: Severity;
  readonly title?: RegExp;
  readonly reason?: RegExp;
  /** Ids of the events that prove it, in any order. */
  readonly events?: readonly string[];
}

/** Records as they arrive, and the signals that stand at the end; none means it stays quiet. */
export interface DetectorCase {
  readonly name: string;
  readonly given: readonly Record<string, unknown>[];
  readonly expect: readonly ExpectedSignal[];
}

/** All cases of one detector; `config` is what its schema takes. */
export interface DetectorCases {
  readonly detector: string;
  readonly config?: unknown;
  readonly cases: readonly DetectorCase[];
}
