// Both stores under one contract, and what SQLite alone must do: files, versions, locks, full disks.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { openSqlite } from '../../src/stores/sqlite.ts';
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
    const later = open(path, true, 5_000);
    expect(await later.provingEvent('e')).toEqual([]);
    expect((await later.alerts(['a'])).size).toBe(1);
    await later.close();
  });
});
