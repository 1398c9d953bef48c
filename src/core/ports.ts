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
  /** Where shards are merged: the stamp at which this record took its turn, noted with the progress. */
  readonly turn?: number;
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

/** How far reading is behind the newest record of a shard; only what the log can tell. */
export interface Lag {
  readonly milliseconds?: number;
  readonly records?: number;
}

/**
 * Given in place of a record: the source has nothing for now, so what waits may be committed.
 * `isWaiting` says that more was read, but must wait for its turn among the shards.
 */
export interface Lull {
  readonly isLull: true;
  readonly isWaiting?: boolean;
}

/**
 * Records in. `read` gives the same records in the same order on every read, leaves out records whose
 * progress is done, and gives a record begun but not done again from its start (the decoder skips the
 * items that were committed). It retries what is passing inside itself, and throws when it must give
 * up; a file that cannot be read is a record with `broken`. It stops within a second after `signal`
 * aborts. A live source never ends by itself; it gives a lull when everything there is was given.
 * `acknowledge` is called after each commit with the progress that the commit wrote, never before; a
 * crash in between is no loss, because progress decides what is read. `lag` answers by shard.
 */
export interface Source {
  readonly name: string;
  read(progress: ProgressLookup, signal: AbortSignal): AsyncIterable<SourceRecord | Lull>;
  acknowledge(progress: readonly Progress[]): Promise<void>;
  progress(): SourceProgress;
  lag(): ReadonlyMap<string, Lag>;
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
  readonly settledUpTo?: number;
}

/** A reject as kept: its bytes are for the owner's eyes only. */
export interface DeadLetter {
  readonly shard: string;
  readonly sequence: string;
  readonly item: number;
  readonly offset: number;
  readonly reason: RejectReason;
  readonly detail: string;
  /** What was kept of it; its first part where it was larger than the limit. */
  readonly bytes: Uint8Array;
  /** How large it was, where more was known of it than was kept. */
  readonly size: number;
}
/** A dead letter as the store numbered it. */
export interface StoredDeadLetter extends DeadLetter {
  readonly number: number;
  readonly lane: string;
  /** When it was kept, milliseconds by the store's clock. */
  readonly added: number;
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
  /** Only alerts that this lane revised last. */
  readonly lane?: string;
  readonly statuses?: readonly Alert['status'][];
  readonly account?: string;
  /** Only alerts whose last revision was not handed to the outbox. */
  readonly isUndelivered?: boolean;
}

/** A lane as claimed: what it goes on from, and the version its next commit must expect. */
export interface Claim {
  readonly version: number;
  readonly checkpoint: Checkpoint | undefined;
}

/** What waits in a store, for an operator. */
export interface StoreDepth {
  readonly outbox: number;
  readonly deadLetters: number;
  readonly inbox: number;
}

/**
 * Checkpoints kept. `claim` makes the caller the only one who can write to a lane: it moves the lane's
 * version on, so that whoever held it before commits and notes nothing more, and gives the checkpoint.
 * `commit` writes all changes of a lane or none, and only when the lane stands at `expectedVersion`;
 * `pending` and `delivered` work under the same condition. Otherwise they throw `SentrailError` with code
 * `store-version` and have written nothing. Outbox rows belong to the lane that committed them and are
 * written once for each sink the store was told of by `sinks`. Troubles that pass (a lost connection)
 * are retried inside, for a bounded time; a commit that may or may not have happened is looked up
 * before it is tried again.
 */
export interface Store {
  claim(lane: string): Promise<Claim>;
  load(lane: string): Promise<Checkpoint | undefined>;
  /** Names of the lanes that ever committed, sorted. */
  lanes(): Promise<readonly string[]>;
  progress(lane: string, shards: readonly string[]): Promise<ReadonlyMap<string, Progress>>;
  commit(lane: string, expectedVersion: number, changes: Changes): Promise<number>;
  alerts(ids: readonly string[]): Promise<ReadonlyMap<string, Alert>>;
  listAlerts(filter: AlertFilter): AsyncIterable<Alert>;
  provingEvent(id: string): Promise<readonly ProvingEvent[]>;
  /** Dead letters in order of their number, of all lanes. */
  deadLetters(limit: number, afterNumber?: number): Promise<readonly StoredDeadLetter[]>;
  dropDeadLetters(numbers: readonly number[]): Promise<void>;
  shards(lane: string): Promise<readonly string[]>;
  /** Names the sinks that every later commit writes outbox rows for. */
  sinks(names: readonly string[]): Promise<void>;
  /** The first rows that wait. Who lost the lane gets none: it could send what another is sending. */
  pending(lane: string, expectedVersion: number, at: PendingAt): Promise<readonly OutboxRow[]>;
  /** Notes rows as delivered together with what the sink wants to remember (a file's length). */
  delivered(lane: string, expectedVersion: number, sink: string, note: Delivered): Promise<void>;
  memo(lane: string, sink: string): Promise<string | undefined>;
  /** Appends bytes to the inbox of a source that cannot be read again; gives the row's number. */
  inboxPut(source: string, row: InboxBytes): Promise<number>;
  inboxRead(source: string, afterRow: number): Promise<InboxRow | undefined>;
  inboxDrop(source: string, upToRow: number): Promise<void>;
  /** Small texts about the store itself or a source: where a stream was begun, how many partitions it has. */
  note(name: string): Promise<string | undefined>;
  setNote(name: string, value: string): Promise<void>;
  depth(): Promise<StoreDepth>;
  /** Drops what is past its retention. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}
export interface PendingAt {
  readonly sink: string;
  readonly limit: number;
}
export interface Delivered {
  readonly upToRow: number;
  readonly memo: string;
}
/** Bytes for the inbox. `arrival` is when they were taken in, by the clock of who took them. */
export interface InboxBytes {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
  readonly arrival?: number;
}
export interface InboxRow extends InboxBytes {
  readonly row: number;
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
