// Connections to PostgreSQL: transactions, and patience with what passes.
import pg from 'pg';
import { SentrailError } from '../core/errors.ts';
import type { Query } from './postgres-rows.ts';
import { migrations } from './postgres-schema.ts';

/** How the database is reached. The url holds a password, so it is in no message. */
export interface ConnectionOptions {
  readonly url: string;
  /** False opens every session for reading only. */
  readonly isWriter: boolean;
  readonly wait?: (ms: number) => Promise<void>;
  readonly onNotice?: (text: string) => void;
}

/** Lanes of one worker commit side by side; more connections than this gain nothing on one machine. */
const connectionsMax = 8;
const connectTimeoutMs = 5_000;
/** A statement that takes longer waits for a lock that will not come free. */
const statementTimeoutMs = 60_000;
/** An answer that is later than the server's own limit will not come: the server or the way is gone. */
const answerTimeoutMs = statementTimeoutMs + 10_000;
/**
 * Statements of a transaction follow each other at once. A worker that says nothing for so long is
 * frozen, and holds the row of its lane: the server ends it, so that another can claim the lane.
 */
const silenceInTransactionMs = 5_000;
/** Waits between tries: two minutes in all, enough for a server to be restarted or to fail over. */
const waitsMs = [50, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 30_000];

/**
 * Errors that pass, by class or code: lost connections, want of memory or connections (a full disk does
 * not pass), a server that restarts, silence in a transaction, serialization, deadlock, locks.
 */
const passing = /^(08|53[023]|57P0[1235]|25P0[34]|40001|40P01|55P03)/;
/** The same as the system tells it. */
const passingSystem = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET)/;
/** What the client says itself, without a code, when a connection ends under it or is not to be had. */
const passingText =
  /Connection terminated|timeout exceeded when|timeout expired|read timeout|Client has encountered/;

/** A pool of connections. */
export class Connections {
  readonly #pool: pg.Pool;
  readonly #wait: (ms: number) => Promise<void>;
  readonly #onNotice: (text: string) => void;

  constructor({ url, isWriter, wait, onNotice }: ConnectionOptions) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: connectionsMax,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      query_timeout: answerTimeoutMs,
      idle_in_transaction_session_timeout: silenceInTransactionMs,
      keepAlive: true,
      application_name: 'sentrail',
      async onConnect(client) {
        if (!isWriter) await client.query('SET default_transaction_read_only = on');
      },
    });
    // An idle connection that breaks is replaced when one is needed; unheard, it would end the process.
    this.#pool.on('error', () => {});
    this.#wait = wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.#onNotice = onNotice ?? (() => {});
  }

  /** Runs statements on one connection, again from the start after trouble that passes. */
  async retrying<T>(doing: string, work: (query: Query) => Promise<T>): Promise<T> {
    for (const ms of [...waitsMs, undefined]) {
      try {
        return await this.#once(work);
      } catch (error) {
        if (error instanceof SentrailError) throw error;
        if (ms === undefined || !isPassing(error)) throw asStoreError(error, doing);
        if (ms >= 1_000) this.#onNotice(`${doing}: ${reasonOf(error)}; trying again`);
        await this.#wait(ms);
      }
    }
    throw asStoreError(undefined, doing);
  }

  /** As `retrying`, inside a transaction; `work` must decide anew each time what is to be done. */
  transaction<T>(doing: string, work: (query: Query) => Promise<T>): Promise<T> {
    return this.retrying(doing, async (query) => {
      await query('BEGIN');
      try {
        const result = await work(query);
        await query('COMMIT');
        return result;
      } catch (error) {
        // On a broken connection this fails too, and the server rolls back by itself.
        await query('ROLLBACK').catch(() => {});
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #once<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    // A connection that ends between two statements says so here first.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      return await work(async (sql, values = []) => {
        if (broken !== undefined) throw broken;
        return (await client.query(sql, [...values])).rows as unknown[];
      });
    } catch (error) {
      if (error instanceof Error && isPassing(error)) broken ??= error;
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }
}

const schemaTable = 'CREATE TABLE IF NOT EXISTS sentrail_schema (version BIGINT NOT NULL)';
/** Any number does, as long as every Sentrail takes the same. */
const migrationLock = 5_368_709;

/** Makes or migrates the tables; a reader only looks. Throws `SentrailError` (store, store-newer). */
export async function prepare(connections: Connections, isWriter: boolean): Promise<void> {
  await connections.transaction('opening the database', async (query) => {
    let version = await versionOf(query);
    if (isWriter && version < migrations.length) {
      // Only now: who works on a database made by another user may not be allowed to make tables.
      await query(`SELECT pg_advisory_xact_lock(${migrationLock})`);
      await query(schemaTable);
      version = await versionOf(query);
    }
    if (version > migrations.length) throw newer(version);
    if (version === migrations.length) return;
    if (!isWriter) {
      const hint = 'start `sentrail run` on it once';
      const what = version === 0 ? 'holds no store of Sentrail' : 'is of an older Sentrail';
      throw new SentrailError('store', `the database ${what}; ${hint}`);
    }
    for (const migration of migrations.slice(version)) await query(migration);
    await query('DELETE FROM sentrail_schema');
    await query('INSERT INTO sentrail_schema VALUES ($1)', [migrations.length]);
  });
}

async function versionOf(query: Query): Promise<number> {
  const [there] = await query(`SELECT to_regclass('sentrail_schema') IS NOT NULL AS there`);
  if (!isRow(there) || there['there'] !== true) return 0;
  const [row] = await query('SELECT version FROM sentrail_schema');
  return isRow(row) ? Number(row['version']) : 0;
}

function isRow(row: unknown): row is Readonly<Record<string, unknown>> {
  return typeof row === 'object' && row !== null;
}

function newer(version: number): SentrailError {
  const known = `this Sentrail knows versions up to ${migrations.length}`;
  return new SentrailError(
    'store-newer',
    `the database was made by a newer Sentrail (store version ${version}; ${known}): upgrade, or name another database`,
  );
}

/** The lane is somebody else's now. */
export function lostLane(lane: string, stands: number, expected: number): SentrailError {
  const why = `it stands at version ${stands}, not ${expected}: another process went on`;
  return new SentrailError('store-version', `writing to lane ${lane}: ${why}`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (passing.test(code) || passingSystem.test(code)) return true;
  return error instanceof Error && passingText.test(error.message);
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : 'it gave no reason';
  return code === '' ? text : `${text} (${code})`;
}

function asStoreError(cause: unknown, doing: string): SentrailError {
  if (codeOf(cause) === '53100') {
    const hint = 'free some space and start again: nothing was half-written';
    return new SentrailError('store-full', `${doing}: the disk is full; ${hint}`, { cause });
  }
  const hint = 'check that the database is there and that store.postgres names it rightly';
  return new SentrailError('store', `${doing}: ${reasonOf(cause)}; ${hint}`, { cause });
}
