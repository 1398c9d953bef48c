// What every store promises, as tests that each passes unchanged.
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../src/core/alert.ts';
import type { Changes, Store } from '../../src/core/ports.ts';
import { emptyCounters } from '../../src/engine/counters.ts';

/** Takes a window and a revision; gives an alert that holds nothing else of interest. */
export function alertOf(id: string, windowFrom = 0, revision = 1, delivered = 1): Alert {
  const principal = { key: 'root/1', kind: 'root', account: '1', name: 'root' } as const;
  const empty = { signals: [], related: [], hidden: [], signalsOverLimit: 0 };
  const window = { windowFrom, windowTo: windowFrom + 10 };
  return { id, revision, status: 'open', account: '1', principal, ...window, ...empty, delivered };
}

/** Takes what a commit changes; gives all of it. */
export function changesOf(some: Partial<Changes> = {}): Changes {
  const lists = { progress: [], buckets: [], bucketsGone: [], ids: [], hoursGone: [] };
  const more = { alerts: [], outbox: [], events: [], deadLetters: [], kept: [] };
  const head = { fingerprint: 'f', counters: emptyCounters(), clocks: {}, horizon: {} };
  return { ...head, ...lists, ...more, ...some };
}

async function alertsOf(store: Store, filter = {}): Promise<string[]> {
  const ids: string[] = [];
  for await (const alert of store.listAlerts(filter)) ids.push(alert.id);
  return ids;
}

/** Registers the tests; `make` gives an empty store. */
export function storeContract(name: string, make: () => Store | Promise<Store>): void {
  describe(`${name} keeps the promise of a store`, () => {
    it('gives nothing before the first commit', async () => {
      const store = await make();
      expect(await store.load('main')).toBeUndefined();
      expect(await store.progress('main', ['a'])).toEqual(new Map());
      await store.close();
    });

    it('gives back what was committed, and lanes apart', async () => {
      const store = await make();
      const ids = Uint8Array.from({ length: 32 }, (_, at) => at);
      const bucket = { detector: 'd', version: 1, key: 'k', start: 5, state: { n: [1, 2] } };
      const changes = changesOf({
        clocks: { '': 7, '1': 3 },
        horizon: { forgottenBefore: 2, sweptHour: 3, settledUpTo: 4 },
        buckets: [bucket, { ...bucket, start: 6 }],
        ids: [{ hour: 9, ids }],
        progress: [
          { position: { shard: 'a', sequence: '0', item: 3 } },
          { position: { shard: 'b', sequence: '1', item: 4 }, done: 'x', isCut: true, turn: 1.5 },
        ],
      });
      expect(await store.commit('main', 0, changes)).toBe(1);
      const found = await store.load('main');
      expect(found).toMatchObject({ version: 1, clocks: changes.clocks, horizon: changes.horizon });
      expect(found?.buckets).toEqual(changes.buckets);
      expect(found?.ids.map((one) => [one.hour, [...one.ids]])).toEqual([[9, [...ids]]]);
      expect([...(await store.progress('main', ['a', 'b', 'c'])).values()]).toEqual(
        changes.progress,
      );
      expect(await store.load('other')).toBeUndefined();
      expect(await store.shards('main')).toEqual(['a', 'b']);
      await store.close();
    });

    it('replaces and drops state', async () => {
      const store = await make();
      const bucket = { detector: 'd', version: 1, key: 'k', start: 5, state: 1 };
      const ids = new Uint8Array(16);
      await store.commit('main', 0, changesOf({ buckets: [bucket], ids: [{ hour: 1, ids }] }));
      const gone = { bucketsGone: [bucket], hoursGone: [1], ids: [{ hour: 2, ids }] };
      await store.commit('main', 1, changesOf(gone));
      const found = await store.load('main');
      expect(found?.buckets).toEqual([]);
      expect(found?.ids.map((one) => one.hour)).toEqual([2]);
      await store.close();
    });

    it('keeps what is said last, within a commit and over it', async () => {
      const store = await make();
      const at = (item: number) => ({ position: { shard: 'a', sequence: '0', item } });
      const bucket = { detector: 'd', version: 1, key: 'k', start: 5, state: 1 };
      const said = {
        progress: [at(1), at(2)],
        buckets: [bucket, { ...bucket, state: 2 }],
        alerts: [alertOf('a', 5), alertOf('a', 5, 2), alertOf('b', 6)],
      };
      await store.commit('main', 0, changesOf(said));
      expect((await store.progress('main', ['a'])).get('a')).toEqual(at(2));
      expect((await store.load('main'))?.buckets).toMatchObject([{ state: 2 }]);
      await store.commit('main', 1, changesOf({ alerts: [alertOf('a', 7, 3)] }));
      expect((await store.alerts(['a'])).get('a')?.revision).toBe(3);
      expect(await alertsOf(store)).toEqual(['b', 'a']);
      await store.close();
    });

    it('refuses a commit against another version, and writes nothing of it', async () => {
      const store = await make();
      await store.sinks(['s']);
      await store.commit('main', 0, changesOf());
      const body = { alertId: 'a', revision: 1, body: '{}' };
      const late = changesOf({ alerts: [alertOf('a')], outbox: [body] });
      for (const version of [0, 2]) {
        const failed = store.commit('main', version, late);
        await expect(failed).rejects.toMatchObject({ code: 'store-version' });
      }
      expect(await alertsOf(store)).toEqual([]);
      expect(await store.pending('main', 1, { sink: 's', limit: 9 })).toEqual([]);
      expect((await store.load('main'))?.version).toBe(1);
      await store.close();
    });

    it('lists alerts in order, by status and by what is not delivered', async () => {
      const store = await make();
      const withdrawn = { ...alertOf('d', 3), status: 'withdrawn' } as const;
      const alerts = [alertOf('c', 2), alertOf('b', 1, 2, 1), alertOf('a', 2), withdrawn];
      await store.commit('main', 0, changesOf({ alerts }));
      expect(await alertsOf(store)).toEqual(['b', 'a', 'c', 'd']);
      expect(await alertsOf(store, { statuses: ['open'] })).toEqual(['b', 'a', 'c']);
      expect(await alertsOf(store, { isUndelivered: true })).toEqual(['b']);
      expect(await alertsOf(store, { account: '2' })).toEqual([]);
      expect((await store.alerts(['a', 'x'])).get('a')).toEqual(alertOf('a', 2));
      await store.close();
    });

    it('keeps an outbox for each sink, in order, until it is noted', async () => {
      const store = await make();
      await store.sinks(['one', 'two']);
      const outbox = [1, 2, 3].map((n) => ({ alertId: `a${n}`, revision: n, body: `{"n":${n}}` }));
      await store.commit('main', 0, changesOf({ outbox }));
      await store.commit('other', 0, changesOf({ outbox: outbox.slice(2) }));
      const pending = (lane: string, sink: string, limit = 9) =>
        store.pending(lane, 1, { sink, limit });
      const first = await pending('main', 'one', 2);
      expect(first.map((one) => one.alertId)).toEqual(['a1', 'a2']);
      const note = { upToRow: first[1]?.row ?? 0, memo: 'memo' };
      await store.delivered('main', 1, 'one', note);
      expect(await pending('main', 'one')).toMatchObject([{ ...outbox[2] }]);
      expect(await pending('main', 'two')).toHaveLength(3);
      expect(await pending('other', 'one')).toHaveLength(1);
      expect(await store.memo('main', 'one')).toBe('memo');
      expect(await store.memo('main', 'two')).toBeUndefined();
      expect(await store.memo('other', 'one')).toBeUndefined();
      expect(await store.depth()).toMatchObject({ outbox: 6 });
      await store.close();
    });

    it('is claimed anew: who held the lane before commits, reads and notes nothing more', async () => {
      const store = await make();
      await store.sinks(['s']);
      const first = await store.claim('main');
      expect(first.checkpoint).toBeUndefined();
      expect(await store.load('main')).toBeUndefined();
      expect(await store.lanes()).toEqual([]);
      const outbox = [{ alertId: 'a', revision: 1, body: '{}' }];
      const version = await store.commit('main', first.version, changesOf({ outbox }));
      const second = await store.claim('main');
      expect(second.version).toBeGreaterThan(version);
      expect(second.checkpoint).toMatchObject({ lane: 'main', version: second.version });
      const old = [
        store.commit('main', version, changesOf({ alerts: [alertOf('late')] })),
        store.pending('main', version, { sink: 's', limit: 9 }),
        store.delivered('main', version, 's', { upToRow: 99, memo: 'late' }),
      ];
      for (const one of old) await expect(one).rejects.toMatchObject({ code: 'store-version' });
      expect(await alertsOf(store)).toEqual([]);
      expect(await store.memo('main', 's')).toBeUndefined();
      expect(await store.pending('main', second.version, { sink: 's', limit: 9 })).toHaveLength(1);
      expect(await store.commit('main', second.version, changesOf())).toBe(second.version + 1);
      expect(await store.lanes()).toEqual(['main']);
      await store.close();
    });

    it('lists the alerts of a lane: that which revised them last', async () => {
      const store = await make();
      const due = (id: string) => alertOf(id, 1, 2, 1);
      await store.commit('x', 0, changesOf({ alerts: [due('a'), due('b')] }));
      await store.commit('y', 0, changesOf({ alerts: [due('b'), due('c')] }));
      expect(await alertsOf(store, { lane: 'x', isUndelivered: true })).toEqual(['a']);
      expect(await alertsOf(store, { lane: 'y' })).toEqual(['b', 'c']);
      await store.close();
    });

    it('keeps names as strangers wrote them, also with a NUL or half a character', async () => {
      const store = await make();
      const odd = ['a\u0000b', '\u0001c', 'd\u0001', '"e\\', 'é\u2028', 'f\ud800', 'f\ufffd'];
      const progress = odd.map((shard) => ({ position: { shard, sequence: '1', item: 1 } }));
      const buckets = odd.map((key) => ({ detector: 'd', version: 1, key, start: 0, state: key }));
      const place = { shard: 's', item: 0, bytes: new Uint8Array(1), account: '1', time: 1 };
      const events = odd.map((id) => ({ ...place, id }));
      const alerts = odd.map((account, at) => ({ ...alertOf(String(at)), account }));
      await store.commit('main', 0, changesOf({ progress, buckets, events, alerts }));
      expect([...(await store.progress('main', odd)).keys()]).toEqual(odd);
      const found = await store.load('main');
      expect(new Set(found?.buckets.map((one) => one.key))).toEqual(new Set(odd));
      for (const [at, one] of odd.entries()) {
        expect(await store.provingEvent(one)).toMatchObject([{ id: one }]);
        expect(await alertsOf(store, { account: one })).toEqual([String(at)]);
        await store.setNote('odd', one);
        expect(await store.note('odd')).toBe(one);
        await store.delivered('main', 1, 's', { upToRow: 0, memo: one });
        expect(await store.memo('main', 's')).toBe(one);
      }
      await store.close();
    });

    it('keeps notes', async () => {
      const store = await make();
      expect(await store.note('k/start')).toBeUndefined();
      await store.setNote('k/start', '1');
      await store.setNote('k/start', '2');
      expect(await store.note('k/start')).toBe('2');
      await store.close();
    });

    it('keeps raw records, dead letters and the inbox', async () => {
      const store = await make();
      const bytes = Buffer.from('{"a":1}');
      const event = { id: 'e', account: '1', time: 5, shard: 's', item: 2, bytes };
      const place = { shard: 's', sequence: '0', item: 1, offset: 9 };
      const letter = { ...place, reason: 'json-broken', detail: 'd', bytes, size: 99 } as const;
      const deadLetters = [letter, { ...letter, item: 2 }];
      await store.commit('main', 0, changesOf({ events: [event, event], deadLetters }));
      const [kept] = await store.provingEvent('e');
      expect(Buffer.from(kept?.bytes ?? []).toString()).toBe('{"a":1}');
      expect(await store.provingEvent('x')).toEqual([]);
      const letters = await store.deadLetters(5);
      expect(letters).toMatchObject([
        { ...place, lane: 'main', reason: 'json-broken', size: 99 },
        { item: 2 },
      ]);
      const [one, two] = letters.map((given) => given.number);
      expect((await store.deadLetters(5, one)).map((given) => given.number)).toEqual([two]);
      await store.dropDeadLetters([one ?? 0]);
      expect((await store.deadLetters(5)).map((given) => given.number)).toEqual([two]);
      const row = await store.inboxPut('stdin', { bytes, isLast: false, arrival: 7 });
      await store.inboxPut('stdin', { bytes, isLast: true });
      expect(await store.inboxRead('stdin', 0)).toMatchObject({ row, isLast: false, arrival: 7 });
      expect((await store.inboxRead('stdin', row))?.isLast).toBe(true);
      expect(await store.inboxRead('stdin', 0)).not.toMatchObject({ isLast: true });
      await store.inboxDrop('stdin', row);
      expect((await store.inboxRead('stdin', 0))?.isLast).toBe(true);
      expect(await store.depth()).toEqual({ outbox: 0, deadLetters: 1, inbox: 1 });
      await store.close();
    });
  });
}
