// The PostgreSQL store against a real server: the contract, two holders, a server that dies.
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/ports.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import { alertOf, changesOf, storeContract } from '../contract/store.ts';
import { withServer } from './servers/missing.ts';
import { startPostgres } from './servers/postgres.ts';

const started = await startPostgres();

withServer('PostgreSQL', started, (server) => {
  let now = 0;
  const open = (url: string, isWriter = true): Promise<Store> =>
    openPostgres({ url, retentionMs: 1_000, clock: () => now, isWriter });
  afterAll(() => server.close());

  storeContract('postgres', async () => open(await server.fresh()));

  describe('postgres', () => {
    let url = '';
    beforeAll(async () => {
      url = await server.fresh();
    });

    it('lets exactly one of two holders commit', async () => {
      const [one, two] = [await open(url), await open(url)];
      const { version } = await one.claim('race');
      const commits = [one, two].map((store, at) =>
        store.commit('race', version, changesOf({ alerts: [alertOf(`race${at}`)] })),
      );
      const results = await Promise.allSettled(commits);
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
      const kept = await one.alerts(['race0', 'race1']);
      expect(kept.size).toBe(1);
      await one.close();
      await two.close();
    });

    it('lets claims race with commits: what was committed is in the claim, or is refused', async () => {
      const [old, fresh] = [await open(url), await open(url)];
      let version = (await old.claim('claims')).version;
      for (let round = 0; round < 30; round++) {
        const id = `round${round}`;
        const committing = old.commit('claims', version, changesOf({ alerts: [alertOf(id)] }));
        const [commit, claim] = await Promise.allSettled([committing, fresh.claim('claims')]);
        if (claim.status === 'rejected') throw claim.reason;
        const isThere = (await fresh.alerts([id])).size === 1;
        expect(isThere).toBe(commit.status === 'fulfilled');
        version = (await old.claim('claims')).version;
      }
      await old.close();
      await fresh.close();
    });

    it('knows its own commit again when the answer was lost', async () => {
      const wait = (ms: number) =>
        new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 20)));
      const store = await openPostgres({
        url,
        retentionMs: 1_000,
        clock: () => now,
        isWriter: true,
        wait,
      });
      let { version } = await store.claim('lost');
      const killer = new pg.Client({ connectionString: url });
      killer.on('error', () => {});
      await killer.connect();
      const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'sentrail' AND pid <> pg_backend_pid()`;
      let kills = 0;
      let isEnded = false;
      const killing = (async () => {
        while (!isEnded) {
          const { rowCount } = await killer.query(kill);
          kills += rowCount ?? 0;
          await new Promise((resolve) => setTimeout(resolve, 60));
        }
      })();
      const bytes = Buffer.alloc(2_000, 'x');
      const rounds = 300;
      for (let round = 0; round < rounds; round++) {
        const place = { shard: 's', sequence: '0', item: round, offset: 0, size: 2_000 };
        const letter = { ...place, reason: 'json-broken', detail: 'd', bytes } as const;
        version = await store.commit('lost', version, changesOf({ deadLetters: [letter] }));
      }
      isEnded = true;
      await killing;
      await killer.end();
      const letters = (await store.deadLetters(1_000)).filter((one) => one.lane === 'lost');
      // Each commit once: none lost, none twice, whatever broke under it.
      expect(letters.map((one) => one.item)).toEqual(Array.from({ length: rounds }, (_, at) => at));
      expect(kills).toBeGreaterThan(5);
      await store.close();
    });

    it('is read while a worker writes, and refuses to be read where it is no store', async () => {
      const [writer, reader] = [await open(url), await open(url, false)];
      const { version } = await writer.claim('read');
      await writer.commit('read', version, changesOf({ alerts: [alertOf('seen')] }));
      expect((await reader.alerts(['seen'])).size).toBe(1);
      await expect(reader.setNote('n', 'v')).rejects.toThrow(/read-only/);
      await writer.close();
      await reader.close();
      const empty = await server.fresh();
      await expect(open(empty, false)).rejects.toMatchObject({ code: 'store' });
    });

    it('refuses tables of a newer version, and says what to try', async () => {
      const newer = await server.fresh();
      await (await open(newer)).close();
      const client = new pg.Client({ connectionString: newer });
      await client.connect();
      await client.query('UPDATE sentrail_schema SET version = 99');
      await client.end();
      const message = expect.stringMatching(/upgrade/);
      await expect(open(newer)).rejects.toMatchObject({ code: 'store-newer', message });
    });

    it('drops what is past retention', async () => {
      const store = await open(url);
      const bytes = Buffer.from('{}');
      const event = { id: 'old', account: '1', time: 5, shard: 's', item: 2, bytes };
      const { version } = await store.claim('sweep');
      await store.commit('sweep', version, changesOf({ events: [event] }));
      now = 900;
      await store.sweep();
      expect(await store.provingEvent('old')).toHaveLength(1);
      now = 5_000;
      await store.sweep();
      expect(await store.provingEvent('old')).toEqual([]);
      now = 0;
      await store.close();
    });

    it('takes a commit of more bytes than one statement may hold', async () => {
      const store = await open(url);
      const { version } = await store.claim('flood');
      const deadLetters = Array.from({ length: 400 }, (_, item) => {
        const place = { shard: 's', sequence: '0', item, offset: 0, size: 65_536 };
        const bytes = Buffer.alloc(65_536, item);
        return { ...place, reason: 'json-broken', detail: 'd', bytes } as const;
      });
      await store.commit('flood', version, changesOf({ deadLetters }));
      const kept = (await store.deadLetters(1_000)).filter((one) => one.lane === 'flood');
      expect(kept.map(({ item, bytes }) => [item, bytes.length, bytes[9]])).toEqual(
        deadLetters.map(({ item }) => [item, 65_536, item % 256]),
      );
      await store.close();
    });

    it('works on a database that another made, without the right to make tables', async () => {
      const made = await server.fresh();
      await (await open(made)).close();
      const role = `sentrail_worker_${process.pid}`;
      const client = new pg.Client({ connectionString: made });
      await client.connect();
      await client.query(`CREATE ROLE ${role}; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`);
      const store = await open(`${made}?options=${encodeURIComponent(`-c role=${role}`)}`);
      const { version } = await store.claim('main');
      expect(await store.commit('main', version, changesOf())).toBe(version + 1);
      await store.close();
      await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      await client.end();
    });

    it.each([
      'postgres://somebody:hunter2@127.0.0.1:1/none',
      'postgres://somebody:hunter2@[no address/none',
    ])('keeps the password out of what it says, and of what lies behind it', async (secret) => {
      const failing = openPostgres({
        url: secret,
        retentionMs: 1,
        clock: () => 0,
        isWriter: true,
        wait: async () => {},
      });
      const said = await failing.catch((error: unknown) =>
        inspect(error, { depth: 9, showHidden: true }),
      );
      expect(said).toMatch(/opening the database/);
      expect(said).not.toMatch(/hunter2/);
    });
  });

  const missing = 'a server that may be stopped; unset SENTRAIL_TEST_POSTGRES to start one';
  withServer('postgres, stopped', server.isOurs ? server : { missing }, () => {
    it('goes on when the server was stopped and started in the middle', async () => {
      const notices: string[] = [];
      const store = await openPostgres({
        url: await server.fresh(),
        retentionMs: 1_000,
        clock: () => now,
        isWriter: true,
        onNotice: (text) => notices.push(text),
      });
      let { version } = await store.claim('main');
      let isEnded = false;
      let item = 0;
      const committing = (async () => {
        for (; !isEnded; item++) {
          const place = { shard: 's', sequence: '0', item, offset: 0, size: 1 };
          const bytes = Buffer.from('x');
          const letter = { ...place, reason: 'json-broken', detail: 'd', bytes } as const;
          const deadLetters = [letter];
          version = await store.commit('main', version, changesOf({ deadLetters }));
        }
      })();
      await sleep(200);
      const before = item;
      await server.stop();
      await sleep(2_500);
      const down = item;
      await server.start();
      while (item < down + 20) await sleep(50);
      isEnded = true;
      await committing;
      expect(before).toBeGreaterThan(0);
      expect(notices.join()).toMatch(/trying again/);
      const letters = await store.deadLetters(100_000);
      expect(letters.map((one) => one.item)).toEqual(Array.from({ length: item }, (_, at) => at));
      await store.close();
    });
  });
});
