// The only loop: records in, judged, committed, sent. What is live and what is history differs only in its ports.
import type { Config } from '../../schemas/config.ts';
import type { Alert } from '../core/alert.ts';
import type { Item } from '../core/item.ts';
import type { Counters, Lag, Source, SourceProgress, SourceRecord, Store } from '../core/ports.ts';
import type { Lane } from '../engine/lane.ts';
import type { LaneSize } from '../engine/lane-size.ts';
import { Commits } from './commits.ts';
import type { Outbox } from './outbox.ts';

/** Takes a record and how many of its items were committed; gives the items behind them. */
export interface Decoder {
  decode(record: SourceRecord, skip: number): Iterable<Item>;
}

/** What the loop asks of a lane: the engine's, or one that passes events on. */
export type Judge = Pick<Lane, 'step' | 'drain' | 'pendingBytes' | 'counters' | 'size'>;

/** What one commit did; times are milliseconds by the clock handed in. */
export interface CommitReport {
  readonly lane: string;
  readonly counters: Readonly<Counters>;
  readonly read: SourceProgress;
  readonly lag: ReadonlyMap<string, Lag>;
  readonly state: LaneSize;
  readonly tookMs: number;
  readonly deliveredMs: number;
  readonly revised: readonly Alert[];
  /** Revisions that went to the outbox. */
  readonly notable: number;
}

/** Everything the loop works with; `app` makes it. */
export interface RunParts {
  readonly laneName: string;
  /** The version at which the lane was claimed. */
  readonly version: number;
  readonly fingerprint: string;
  readonly config: Pick<Config, 'alerts' | 'limits' | 'streams'>;
  readonly lane: Judge;
  readonly source: Source;
  readonly decoder: Decoder;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly stop: AbortSignal;
  /** Decides when to commit and what to report, never what is judged. */
  readonly clock: () => number;
  /** True where ids of revised alerts are not gathered, because the run may last for weeks. */
  readonly isEndless?: boolean;
  /** Lets the process attend to signals and screens; called between records. */
  readonly breathe?: () => Promise<void>;
  /** Called before each commit: what must be outside before the positions move. */
  readonly beforeCommit?: () => Promise<void>;
  /** Called after each commit. */
  readonly onCommit?: (report: CommitReport) => void;
}

/** What a run did. `revised` holds ids of alerts that got a revision. */
export interface RunResult {
  readonly revised: ReadonlySet<string>;
  readonly version: number;
  readonly wasStopped: boolean;
}

/**
 * Reads the source to its end or until `stop` aborts. Every commit holds positions, state, alerts
 * and outbox rows together; after it the source is acknowledged and the outbox is drained. Throws
 * what the ports throw: what was not committed is read again by the next run.
 */
export async function run(parts: RunParts): Promise<RunResult> {
  const { source, decoder, lane, stop, config, clock } = parts;
  const commits = new Commits(parts);
  const pace = new Pace(config.streams.commit, clock);
  await parts.outbox.open(parts.version);
  for await (const record of source.read((shards) => commits.progress(shards), stop)) {
    if ('isLull' in record) {
      await commits.commit();
      pace.committed();
      if (parts.isEndless && pace.isRestDue()) await commits.deliverRest();
      continue;
    }
    for (const item of decoder.decode(record, commits.positions.itemsDone(record))) {
      lane.step(item);
      commits.positions.reached(item);
      if (!pace.isFull(config.limits.batchEventsMax) && lane.pendingBytes < batchBytesMax) continue;
      await commits.commit();
      pace.committed();
    }
    commits.positions.finished(record);
    if (pace.isTime()) {
      await commits.commit();
      pace.committed();
    }
    await parts.breathe?.();
    if (stop.aborted) break;
  }
  await commits.commit();
  if (!stop.aborted) await commits.deliverRest();
  return { revised: commits.revised, version: commits.version, wasStopped: stop.aborted };
}

/** Raw records and dead letters waiting for a commit; beyond this a batch ends early. */
const batchBytesMax = 16 * 1024 * 1024;
/** How long a live alert may be ahead of what was last sent of it. */
const restMs = 5 * 60_000;

/** When to commit: by count, by time, and at every lull. */
class Pace {
  readonly #everyMs: number;
  readonly #clock: () => number;
  #pending = 0;
  #last: number;
  #lastRest: number;

  constructor(everyMs: number, clock: () => number) {
    this.#everyMs = everyMs;
    this.#clock = clock;
    this.#last = clock();
    this.#lastRest = this.#last;
  }

  isFull(most: number): boolean {
    return ++this.#pending >= most;
  }

  isTime(): boolean {
    return this.#clock() - this.#last >= this.#everyMs;
  }

  committed(): void {
    this.#pending = 0;
    this.#last = this.#clock();
  }

  isRestDue(): boolean {
    if (this.#last - this.#lastRest < restMs) return false;
    this.#lastRest = this.#last;
    return true;
  }
}
