// The ports: records in, checkpoints kept, alerts out. Each promise is a full sentence and a contract test.
import type { Alert } from './alert.ts';
import type { KeptKind, RejectReason } from './item.ts';
import type { Progress } from './position.ts';

/**
 * Bytes from outside. A small record comes whole. A large one (a file) comes in parts, in order and
 * without another shard between them. `broken` says that what follows could not be read; the part's
 * bytes are still good. `done` is the source's mark of a record that was read to its end.
 */
export interface SourceRecord {
  readonly shard: string;
  readonly sequence: string;
  /** Arrival stamp of the log, milliseconds; undefined where there is none. */
  readonly arrival: number | undefined;
  readonly bytes: Uint8Array;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly broken?: { readonly reason: RejectReason; readonly detail: string };
  readonly done?: string;
}

/** Answers how far shards were read; shards never read are absent. */
export type ProgressLookup = (shards: readonly string[]) => Promise<ReadonlyMap<string, Progress>>;

/** How much was read and how much there is, for a progress bar; `total` is 0 where it is not known. */
export interface SourceProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'records';
}

/**
 * Records in. `read` gives the same records in the same order on every read, leaves out records whose
 * progress is done, and gives a record begun but not done again from its start (the decoder skips the
 * items that were committed). It retries what is passing inside itself, and throws when it must give
 * up; a file that cannot be read is a record with `broken`. It stops soon after `signal` aborts.
 * `acknowledge` is called after the commit, never before.
 */
export interface Source {
  readonly name: string;
  read(progress: ProgressLookup, signal: AbortSignal): AsyncIterable<SourceRecord>;
  progress(): SourceProgress;
  close(): Promise<void>;
}

/** Counts that must balance at every commit (law 4), and others an operator watches. */
export interface Counters {
  items: number;
  events: number;
  duplicates: number;
  findings: number;
  insights: number;
  aggregated: number;
  digests: number;
  control: number;
  samples: number;
  rejected: Partial<Record<RejectReason, number>>;
  /** Of `events`: beyond the lateness bound. */
  late: number;
  /** Of `events`: more than five minutes ahead of their arrival stamp. */
  ahead: number;
  /** Of `events`: older than what duplicate removal remembers. */
  beyondMemory: number;
  /** Of `events`: outside --from and --to, so not judged. */
  outsideRange: number;
  /** Signals hidden by exceptions, by exception id. */
  hidden: Record<string, number>;
  /** Detectors that threw, by detector id: lost coverage. */
  detectorErrors: Record<string, number>;
  /** Limits that were reached, by name. */
  limits: Record<string, number>;
}

/** One bucket of a detector's state, as stored. */
export interface BucketRow {
  readonly detector: string;
  readonly version: number;
  readonly key: string;
  readonly start: number;
  readonly state: unknown;
}
/** Remembered event ids of one hour of event time, 16 bytes each, as appended by one commit. */
export interface IdChunk {
  readonly hour: number;
  readonly ids: Uint8Array;
}
/** Newest event time by clock: '' is the lane's, others are accounts without arrival stamps. */
export type Clocks = Record<string, number>;

/** What a lane needs to go on: all of one version. */
export interface Checkpoint {
  readonly lane: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly counters: Counters;
  readonly clocks: Clocks;
  readonly buckets: readonly BucketRow[];
  readonly ids: readonly IdChunk[];
  readonly horizon: Horizon;
}

/** Hours of event time (since 1970) up to which a lane forgot and swept; absent before the first. */
export interface Horizon {
  readonly forgottenBefore?: number;
  readonly sweptHour?: number;
}

/** A reject as kept: its bytes are for the owner's eyes only. */
export interface DeadLetter {
  readonly shard: string;
  readonly sequence: string;
  readonly item: number;
  readonly offset: number;
  readonly reason: RejectReason;
  readonly detail: string;
  readonly bytes: Uint8Array;
}
/** A thing of another kind, kept for later. */
export interface Kept {
  readonly kind: KeptKind;
  readonly shard: string;
  readonly sequence: string;
  readonly item: number;
  readonly bytes: Uint8Array;
}
/** The raw record of an event that proves a signal or was hidden. */
export interface ProvingEvent {
  readonly id: string;
  readonly account: string;
  readonly time: number;
  readonly shard: string;
  readonly item: number;
  readonly bytes: Uint8Array;
}
/** What one delivery says: the alert as of one revision. */
export interface Delivery {
  readonly alertId: string;
  readonly revision: number;
  /** The alert's JSON, one line, as it leaves. */
  readonly body: string;
}

/** Everything a commit writes; all of it or none. */
export interface Changes {
  readonly fingerprint: string;
  readonly counters: Counters;
  readonly clocks: Clocks;
  readonly progress: readonly Progress[];
  readonly buckets: readonly BucketRow[];
  /** Buckets of a detector whose (key, start) no longer stand. */
  readonly bucketsGone: readonly Pick<BucketRow, 'detector' | 'key' | 'start'>[];
  readonly ids: readonly IdChunk[];
  readonly hoursGone: readonly number[];
  readonly horizon: Horizon;
  readonly alerts: readonly Alert[];
  readonly outbox: readonly Delivery[];
  readonly events: readonly ProvingEvent[];
  readonly deadLetters: readonly DeadLetter[];
  readonly kept: readonly Kept[];
}

/** An outbox row: a delivery for one sink, in order of `row`. */
export interface OutboxRow extends Delivery {
  readonly row: number;
}

/** Which alerts to list; times are event time in milliseconds. */
export interface AlertFilter {
  readonly statuses?: readonly Alert['status'][];
  readonly account?: string;
  /** Only alerts whose last revision was not handed to the outbox. */
  readonly isUndelivered?: boolean;
}

/**
 * Checkpoints kept. `commit` writes all changes of a lane or none, and only when the lane stands at
 * `expectedVersion`: otherwise it throws `SentrailError` with code `store-version` and has written
 * nothing. Outbox rows are written once for each sink the store was told of by `sinks`.
 */
export interface Store {
  load(lane: string): Promise<Checkpoint | undefined>;
  progress(lane: string, shards: readonly string[]): Promise<ReadonlyMap<string, Progress>>;
  commit(lane: string, expectedVersion: number, changes: Changes): Promise<number>;
  alerts(ids: readonly string[]): Promise<ReadonlyMap<string, Alert>>;
  listAlerts(filter: AlertFilter): AsyncIterable<Alert>;
  provingEvent(id: string): Promise<readonly ProvingEvent[]>;
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  shards(lane: string): Promise<readonly string[]>;
  /** Names the sinks that every later commit writes outbox rows for. */
  sinks(names: readonly string[]): Promise<void>;
  pending(sink: string, limit: number): Promise<readonly OutboxRow[]>;
  /** Notes rows as delivered together with what the sink wants to remember (a file's length). */
  delivered(sink: string, upToRow: number, memo: string): Promise<void>;
  memo(sink: string): Promise<string | undefined>;
  /** Appends bytes to the inbox of a source that cannot be read again; gives the row's number. */
  inboxPut(source: string, bytes: Uint8Array, isLast: boolean): Promise<number>;
  inboxRead(source: string, afterRow: number): Promise<InboxRow | undefined>;
  inboxDrop(source: string, upToRow: number): Promise<void>;
  close(): Promise<void>;
}
export interface InboxRow {
  readonly row: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/**
 * Alerts out. `promise` says how it keeps law 5. `reconcile` is called before the first `send` and
 * after a failed one with the memo of the last noted delivery; it undoes what was sent but not noted
 * and gives the memo that holds now, which is noted before anything is sent. `send` gives the
 * memo to note with the rows; it throws `SentrailError` with `retryable` set right.
 */
export interface Sink {
  readonly name: string;
  readonly promise: 'upsert' | 'reconcile' | 'append';
  reconcile(memo: string | undefined): Promise<string>;
  send(deliveries: readonly Delivery[]): Promise<string>;
  close(): Promise<void>;
}
