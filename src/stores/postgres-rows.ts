// Rows of the PostgreSQL store: a commit in a few statements, and rows as the words of the design.
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

/** Runs one statement with values; gives its rows. */
export type Query = (sql: string, values?: readonly unknown[]) => Promise<unknown[]>;

/** At which version a lane stands, and which opened store brought it there; null after a claim. */
export interface Held {
  readonly version: number;
  readonly writer: number | null;
}

/** Which lane and version is written by whom, for which sinks, and the stamp for retention. */
export interface WriteAt {
  readonly lane: string;
  readonly version: number;
  readonly writer: number;
  readonly sinks: readonly string[];
  readonly now: number;
}

/** Writes all changes; the caller holds the transaction and the lane's row. */
export async function writeChanges(query: Query, at: WriteAt, changes: Changes): Promise<void> {
  const { lane, version, writer, now } = at;
  const { fingerprint, counters, clocks, horizon } = changes;
  const heads = [counters, clocks, horizon].map((one) => JSON.stringify(one));
  await query(
    `UPDATE lane SET version = $2, writer = $3, fingerprint = $4, counters = $5, clocks = $6,
       horizon = $7 WHERE lane = $1`,
    [lane, version, writer, fingerprint, ...heads],
  );
  await writeProgress(query, lane, changes.progress);
  await writeState(query, lane, changes);
  await writeAlerts(query, at, changes);
  const { events, deadLetters } = changes;
  await each(
    query,
    `INSERT INTO event SELECT *, $1 FROM unnest(
       $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bytea[]
     ) ON CONFLICT DO NOTHING`,
    [now],
    events.map((one) => [
      kept(one.id),
      kept(one.account),
      one.time,
      kept(one.shard),
      one.item,
      Buffer.from(one.bytes),
    ]),
  );
  await each(
    query,
    `INSERT INTO dead_letter
       (lane, added, shard, sequence, item, place, reason, detail, bytes, size)
     SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
       $8::text[], $9::bytea[], $10::bigint[])`,
    [lane, now],
    deadLetters.map((one) => [
      kept(one.shard),
      one.sequence,
      one.item,
      one.offset,
      one.reason,
      kept(one.detail),
      Buffer.from(one.bytes),
      one.size,
    ]),
  );
  await each(
    query,
    `INSERT INTO kept (added, kind, shard, sequence, item, bytes)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[])`,
    [now],
    changes.kept.map((one) => [
      one.kind,
      kept(one.shard),
      one.sequence,
      one.item,
      Buffer.from(one.bytes),
    ]),
  );
}

async function writeProgress(
  query: Query,
  lane: string,
  progress: readonly Progress[],
): Promise<void> {
  await each(
    query,
    `INSERT INTO progress SELECT $1, * FROM unnest(
       $2::text[], $3::text[], $4::bigint[], $5::text[], $6::boolean[], $7::float8[]
     ) ON CONFLICT (lane, shard) DO UPDATE SET sequence = excluded.sequence, item = excluded.item,
       done = excluded.done, cut = excluded.cut, turn = excluded.turn`,
    [lane],
    lastOf(progress, ({ position }) => position.shard).map(({ position, done, isCut, turn }) => [
      kept(position.shard),
      position.sequence,
      position.item,
      done ?? null,
      isCut === true,
      turn ?? null,
    ]),
  );
}

async function writeState(query: Query, lane: string, changes: Changes): Promise<void> {
  await each(
    query,
    `DELETE FROM bucket USING unnest($2::text[], $3::text[], $4::bigint[]) AS gone (d, k, s)
     WHERE lane = $1 AND detector = d AND key = k AND start = s`,
    [lane],
    changes.bucketsGone.map((one) => [one.detector, kept(one.key), one.start]),
  );
  await each(
    query,
    `INSERT INTO bucket SELECT $1, * FROM unnest(
       $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[]
     ) ON CONFLICT (lane, detector, key, start)
     DO UPDATE SET version = excluded.version, state = excluded.state`,
    [lane],
    lastOf(changes.buckets, (one) => JSON.stringify([one.detector, one.key, one.start])).map(
      (one) => [one.detector, kept(one.key), one.start, one.version, JSON.stringify(one.state)],
    ),
  );
  if (changes.hoursGone.length > 0) {
    const sql = 'DELETE FROM ids WHERE lane = $1 AND hour = ANY ($2::bigint[])';
    await query(sql, [lane, changes.hoursGone]);
  }
  await each(
    query,
    `INSERT INTO ids (lane, hour, ids) SELECT $1, * FROM unnest($2::bigint[], $3::bytea[])`,
    [lane],
    changes.ids.map((one) => [one.hour, Buffer.from(one.ids)]),
  );
}

async function writeAlerts(query: Query, at: WriteAt, changes: Changes): Promise<void> {
  await each(
    query,
    `INSERT INTO alert (lane, id, account, status, window_from, revision, delivered, body)
     SELECT $1, * FROM unnest(
       $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[]
     ) ON CONFLICT (id) DO UPDATE SET lane = excluded.lane, account = excluded.account,
       status = excluded.status, window_from = excluded.window_from,
       revision = excluded.revision, delivered = excluded.delivered, body = excluded.body`,
    [at.lane],
    lastOf(changes.alerts, (one) => one.id).map((one) => [
      one.id,
      kept(one.account),
      one.status,
      one.windowFrom,
      one.revision,
      one.delivered,
      JSON.stringify(one),
    ]),
  );
  const rows = changes.outbox.flatMap((one) =>
    at.sinks.map((sink) => [sink, one.alertId, one.revision, one.body]),
  );
  await each(
    query,
    `INSERT INTO outbox (lane, sink, alert, revision, body)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[])`,
    [at.lane],
    rows,
  );
}

/** What is said last of each key: one statement may not write a row twice. */
function lastOf<Row>(rows: readonly Row[], keyOf: (row: Row) => string): readonly Row[] {
  return [...new Map(rows.map((one) => [keyOf(one), one])).values()];
}

/**
 * Bytes in one statement: a commit may hold thousands of rejects of 64 KiB, they travel as text of twice
 * the size, and neither a string here nor a message there may be as long as all of that.
 */
const statementBytesMax = 8 * 1024 * 1024;

/** Rows in as few statements as that allows, as one array a column; no rows, no statement. */
async function each(
  query: Query,
  sql: string,
  first: readonly unknown[],
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  for (let from = 0; from < rows.length; ) {
    let to = from;
    for (let bytes = 0; to < rows.length && bytes < statementBytesMax; to++) {
      bytes += sizeOf(rows[to] ?? []);
    }
    const some = rows.slice(from, to);
    const columns = (some[0] ?? []).map((_, at) => some.map((one) => one[at]));
    await query(sql, [...first, ...columns]);
    from = to;
  }
}

function sizeOf(row: readonly unknown[]): number {
  const sizes = row.map((one) =>
    typeof one === 'string' || one instanceof Uint8Array ? one.length : 0,
  );
  return sizes.reduce((sum, one) => sum + one, 0);
}

const blob = z.instanceof(Uint8Array);
const text = z.string().transform(given);
const reason = z.custom<RejectReason>((value) => rejectReasons.some((one) => one === value));
const rows = {
  lane: z.object({
    version: z.number(),
    fingerprint: z.string(),
    counters: z.string().nullable(),
    clocks: z.string(),
    horizon: z.string(),
  }),
  progress: z.object({
    shard: text,
    sequence: z.string(),
    item: z.number(),
    done: z.string().nullable(),
    cut: z.boolean(),
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
  deadLetter: z.object({
    number: z.number(),
    lane: z.string(),
    shard: text,
    sequence: z.string(),
    item: z.number(),
    place: z.number(),
    reason,
    detail: text,
    bytes: blob,
    size: z.number(),
    added: z.number(),
  }),
  outbox: z.object({
    number: z.number(),
    alert: z.string(),
    revision: z.number(),
    body: z.string(),
  }),
  inbox: z.object({
    number: z.number(),
    last: z.boolean(),
    bytes: blob,
    arrival: z.number().nullable(),
  }),
  held: z.object({ version: z.number(), writer: z.number().nullable() }),
  value: z.object({ value: z.string() }),
  n: z.object({ n: z.number() }),
};

/** Takes a row as PostgreSQL gave it; gives it as the design's word. Throws where it is no such row. */
export const reading = {
  held: (row: unknown): Held => rows.held.parse(row),
  value: (row: unknown): string => given(rows.value.parse(row).value),
  n: (row: unknown): number => rows.n.parse(row).n,
  /** Undefined for a lane that was claimed and has committed nothing yet. */
  lane(row: unknown): Omit<Checkpoint, 'lane' | 'buckets' | 'ids'> | undefined {
    const { version, fingerprint, counters, clocks, horizon } = rows.lane.parse(row);
    if (counters === null) return undefined;
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
    const more = { ...(cut ? { isCut: true } : {}), ...(turn === null ? {} : { turn }) };
    return { position: { shard, sequence, item }, ...(done === null ? {} : { done }), ...more };
  },
  bucket(row: unknown): BucketRow {
    const { state, ...rest } = rows.bucket.parse(row);
    return { ...rest, state: JSON.parse(state) };
  },
  ids: (row: unknown): IdChunk => rows.ids.parse(row),
  // JSON that `writeChanges` made of an Alert.
  alert: (row: unknown): Alert => JSON.parse(rows.value.parse(row).value) as Alert,
  event: (row: unknown): ProvingEvent => rows.event.parse(row),
  deadLetter(row: unknown): StoredDeadLetter {
    const { place, ...rest } = rows.deadLetter.parse(row);
    return { ...rest, offset: place };
  },
  outbox(row: unknown): OutboxRow {
    const { number, alert, ...rest } = rows.outbox.parse(row);
    return { row: number, alertId: alert, ...rest };
  },
  inbox(row: unknown): InboxRow {
    const { number, last, bytes, arrival } = rows.inbox.parse(row);
    return { row: number, bytes, isLast: last, ...(arrival === null ? {} : { arrival }) };
  },
};
