// The only loop: records in, judged, committed, sent. What is live and what is history differs only in its ports.
import type { Config } from '../../schemas/config.ts';
import type { Alert } from '../core/alert.ts';
import { alertJson } from '../core/alert-json.ts';
import type { Item } from '../core/item.ts';
import type {
  Counters,
  Delivery,
  Source,
  SourceProgress,
  SourceRecord,
  Store,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { alertsNeeded, correlate } from '../engine/correlate.ts';
import type { Lane } from '../engine/lane.ts';
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
    for (const item of decoder.decode(record, commits.itemsDone(record))) {
      lane.step(item);
      commits.reached(item);
      if (++pending < config.limits.batchEventsMax && lane.pendingBytes < batchBytesMax) continue;
      await commits.commit();
      pending = 0;
    }
    commits.finished(record);
    if (stop.aborted) break;
  }
  await commits.commit();
  if (!stop.aborted) await commits.deliverRest();
  await parts.outbox.drain();
  return { revised: commits.revised, version: commits.version, wasStopped: stop.aborted };
}

/** Raw records and dead letters waiting for a commit; beyond this a batch ends early. */
const batchBytesMax = 16 * 1024 * 1024;
/** Alerts kept in memory between commits; others are read from the store when they are touched. */
const cachedAlertsMax = 500;
/** Alerts sent in one commit when the input has ended. */
const restBatch = 200;

class Commits {
  readonly revised = new Set<string>();
  version: number;
  readonly #parts: RunParts;
  readonly #known = new Map<string, Progress>();
  readonly #reached = new Map<string, Progress>();
  readonly #cache = new Map<string, Alert>();

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.version = parts.version;
  }

  /** Answers a source, and remembers what was begun but not done. */
  async progress(shards: readonly string[]): Promise<ReadonlyMap<string, Progress>> {
    const found = await this.#parts.store.progress(this.#parts.laneName, shards);
    for (const [shard, one] of found) this.#known.set(shard, one);
    return found;
  }

  itemsDone(record: SourceRecord): number {
    const position = this.#known.get(record.shard)?.position;
    return position?.sequence === record.sequence ? position.item : 0;
  }

  reached(item: Item): void {
    const { shard, sequence, item: at } = item.position;
    this.#reached.set(shard, { position: { shard, sequence, item: at + 1 } });
  }

  finished(record: SourceRecord): void {
    if (!record.isLast) return;
    const { shard, sequence, done } = record;
    const reached = this.#reached.get(shard)?.position;
    const item = reached?.sequence === sequence ? reached.item : this.itemsDone(record);
    const position = { shard, sequence, item };
    this.#reached.set(shard, { position, ...(done === undefined ? {} : { done }) });
    this.#known.delete(shard);
  }

  async commit(): Promise<void> {
    const { lane, config, store, laneName, fingerprint, outbox } = this.#parts;
    const { judgements, changes } = lane.drain();
    if (judgements.length === 0 && this.#reached.size === 0) return;
    await this.#preload(alertsNeeded(judgements, config.alerts.window));
    const revised = new Map<string, Alert>();
    const deliveries: Delivery[] = [];
    for (const judgement of judgements) {
      for (const { alert, isNotable } of correlate(judgement, this.#lookup, config.alerts)) {
        this.#cache.set(alert.id, alert);
        revised.set(alert.id, alert);
        if (isNotable) deliveries.push(this.#delivery(alert));
      }
    }
    const progress = [...this.#reached.values()];
    const more = { fingerprint, progress, alerts: [...revised.values()], outbox: deliveries };
    this.version = await store.commit(laneName, this.version, { ...changes, ...more });
    for (const id of revised.keys()) this.revised.add(id);
    for (const one of progress)
      if (one.done === undefined) this.#known.set(one.position.shard, one);
    this.#reached.clear();
    this.#trim();
    await outbox.drain();
    this.#parts.onCommit?.(lane.counters, this.#parts.source.progress());
  }

  /** When the input has ended, what changed since it was last sent is sent in its last revision. */
  async deliverRest(): Promise<void> {
    const { store, laneName, fingerprint, lane } = this.#parts;
    for (;;) {
      const rest: Alert[] = [];
      for await (const alert of store.listAlerts({ isUndelivered: true })) {
        if (alert.delivered === 0 && alert.status === 'withdrawn') continue;
        rest.push({ ...alert, delivered: alert.revision });
        if (rest.length === restBatch) break;
      }
      if (rest.length === 0) return;
      const outbox = rest.map((alert) => this.#delivery(alert));
      const changes = { ...lane.drain().changes, fingerprint, progress: [], alerts: rest, outbox };
      this.version = await store.commit(laneName, this.version, changes);
      for (const alert of rest) this.#cache.delete(alert.id);
    }
  }

  #delivery(alert: Alert): Delivery {
    const body = this.#parts.outbox.isEmpty ? '' : JSON.stringify(alertJson(alert));
    return { alertId: alert.id, revision: alert.revision, body };
  }

  readonly #lookup = (id: string): Alert | undefined => this.#cache.get(id);

  async #preload(ids: ReadonlySet<string>): Promise<void> {
    const missing = [...ids].filter((id) => !this.#cache.has(id));
    if (missing.length === 0) return;
    for (const [id, alert] of await this.#parts.store.alerts(missing)) this.#cache.set(id, alert);
  }

  #trim(): void {
    for (const id of this.#cache.keys()) {
      if (this.#cache.size <= cachedAlertsMax) return;
      this.#cache.delete(id);
    }
  }
}
