// The contract of a detector: metadata for the analyst, the calls it asks for, and pure judgement.
import type { ZodType } from 'zod';
import { callerOf } from './chain.ts';
import type { Event } from './event.ts';
import type { Severity } from './severity.ts';
import type { Evidence, SignalDraft } from './signal.ts';
import { plain } from './text.ts';

/** The eight IAM practices, each with its title, in the order in which they are told. */
export const practices = {
  'least-privilege': 'Least privilege',
  'password-policy': 'Strong passwords',
  mfa: 'Multi-factor authentication',
  'access-keys': 'Access keys, and no keys for root',
  monitoring: 'Monitoring and audit',
  'instance-roles': 'Roles for EC2 and other workloads',
  'separation-of-duties': 'Groups, roles and separation of duties',
  'temporary-credentials': 'Temporary credentials',
} as const;
export type Practice = keyof typeof practices;

/** What an analyst reads about a detector; each list is sentences, the first step first. */
export interface DetectorMeta {
  readonly id: string;
  readonly title: string;
  /** The severity it usually gives; a signal carries its own. */
  readonly severity: Severity;
  readonly practice: Practice;
  readonly what: string;
  readonly why: string;
  readonly innocent: readonly string[];
  readonly firstSteps: readonly string[];
  readonly attack: readonly {
    readonly version: string;
    readonly technique: string;
    readonly name: string;
  }[];
  readonly cis: readonly {
    readonly framework: string;
    readonly version: string;
    readonly control: string;
  }[];
  readonly gaps: readonly string[];
}

/**
 * `source:Name` of an API call, both without wildcards but for a name of `*`; or a trait of the event
 * whatever it calls: `identity:Root` (any userIdentity.type), `key:long-term` (signed with an AKIA key),
 * `session:instance` (a role session that EC2 gave to an instance), `outcome:denied` (refused for want of
 * rights), `event:*` (all; dear, so only with `isKnown`).
 */
export type CallPattern = `${string}:${string}`;

/** A sentence saying why the detector stays quiet on an event it was asked about; shown by `explain`. */
export type Quiet = string;

interface Common<Config> {
  readonly meta: DetectorMeta;
  /** `iam.amazonaws.com:AttachRolePolicy`; `signin.amazonaws.com:*`; `identity:Root` for every Root event. */
  readonly on: readonly CallPattern[];
  /** Defaults live here and nowhere else. */
  readonly config: ZodType<Config>;
}

/** A detector that judges one event by itself. */
export interface StatelessDetector<Config = unknown> extends Common<Config> {
  /** Gives the signal, several, or why it is quiet. Keeps nothing, throws nothing. */
  detect(event: Event, config: Config): SignalDraft | readonly SignalDraft[] | Quiet;
}

/** How a detector's state is kept. `State` is plain JSON. */
export interface StateSpec<State> {
  readonly version: number;
  readonly schema: ZodType<State>;
  readonly scope: 'account' | 'organisation';
  /** Width of a tumbling bucket of event time. */
  readonly bucketMs: number;
  /** How long after its end a bucket stands. */
  readonly lifetimeMs: number;
  /**
   * How far beside the bucket of an event `judge` must look, on both sides; absent for all that stand.
   * Signals of a bucket must not depend on buckets further away than this.
   */
  readonly reachMs?: number;
  /**
   * True where `fold` keeps events by `identity`, so that a correction takes its original's place. Where
   * it is absent, a correction whose original was folded is not folded again.
   */
  readonly isReplacing?: boolean;
  /**
   * Present for a settled detector: it speaks about a bucket only when the watermark has passed the
   * bucket's end by this much, in milliseconds; until then it only folds. For what early speech would get
   * wrong, such as absence. It judges each bucket once, from those within reach.
   */
  readonly settleMs?: number;
  /** Gives the key an event is folded under, or why it is not folded. Keys are bounded. */
  key(event: Event): { readonly key: string } | Quiet;
  empty(): State;
}

/** A bucket as `judge` sees it. */
export interface Bucket<State> {
  readonly key: string;
  readonly start: number;
  readonly state: State;
}

/**
 * A detector that adds events to order-free buckets (sets, counts, minima, maxima) and judges what
 * stands. `fold` changes only the state it is given; `judge` sees the standing buckets of one key within
 * reach, oldest first, and gives the keyed set of signals as it stands now.
 */
export interface FoldDetector<Config = unknown, State = unknown> extends Common<Config> {
  readonly state: StateSpec<State>;
  /**
   * True when folding the event would change nothing, so that the engine can pass over it cheaply.
   * Pure, and must agree with `fold`. Absent: every event is folded.
   */
  isKnown?(event: Event, state: State, config: Config): boolean;
  /** Gives true when the state changed. */
  fold(event: Event, state: State, config: Config): boolean;
  judge(buckets: readonly Bucket<State>[], config: Config): readonly JudgedSignal[];
}

/** A signal from `judge`, which also says when a limit of its state was reached. */
export interface JudgedSignal extends SignalDraft {
  readonly limited?: boolean;
}

export type Detector = StatelessDetector | FoldDetector;

/** Takes a detector with its own config type; gives it as one of the catalogue. */
export function stateless<Config>(detector: StatelessDetector<Config>): Detector {
  // The engine hands `detect` only what `config` parsed, so the parameter's type is honoured.
  return detector as unknown as Detector;
}

/** As `stateless`, for a detector with state. */
export function folding<Config, State>(detector: FoldDetector<Config, State>): Detector {
  // The engine hands `fold` and `judge` only what `config` and `state.schema` parsed.
  return detector as unknown as Detector;
}

/** Takes an event; gives the line a timeline shows of it. */
export function evidenceOf(event: Event): Evidence {
  return {
    id: plain(event.id),
    time: event.time,
    who: whoOf(event),
    what: plain(`${event.source.replace('.amazonaws.com', '')}:${event.name}`),
    from: plain(event.origin.text),
    region: plain(event.region),
    outcome: event.outcome,
    caller: callerOf(event),
  };
}

/** A role's session name is the caller's choice, so it is shown beside the role and never a key. */
function whoOf(event: Event): string {
  const { kind, name } = event.principal;
  const session = event.text('userIdentity.principalId')?.split(':')[1];
  return kind === 'role' && session !== undefined ? `${name}/${plain(session)}` : name;
}

/** Takes an event; gives the parts of a signal that say where it belongs and what proves it. */
export function signalFrom(
  event: Event,
): Pick<SignalDraft, 'key' | 'time' | 'account' | 'principal' | 'evidence' | 'count'> {
  return {
    key: event.identity,
    time: event.time,
    account: event.account,
    principal: event.principal,
    evidence: [evidenceOf(event)],
    count: 1,
  };
}
