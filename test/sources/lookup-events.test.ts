import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookupConfig } from '../../schemas/sources.ts';
import type { Source } from '../../src/core/ports.ts';
import { lookupSource } from '../../src/sources/lookup-events.ts';
import { sourceContract } from '../contract/source.ts';
import { type FakeCloudTrail, fakeCloudTrail, type PastEvent } from '../support/fake-cloudtrail.ts';
import { type MemoryInbox, memoryInbox } from '../support/inbox.ts';

const name = 'history';
const minute = 60_000;
const hour = 60 * minute;
const begin = Date.UTC(2026, 10, 24, 12);

/** A time that only waiting moves, so that ninety days pass in a second. */
class Time {
  now = begin;
  readonly waits: number[] = [];
  readonly clock = () => this.now;
  readonly wait = async (ms: number, signal: AbortSignal) => {
    if (signal.aborted) return;
    this.waits.push(ms);
    this.now += ms;
    await new Promise((resolve) => setImmediate(resolve));
  };
}

/** Notes and an inbox, as a store keeps them. */
interface Kept {
  readonly inbox: MemoryInbox;
  readonly noted: Map<string, string>;
}
const kept = (): Kept => ({ inbox: memoryInbox(), noted: new Map() });

let time = new Time();
let server: FakeCloudTrail;
beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'none';
  server = await fakeCloudTrail(() => time.now);
});
afterAll(() => server.close());
afterEach(() => {
  time = new Time();
  server.events.length = 0;
  server.calls.length = 0;
  server.refusals.clear();
  server.throttles = 0;
});

function source({ inbox, noted }: Kept, more: object = {}, notices: string[] = []): Source {
  const config = lookupConfig.parse({
    type: 'lookup-events',
    regions: ['eu-west-1', 'us-east-1'],
    endpoint: server.endpoint,
    days: 2,
    follow: false,
    ...more,
  });
  return lookupSource({
    name,
    config,
    inbox,
    notes: {
      note: async (one) => noted.get(one),
      setNote: async (one, value) => {
        noted.set(one, value);
      },
    },
    clock: time.clock,
    wait: time.wait,
    random: () => 0.5,
    onNotice: (text) => notices.push(text),
  });
}

const past = (id: string, ago: number, region = 'us-east-1'): PastEvent => {
  const event = { id, region, time: begin - ago };
  server.events.push(event);
  return event;
};
const rowOf = z.object({ Events: z.array(z.object({ EventId: z.string() })) });
const idsOf = ({ inbox }: Kept) =>
  (inbox.rows.get(name) ?? []).map(({ bytes }) =>
    rowOf.parse(JSON.parse(Buffer.from(bytes).toString())).Events.map(({ EventId }) => EventId),
  );
/** Reads to the end; with `lullsMax`, until it told so often that there is nothing. */
async function readAll(one: Source, lullsMax = Number.POSITIVE_INFINITY): Promise<void> {
  let lulls = 0;
  const stop = new AbortController();
  for await (const record of one.read(async () => new Map(), stop.signal))
    if ('isLull' in record && ++lulls >= lullsMax) stop.abort();
  await one.close();
}

describe('the event history', () => {
  it('is read oldest first, of all regions together', async () => {
    past('newest', 2 * minute);
    past('oldest', 40 * hour, 'eu-west-1');
    past('third', 3 * hour);
    past('second', 5 * hour, 'eu-west-1');
    past('too old', 50 * hour);
    const one = kept();
    await readAll(source(one));
    expect(idsOf(one).flat()).toEqual(['oldest', 'second', 'third', 'newest']);
  });

  it('keeps the events of a slice in rows of 500 at the most, by event time', async () => {
    for (let at = 0; at < 1_200; at++) past(`e${at}`, 10 * hour + at * 1_000);
    const one = kept();
    await readAll(source(one, { regions: ['us-east-1'] }));
    const rows = idsOf(one);
    expect(Math.max(...rows.map((row) => row.length))).toBe(500);
    expect(rows.flat()).toEqual(Array.from({ length: 1_200 }, (_, at) => `e${1_199 - at}`));
  });

  it('never calls a region more than twice a second, also when it is throttled', async () => {
    for (let at = 0; at < 700; at++) past(`e${at}`, 3 * hour + at * 1_000);
    server.throttles = 3;
    const one = kept();
    await readAll(source(one));
    expect(idsOf(one).flat().length).toBe(700);
    const throttled = server.calls.filter(({ isThrottled }) => isThrottled);
    expect(throttled.length).toBe(3);
    for (const region of ['eu-west-1', 'us-east-1']) {
      const times = server.calls.filter((call) => call.region === region).map(({ at }) => at);
      expect(times.length).toBeGreaterThan(3);
      times.forEach((at, index) => {
        expect((times[index + 2] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThan(1_000);
      });
    }
  });

  it('halves a slice that holds too much, and loses nothing by it', {
    timeout: 60_000,
  }, async () => {
    // 14,400 events in four hours: more than 200 pages where slices had grown wide.
    for (let at = 0; at < 14_400; at++) past(`e${at}`, 20 * hour + at * 1_000);
    const one = kept();
    await readAll(source(one, { regions: ['us-east-1'] }));
    const ids = idsOf(one).flat();
    expect(ids.length).toBe(14_400);
    expect(ids).toEqual(Array.from({ length: 14_400 }, (_, at) => `e${14_399 - at}`));
  });

  it('takes a second whole, however much it holds', { timeout: 60_000 }, async () => {
    for (let at = 0; at < 10_100; at++) past(`e${at}`, 20 * hour);
    const one = kept();
    await readAll(source(one, { regions: ['us-east-1'], days: 1 }));
    expect(new Set(idsOf(one).flat()).size).toBe(10_100);
  });

  it('asks seldom where nothing happened', async () => {
    await readAll(source(kept(), { regions: ['us-east-1'], days: 90 }));
    expect(server.calls.length).toBeLessThan(110);
  });

  it('goes on where it was, looking once more at the last quarter of an hour', async () => {
    past('first', 5 * hour);
    past('before', 10 * minute);
    const one = kept();
    await readAll(source(one));
    expect(one.noted.get(`${name}/us-east-1/until`)).toBe(String(begin));
    past('came late', 8 * minute);
    past('too late', 20 * minute);
    const again: Kept = { inbox: memoryInbox(), noted: one.noted };
    server.calls.length = 0;
    await readAll(source(again));
    expect(idsOf(again).flat()).toEqual(['before', 'came late']);
    expect(server.calls.length).toBe(2);
  });

  it('looks a slice up again when it crashed before it noted it', async () => {
    past('a', 5 * hour);
    const one = kept();
    const notes = { note: async () => undefined, setNote: () => Promise.reject(new Error('gone')) };
    const { inbox } = one;
    const config = lookupConfig.parse({
      type: 'lookup-events',
      regions: ['us-east-1'],
      endpoint: server.endpoint,
      days: 1,
      follow: false,
    });
    const { clock, wait } = time;
    const crashing = lookupSource({ name, config, inbox, notes, clock, wait });
    await expect(readAll(crashing)).rejects.toThrow('gone');
    await readAll(source(one, { regions: ['us-east-1'], days: 1 }));
    expect(idsOf(one).flat()).toContain('a');
  });

  it('follows at a distance, finds what came late, and keeps nothing twice', async () => {
    past('settled', 20 * minute);
    past('fresh', 5 * minute);
    const one = kept();
    const following = source(one, { follow: true, regions: ['us-east-1'] });
    const stop = new AbortController();
    let isLate = false;
    for await (const record of following.read(async () => new Map(), stop.signal)) {
      if (!('isLull' in record)) continue;
      if (time.now > begin + 5 * minute && !isLate) {
        isLate = true;
        past('late', 16 * minute);
      }
      if (time.now > begin + 40 * minute) stop.abort();
    }
    expect(idsOf(one).flat()).toEqual(['settled', 'late', 'fresh']);
    for (const call of server.calls) expect(call.isThrottled).toBe(false);
  });

  it('leaves a region out that refuses, and says so', async () => {
    past('a', 5 * hour);
    server.refusals.set('eu-west-1', 'UnrecognizedClientException');
    const one = kept();
    const notices: string[] = [];
    await readAll(source(one, {}, notices));
    expect(idsOf(one).flat()).toEqual(['a']);
    expect(notices).toEqual([
      'history: the event history of eu-west-1 is refused: UnrecognizedClientException; ' +
        'the region is left out until the next run',
    ]);
    expect(one.noted.has(`${name}/eu-west-1/until`)).toBe(false);
  });

  it('gives up when all regions refuse, and says what to grant', async () => {
    server.refusals.set('eu-west-1', 'AccessDeniedException');
    server.refusals.set('us-east-1', 'AccessDeniedException');
    const reading = readAll(source(kept()));
    await expect(reading).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining('grant cloudtrail:LookupEvents'),
    });
  });

  it('gives up when it is throttled for long', async () => {
    server.throttles = 1_000;
    await expect(readAll(source(kept()))).rejects.toMatchObject({ code: 'source' });
    expect(server.calls.length).toBeLessThan(25);
  });

  it('waits while its rows are unread, so that the store holds little', async () => {
    for (let day = 0; day < 40; day++) past(`e${day}`, 24 * hour * (day + 1) - hour);
    const one = kept();
    const stop = new AbortController();
    const records = source(one, { days: 40 }).read(async () => new Map(), stop.signal);
    const reading = records[Symbol.asyncIterator]();
    await reading.next();
    for (let turns = 0; turns < 2_000; turns++) await new Promise((go) => setImmediate(go));
    expect(one.inbox.rows.get(name)?.length).toBe(32);
    stop.abort();
    await reading.return?.();
  });

  it('says how far it is', async () => {
    past('a', 5 * hour);
    const one = source(kept());
    await readAll(one);
    expect(one.progress()).toEqual({ done: 48 * 60, total: 48 * 60, unit: 'records' });
    expect(one.lag().get(name)?.milliseconds).toBe(0);
  });
});

sourceContract('a source of the event history', async () => {
  for (let at = 0; at < 5; at++) past(`e${at}`, 40 * hour - at * 8 * hour);
  const one = kept();
  await readAll(source(one));
  const stays = { ...one, inbox: { ...one.inbox, inboxDrop: async () => {} } };
  const open = () => {
    time.now = begin;
    return source(stays);
  };
  return { open, close: async () => {} };
});
