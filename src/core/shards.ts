// The port of logs that come in shards: who may read which, in what order, and how one is read.
import type { Lag, ProgressLookup, SourceRecord } from './ports.ts';
import type { Progress } from './position.ts';

/** What one call of `next` gave. */
export interface ShardBatch {
  /** In order, each whole or all its parts in sequence; stamps may repeat but a reader keeps the log's order. */
  readonly records: readonly SourceRecord[];
  /** True when, at the time of asking, nothing was behind these. */
  readonly isCaughtUp: boolean;
  /** True when nothing will ever come behind these (a Kinesis shard that was split or merged). */
  readonly isEnded: boolean;
  /** Readers of the shards that follow one that ended; the same child may come from both parents. */
  readonly children?: readonly ShardReader[];
}

/**
 * Reads one shard, behind what was committed. `next` gives what comes next, waits for a while (its
 * poll interval) where there is nothing, and then gives an empty batch. It retries what is
 * passing (throttling, broken connections, expired iterators) inside itself with growing, jittered
 * waits, and throws `SentrailError` (source) when it must give up. After `signal` aborts it comes back
 * within a second. It is never called twice at a time. It holds at most one batch in memory, of a
 * size that the source's config bounds.
 */
export interface ShardReader {
  readonly shard: string;
  /** Shards that must have come to their end before this one is read; unknown names count as ended. */
  readonly after: readonly string[];
  next(signal: AbortSignal): Promise<ShardBatch>;
  lag(): Lag;
  close(): Promise<void>;
}

/**
 * The shards this process may read for now. `open` gives readers of those named, or of all, each
 * behind its committed progress; it may be called again once the earlier readers are closed. `taken`
 * aborts when another process is given any of them, or may have been. `release` says that nothing of
 * this assignment is under way any more.
 */
export interface Assignment {
  readonly shards: readonly string[];
  readonly taken: AbortSignal;
  open(progress: ProgressLookup, shards?: readonly string[]): Promise<readonly ShardReader[]>;
  release(): Promise<void>;
}

/**
 * A log in shards. `assignments` gives one assignment after another: the next is not drawn before the
 * last was released. It ends when `signal` aborts. `acknowledge` is for show (lag in other tools): it
 * is called after a commit, and its failure is never an error.
 */
export interface ShardedSource {
  readonly name: string;
  /** True when every shard is a lane of its own (a topic keyed by account). */
  readonly isKeyed: boolean;
  assignments(signal: AbortSignal): AsyncIterable<Assignment>;
  acknowledge(progress: readonly Progress[]): Promise<void>;
  close(): Promise<void>;
}
