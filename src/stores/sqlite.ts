// The store of one machine: a SQLite file that only its owner may read. One transaction a commit.
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import type { Alert } from '../core/alert.ts';
import { SentrailError } from '../core/errors.ts';
import type {
  AlertFilter,
  Changes,
  Checkpoint,
  DeadLetter,
  InboxRow,
  OutboxRow,
  ProvingEvent,
  Store,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { reading, writeChanges } from './sqlite-rows.ts';
import { migrations } from './sqlite-schema.ts';

/** What opening takes. `clock` stamps rows for retention; it has no part in judgement. */
export interface SqliteOptions {
  readonly path: string;
  readonly retentionMs: number;
  readonly clock: () => number;
  /** False opens for reading while another process may write; nothing is made or migrated. */
  readonly isWriter: boolean;
  /** Largest number of 4 KiB pages the file may grow to; absent for as many as the disk holds. */
  readonly pagesMax?: number;
}

/** The SQLite store, with notes: small texts about the store itself. */
export interface SqliteStore extends Store {
  note(name: string): string | undefined;
  setNote(name: string, value: string): void;
}

/**
 * Opens the store, makes or migrates its tables, and drops what is past retention. Throws
 * `SentrailError`: `store-newer` for a file of a newer version, `store-busy` when another process
 * writes to it, `store` where it cannot be opened or is no store.
 */
export function openSqlite(options: SqliteOptions): SqliteStore {
  const { path, isWriter } = options;
  if (!isWriter && !existsSync(path)) {
    throw new SentrailError(
      'store',
      `there is no store at ${path}; read a trail first, or name one with --store`,
    );
  }
  if (isWriter) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = isWriter ? takeLock(path) : undefined;
  try {
    const database = new Database(path);
    if (isWriter) prepare(database, options);
    checkVersion(database, path);
    return new OpenSqlite(database, lock, options);
  } catch (error) {
    lock?.close();
    throw asStoreError(error, `opening the store ${path}`);
  }
}

/** The lock is a transaction held in a file beside the store: the system ends it with the process. */
function takeLock(path: string): Database.Database {
  const lock = new Database(`${path}-lock`);
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    const hint = 'wait for it to end, or name another file with --store';
    throw new SentrailError('store-busy', `another process writes to ${path}; ${hint}`, { cause });
  }
}

function prepare(database: Database.Database, options: SqliteOptions): void {
  checkVersion(database, options.path);
  // FULL, because a sink is told of an alert only after the commit that holds it is on the disk.
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;',
  );
  if (options.pagesMax !== undefined) database.exec(`PRAGMA max_page_count = ${options.pagesMax}`);
  for (const file of [options.path, `${options.path}-wal`, `${options.path}-shm`]) {
    // Raw records and dead letters are for the owner's eyes only.
    if (existsSync(file)) chmodSync(file, 0o600);
  }
  for (let at = versionOf(database); at < migrations.length; at++) {
    database.exec(`BEGIN; ${migrations[at]} PRAGMA user_version = ${at + 1}; COMMIT;`);
  }
  const before = options.clock() - options.retentionMs;
  for (const table of ['event', 'dead_letter', 'kept']) {
    database.prepare(`DELETE FROM ${table} WHERE added < ?`).run(before);
  }
}

function checkVersion(database: Database.Database, path: string): void {
  const version = versionOf(database);
  if (version <= migrations.length) return;
  const known = `this Sentrail knows versions up to ${migrations.length}`;
  throw new SentrailError(
    'store-newer',
    `the store ${path} was made by a newer Sentrail (store version ${version}; ${known}): upgrade, or name another file with --store`,
  );
}

function versionOf(database: Database.Database): number {
  const row = reading.version(database.prepare('PRAGMA user_version').get());
  return row.user_version;
}

/** Takes whatever SQLite threw and what was being done; gives an error that says what to try. */
function asStoreError(error: unknown, doing: string): SentrailError {
  if (error instanceof SentrailError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/FULL/.test(code) || /disk is full/i.test(text)) {
    const hint = 'free some space and start again: nothing was half-written';
    return new SentrailError('store-full', `${doing}: the disk is full; ${hint}`, { cause: error });
  }
  return new SentrailError('store', `${doing}: ${text}`, { cause: error });
}

class OpenSqlite implements SqliteStore {
  readonly #database: Database.Database;
  readonly #lock: Database.Database | undefined;
  readonly #options: SqliteOptions;
  readonly #prepared = new Map<string, Database.Statement>();
  #sinks: readonly string[] = [];

  constructor(
    database: Database.Database,
    lock: Database.Database | undefined,
    options: SqliteOptions,
  ) {
    this.#database = database;
    this.#lock = lock;
    this.#options = options;
  }

  async load(lane: string): Promise<Checkpoint | undefined> {
    const head = this.#get('SELECT * FROM lane WHERE lane = ?', lane);
    if (head === undefined) return undefined;
    const buckets = this.#all('SELECT * FROM bucket WHERE lane = ?', lane).map(reading.bucket);
    const ids = this.#all('SELECT hour, ids FROM ids WHERE lane = ? ORDER BY rowid', lane);
    return { lane, ...reading.lane(head), buckets, ids: ids.map(reading.ids) };
  }

  async progress(lane: string, shards: readonly string[]): Promise<ReadonlyMap<string, Progress>> {
    const found = new Map<string, Progress>();
    for (const shard of shards) {
      const row = this.#get('SELECT * FROM progress WHERE lane = ? AND shard = ?', lane, shard);
      if (row !== undefined) found.set(shard, reading.progress(row));
    }
    return found;
  }

  async commit(lane: string, expectedVersion: number, changes: Changes): Promise<number> {
    return this.#transaction(`committing lane ${lane}`, () => {
      const row = this.#get('SELECT * FROM lane WHERE lane = ?', lane);
      const version = row === undefined ? 0 : reading.lane(row).version;
      if (version !== expectedVersion) {
        const stands = `it stands at version ${version}, not ${expectedVersion}: another process went on`;
        throw new SentrailError('store-version', `committing lane ${lane}: ${stands}`);
      }
      const run = (sql: string, ...values: unknown[]) => void this.#prepare(sql).run(...values);
      const at = { lane, version: version + 1, sinks: this.#sinks, now: this.#options.clock() };
      writeChanges(run, at, changes);
      return version + 1;
    });
  }

  async alerts(ids: readonly string[]): Promise<ReadonlyMap<string, Alert>> {
    const found = new Map<string, Alert>();
    for (const id of ids) {
      const row = this.#get('SELECT body FROM alert WHERE id = ?', id);
      if (row !== undefined) found.set(id, reading.alert(row));
    }
    return found;
  }

  async *listAlerts(filter: AlertFilter): AsyncIterable<Alert> {
    const wanted = 'SELECT id FROM alert WHERE (? IS NULL OR account = ?)';
    const due = filter.isUndelivered === true ? ' AND delivered < revision' : '';
    const account = filter.account ?? null;
    const rows = this.#all(`${wanted}${due} ORDER BY window_from, id`, account, account);
    for (const row of rows) {
      const body = this.#get('SELECT body FROM alert WHERE id = ?', reading.id(row));
      if (body === undefined) continue;
      const alert = reading.alert(body);
      if (filter.statuses === undefined || filter.statuses.includes(alert.status)) yield alert;
    }
  }

  async provingEvent(id: string): Promise<readonly ProvingEvent[]> {
    return this.#all('SELECT * FROM event WHERE id = ?', id).map(reading.event);
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const rows = this.#all('SELECT * FROM dead_letter ORDER BY number LIMIT ?', limit);
    return rows.map(reading.deadLetter);
  }

  async shards(lane: string): Promise<readonly string[]> {
    const rows = this.#all('SELECT shard AS id FROM progress WHERE lane = ? ORDER BY shard', lane);
    return rows.map(reading.id);
  }

  async sinks(names: readonly string[]): Promise<void> {
    this.#sinks = [...names];
  }

  async pending(sink: string, limit: number): Promise<readonly OutboxRow[]> {
    const rows = this.#all('SELECT * FROM outbox WHERE sink = ? ORDER BY row LIMIT ?', sink, limit);
    return rows.map(reading.outbox);
  }

  async delivered(sink: string, upToRow: number, memo: string): Promise<void> {
    this.#transaction(`noting deliveries to ${sink}`, () => {
      this.#prepare('DELETE FROM outbox WHERE sink = ? AND row <= ?').run(sink, upToRow);
      this.#prepare('REPLACE INTO memo VALUES (?, ?)').run(sink, memo);
    });
  }

  async memo(sink: string): Promise<string | undefined> {
    const row = this.#get('SELECT memo AS id FROM memo WHERE sink = ?', sink);
    return row === undefined ? undefined : reading.id(row);
  }

  async inboxPut(source: string, bytes: Uint8Array, isLast: boolean): Promise<number> {
    return this.#transaction(`keeping input of ${source}`, () => {
      const sql = 'INSERT INTO inbox (source, last, bytes) VALUES (?, ?, ?)';
      return Number(
        this.#prepare(sql).run(source, isLast ? 1 : 0, Buffer.from(bytes)).lastInsertRowid,
      );
    });
  }

  async inboxRead(source: string, afterRow: number): Promise<InboxRow | undefined> {
    const sql = 'SELECT * FROM inbox WHERE source = ? AND row > ? ORDER BY row LIMIT 1';
    const row = this.#get(sql, source, afterRow);
    return row === undefined ? undefined : reading.inbox(row);
  }

  async inboxDrop(source: string, upToRow: number): Promise<void> {
    this.#transaction(`dropping input of ${source}`, () => {
      this.#prepare('DELETE FROM inbox WHERE source = ? AND row <= ?').run(source, upToRow);
    });
  }

  note(name: string): string | undefined {
    const row = this.#get('SELECT value AS id FROM note WHERE name = ?', name);
    return row === undefined ? undefined : reading.id(row);
  }

  setNote(name: string, value: string): void {
    this.#transaction('writing a note', () => {
      this.#prepare('REPLACE INTO note VALUES (?, ?)').run(name, value);
    });
  }

  async close(): Promise<void> {
    this.#prepared.clear();
    this.#database.close();
    this.#lock?.close();
  }

  #transaction<T>(doing: string, work: () => T): T {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite may have rolled back by itself (a full disk does that), so a failure here says nothing.
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw asStoreError(error, doing);
    }
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  #get(sql: string, ...values: unknown[]): unknown {
    try {
      return this.#prepare(sql).get(...values);
    } catch (error) {
      throw asStoreError(error, `reading the store ${this.#options.path}`);
    }
  }

  #all(sql: string, ...values: unknown[]): unknown[] {
    try {
      return this.#prepare(sql).all(...values);
    } catch (error) {
      throw asStoreError(error, `reading the store ${this.#options.path}`);
    }
  }
}
