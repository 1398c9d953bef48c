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
import { type Query, reading, writeChanges } from './postgres-rows.ts';
import { kept } from './text.ts';

/** What opening takes. `clock` stamps rows for retention; it has no part in judgement. */
export interface PostgresOptions extends ConnectionOptions {
  readonly retentionMs: number;
  readonly clock: () => number;
  /** False opens for reading: nothing is made, migrated or dropped. */
  readonly isWriter: boolean;
}

const alertsAtOnce = 200;

/**
 * Opens the database, makes or migrates its tables, and drops what is past retention. Throws
 * `SentrailError`: `store-newer` for tables of a newer version, `store` where it cannot be reached.
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const connections = new Connections(options);
  try {
    await prepare(connections, options.isWriter);
    const store = new OpenPostgres(connections, options);
    if (options.isWriter) await store.sweep();
    return store;
  } catch (error) {
    await connections.close();
    throw error;
  }
}

class OpenPostgres implements Store {
  readonly #connections: Connections;
  readonly #options: PostgresOptions;
  /** The claims of this process, by lane: how it knows its own commits again. */
  readonly #claims = new Map<string, number>();
  #sinks: readonly string[] = [];

  constructor(connections: Connections, options: PostgresOptions) {
    this.#connections = connections;
    this.#options = options;
  }

  /** A claim whose answer was lost is made again: it moves the version on once more, which harms nobody. */
  async claim(lane: string): Promise<Claim> {
    const [row] = await this.#query(
      `claiming lane ${lane}`,
      `INSERT INTO lane VALUES ($1, 1, 1, '', NULL, '{}', '{}')
       ON CONFLICT (lane) DO UPDATE SET version = lane.version + 1, claims = lane.claims + 1
       RETURNING version, claims`,
      [lane],
    );
    const { version, claims } = reading.held(row);
    this.#claims.set(lane, claims);
    return { version, checkpoint: await this.load(lane) };
  }

  async load(lane: string): Promise<Checkpoint | undefined> {
    return this.#connections.transaction(`reading lane ${lane}`, async (query) => {
      // One snapshot, so that a worker that commits meanwhile is seen whole or not at all.
      await query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const [row] = await query('SELECT * FROM lane WHERE lane = $1', [lane]);
      const head = row === undefined ? undefined : reading.lane(row);
      if (head === undefined) return undefined;
      const buckets = await query('SELECT * FROM bucket WHERE lane = $1', [lane]);
      const ids = await query('SELECT hour, ids FROM ids WHERE lane = $1 ORDER BY number', [lane]);
      return { lane, ...head, buckets: buckets.map(reading.bucket), ids: ids.map(reading.ids) };
    });
  }

  async lanes(): Promise<readonly string[]> {
    const sql = 'SELECT lane AS value FROM lane WHERE counters IS NOT NULL ORDER BY lane COLLATE "C"';
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
   * When the connection is lost while COMMIT is under way, nobody knows whether it happened. The lane's
   * row tells: at the expected version it did not; one further under our claim it did, because only the
   * holder of a claim commits under it, and one commit at a time; anything else is somebody else's.
   */
  async commit(lane: string, expectedVersion: number, changes: Changes): Promise<number> {
    const doing = `committing lane ${lane}`;
    const version = expectedVersion + 1;
    let tries = 0;
    await this.#connections.transaction(doing, async (query) => {
      let held = await this.#held(query, lane);
      if (held.version === 0 && expectedVersion === 0) {
        // Nobody claimed it: the row is made first, so that there is one to lock.
        const sql = `INSERT INTO lane VALUES ($1, 0, 0, '', NULL, '{}', '{}') ON CONFLICT DO NOTHING`;
        await query(sql, [lane]);
        held = await this.#held(query, lane);
      }
      const isAgain = tries++ > 0;
      if (isAgain && held.version === version && held.claims === this.#claimsOf(lane)) return;
      if (held.version !== expectedVersion) throw lostLane(lane, held.version, expectedVersion);
      const at = { lane, version, sinks: this.#sinks, now: this.#options.clock() };
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
    const { account = null, lane = null, statuses = null } = filter;
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
        [lane, sink, memo],
      );
    });
  }

  async memo(lane: string, sink: string): Promise<string | undefined> {
    const sql = 'SELECT memo AS value FROM memo WHERE lane = $1 AND sink = $2';
    return (await this.#query('reading a memo', sql, [lane, sink])).map(reading.value)[0];
  }

  /** A row whose answer was lost is put again: a copy that duplicate removal takes out. */
  async inboxPut(source: string, { bytes, isLast, arrival }: InboxBytes): Promise<number> {
    const sql = `INSERT INTO inbox (source, last, bytes, arrival) VALUES ($1, $2, $3, $4)
      RETURNING number AS n`;
    const values = [source, isLast, Buffer.from(bytes), arrival ?? null];
    const [row] = await this.#query(`keeping input of ${source}`, sql, values);
    return reading.n(row);
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

  #claimsOf(lane: string): number {
    return this.#claims.get(lane) ?? 0;
  }

  /** The lane's row, locked until the transaction ends; a lane that never was stands at version 0. */
  async #held(query: Query, lane: string): Promise<{ version: number; claims: number }> {
    const [row] = await query('SELECT version, claims FROM lane WHERE lane = $1 FOR UPDATE', [
      lane,
    ]);
    return row === undefined ? { version: 0, claims: 0 } : reading.held(row);
  }

  async #expect(query: Query, lane: string, expectedVersion: number): Promise<void> {
    const { version } = await this.#held(query, lane);
    if (version !== expectedVersion) throw lostLane(lane, version, expectedVersion);
  }
}

/** PostgreSQL's bigint (type 20) as a number: what we keep stays below 2^53. */
pg.types.setTypeParser(20, Number);
