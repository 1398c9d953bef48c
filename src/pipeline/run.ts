// The only loop: records in, judged, committed, sent. What is live and what is history differs only in its ports.
import type { Config } from '../../schemas/config.ts';
import type { Item } from '../core/item.ts';
import type { Counters, Source, SourceProgress, SourceRecord, Store } from '../core/ports.ts';
import type { Lane } from '../engine/lane.ts';
import { Commits } from './commits.ts';
import type { Outbox } from './outbox.ts';

/** Takes a record and how many of its items were committed; gives the items behind them. */
export interface Decoder {
  decode(record: SourceRecord, skip: number): Iterable<Item>;
}

/** Everything the loop works with; `app` makes it. */
export interface RunParts {
  readonly laneName: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly config: Pick<Config, 'alerts' | 'limits'>;
  readonly lane: Lane;
  readonly source: Source;
  readonly decoder: Decoder;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly stop: AbortSignal;
  /** Lets the process attend to signals and screens; called between records. */
  readonly breathe?: () => Promise<void>;
  /** Called after each commit. */
  readonly onCommit?: (counters: Readonly<Counters>, read: SourceProgress) => void;
}

/** What a run did. `revised` holds ids of alerts that got a revision. */
export interface RunResult {
  readonly revised: ReadonlySet<string>;
  readonly version: number;
  readonly wasStopped: boolean;
}

/**
 * Reads the source to its end or until `stop` aborts. Every commit holds positions, state, alerts
 * and outbox rows together; after it the outbox is drained. Throws what the ports throw: what was
 * not committed is read again by the next run.
 */
export async function run(parts: RunParts): Promise<RunResult> {
  const { source, decoder, lane, stop, config } = parts;
  const commits = new Commits(parts);
  let pending = 0;
  await parts.outbox.open();
  for await (const record of source.read((shards) => commits.progress(shards), stop)) {
    for (const item of decoder.decode(record, commits.positions.itemsDone(record))) {
      lane.step(item);
      commits.positions.reached(item);
      if (++pending < config.limits.batchEventsMax && lane.pendingBytes < batchBytesMax) continue;
      await commits.commit();
      pending = 0;
    }
    commits.positions.finished(record);
    await parts.breathe?.();
    if (stop.aborted) break;
  }
  await commits.commit();
  if (!stop.aborted) await commits.deliverRest();
  await parts.outbox.drain();
  return { revised: commits.revised, version: commits.version, wasStopped: stop.aborted };
}

/** Raw records and dead letters waiting for a commit; beyond this a batch ends early. */
const batchBytesMax = 16 * 1024 * 1024;
