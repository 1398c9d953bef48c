// The tables of the SQLite store, as migrations: each runs once, in order, inside a transaction.

/** Migrations from an empty file to the present; `PRAGMA user_version` counts those that ran. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE lane (
    lane TEXT PRIMARY KEY, version INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    counters TEXT NOT NULL, clocks TEXT NOT NULL, horizon TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE progress (
    lane TEXT NOT NULL, shard TEXT NOT NULL, sequence TEXT NOT NULL, item INTEGER NOT NULL, done TEXT,
    cut INTEGER NOT NULL,
    PRIMARY KEY (lane, shard)
  ) WITHOUT ROWID;
  CREATE TABLE bucket (
    lane TEXT NOT NULL, detector TEXT NOT NULL, key TEXT NOT NULL, start INTEGER NOT NULL,
    version INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (lane, detector, key, start)
  ) WITHOUT ROWID;
  CREATE TABLE ids (lane TEXT NOT NULL, hour INTEGER NOT NULL, ids BLOB NOT NULL);
  CREATE INDEX ids_hour ON ids (lane, hour);
  CREATE TABLE alert (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, status TEXT NOT NULL, window_from INTEGER NOT NULL,
    revision INTEGER NOT NULL, delivered INTEGER NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX alert_window ON alert (window_from, id);
  CREATE TABLE event (
    id TEXT NOT NULL, account TEXT NOT NULL, time INTEGER NOT NULL, shard TEXT NOT NULL,
    item INTEGER NOT NULL, bytes BLOB NOT NULL, added INTEGER NOT NULL,
    PRIMARY KEY (id, account)
  ) WITHOUT ROWID;
  CREATE TABLE dead_letter (
    number INTEGER PRIMARY KEY, shard TEXT NOT NULL, sequence TEXT NOT NULL, item INTEGER NOT NULL,
    place INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, bytes BLOB NOT NULL,
    added INTEGER NOT NULL
  );
  CREATE TABLE kept (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, shard TEXT NOT NULL, sequence TEXT NOT NULL,
    item INTEGER NOT NULL, bytes BLOB NOT NULL, added INTEGER NOT NULL
  );
  CREATE TABLE outbox (
    row INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, alert TEXT NOT NULL,
    revision INTEGER NOT NULL, body TEXT NOT NULL
  );
  CREATE INDEX outbox_sink ON outbox (sink, row);
  CREATE TABLE memo (sink TEXT PRIMARY KEY, memo TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE inbox (
    row INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, last INTEGER NOT NULL,
    bytes BLOB NOT NULL
  );
  CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `,
  // Lanes: what waits and what was noted belongs to one; whoever lost it is fenced off.
  `
  ALTER TABLE progress ADD COLUMN turn REAL;
  ALTER TABLE alert ADD COLUMN lane TEXT NOT NULL DEFAULT 'main';
  CREATE INDEX alert_undelivered ON alert (lane, window_from, id) WHERE delivered < revision;
  ALTER TABLE dead_letter ADD COLUMN lane TEXT NOT NULL DEFAULT 'main';
  ALTER TABLE dead_letter ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
  UPDATE dead_letter SET size = length(bytes);
  ALTER TABLE outbox ADD COLUMN lane TEXT NOT NULL DEFAULT 'main';
  DROP INDEX outbox_sink;
  CREATE INDEX outbox_lane ON outbox (lane, sink, row);
  ALTER TABLE memo RENAME TO memo_1;
  CREATE TABLE memo (
    lane TEXT NOT NULL, sink TEXT NOT NULL, memo TEXT NOT NULL, PRIMARY KEY (lane, sink)
  ) WITHOUT ROWID;
  INSERT INTO memo SELECT 'main', sink, memo FROM memo_1;
  DROP TABLE memo_1;
  ALTER TABLE inbox ADD COLUMN arrival REAL;
  CREATE INDEX inbox_source ON inbox (source, row);
  `,
];
