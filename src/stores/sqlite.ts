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
import { reading, unwritten, writeChanges } from './sqlite-rows.ts';
import { migrations } from './sqlite-schema.ts';
import { kept } from './text.ts';

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

/**
 * Opens the store, makes or migrates its tables, and drops what is past retention. Throws
 * `SentrailError`: `store-newer` for a file of a newer version, `store-busy` when another process
 * writes to it, `store` where it cannot be opened or is no store.
 */
export function openSqlite(options: SqliteOptions): Store {
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
    if (!isWriter) checkMigrated(database, path);
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
  dropOld(database, options);
}

function dropOld(database: Database.Database, options: SqliteOptions): void {
  const before = options.clock() - options.retentionMs;
  for (const table of ['event', 'dead_letter', 'kept']) {
    database.prepare(`DELETE FROM ${table} WHERE added < ?`).run(before);
  }
}

/** A reader changes nothing, so it cannot bring an older store up to date. */
function checkMigrated(database: Database.Database, path: string): void {
  if (versionOf(database) === migrations.length) return;
  const hint = 'the next run that writes to it brings it up to date';
  throw new SentrailError('store', `the store ${path} was made by an older Sentrail; ${hint}`);
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

class OpenSqlite implements Store {
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

  async claim(lane: string): Promise<Claim> {
    const version = this.#transaction(`claiming lane ${lane}`, () => {
      const sql = `INSERT INTO lane VALUES (?, 1, '', '${unwritten}', '{}', '{}')
        ON CONFLICT (lane) DO UPDATE SET version = version + 1`;
      this.#prepare(sql).run(lane);
      return this.#version(lane);
    });
    return { version, checkpoint: await this.load(lane) };
  }

  async lanes(): Promise<readonly string[]> {
    const sql = `SELECT lane AS id FROM lane WHERE counters <> '${unwritten}' ORDER BY lane`;
    return this.#all(sql).map(reading.id);
  }

  async load(lane: string): Promise<Checkpoint | undefined> {
    const row = this.#get('SELECT * FROM lane WHERE lane = ?', lane);
    const head = row === undefined ? undefined : reading.lane(row);
    if (head === undefined) return undefined;
    const buckets = this.#all('SELECT * FROM bucket WHERE lane = ?', lane).map(reading.bucket);
    const ids = this.#all('SELECT hour, ids FROM ids WHERE lane = ? ORDER BY rowid', lane);
    return { lane, ...head, buckets, ids: ids.map(reading.ids) };
  }

  async progress(lane: string, shards: readonly string[]): Promise<ReadonlyMap<string, Progress>> {
    const found = new Map<string, Progress>();
    for (const shard of shards) {
      const row = this.#get(
        'SELECT * FROM progress WHERE lane = ? AND shard = ?',
        lane,
        kept(shard),
      );
      if (row !== undefined) found.set(shard, reading.progress(row));
    }
    return found;
  }

  async commit(lane: string, expectedVersion: number, changes: Changes): Promise<number> {
    return this.#transaction(`committing lane ${lane}`, () => {
      const version = this.#expect(lane, expectedVersion);
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
    const conditions: string[] = [];
    const values: unknown[] = [];
    if (filter.isUndelivered === true) conditions.push('delivered < revision');
    for (const [column, value] of [
      ['account', filter.account === undefined ? undefined : kept(filter.account)],
      ['lane', filter.lane],
    ] as const) {
      if (value === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(value);
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = this.#all(`SELECT id FROM alert ${where} ORDER BY window_from, id`, ...values);
    for (const row of rows) {
      const body = this.#get('SELECT body FROM alert WHERE id = ?', reading.id(row));
      if (body === undefined) continue;
      const alert = reading.alert(body);
      if (filter.statuses === undefined || filter.statuses.includes(alert.status)) yield alert;
    }
  }

  async provingEvent(id: string): Promise<readonly ProvingEvent[]> {
    return this.#all('SELECT * FROM event WHERE id = ?', kept(id)).map(reading.event);
  }

  async deadLetters(limit: number, afterNumber = 0): Promise<readonly StoredDeadLetter[]> {
    const sql = 'SELECT * FROM dead_letter WHERE number > ? ORDER BY number LIMIT ?';
    return this.#all(sql, afterNumber, limit).map(reading.deadLetter);
  }

  async dropDeadLetters(numbers: readonly number[]): Promise<void> {
    this.#transaction('dropping dead letters', () => {
      for (const one of numbers) this.#prepare('DELETE FROM dead_letter WHERE number = ?').run(one);
    });
  }

  async shards(lane: string): Promise<readonly string[]> {
    const rows = this.#all('SELECT shard AS id FROM progress WHERE lane = ? ORDER BY shard', lane);
    return rows.map(reading.id);
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
    const sql = 'SELECT * FROM outbox WHERE lane = ? AND sink = ? ORDER BY row LIMIT ?';
    return this.#all(sql, lane, sink, limit).map(reading.outbox);
  }

  async delivered(
    lane: string,
    expectedVersion: number,
    sink: string,
    { upToRow, memo }: Delivered,
  ): Promise<void> {
    this.#transaction(`noting deliveries to ${sink}`, () => {
      this.#expect(lane, expectedVersion);
      const sql = 'DELETE FROM outbox WHERE lane = ? AND sink = ? AND row <= ?';
      this.#prepare(sql).run(lane, sink, upToRow);
      this.#prepare('REPLACE INTO memo VALUES (?, ?, ?)').run(lane, sink, kept(memo));
    });
  }

  async memo(lane: string, sink: string): Promise<string | undefined> {
    const sql = 'SELECT memo AS id FROM memo WHERE lane = ? AND sink = ?';
    const row = this.#get(sql, lane, sink);
    return row === undefined ? undefined : reading.id(row);
  }

  async inboxPut(source: string, { bytes, isLast, arrival }: InboxBytes): Promise<number> {
    return this.#transaction(`keeping input of ${source}`, () => {
      const sql = 'INSERT INTO inbox (source, last, bytes, arrival) VALUES (?, ?, ?, ?)';
      const values = [source, isLast ? 1 : 0, Buffer.from(bytes), arrival ?? null];
      return Number(this.#prepare(sql).run(...values).lastInsertRowid);
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

  async note(name: string): Promise<string | undefined> {
    const row = this.#get('SELECT value AS id FROM note WHERE name = ?', name);
    return row === undefined ? undefined : reading.id(row);
  }

  async setNote(name: string, value: string): Promise<void> {
    this.#transaction('writing a note', () => {
      this.#prepare('REPLACE INTO note VALUES (?, ?)').run(name, kept(value));
    });
  }

  async depth(): Promise<StoreDepth> {
    const count = (table: string) => reading.count(this.#get(`SELECT count(*) AS n FROM ${table}`));
    return { outbox: count('outbox'), deadLetters: count('dead_letter'), inbox: count('inbox') };
  }

  async sweep(): Promise<void> {
    this.#transaction('dropping what is past its retention', () =>
      dropOld(this.#database, this.#options),
    );
  }

  async close(): Promise<void> {
    this.#prepared.clear();
    this.#database.close();
    this.#lock?.close();
  }

  #version(lane: string): number {
    return reading.laneVersion(this.#get('SELECT * FROM lane WHERE lane = ?', lane));
  }

  #expect(lane: string, expectedVersion: number): number {
    const version = this.#version(lane);
    if (version === expectedVersion) return version;
    const stands = `it stands at version ${version}, not ${expectedVersion}: another process went on`;
    throw new SentrailError('store-version', `writing to lane ${lane}: ${stands}`);
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
