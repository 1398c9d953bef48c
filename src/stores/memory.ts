// A store in memory, for tests: the same promises as SQLite's, kept by copying.
import type { Alert } from '../core/alert.ts';
import { SentrailError } from '../core/errors.ts';
import type {
  AlertFilter,
  BucketRow,
  Changes,
  Checkpoint,
  Claim,
  Delivered,
  IdChunk,
  InboxBytes,
  InboxRow,
  Kept,
  OutboxRow,
  PendingAt,
  ProvingEvent,
  Store,
  StoreDepth,
  StoredDeadLetter,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';

interface LaneData {
  version: number;
  /** Undefined until the first commit. */
  head: Pick<Checkpoint, 'fingerprint' | 'counters' | 'clocks' | 'horizon'> | undefined;
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
  readonly #alerts = new Map<string, { readonly lane: string; readonly alert: Alert }>();
  readonly #events = new Map<string, ProvingEvent>();
  #deadLetters: StoredDeadLetter[] = [];
  readonly kept: Kept[] = [];
  #outbox: (OutboxRow & { readonly lane: string; readonly sink: string })[] = [];
  readonly #memos = new Map<string, string>();
  readonly #notes = new Map<string, string>();
  readonly #inbox = new Map<string, InboxRow[]>();
  #sinks: readonly string[] = [];
  #row = 0;
  #letter = 0;

  async claim(lane: string): Promise<Claim> {
    const data = this.#lanes.get(lane) ?? emptyLane();
    data.version++;
    this.#lanes.set(lane, data);
    return { version: data.version, checkpoint: await this.load(lane) };
  }

  async lanes(): Promise<readonly string[]> {
    return [...this.#lanes].flatMap(([lane, { head }]) => (head ? [lane] : [])).sort();
  }

  async load(lane: string): Promise<Checkpoint | undefined> {
    const data = this.#lanes.get(lane);
    if (data?.head === undefined) return undefined;
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
    this.#expect(lane, expectedVersion);
    const data = this.#lanes.get(lane);
    const changes = structuredClone(given);
    this.#lanes.set(lane, this.#advance(data, changes, expectedVersion + 1));
    for (const alert of changes.alerts) this.#alerts.set(alert.id, { lane, alert });
    for (const event of changes.events) this.#events.set(`${event.id}/${event.account}`, event);
    for (const one of changes.deadLetters) {
      this.#deadLetters.push({ ...one, number: ++this.#letter, lane, added: 0 });
    }
    this.kept.push(...changes.kept);
    for (const delivery of changes.outbox) {
      for (const sink of this.#sinks)
        this.#outbox.push({ row: ++this.#row, lane, sink, ...delivery });
    }
    return expectedVersion + 1;
  }

  async alerts(ids: readonly string[]): Promise<ReadonlyMap<string, Alert>> {
    const found = new Map<string, Alert>();
    for (const id of ids) {
      const alert = this.#alerts.get(id)?.alert;
      if (alert !== undefined) found.set(id, structuredClone(alert));
    }
    return found;
  }

  async *listAlerts(filter: AlertFilter): AsyncIterable<Alert> {
    const sorted = [...this.#alerts.values()].sort(
      ({ alert: a }, { alert: b }) => a.windowFrom - b.windowFrom || (a.id < b.id ? -1 : 1),
    );
    for (const { lane, alert } of sorted) {
      if (filter.lane !== undefined && filter.lane !== lane) continue;
      if (filter.statuses !== undefined && !filter.statuses.includes(alert.status)) continue;
      if (filter.account !== undefined && filter.account !== alert.account) continue;
      if (filter.isUndelivered === true && alert.delivered >= alert.revision) continue;
      yield structuredClone(alert);
    }
  }

  async provingEvent(id: string): Promise<readonly ProvingEvent[]> {
    return [...this.#events.values()].filter((one) => one.id === id);
  }

  async deadLetters(limit: number, afterNumber = 0): Promise<readonly StoredDeadLetter[]> {
    return this.#deadLetters.filter((one) => one.number > afterNumber).slice(0, limit);
  }

  async dropDeadLetters(numbers: readonly number[]): Promise<void> {
    this.#deadLetters = this.#deadLetters.filter((one) => !numbers.includes(one.number));
  }

  async shards(lane: string): Promise<readonly string[]> {
    return [...(this.#lanes.get(lane)?.progress.keys() ?? [])].sort();
  }

  async sinks(names: readonly string[]): Promise<void> {
    this.#sinks = [...names];
  }

  async pending(
    lane: string,
    expectedVersion: number,
    { sink, limit }: PendingAt,
  ): Promise<readonly OutboxRow[]> {
    this.#expect(lane, expectedVersion);
    const rows = this.#outbox.filter((one) => one.lane === lane && one.sink === sink);
    return rows.slice(0, limit).map(({ lane: _lane, sink: _sink, ...row }) => row);
  }

  async delivered(
    lane: string,
    expectedVersion: number,
    sink: string,
    { upToRow, memo }: Delivered,
  ): Promise<void> {
    this.#expect(lane, expectedVersion);
    this.#outbox = this.#outbox.filter(
      (one) => one.lane !== lane || one.sink !== sink || one.row > upToRow,
    );
    this.#memos.set(JSON.stringify([lane, sink]), memo);
  }

  async memo(lane: string, sink: string): Promise<string | undefined> {
    return this.#memos.get(JSON.stringify([lane, sink]));
  }

  async inboxPut(source: string, given: InboxBytes): Promise<number> {
    const rows = this.#inbox.get(source) ?? [];
    const row = ++this.#row;
    this.#inbox.set(source, [...rows, { ...given, row, bytes: given.bytes.slice() }]);
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

  async note(name: string): Promise<string | undefined> {
    return this.#notes.get(name);
  }

  async setNote(name: string, value: string): Promise<void> {
    this.#notes.set(name, value);
  }

  async depth(): Promise<StoreDepth> {
    const inbox = [...this.#inbox.values()].reduce((sum, rows) => sum + rows.length, 0);
    return { outbox: this.#outbox.length, deadLetters: this.#deadLetters.length, inbox };
  }

  async sweep(): Promise<void> {}

  async close(): Promise<void> {}

  #expect(lane: string, version: number): void {
    const stands = this.#lanes.get(lane)?.version ?? 0;
    if (stands === version) return;
    const message = `writing to lane ${lane}: it stands at version ${stands}, not ${version}`;
    throw new SentrailError('store-version', message);
  }

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

function emptyLane(): LaneData {
  return { version: 0, head: undefined, progress: new Map(), buckets: new Map(), ids: [] };
}

function bucketKey(row: Pick<BucketRow, 'detector' | 'key' | 'start'>): string {
  return JSON.stringify([row.detector, row.key, row.start]);
}
