// The store of many workers: a PostgreSQL database. One transaction a commit, under the lane's row lock.
import pg from 'pg';
import type { Alert } from '../core/alert.ts';
import type {
  AlertFilter,
  Changes,
  Checkpoint,
  Claim,
  Delivered,
  InboxBytes,
  InboxRow,
  OutboxRow,
  PendingAt,
  ProvingEvent,
  Store,
  StoreDepth,
  StoredDeadLetter,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { type ConnectionOptions, Connections, lostLane, prepare } from './postgres-connection.ts';
import { type Held, type Query, reading, writeChanges } from './postgres-rows.ts';
import { kept } from './text.ts';

/** What opening takes. `clock` stamps rows for retention; it has no part in judgement. */
export interface PostgresOptions extends ConnectionOptions {
  readonly retentionMs: number;
  readonly clock: () => number;
  /** False opens for reading: nothing is made, migrated or dropped. */
  readonly isWriter: boolean;
}

const alertsAtOnce = 200;
/** Sets the locks of inboxes apart from others of the database; the second key is of the source. */
const inboxLock = 5_368_710;

/**
 * Opens the database, makes or migrates its tables, and drops what is past retention. Throws
 * `SentrailError`: `store-newer` for tables of a newer version, `store` where it cannot be reached.
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const connections = new Connections(options);
  try {
    await prepare(connections, options.isWriter);
    const store = new OpenPostgres(connections, options);
    if (options.isWriter) await store.begin();
    return store;
  } catch (error) {
    await connections.close();
    throw error;
  }
}

class OpenPostgres implements Store {
  readonly #connections: Connections;
  readonly #options: PostgresOptions;
  /** A number that no other opened store has: how this one knows its own commits again. */
  #writer = 0;
  #sinks: readonly string[] = [];

  constructor(connections: Connections, options: PostgresOptions) {
    this.#connections = connections;
    this.#options = options;
  }

  /** For writers: takes a number of its own, and drops what is past retention. */
  async begin(): Promise<void> {
    const [row] = await this.#query('opening the database', `SELECT nextval('writer') AS n`);
    this.#writer = reading.n(row);
    await this.sweep();
  }

  /** A claim whose answer was lost is made again: it moves the version on once more, which harms nobody. */
  async claim(lane: string): Promise<Claim> {
    return this.#connections.transaction(`claiming lane ${lane}`, async (query) => {
      const [row] = await query(
        `INSERT INTO lane VALUES ($1, 1, NULL, '', NULL, '{}', '{}')
         ON CONFLICT (lane) DO UPDATE SET version = lane.version + 1, writer = NULL
         RETURNING version, writer`,
        [lane],
      );
      // The row stays locked until the end, so nobody commits between the version and what it holds.
      return { version: reading.held(row).version, checkpoint: await checkpointOf(query, lane) };
    });
  }

  async load(lane: string): Promise<Checkpoint | undefined> {
    return this.#connections.transaction(`reading lane ${lane}`, async (query) => {
      // One snapshot, so that a worker that commits meanwhile is seen whole or not at all.
      await query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return checkpointOf(query, lane);
    });
  }

  async lanes(): Promise<readonly string[]> {
    const sql =
      'SELECT lane AS value FROM lane WHERE counters IS NOT NULL ORDER BY lane COLLATE "C"';
    return (await this.#query('reading lanes', sql)).map(reading.value);
  }

  async progress(lane: string, shards: readonly string[]): Promise<ReadonlyMap<string, Progress>> {
    const sql = `SELECT progress.* FROM progress
      JOIN unnest($2::text[]) WITH ORDINALITY AS asked (name, at) ON shard = name
      WHERE lane = $1 ORDER BY at`;
    const rows = await this.#query('reading positions', sql, [lane, shards.map(kept)]);
    const found = rows.map(reading.progress);
    return new Map(found.map((one) => [one.position.shard, one]));
  }

  /**
   * When the connection is lost while COMMIT is under way, nobody knows whether it happened. The next
   * try locks the lane's row, which waits until the lost transaction has ended one way or the other;
   * then the row tells. At the expected version it did not happen, so it is done again. One further
   * with our number in it, it did: a commit leaves the number of the store that made it, a claim takes
   * it away, and of one store only one caller holds the lane at that version. Anything else is somebody
   * else's, or ours and claimed since by who goes on from it: either way the lane is lost. The version
   * alone would not do: a claim, also by this process, moves it on by one just as a commit does.
   */
  async commit(lane: string, expectedVersion: number, changes: Changes): Promise<number> {
    const doing = `committing lane ${lane}`;
    const version = expectedVersion + 1;
    let tries = 0;
    await this.#connections.transaction(doing, async (query) => {
      let held = await this.#held(query, lane);
      if (held.version === 0 && expectedVersion === 0) {
        // Nobody claimed it: the row is made first, so that there is one to lock.
        const sql = `INSERT INTO lane VALUES ($1, 0, NULL, '', NULL, '{}', '{}')
          ON CONFLICT DO NOTHING`;
        await query(sql, [lane]);
        held = await this.#held(query, lane);
      }
      // Counted behind the look at the row: a try that broke before it has written nothing.
      const isAgain = tries++ > 0;
      if (isAgain && held.version === version && held.writer === this.#writer) return;
      if (held.version !== expectedVersion) throw lostLane(lane, held.version, expectedVersion);
      const now = this.#options.clock();
      const at = { lane, version, writer: this.#writer, sinks: this.#sinks, now };
      await writeChanges(query, at, changes);
    });
    return version;
  }

  async alerts(ids: readonly string[]): Promise<ReadonlyMap<string, Alert>> {
    const sql = 'SELECT body AS value FROM alert WHERE id = ANY ($1::text[])';
    const alerts = (await this.#query('reading alerts', sql, [ids])).map(reading.alert);
    return new Map(alerts.map((one) => [one.id, one]));
  }

  async *listAlerts(filter: AlertFilter): AsyncIterable<Alert> {
    let after: readonly [number, string] = [Number.MIN_SAFE_INTEGER, ''];
    const sql = `SELECT body AS value FROM alert
      WHERE (window_from, id) > ($1, $2 COLLATE "C") AND ($3::text IS NULL OR account = $3)
        AND ($4::text IS NULL OR lane = $4) AND ($5::text[] IS NULL OR status = ANY ($5))
        ${filter.isUndelivered === true ? 'AND delivered < revision' : ''}
      ORDER BY window_from, id LIMIT ${alertsAtOnce}`;
    const account = filter.account === undefined ? null : kept(filter.account);
    const { lane = null, statuses = null } = filter;
    for (;;) {
      const rows = await this.#query('listing alerts', sql, [...after, account, lane, statuses]);
      const alerts = rows.map(reading.alert);
      yield* alerts;
      const last = alerts.at(-1);
      if (last === undefined || alerts.length < alertsAtOnce) return;
      after = [last.windowFrom, last.id];
    }
  }

  async provingEvent(id: string): Promise<readonly ProvingEvent[]> {
    const sql = 'SELECT * FROM event WHERE id = $1 ORDER BY account COLLATE "C"';
    return (await this.#query('reading an event', sql, [kept(id)])).map(reading.event);
  }

  async deadLetters(limit: number, afterNumber = 0): Promise<readonly StoredDeadLetter[]> {
    const sql = 'SELECT * FROM dead_letter WHERE number > $1 ORDER BY number LIMIT $2';
    const rows = await this.#query('reading dead letters', sql, [afterNumber, limit]);
    return rows.map(reading.deadLetter);
  }

  async dropDeadLetters(numbers: readonly number[]): Promise<void> {
    const sql = 'DELETE FROM dead_letter WHERE number = ANY ($1::bigint[])';
    await this.#query('dropping dead letters', sql, [numbers]);
  }

  async shards(lane: string): Promise<readonly string[]> {
    const sql = 'SELECT shard AS value FROM progress WHERE lane = $1 ORDER BY shard COLLATE "C"';
    return (await this.#query('reading shards', sql, [lane])).map(reading.value);
  }

  async sinks(names: readonly string[]): Promise<void> {
    this.#sinks = [...names];
  }

  async pending(
    lane: string,
    expectedVersion: number,
    { sink, limit }: PendingAt,
  ): Promise<readonly OutboxRow[]> {
    return this.#connections.transaction('reading the outbox', async (query) => {
      await this.#expect(query, lane, expectedVersion);
      const sql = 'SELECT * FROM outbox WHERE lane = $1 AND sink = $2 ORDER BY number LIMIT $3';
      return (await query(sql, [lane, sink, limit])).map(reading.outbox);
    });
  }

  async delivered(
    lane: string,
    expectedVersion: number,
    sink: string,
    { upToRow, memo }: Delivered,
  ): Promise<void> {
    await this.#connections.transaction(`noting deliveries to ${sink}`, async (query) => {
      await this.#expect(query, lane, expectedVersion);
      const sql = 'DELETE FROM outbox WHERE lane = $1 AND sink = $2 AND number <= $3';
      await query(sql, [lane, sink, upToRow]);
      await query(
        `INSERT INTO memo VALUES ($1, $2, $3)
         ON CONFLICT (lane, sink) DO UPDATE SET memo = excluded.memo`,
        [lane, sink, kept(memo)],
      );
    });
  }

  async memo(lane: string, sink: string): Promise<string | undefined> {
    const sql = 'SELECT memo AS value FROM memo WHERE lane = $1 AND sink = $2';
    return (await this.#query('reading a memo', sql, [lane, sink])).map(reading.value)[0];
  }

  /**
   * Numbers are given before the commit, so of two rows put at once the later could be seen first and
   * the reader would pass over the earlier: rows of one source are put one after the other. A row
   * whose answer was lost is put again: a copy that duplicate removal takes out.
   */
  async inboxPut(source: string, { bytes, isLast, arrival }: InboxBytes): Promise<number> {
    return this.#connections.transaction(`keeping input of ${source}`, async (query) => {
      await query(`SELECT pg_advisory_xact_lock(${inboxLock}, hashtext($1))`, [source]);
      const sql = `INSERT INTO inbox (source, last, bytes, arrival) VALUES ($1, $2, $3, $4)
        RETURNING number AS n`;
      const [row] = await query(sql, [source, isLast, Buffer.from(bytes), arrival ?? null]);
      return reading.n(row);
    });
  }

  async inboxRead(source: string, afterRow: number): Promise<InboxRow | undefined> {
    const sql = 'SELECT * FROM inbox WHERE source = $1 AND number > $2 ORDER BY number LIMIT 1';
    return (await this.#query(`reading input of ${source}`, sql, [source, afterRow])).map(
      reading.inbox,
    )[0];
  }

  async inboxDrop(source: string, upToRow: number): Promise<void> {
    const sql = 'DELETE FROM inbox WHERE source = $1 AND number <= $2';
    await this.#query(`dropping input of ${source}`, sql, [source, upToRow]);
  }

  async note(name: string): Promise<string | undefined> {
    const sql = 'SELECT value FROM note WHERE name = $1';
    return (await this.#query('reading a note', sql, [name])).map(reading.value)[0];
  }

  async setNote(name: string, value: string): Promise<void> {
    const sql =
      'INSERT INTO note VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value';
    await this.#query('writing a note', sql, [name, kept(value)]);
  }

  async depth(): Promise<StoreDepth> {
    const count = async (table: string) => {
      const rows = await this.#query('measuring', `SELECT count(*) AS n FROM ${table}`);
      return reading.n(rows[0]);
    };
    return {
      outbox: await count('outbox'),
      deadLetters: await count('dead_letter'),
      inbox: await count('inbox'),
    };
  }

  async sweep(): Promise<void> {
    const before = this.#options.clock() - this.#options.retentionMs;
    for (const table of ['event', 'dead_letter', 'kept']) {
      const sql = `DELETE FROM ${table} WHERE added < $1`;
      await this.#query('dropping what is past its retention', sql, [before]);
    }
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  #query(doing: string, sql: string, values: readonly unknown[] = []): Promise<unknown[]> {
    return this.#connections.retrying(doing, (query) => query(sql, values));
  }

  /** The lane's row, locked until the transaction ends; a lane that never was stands at version 0. */
  async #held(query: Query, lane: string): Promise<Held> {
    const sql = 'SELECT version, writer FROM lane WHERE lane = $1 FOR UPDATE';
    const [row] = await query(sql, [lane]);
    return row === undefined ? { version: 0, writer: null } : reading.held(row);
  }

  async #expect(query: Query, lane: string, expectedVersion: number): Promise<void> {
    const { version } = await this.#held(query, lane);
    if (version !== expectedVersion) throw lostLane(lane, version, expectedVersion);
  }
}

async function checkpointOf(query: Query, lane: string): Promise<Checkpoint | undefined> {
  const [row] = await query('SELECT * FROM lane WHERE lane = $1', [lane]);
  const head = row === undefined ? undefined : reading.lane(row);
  if (head === undefined) return undefined;
  const buckets = await query('SELECT * FROM bucket WHERE lane = $1', [lane]);
  const ids = await query('SELECT hour, ids FROM ids WHERE lane = $1 ORDER BY number', [lane]);
  return { lane, ...head, buckets: buckets.map(reading.bucket), ids: ids.map(reading.ids) };
}

/** PostgreSQL's bigint (type 20) as a number: what we keep stays below 2^53. */
pg.types.setTypeParser(20, Number);
