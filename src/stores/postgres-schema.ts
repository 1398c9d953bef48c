// The tables of the PostgreSQL store, as migrations: each runs once, in order, inside a transaction.

/** Migrations from an empty schema to the present; `sentrail_schema.version` counts those that ran. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE lane (
    lane TEXT PRIMARY KEY, version BIGINT NOT NULL, writer BIGINT, fingerprint TEXT NOT NULL,
    counters TEXT, clocks TEXT NOT NULL, horizon TEXT NOT NULL
  );
  CREATE TABLE progress (
    lane TEXT NOT NULL, shard TEXT NOT NULL, sequence TEXT NOT NULL, item BIGINT NOT NULL, done TEXT,
    cut BOOLEAN NOT NULL, turn DOUBLE PRECISION,
    PRIMARY KEY (lane, shard)
  );
  CREATE TABLE bucket (
    lane TEXT NOT NULL, detector TEXT NOT NULL, key TEXT NOT NULL, start BIGINT NOT NULL,
    version BIGINT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (lane, detector, key, start)
  );
  CREATE TABLE ids (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lane TEXT NOT NULL,
    hour BIGINT NOT NULL, ids BYTEA NOT NULL
  );
  CREATE INDEX ids_hour ON ids (lane, hour);
  CREATE TABLE alert (
    id TEXT COLLATE "C" PRIMARY KEY, lane TEXT NOT NULL, account TEXT NOT NULL, status TEXT NOT NULL,
    window_from BIGINT NOT NULL, revision BIGINT NOT NULL, delivered BIGINT NOT NULL,
    body TEXT NOT NULL
  );
  CREATE INDEX alert_window ON alert (window_from, id);
  CREATE INDEX alert_undelivered ON alert (lane, window_from, id) WHERE delivered < revision;
  CREATE TABLE event (
    id TEXT NOT NULL, account TEXT NOT NULL, time BIGINT NOT NULL, shard TEXT NOT NULL,
    item BIGINT NOT NULL, bytes BYTEA NOT NULL, added BIGINT NOT NULL,
    PRIMARY KEY (id, account)
  );
  CREATE TABLE dead_letter (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lane TEXT NOT NULL, shard TEXT NOT NULL,
    sequence TEXT NOT NULL, item BIGINT NOT NULL, place BIGINT NOT NULL, reason TEXT NOT NULL,
    detail TEXT NOT NULL, bytes BYTEA NOT NULL, size BIGINT NOT NULL, added BIGINT NOT NULL
  );
  CREATE TABLE kept (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind TEXT NOT NULL, shard TEXT NOT NULL,
    sequence TEXT NOT NULL, item BIGINT NOT NULL, bytes BYTEA NOT NULL, added BIGINT NOT NULL
  );
  CREATE TABLE outbox (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lane TEXT NOT NULL, sink TEXT NOT NULL,
    alert TEXT NOT NULL, revision BIGINT NOT NULL, body TEXT NOT NULL
  );
  CREATE INDEX outbox_lane ON outbox (lane, sink, number);
  CREATE TABLE memo (
    lane TEXT NOT NULL, sink TEXT NOT NULL, memo TEXT NOT NULL, PRIMARY KEY (lane, sink)
  );
  CREATE TABLE inbox (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source TEXT NOT NULL,
    last BOOLEAN NOT NULL, bytes BYTEA NOT NULL, arrival DOUBLE PRECISION
  );
  CREATE INDEX inbox_source ON inbox (source, number);
  CREATE SEQUENCE writer;
  CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE INDEX event_added ON event (added);
  CREATE INDEX dead_letter_added ON dead_letter (added);
  CREATE INDEX kept_added ON kept (added);
  `,
];
