import { expect, it } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import { createDecoder, defaultDecodeLimits } from '../../src/decode/decoder.ts';
import { decoded, decodedText, partsOf, recordOf } from './support.ts';

const lines = Buffer.from(
  ['a', 'b', 'c'].map((id) => `${JSON.stringify(recordOf(id))}\n`).join(''),
);

it('ends an event after its step, also where the reader stops early', () => {
  const decoder = createDecoder(defaultDecodeLimits);
  const kept: Event[] = [];
  for (const item of decoder.decode(partsOf([lines])[0]!, 0)) {
    if (item.kind !== 'event') continue;
    const before = kept.at(-1);
    if (before !== undefined) expect(() => before.raw()).toThrow(/after its step/);
    expect(item.event.text('userIdentity.userName')).toBe('alice');
    kept.push(item.event);
    if (kept.length === 2) break;
  }
  expect(kept).toHaveLength(2);
  for (const event of kept) expect(() => event.field('x')).toThrow(/after its step/);
});

it('copies the bytes of an event, so that they outlive the part they came in', () => {
  const bytes = Buffer.from(lines);
  const raws: Uint8Array[] = [];
  for (const item of createDecoder(defaultDecodeLimits).decode(partsOf([bytes])[0]!, 0)) {
    if (item.kind === 'event') raws.push(item.event.raw());
  }
  bytes.fill(0);
  expect(raws.map((one) => JSON.parse(Buffer.from(one).toString()).eventID)).toEqual([
    'a',
    'b',
    'c',
  ]);
});

it('numbers items over the parts of a record, and anew for the next record', () => {
  const decoder = createDecoder(defaultDecodeLimits);
  const numbers = (skip: number, parts: readonly Uint8Array[]) =>
    partsOf(parts).flatMap((part) =>
      [...decoder.decode(part, skip)].map((item) => item.position.item),
    );
  expect(numbers(0, [lines.subarray(0, 400), lines.subarray(400)])).toEqual([0, 1, 2]);
  expect(numbers(2, [lines.subarray(0, 400), lines.subarray(400)])).toEqual([2]);
  expect(numbers(0, [lines])).toEqual([0, 1, 2]);
});

it('starts afresh with a record behind one that was left in the middle', () => {
  const decoder = createDecoder(defaultDecodeLimits);
  const [first] = partsOf([lines.subarray(0, 300), lines]);
  for (const _ of decoder.decode(first!, 0)) break;
  expect([...decoder.decode(partsOf([lines])[0]!, 0)]).toHaveLength(3);
});

it('gives one item for a record that could not be read, and none for an empty one', () => {
  const broken = { reason: 'unreadable', detail: 'reading it: EACCES' } as const;
  expect(decodedText('', {}, { broken })).toEqual([
    { kind: 'rejected', item: 0, ...broken, offset: 0, size: 0, text: '' },
  ]);
  expect(decoded(partsOf([new Uint8Array()]))).toEqual([]);
});

it('keeps no more bytes of a reject than the limit', () => {
  const [item] = decodedText(JSON.stringify({ a: 'x'.repeat(9_000) }), { deadLetterBytesMax: 50 });
  expect(item?.text).toHaveLength(50);
});
