// A detector's opinion, with the events that prove it.
import type { Caller, Chain } from './chain.ts';
import type { Principal } from './principal.ts';
import type { Severity } from './severity.ts';

/** One event that proves a signal: what a timeline needs to say who did what, when and from where. */
export interface Evidence {
  readonly id: string;
  readonly time: number;
  /** Principal name as shown. */
  readonly who: string;
  /** `iam:AttachRolePolicy` */
  readonly what: string;
  readonly from: string;
  readonly region: string;
  readonly outcome: 'success' | 'failure' | 'denied';
  /** What the event said of its session, until the engine makes the chain of it. */
  readonly caller?: Caller;
  /** The access key of the session, once the signal has its chains. */
  readonly session?: string;
}

/**
 * What a detector returns. `key` tells this signal from the detector's others of the same alert; the
 * same key again replaces it. `time`, `account` and `principal` say which alert it belongs to.
 * `evidence` holds the smallest by (time, id) when there was a limit, `count` the true number.
 */
export interface SignalDraft {
  readonly key: string;
  readonly severity: Severity;
  readonly time: number;
  readonly account: string;
  readonly principal: Principal;
  /** One line: what happened and to whom. */
  readonly title: string;
  /** One or two sentences: why this is a signal and at this severity, with names and values. */
  readonly reason: string;
  readonly evidence: readonly Evidence[];
  readonly count: number;
  /** Named things worth a column elsewhere: target, policy, access key. Strings only. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** A signal as it stands in an alert: a draft, its detector, and how it arrived. */
export interface Signal extends SignalDraft {
  readonly id: string;
  readonly detector: string;
  /** True when an event beyond the lateness bound made or changed it. */
  readonly late: boolean;
  /** Who stands behind it, one chain for each session among its events, the earliest first. */
  readonly chains: readonly Chain[];
  /** True when a limit cut its evidence or state: law 3 does not bind it. */
  readonly limited: boolean;
}
