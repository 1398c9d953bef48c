// Commits of the PostgreSQL store whose answer is lost: the way to the server is cut at COMMIT.
import { once } from 'node:events';
import { createServer, connect as netConnect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/ports.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import { alertOf, changesOf } from '../contract/store.ts';
import { withServer } from './servers/missing.ts';
import { startPostgres } from './servers/postgres.ts';

const started = await startPostgres();

withServer('PostgreSQL, its answers lost', started, (server) => {
  afterAll(() => server.close());

  describe('postgres', () => {
    let way: Way;
    let store: Store;
    let other: Store;
    /** Done once, between a lost try and the next. */
    let between: (() => Promise<unknown>) | undefined;
    const letter = {
      shard: 's',
      sequence: '0',
      item: 0,
      offset: 0,
      reason: 'json-broken',
    } as const;
    const deadLetters = [{ ...letter, detail: 'd', bytes: Buffer.from('x'), size: 1 }];
    const changes = changesOf({ alerts: [alertOf('a')], deadLetters, clocks: { '': 7 } });

    beforeEach(async () => {
      const url = await server.fresh();
      way = await wayTo(url);
      between = undefined;
      const wait = async () => {
        const now = between;
        between = undefined;
        await now?.();
      };
      const options = { retentionMs: 1_000, clock: () => 0, isWriter: true };
      store = await openPostgres({ ...options, url: way.url, wait });
      other = await openPostgres({ ...options, url });
    });
    afterEach(async () => {
      await store.close();
      await other.close();
      await way.close();
    });

    it.each([
      ['was done, and does not do it again', 'behind'],
      ['was not done, and does it', 'before'],
    ] as const)('finds that a commit %s', async (_, where) => {
      const { version } = await store.claim('x');
      way.cut(where);
      expect(await store.commit('x', version, changes)).toBe(version + 1);
      expect(way.cuts()).toBe(1);
      expect(await other.deadLetters(9)).toHaveLength(1);
      expect((await other.load('x'))?.version).toBe(version + 1);
      expect(await store.commit('x', version + 1, changes)).toBe(version + 2);
    });

    it.each([
      ['another process', () => other],
      ['this process', () => store],
    ])('does not take a claim by %s for a commit that was not done', async (_, claimer) => {
      const { version } = await store.claim('x');
      between = () => claimer().claim('x');
      way.cut('before');
      const lost = store.commit('x', version, changes);
      await expect(lost).rejects.toMatchObject({ code: 'store-version' });
      expect(way.cuts()).toBe(1);
      expect((await other.alerts(['a'])).size).toBe(0);
      expect(await other.load('x')).toBeUndefined();
    });

    it("does not take another's commit for its own where nobody claimed the lane", async () => {
      between = () => other.commit('x', 0, changesOf());
      way.cut('before');
      const lost = store.commit('x', 0, changes);
      await expect(lost).rejects.toMatchObject({ code: 'store-version' });
      expect(way.cuts()).toBe(1);
      expect((await other.alerts(['a'])).size).toBe(0);
    });

    it('loses the lane, and no commit, when another claims it behind a lost answer', async () => {
      const { version } = await store.claim('x');
      const claims: unknown[] = [];
      between = async () => claims.push(await other.claim('x'));
      way.cut('behind');
      const lost = store.commit('x', version, changes);
      await expect(lost).rejects.toMatchObject({ code: 'store-version' });
      expect(claims).toMatchObject([{ version: version + 2, checkpoint: { clocks: { '': 7 } } }]);
      expect(await other.deadLetters(9)).toHaveLength(1);
    });

    it('lets a lane be claimed from a worker that froze within a commit', async () => {
      const { version } = await store.claim('x');
      way.cut('hold');
      const frozen = store.commit('x', version, changes);
      const outcome = expect(frozen).rejects.toMatchObject({ code: 'store-version' });
      while (way.cuts() === 0) await sleep(10);
      const claim = await other.claim('x');
      expect(claim).toEqual({ version: version + 1, checkpoint: undefined });
      way.release();
      await outcome;
      expect((await other.alerts(['a'])).size).toBe(0);
    });

    it('shows rows of an inbox in the order of their numbers, also when put at once', async () => {
      const row = { bytes: Buffer.from('x'), isLast: true };
      way.cut('hold');
      const slow = store.inboxPut('s', row);
      while (way.cuts() === 0) await sleep(10);
      const quick = other.inboxPut('s', row);
      await other.inboxPut('another', row);
      await sleep(100);
      expect(await other.inboxRead('s', 0)).toBeUndefined();
      way.release();
      const [first, second] = [await slow, await quick];
      expect(first).toBeLessThan(second);
      expect((await other.inboxRead('s', 0))?.row).toBe(first);
      expect((await other.inboxRead('s', first))?.row).toBe(second);
    });
  });
});

/** A way to the server that is cut at the next COMMIT: before it, behind it, or held for a while. */
interface Way {
  readonly url: string;
  cut(where: 'before' | 'behind' | 'hold'): void;
  cuts(): number;
  /** Sends what was held. */
  release(): void;
  close(): Promise<void>;
}

async function wayTo(url: string): Promise<Way> {
  const at = new URL(url);
  const open = new Set<Socket>();
  let next: 'before' | 'behind' | 'hold' | undefined;
  let cuts = 0;
  let held = () => {};
  const server = createServer((client) => {
    const upstream = netConnect(Number(at.port || 5432), at.hostname);
    let isCut = false;
    for (const [one, its] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        open.delete(one);
        its.destroy();
      });
    }
    client.on('data', (data) => {
      const where = data.includes('COMMIT') ? next : undefined;
      if (where === undefined) return void upstream.write(data);
      next = undefined;
      cuts++;
      if (where === 'before') return void client.destroy();
      if (where === 'hold') {
        held = () => void upstream.write(data);
        return;
      }
      isCut = true;
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      // The answer shows that the server has committed; it is all that is lost.
      if (isCut) client.destroy();
      else client.write(data);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: through.href,
    cut(where) {
      next = where;
    },
    cuts: () => cuts,
    release: () => held(),
    async close() {
      for (const one of open) one.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
