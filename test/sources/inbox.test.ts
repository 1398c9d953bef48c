import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { SourceRecord } from '../../src/core/ports.ts';
import { type InboxOptions, type Intake, inboxSource } from '../../src/sources/inbox.ts';
import { sourceContract } from '../contract/source.ts';
import { type MemoryInbox, memoryInbox } from '../support/inbox.ts';
import { itemsOf, recordsOf } from '../support/reading.ts';

const name = 'posts';
const now = 1_800_000_000_000;
const bytesOf = (text: string) => Buffer.from(text);
const base = (inbox: MemoryInbox) => ({ name, inbox, clock: () => now, unreadMax: 3 });
const source = (inbox: MemoryInbox, more: Partial<InboxOptions> = {}) =>
  inboxSource({ ...base(inbox), ...more });
const never = async (_: Intake, signal: AbortSignal) => {
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
};
const filled = async (...texts: string[]) => {
  const inbox = memoryInbox();
  for (const text of texts)
    await inbox.inboxPut(name, { bytes: bytesOf(text), isLast: true, arrival: now });
  return inbox;
};
const texts = (records: readonly SourceRecord[]) =>
  records.map(({ bytes }) => Buffer.from(bytes).toString());

sourceContract('an inbox source', async () => {
  // The contract reads the same input many times, so what is done stays.
  const inbox = { ...(await filled('a\nb\n', 'c\n', 'd\ne\nf\n')), inboxDrop: async () => {} };
  return {
    open: () => source(inbox, { bring: never }),
    close: async () => {},
  };
});

describe('an inbox source', () => {
  it('gives rows as whole records, with the time they were taken in', async () => {
    const [only] = await recordsOf(source(await filled('a')));
    expect(only).toEqual({
      shard: name,
      sequence: '1',
      arrival: now,
      bytes: bytesOf('a'),
      isFirst: true,
      isLast: true,
      done: '',
    });
  });

  it('tells that there is nothing, and wakes at once when a row is put', async () => {
    const inbox = memoryInbox();
    const stop = new AbortController();
    let intake: Intake | undefined;
    const bring = (one: Intake, signal: AbortSignal) => {
      intake = one;
      return never(one, signal);
    };
    const records = source(inbox, { bring }).read(async () => new Map(), stop.signal);
    const reading = records[Symbol.asyncIterator]();
    expect((await reading.next()).value).toEqual({ isLull: true });
    const next = reading.next();
    const put = performance.now();
    await intake?.put(bytesOf('a'));
    expect((await next).value).toMatchObject({ sequence: '1' });
    expect(performance.now() - put).toBeLessThan(500);
    stop.abort();
    expect((await reading.next()).done).toBe(true);
  });

  it('tells it again each second, and stops within a second while it waits', async () => {
    const stop = new AbortController();
    const bring = never;
    const records = source(memoryInbox(), { bring }).read(async () => new Map(), stop.signal);
    const reading = records[Symbol.asyncIterator]();
    await reading.next();
    const begun = performance.now();
    expect((await reading.next()).value).toEqual({ isLull: true });
    expect(performance.now() - begun).toBeGreaterThan(900);
    const last = reading.next();
    const stopped = performance.now();
    stop.abort();
    expect((await last).done).toBe(true);
    expect(performance.now() - stopped).toBeLessThan(500);
  });

  it('drops rows that are done when told, and no others', async () => {
    const inbox = await filled('a', 'b', 'c');
    const one = source(inbox);
    await one.acknowledge([
      { position: { shard: 'another', sequence: '3', item: 1 }, done: '' },
      { position: { shard: name, sequence: '2', item: 1 } },
    ]);
    expect(inbox.rows.get(name)?.map(({ row }) => row)).toEqual([2, 3]);
    await one.acknowledge([{ position: { shard: name, sequence: '2', item: 1 }, done: '' }]);
    expect(inbox.rows.get(name)?.map(({ row }) => row)).toEqual([3]);
  });

  it('drops what a crash left between commit and acknowledgement', async () => {
    const inbox = await filled('a\n', 'b\n');
    const committed = new Map();
    await itemsOf(source(inbox), committed);
    expect(await recordsOf(source(inbox), committed)).toEqual([]);
    expect(inbox.rows.size).toBe(0);
  });

  it('lets input wait while as many rows are unread as may', async () => {
    const inbox = memoryInbox();
    let put = 0;
    const bring = async (intake: Intake, signal: AbortSignal) => {
      for (; put < 10; put++) {
        await intake.room(signal);
        await intake.put(bytesOf(`${put}`));
      }
    };
    const stop = new AbortController();
    const records = source(inbox, { bring }).read(async () => new Map(), stop.signal);
    const reading = records[Symbol.asyncIterator]();
    await reading.next();
    await sleep(50);
    expect(put).toBe(3);
    const rest: string[] = [];
    for (;;) {
      const { value, done } = await reading.next();
      if (done === true) break;
      if (!('isLull' in value)) rest.push(...texts([value]));
    }
    expect(rest).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('takes nothing in before it has read what an earlier run left', async () => {
    const inbox = await filled('a', 'b');
    const fullAt: boolean[] = [];
    let intake: Intake | undefined;
    const bring = async (one: Intake, signal: AbortSignal) => {
      intake = one;
      await one.room(signal);
      await one.put(bytesOf('new'));
    };
    const seen: string[] = [];
    for await (const record of source(inbox, { bring }).read(async () => new Map(), stopper())) {
      if ('isLull' in record) continue;
      fullAt.push(intake?.isFull ?? false);
      seen.push(...texts([record]));
    }
    expect(seen).toEqual(['a', 'b', 'new']);
    expect(fullAt).toEqual([true, true, false]);
  });

  it('throws what the inbox throws, behind what was kept', async () => {
    const inbox = memoryInbox();
    const broken = {
      ...inbox,
      inboxPut: async (source: string, row: { bytes: Uint8Array; isLast: boolean }) => {
        if (row.bytes.length > 1) throw new Error('disk full');
        return inbox.inboxPut(source, row);
      },
    };
    const bring = async (intake: Intake) => {
      await intake.put(bytesOf('a'));
      await intake.put(bytesOf('bb'));
    };
    const seen: string[] = [];
    const reading = (async () => {
      const one = inboxSource({ ...base(inbox), inbox: broken, bring });
      for await (const record of one.read(async () => new Map(), stopper()))
        if (!('isLull' in record)) seen.push(...texts([record]));
    })();
    await expect(reading).rejects.toThrow('disk full');
    expect(seen).toEqual(['a']);
  });

  it('says how much is behind', async () => {
    const inbox = memoryInbox();
    let time = now;
    const bring = async (intake: Intake) => {
      for (const text of ['a', 'b', 'c']) await intake.put(bytesOf(text));
    };
    const one = source(inbox, { bring, clock: () => time });
    const reading = one.read(async () => new Map(), stopper())[Symbol.asyncIterator]();
    while ('isLull' in (await reading.next()).value);
    await sleep(20);
    time += 5_000;
    expect(one.lag().get(name)).toEqual({ milliseconds: 5_000, records: 3 });
    await reading.return?.();
  });
});

function stopper(): AbortSignal {
  return new AbortController().signal;
}
