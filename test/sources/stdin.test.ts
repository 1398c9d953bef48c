import { PassThrough, Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { SourceRecord } from '../../src/core/ports.ts';
import { stdinSource } from '../../src/sources/stdin.ts';
import { sourceContract } from '../contract/source.ts';
import { type MemoryInbox, memoryInbox } from '../support/inbox.ts';
import { itemsOf, recordsOf } from '../support/reading.ts';

const lines = (count: number, name = 'line') =>
  Buffer.from(Array.from({ length: count }, (_, at) => `${name} ${at}\n`).join(''));
const text = (records: readonly SourceRecord[]) =>
  Buffer.concat(records.map((one) => one.bytes)).toString();
const empty = () => Readable.from([]);
const source = (stream: Readable, inbox: MemoryInbox) => stdinSource({ stream, inbox });
const piecesOf = (bytes: Buffer, size: number) => {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces);
};

// A crashed run's inbox is the input that stays: all was kept, nothing was committed.
sourceContract('standard input', async () => {
  const inbox = memoryInbox();
  await recordsOf(source(piecesOf(lines(300_000), 65_536), inbox));
  expect(inbox.rows.get('stdin/0')?.length).toBeGreaterThan(2);
  return { open: () => source(empty(), inbox), close: async () => {} };
});

describe('standard input', () => {
  it.each([
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
    [
      'gzip of two members',
      (bytes: Buffer) =>
        Buffer.concat([gzipSync(bytes.subarray(0, 99)), gzipSync(bytes.subarray(99))]),
    ],
  ])('gives %s input whole, whatever the chunks', async (_, pack) => {
    for (const size of [1_000, 65_536]) {
      const records = await recordsOf(source(piecesOf(pack(lines(20_000)), size), memoryInbox()));
      expect(text(records)).toBe(lines(20_000).toString());
      expect(records.at(-1)).toMatchObject({ isLast: true, done: 'ended', sequence: '0' });
    }
  });

  it('is one empty record when there is no input', async () => {
    const [only, ...more] = await recordsOf(source(empty(), memoryInbox()));
    expect(only).toMatchObject({ isFirst: true, isLast: true, done: 'ended' });
    expect(only?.bytes.length).toBe(0);
    expect(more).toEqual([]);
  });

  it('keeps bytes in the inbox before it hands them on', async () => {
    const inbox = memoryInbox();
    const stream = new PassThrough();
    const stop = new AbortController();
    stream.write('a slow line\n');
    const records = source(stream, inbox).read(async () => new Map(), stop.signal);
    const { value } = await records[Symbol.asyncIterator]().next();
    expect(text([value])).toBe('a slow line\n');
    expect(inbox.rows.get('stdin/0')?.length).toBe(1);
    stop.abort();
  });

  it('stops within a second while it waits for input, and keeps what it took', async () => {
    const inbox = memoryInbox();
    const stream = new PassThrough();
    stream.write('taken\n');
    const stop = new AbortController();
    const reading = recordsOf(source(stream, inbox), new Map(), stop.signal);
    await wait(50);
    const started = performance.now();
    stop.abort();
    await reading;
    expect(performance.now() - started).toBeLessThan(1_000);
    const records = await recordsOf(source(empty(), inbox));
    expect(text(records)).toBe('taken\n');
    expect(records.find((one) => one.sequence === '0' && one.isLast)).toMatchObject({
      broken: { reason: 'unreadable' },
    });
  });

  it('reads the rest of an earlier run first, and new input as the next record', async () => {
    const inbox = memoryInbox();
    await itemsOf(source(Readable.from([lines(5, 'old')]), inbox), inbox.known, 2);
    const items = await itemsOf(source(Readable.from([lines(2, 'new')]), inbox), inbox.known);
    const old = [2, 3, 4].map((at) => `stdin:0:old ${at}`);
    expect(items).toEqual([...old, 'stdin:1:new 0', 'stdin:1:new 1']);
  });

  it('takes new input for a new record when the rows of a begun one are gone', async () => {
    const inbox = memoryInbox();
    await itemsOf(source(Readable.from([lines(5, 'old')]), inbox), inbox.known, 2);
    inbox.rows.clear();
    const items = await itemsOf(source(Readable.from([lines(1, 'new')]), inbox), inbox.known);
    expect(items).toEqual(['stdin:1:new 0']);
  });

  it('drops rows when their record is done, and not before', async () => {
    const inbox = memoryInbox();
    const one = source(Readable.from([lines(5)]), inbox);
    await itemsOf(one, new Map());
    await one.close();
    expect(inbox.rows.size).toBe(1);
    const two = source(empty(), inbox);
    await itemsOf(two, inbox.known);
    await two.close();
    expect(inbox.rows.size).toBe(0);
  });

  it('leaves the sender waiting when nobody reads', async () => {
    const inbox = memoryInbox();
    let sent = 0;
    const stream = Readable.from(
      (function* () {
        for (; sent < 64; sent++) yield Buffer.alloc(1024 * 1024, 0x20);
      })(),
      { highWaterMark: 1 },
    );
    const stop = new AbortController();
    const reader = source(stream, inbox).read(async () => new Map(), stop.signal);
    const records = reader[Symbol.asyncIterator]();
    await records.next();
    await wait(200);
    expect(sent).toBeLessThan(16);
    stop.abort();
    await records.next();
  });

  it.each([
    ['a failing stream', () => failing(), 'unreadable', 'good\n'],
    [
      'gzip cut short',
      () => Readable.from([gzipSync('good\n').subarray(0, -4)]),
      'gzip-broken',
      'good\n',
    ],
  ])('ends %s with a reject behind the good bytes', async (_, stream, reason, good) => {
    const records = await recordsOf(source(stream(), memoryInbox()));
    expect(text(records)).toBe(good);
    expect(records.at(-1)).toMatchObject({ isLast: true, broken: { reason }, done: 'ended' });
  });

  it('throws what the inbox throws', async () => {
    const inbox = { ...memoryInbox(), inboxPut: () => Promise.reject(new Error('disk full')) };
    const reading = recordsOf(stdinSource({ stream: Readable.from([lines(1)]), inbox }));
    await expect(reading).rejects.toThrow('disk full');
  });
});

function failing(): Readable {
  return Readable.from(
    (async function* () {
      yield Buffer.from('good\n');
      throw new Error('the sender went away');
    })(),
  );
}
