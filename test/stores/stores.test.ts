// Both stores under one contract, and what SQLite alone must do: files, versions, locks, full disks.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { openSqlite } from '../../src/stores/sqlite.ts';
import { migrations } from '../../src/stores/sqlite-schema.ts';
import { alertOf, changesOf, storeContract } from '../contract/store.ts';

const folder = mkdtempSync(join(tmpdir(), 'sentrail-stores-'));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
const fresh = () => join(folder, `${++count}.sqlite`);
const open = (path: string, isWriter = true, now = 0) =>
  openSqlite({ path, retentionMs: 1_000, clock: () => now, isWriter });

storeContract('memory', memoryStore);
storeContract('sqlite', () => open(fresh()));

describe('sqlite', () => {
  it('is the same after it was closed and opened', async () => {
    const path = fresh();
    const store = open(path);
    await store.commit('main', 0, changesOf({ alerts: [alertOf('a')], clocks: { '': 1 } }));
    await store.close();
    const again = open(path);
    expect((await again.load('main'))?.clocks).toEqual({ '': 1 });
    expect((await again.alerts(['a'])).get('a')).toEqual(alertOf('a'));
    await again.close();
  });

  it('is readable by its owner only', async () => {
    const path = fresh();
    await open(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('refuses a store of a newer version, and says what to try', async () => {
    const path = fresh();
    await open(path).close();
    const raw = new Database(path);
    raw.exec('PRAGMA user_version = 99');
    raw.close();
    for (const isWriter of [true, false]) {
      expect(() => open(path, isWriter)).toThrow(
        expect.objectContaining({ code: 'store-newer', message: expect.stringMatching(/upgrade/) }),
      );
    }
  });

  it('refuses a second writer, but not a reader', async () => {
    const path = fresh();
    const store = open(path);
    expect(() => open(path)).toThrow(expect.objectContaining({ code: 'store-busy' }));
    const reader = open(path, false);
    expect(await reader.load('main')).toBeUndefined();
    await reader.close();
    await store.close();
    await open(path).close();
  });

  it('brings a store of the first version up to date, with all it holds', async () => {
    const path = fresh();
    const old = new Database(path);
    const insert = (table: string, ...values: unknown[]) =>
      old.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?')})`).run(...values);
    old.exec(`${migrations[0]} PRAGMA user_version = 1;`);
    const counters = JSON.stringify(changesOf().counters);
    insert('lane', 'main', 3, 'f', counters, '{"":7}', '{}');
    insert('progress', 'main', 'a', '0', 4, 'x', 1);
    const alert = alertOf('a', 0, 2, 1);
    insert('alert', 'a', '1', 'open', 0, 2, 1, JSON.stringify(alert));
    insert('dead_letter', 1, 's', '0', 0, 0, 'json-broken', 'd', Buffer.from('abc'), 0);
    insert('outbox', 1, 'sink', 'a', 1, '{}');
    insert('memo', 'sink', '120');
    insert('inbox', 1, 'stdin/0', 0, Buffer.from('x'));
    old.close();
    const reader = () => open(path, false);
    expect(reader).toThrow(expect.objectContaining({ message: expect.stringMatching(/older/) }));
    const store = open(path);
    const { version, checkpoint } = await store.claim('main');
    expect(version).toBe(4);
    expect(checkpoint?.clocks).toEqual({ '': 7 });
    const progress = (await store.progress('main', ['a'])).get('a');
    const position = { shard: 'a', sequence: '0', item: 4 };
    expect(progress).toEqual({ position, done: 'x', isCut: true });
    const due: string[] = [];
    for await (const one of store.listAlerts({ lane: 'main', isUndelivered: true }))
      due.push(one.id);
    expect(due).toEqual(['a']);
    expect(await store.deadLetters(9)).toMatchObject([{ lane: 'main', size: 3 }]);
    expect(await store.pending('main', 4, { sink: 'sink', limit: 9 })).toHaveLength(1);
    expect(await store.memo('main', 'sink')).toBe('120');
    expect(await store.inboxRead('stdin/0', 0)).toMatchObject({ isLast: false });
    await store.close();
  });

  it('refuses what is no store', () => {
    expect(() => open(join(folder, 'none.sqlite'), false)).toThrow(
      expect.objectContaining({ code: 'store' }),
    );
    const text = fresh();
    writeFileSync(
      text,
      'this is a text and no database, and long enough to be read as a page\n'.repeat(9),
    );
    expect(() => open(text)).toThrow(expect.objectContaining({ code: 'store' }));
  });

  it('stops on a full disk with nothing half-written', async () => {
    const path = fresh();
    const store = open(path);
    await store.commit('main', 0, changesOf());
    await store.close();
    // SQLite's own limit of pages ends in the same error as a disk without room.
    const full = openSqlite({
      path,
      retentionMs: 1_000,
      clock: () => 0,
      isWriter: true,
      pagesMax: statSync(path).size / 4096 + 2,
    });
    const bytes = Buffer.alloc(200_000, 'x');
    const event = { id: 'e', account: '1', time: 5, shard: 's', item: 2, bytes };
    const changes = changesOf({ alerts: [alertOf('a')], events: [event] });
    await expect(full.commit('main', 1, changes)).rejects.toMatchObject({
      code: 'store-full',
      message: expect.stringMatching(/free some space/),
    });
    expect((await full.load('main'))?.version).toBe(1);
    expect((await full.alerts(['a'])).size).toBe(0);
    await full.close();
  });

  it('drops raw records and dead letters past retention, and nothing else', async () => {
    const path = fresh();
    const store = open(path);
    const bytes = Buffer.from('{}');
    const event = { id: 'e', account: '1', time: 5, shard: 's', item: 2, bytes };
    await store.commit('main', 0, changesOf({ alerts: [alertOf('a')], events: [event] }));
    await store.close();
    const swept = open(path, true, 900);
    expect(await swept.provingEvent('e')).toHaveLength(1);
    await swept.close();
    const later = open(path, true, 5_000);
    expect(await later.provingEvent('e')).toEqual([]);
    expect((await later.alerts(['a'])).size).toBe(1);
    await later.close();
  });

  it('drops what came past retention while it is open, when told to sweep', async () => {
    let now = 0;
    const path = fresh();
    const store = openSqlite({ path, retentionMs: 1_000, clock: () => now, isWriter: true });
    const bytes = Buffer.from('{}');
    const event = { id: 'e', account: '1', time: 5, shard: 's', item: 2, bytes };
    await store.commit('main', 0, changesOf({ events: [event] }));
    now = 900;
    await store.sweep();
    expect(await store.provingEvent('e')).toHaveLength(1);
    now = 5_000;
    await store.sweep();
    expect(await store.provingEvent('e')).toEqual([]);
    await store.close();
  });
});
