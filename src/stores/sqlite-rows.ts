// Rows of the SQLite store: how changes are written, and how rows become the words of the design.
import { z } from 'zod';
import type { Alert } from '../core/alert.ts';
import { type RejectReason, rejectReasons } from '../core/item.ts';
import type {
  BucketRow,
  Changes,
  Checkpoint,
  IdChunk,
  InboxRow,
  OutboxRow,
  ProvingEvent,
  StoredDeadLetter,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { given, kept } from './text.ts';

/** What stands in place of counters until a lane's first commit. */
export const unwritten = 'null';

/** Runs one statement with values. */
export type Run = (sql: string, ...values: unknown[]) => void;

/** Which lane and version is written, for which sinks, and the stamp for retention. */
export interface WriteAt {
  readonly lane: string;
  readonly version: number;
  readonly sinks: readonly string[];
  readonly now: number;
}

/** Writes all changes through `run`; the caller holds the transaction. */
export function writeChanges(run: Run, at: WriteAt, changes: Changes): void {
  const { lane, now } = at;
  const { fingerprint, counters, clocks, horizon } = changes;
  const head = [counters, clocks, horizon].map((one) => JSON.stringify(one));
  run('REPLACE INTO lane VALUES (?, ?, ?, ?, ?, ?)', lane, at.version, fingerprint, ...head);
  for (const { position, done, isCut, turn } of changes.progress) {
    const { shard, sequence, item } = position;
    const sql = 'REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?, ?)';
    const cut = isCut === true ? 1 : 0;
    run(sql, lane, kept(shard), sequence, item, done ?? null, cut, turn ?? null);
  }
  writeState(run, lane, changes);
  for (const alert of changes.alerts) {
    const { id, account, status, windowFrom, revision, delivered } = alert;
    const body = JSON.stringify(alert);
    const sql = 'REPLACE INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
    run(sql, id, kept(account), status, windowFrom, revision, delivered, body, lane);
  }
  for (const one of changes.events) {
    const sql = 'INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?)';
    const names = [kept(one.id), kept(one.account), one.time, kept(one.shard)];
    run(sql, ...names, one.item, Buffer.from(one.bytes), now);
  }
  for (const one of changes.deadLetters) {
    const sql = `INSERT INTO dead_letter
      (shard, sequence, item, place, reason, detail, bytes, added, lane, size)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const { shard, sequence, item, offset, reason, detail, size } = one;
    const bytes = Buffer.from(one.bytes);
    const place = [kept(shard), sequence, item, offset];
    run(sql, ...place, reason, kept(detail), bytes, now, lane, size);
  }
  for (const one of changes.kept) {
    const sql =
      'INSERT INTO kept (kind, shard, sequence, item, bytes, added) VALUES (?, ?, ?, ?, ?, ?)';
    run(sql, one.kind, kept(one.shard), one.sequence, one.item, Buffer.from(one.bytes), now);
  }
  for (const one of changes.outbox) {
    for (const sink of at.sinks) {
      const sql = 'INSERT INTO outbox (lane, sink, alert, revision, body) VALUES (?, ?, ?, ?, ?)';
      run(sql, lane, sink, one.alertId, one.revision, one.body);
    }
  }
}

function writeState(run: Run, lane: string, changes: Changes): void {
  for (const { detector, key, start } of changes.bucketsGone) {
    const sql = 'DELETE FROM bucket WHERE lane = ? AND detector = ? AND key = ? AND start = ?';
    run(sql, lane, detector, kept(key), start);
  }
  for (const { detector, key, start, version, state } of changes.buckets) {
    const sql = 'REPLACE INTO bucket VALUES (?, ?, ?, ?, ?, ?)';
    run(sql, lane, detector, kept(key), start, version, JSON.stringify(state));
  }
  for (const hour of changes.hoursGone)
    run('DELETE FROM ids WHERE lane = ? AND hour = ?', lane, hour);
  for (const { hour, ids } of changes.ids) {
    run('INSERT INTO ids VALUES (?, ?, ?)', lane, hour, Buffer.from(ids));
  }
}

// The binding gives a blob as an ArrayBuffer from some calls and as a Buffer from others.
const blob = z
  .union([z.instanceof(ArrayBuffer), z.instanceof(Uint8Array)])
  .transform((value) => (value instanceof Uint8Array ? value : new Uint8Array(value)));
const reason = z.custom<RejectReason>((value) => rejectReasons.some((one) => one === value));
const text = z.string().transform(given);
const position = z.object({ shard: text, sequence: z.string(), item: z.number() });
const rows = {
  version: z.object({ user_version: z.number() }),
  id: z.object({ id: text }),
  body: z.object({ body: z.string() }),
  lane: z.object({
    version: z.number(),
    fingerprint: z.string(),
    counters: z.string(),
    clocks: z.string(),
    horizon: z.string(),
  }),
  progress: position.extend({
    done: z.string().nullable(),
    cut: z.number(),
    turn: z.number().nullable(),
  }),
  bucket: z.object({
    detector: z.string(),
    key: text,
    start: z.number(),
    version: z.number(),
    state: z.string(),
  }),
  ids: z.object({ hour: z.number(), ids: blob }),
  event: z.object({
    id: text,
    account: text,
    time: z.number(),
    shard: text,
    item: z.number(),
    bytes: blob,
  }),
  deadLetter: position.extend({
    number: z.number(),
    lane: z.string(),
    place: z.number(),
    reason,
    detail: text,
    bytes: blob,
    size: z.number(),
    added: z.number(),
  }),
  outbox: z.object({ row: z.number(), alert: z.string(), revision: z.number(), body: z.string() }),
  inbox: z.object({
    row: z.number(),
    last: z.number(),
    bytes: blob,
    arrival: z.number().nullable(),
  }),
  count: z.object({ n: z.number() }),
};

/** Takes a row as SQLite gave it; gives it as the design's word. Throws where the row is no such row. */
export const reading = {
  version: (row: unknown) => rows.version.parse(row),
  id: (row: unknown): string => rows.id.parse(row).id,
  count: (row: unknown): number => rows.count.parse(row).n,
  laneVersion: (row: unknown): number => (row === undefined ? 0 : rows.lane.parse(row).version),
  /** Undefined for a lane that was claimed and has committed nothing yet. */
  lane(row: unknown): Omit<Checkpoint, 'lane' | 'buckets' | 'ids'> | undefined {
    const { version, fingerprint, counters, clocks, horizon } = rows.lane.parse(row);
    if (counters === unwritten) return undefined;
    // JSON that `writeChanges` made of these types.
    return {
      version,
      fingerprint,
      counters: JSON.parse(counters) as Checkpoint['counters'],
      clocks: JSON.parse(clocks) as Checkpoint['clocks'],
      horizon: JSON.parse(horizon) as Checkpoint['horizon'],
    };
  },
  progress(row: unknown): Progress {
    const { shard, sequence, item, done, cut, turn } = rows.progress.parse(row);
    const ended = done === null ? {} : { done };
    const more = { ...(cut === 1 ? { isCut: true } : {}), ...(turn === null ? {} : { turn }) };
    return { position: { shard, sequence, item }, ...ended, ...more };
  },
  bucket(row: unknown): BucketRow {
    const { state, ...rest } = rows.bucket.parse(row);
    return { ...rest, state: JSON.parse(state) };
  },
  ids: (row: unknown): IdChunk => rows.ids.parse(row),
  // JSON that `writeChanges` made of an Alert.
  alert: (row: unknown): Alert => JSON.parse(rows.body.parse(row).body) as Alert,
  event: (row: unknown): ProvingEvent => rows.event.parse(row),
  deadLetter(row: unknown): StoredDeadLetter {
    const { place, ...rest } = rows.deadLetter.parse(row);
    return { ...rest, offset: place };
  },
  outbox(row: unknown): OutboxRow {
    const { alert, ...rest } = rows.outbox.parse(row);
    return { alertId: alert, ...rest };
  },
  inbox(row: unknown): InboxRow {
    const { row: number, last, bytes, arrival } = rows.inbox.parse(row);
    const at = arrival === null ? {} : { arrival };
    return { row: number, bytes, isLast: last === 1, ...at };
  },
};
