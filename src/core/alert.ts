// An alert as the engine keeps it: signals about one principal of one account in one window.
import type { Principal } from './principal.ts';
import type { Signal } from './signal.ts';

export type AlertStatus = 'open' | 'closed' | 'withdrawn' | 'merged';

/** What an exception hid from this alert: how many signals. */
export interface HiddenBy {
  readonly exception: string;
  readonly owner: string;
  readonly reason: string;
  readonly expires: string;
  /** Ids of hidden signals, the smallest first, up to the evidence limit. */
  readonly signals: readonly string[];
}

/**
 * The engine's alert. Plain JSON. `signals` are ordered by (time, id). `principal` is the one of the
 * first signal. `delivered` is the last revision that was handed to the outbox.
 */
export interface Alert {
  readonly id: string;
  readonly revision: number;
  readonly status: AlertStatus;
  readonly account: string;
  readonly principal: Principal;
  /** The window, milliseconds, end exclusive. */
  readonly windowFrom: number;
  readonly windowTo: number;
  readonly signals: readonly Signal[];
  /** Alerts that share a person or stand in a neighbouring window; ids, sorted. */
  readonly related: readonly string[];
  readonly hidden: readonly HiddenBy[];
  /** Signals that did not fit within the limit. */
  readonly signalsOverLimit: number;
  readonly delivered: number;
}
