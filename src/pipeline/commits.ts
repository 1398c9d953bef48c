// Commits: what the lane left behind becomes alerts, outbox rows and one transaction.
import type { Alert } from '../core/alert.ts';
import { alertJson } from '../core/alert-json.ts';
import type { Delivery } from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { alertsBeside, alertsTouched, correlate } from '../engine/correlate.ts';
import { Positions } from './positions.ts';
import type { RunParts } from './run.ts';

/** Alerts kept in memory between commits; others are read from the store when they are touched. */
const cachedAlertsMax = 500;
/** Alerts sent in one commit when the input has ended. */
const restBatch = 200;

/** The commits of a run: alerts are revised here, just before they are written. */
export class Commits {
  /** Ids of alerts that got a revision. */
  readonly revised = new Set<string>();
  readonly positions = new Positions();
  version: number;
  readonly #parts: RunParts;
  readonly #cache = new Map<string, Alert>();

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.version = parts.version;
  }

  /** Answers a source how far shards were read. */
  async progress(shards: readonly string[]): Promise<ReadonlyMap<string, Progress>> {
    const found = await this.#parts.store.progress(this.#parts.laneName, shards);
    this.positions.answered(found);
    return found;
  }

  /** Writes everything since the last commit in one transaction, then sends what is due. */
  async commit(): Promise<void> {
    const { lane, config, store, laneName, fingerprint, outbox, source } = this.#parts;
    const started = this.#parts.clock();
    const { judgements, changes } = lane.drain();
    const progress = this.positions.changed;
    if (judgements.length === 0 && progress.length === 0) {
      await outbox.drain(this.version);
      return;
    }
    await this.#parts.beforeCommit?.();
    await this.#preload(alertsTouched(judgements));
    await this.#preload(alertsBeside(judgements, this.#lookup, config.alerts.window));
    const revised = new Map<string, Alert>();
    const deliveries: Delivery[] = [];
    for (const judgement of judgements) {
      for (const { alert, isNotable } of correlate(judgement, this.#lookup, config.alerts)) {
        this.#cache.set(alert.id, alert);
        revised.set(alert.id, alert);
        if (isNotable) deliveries.push(this.#delivery(alert));
      }
    }
    const more = { fingerprint, progress, alerts: [...revised.values()], outbox: deliveries };
    this.version = await store.commit(laneName, this.version, { ...changes, ...more });
    if (!this.#parts.isEndless) for (const id of revised.keys()) this.revised.add(id);
    this.positions.committed();
    this.#trim();
    await source.acknowledge(progress);
    const committed = this.#parts.clock();
    await outbox.drain(this.version);
    this.#parts.onCommit?.({
      lane: laneName,
      counters: lane.counters,
      read: source.progress(),
      lag: source.lag(),
      state: lane.size,
      tookMs: committed - started,
      deliveredMs: this.#parts.clock() - committed,
      revised: [...revised.values()],
      notable: deliveries.length,
    });
  }

  /**
   * When the input has ended, or a live one has been quiet for a while, what changed since it was last
   * sent is sent in its last revision.
   */
  async deliverRest(): Promise<void> {
    const { store, laneName, fingerprint, lane } = this.#parts;
    for (;;) {
      const rest: Alert[] = [];
      for await (const alert of store.listAlerts({ isUndelivered: true, lane: laneName })) {
        if (alert.delivered === 0 && alert.status === 'withdrawn') continue;
        rest.push({ ...alert, delivered: alert.revision });
        if (rest.length === restBatch) break;
      }
      if (rest.length === 0) break;
      const outbox = rest.map((alert) => this.#delivery(alert));
      const changes = { ...lane.drain().changes, fingerprint, progress: [], alerts: rest, outbox };
      this.version = await store.commit(laneName, this.version, changes);
      for (const alert of rest) this.#cache.delete(alert.id);
    }
    await this.#parts.outbox.drain(this.version);
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
