// A store in memory, for tests: the same promises as SQLite's, kept by copying.
import type { Alert } from '../core/alert.ts';
import { SentrailError } from '../core/errors.ts';
import type {
  AlertFilter,
  BucketRow,
  Changes,
  Checkpoint,
  DeadLetter,
  IdChunk,
  InboxRow,
  Kept,
  OutboxRow,
  ProvingEvent,
  Store,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';

interface LaneData {
  version: number;
  head: Pick<Checkpoint, 'fingerprint' | 'counters' | 'clocks' | 'horizon'>;
  progress: Map<string, Progress>;
  buckets: Map<string, BucketRow>;
  ids: IdChunk[];
}

/** Gives an empty store. What goes in and out is copied, so that nobody shares an object with it. */
export function memoryStore(): Store & { readonly kept: readonly Kept[] } {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #lanes = new Map<string, LaneData>();
  readonly #alerts = new Map<string, Alert>();
  readonly #events = new Map<string, ProvingEvent>();
  readonly #deadLetters: DeadLetter[] = [];
  readonly kept: Kept[] = [];
  readonly #outbox: (OutboxRow & { readonly sink: string })[] = [];
  readonly #memos = new Map<string, string>();
  readonly #inbox = new Map<string, InboxRow[]>();
  #sinks: readonly string[] = [];
  #row = 0;

  async load(lane: string): Promise<Checkpoint | undefined> {
    const data = this.#lanes.get(lane);
    if (data === undefined) return undefined;
    const { version, head, buckets, ids } = data;
    return structuredClone({ lane, version, ...head, buckets: [...buckets.values()], ids });
  }

  async progress(lane: string, shards: readonly string[]): Promise<ReadonlyMap<string, Progress>> {
    const known = this.#lanes.get(lane)?.progress;
    const found = new Map<string, Progress>();
    for (const shard of shards) {
      const one = known?.get(shard);
      if (one !== undefined) found.set(shard, one);
    }
    return found;
  }

  async commit(lane: string, expectedVersion: number, given: Changes): Promise<number> {
    const data = this.#lanes.get(lane);
    if ((data?.version ?? 0) !== expectedVersion) {
      const stands = `it stands at version ${data?.version ?? 0}, not ${expectedVersion}`;
      throw new SentrailError('store-version', `committing lane ${lane}: ${stands}`);
    }
    const changes = structuredClone(given);
    this.#lanes.set(lane, this.#advance(data, changes, expectedVersion + 1));
    for (const alert of changes.alerts) this.#alerts.set(alert.id, alert);
    for (const event of changes.events) this.#events.set(`${event.id}/${event.account}`, event);
    this.#deadLetters.push(...changes.deadLetters);
    this.kept.push(...changes.kept);
    for (const delivery of changes.outbox) {
      for (const sink of this.#sinks) this.#outbox.push({ row: ++this.#row, sink, ...delivery });
    }
    return expectedVersion + 1;
  }

  async alerts(ids: readonly string[]): Promise<ReadonlyMap<string, Alert>> {
    const found = new Map<string, Alert>();
    for (const id of ids) {
      const alert = this.#alerts.get(id);
      if (alert !== undefined) found.set(id, structuredClone(alert));
    }
    return found;
  }

  async *listAlerts(filter: AlertFilter): AsyncIterable<Alert> {
    const sorted = [...this.#alerts.values()].sort(
      (a, b) => a.windowFrom - b.windowFrom || (a.id < b.id ? -1 : 1),
    );
    for (const alert of sorted) {
      if (filter.statuses !== undefined && !filter.statuses.includes(alert.status)) continue;
      if (filter.account !== undefined && filter.account !== alert.account) continue;
      if (filter.isUndelivered === true && alert.delivered >= alert.revision) continue;
      yield structuredClone(alert);
    }
  }

  async provingEvent(id: string): Promise<readonly ProvingEvent[]> {
    return [...this.#events.values()].filter((one) => one.id === id);
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.#deadLetters.slice(0, limit);
  }

  async shards(lane: string): Promise<readonly string[]> {
    return [...(this.#lanes.get(lane)?.progress.keys() ?? [])].sort();
  }

  async sinks(names: readonly string[]): Promise<void> {
    this.#sinks = [...names];
  }

  async pending(sink: string, limit: number): Promise<readonly OutboxRow[]> {
    return this.#outbox.filter((one) => one.sink === sink).slice(0, limit);
  }

  async delivered(sink: string, upToRow: number, memo: string): Promise<void> {
    const rest = this.#outbox.filter((one) => one.sink !== sink || one.row > upToRow);
    this.#outbox.splice(0, this.#outbox.length, ...rest);
    this.#memos.set(sink, memo);
  }

  async memo(sink: string): Promise<string | undefined> {
    return this.#memos.get(sink);
  }

  async inboxPut(source: string, bytes: Uint8Array, isLast: boolean): Promise<number> {
    const rows = this.#inbox.get(source) ?? [];
    const row = ++this.#row;
    this.#inbox.set(source, [...rows, { row, bytes: bytes.slice(), isLast }]);
    return row;
  }

  async inboxRead(source: string, afterRow: number): Promise<InboxRow | undefined> {
    return this.#inbox.get(source)?.find((one) => one.row > afterRow);
  }

  async inboxDrop(source: string, upToRow: number): Promise<void> {
    const rows = this.#inbox.get(source) ?? [];
    this.#inbox.set(
      source,
      rows.filter((one) => one.row > upToRow),
    );
  }

  async close(): Promise<void> {}

  #advance(data: LaneData | undefined, changes: Changes, version: number): LaneData {
    const { fingerprint, counters, clocks, horizon } = changes;
    const progress = data?.progress ?? new Map<string, Progress>();
    for (const one of changes.progress) progress.set(one.position.shard, one);
    const buckets = data?.buckets ?? new Map<string, BucketRow>();
    for (const one of changes.bucketsGone) buckets.delete(bucketKey(one));
    for (const one of changes.buckets) buckets.set(bucketKey(one), one);
    const ids = (data?.ids ?? []).filter((one) => !changes.hoursGone.includes(one.hour));
    const head = { fingerprint, counters, clocks, horizon };
    return { version, head, progress, buckets, ids: [...ids, ...changes.ids] };
  }
}

function bucketKey(row: Pick<BucketRow, 'detector' | 'key' | 'start'>): string {
  return JSON.stringify([row.detector, row.key, row.start]);
}
