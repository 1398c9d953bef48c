import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutAt, decoded, decodedText, partsOf, recordOf } from './support.ts';

const nasty = fc.constantFrom(
  '},{"eventVersion"',
  '{"Records":[',
  '\\',
  '\\"',
  '}{',
  ']}',
  '\n{"a":1}',
  'ü€😀',
  '\u2028',
  '"',
);
const text = fc.oneof(fc.string({ maxLength: 8 }), nasty);
const extra = fc.record(
  {
    requestParameters: fc.oneof(
      fc.constant(null),
      text,
      fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text))),
    ),
    resources: fc.array(fc.record({ ARN: text }), { maxLength: 3 }),
    userAgent: text,
    readOnly: fc.oneof(fc.boolean(), fc.constant('True')),
  },
  { requiredKeys: [] },
);
/** Records with the usual first key, or sorted as some exports are. */
const records = fc.tuple(fc.array(extra, { maxLength: 8 }), fc.boolean()).map(([list, isSorted]) =>
  list.map((more, at) => {
    const record = recordOf(`id-${at}`, more);
    const entries = Object.entries(record);
    return isSorted ? Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) : record;
  }),
);

type Shape = (list: readonly unknown[]) => string;
const json = (value: unknown) => JSON.stringify(value);
const shapes: Record<string, Shape> = {
  wrapper: (list) => json({ Records: list }),
  'pretty wrapper': (list) => JSON.stringify({ Records: list }, undefined, 2),
  'wrapper with more members': (list) => `{"Records":${json(list)},"next":{"a":[1,"]"]}}\n`,
  'wrapper, a record a line': (list) => `{"Records":[\n${list.map(json).join(',\n')}\n]}\n`,
  'wrapper without indent': (list) =>
    JSON.stringify({ Records: list }, undefined, 1).replaceAll(/\n +/g, '\n'),
  array: (list) => json(list),
  'pretty array': (list) => JSON.stringify(list, undefined, '\t'),
  'array of wrappers': (list) => json(list.map((one) => ({ Records: [one] }))),
  ndjson: (list) => list.map((one) => `${json(one)}\n`).join(''),
  'ndjson without a last line feed': (list) => list.map(json).join('\n'),
  'ndjson with CRLF and blank lines': (list) => list.map((one) => `${json(one)}\r\n\r\n`).join(''),
  'ndjson with commas': (list) => list.map((one) => `${json(one)},\n`).join(''),
  concatenated: (list) => list.map(json).join(''),
  'pretty, one after another': (list) =>
    list.map((one) => JSON.stringify(one, undefined, 2)).join('\n'),
  'wrappers one after another': (list) => list.map((one) => json({ Records: [one] })).join(''),
  'with a byte order mark': (list) => `\uFEFF${list.map(json).join('\n')}`,
  'EventBridge lines': (list) =>
    list.map((one) => `${json({ version: '0', 'detail-type': 'x', detail: one })}\n`).join(''),
  'CloudWatch Logs': (list) =>
    json({ messageType: 'DATA_MESSAGE', logEvents: list.map((one) => ({ message: json(one) })) }),
};
const shape = fc.constantFrom(...Object.keys(shapes));
const cuts = fc.array(fc.nat(), { maxLength: 6 });

it('gives exactly the records, whatever holds them and however the bytes are cut', () => {
  fc.assert(
    fc.property(records, shape, cuts, (list, name, places) => {
      const bytes = Buffer.from(shapes[name]!(list));
      const items = decoded(partsOf(cutAt(bytes, places)));
      expect(items.map((one) => one.kind)).toEqual(list.map(() => 'event'));
      expect(items.map((one) => JSON.parse(one.text!))).toEqual(JSON.parse(json(list)));
      expect(items.map((one) => one.item)).toEqual(list.map((_, at) => at));
    }),
    { numRuns: 400 },
  );
});

const streams = Object.keys(shapes).filter((name) => !/indent|CloudWatch|EventBridge/.test(name));

it('gives a prefix of the records and at most one reject for bytes that are cut short', () => {
  fc.assert(
    fc.property(
      records,
      fc.constantFrom(...streams),
      fc.nat(),
      cuts,
      fc.boolean(),
      (list, name, at, places, isGzip) => {
        const bytes = Buffer.from(shapes[name]!(list));
        const short = bytes.subarray(0, at % (bytes.length + 1));
        const broken = { reason: 'gzip-broken', detail: 'cut' } as const;
        const items = decoded(partsOf(cutAt(short, places), isGzip ? { broken } : {}));
        const events = items.filter((one) => one.kind === 'event');
        expect(events.map((one) => one.id)).toEqual(
          list.slice(0, events.length).map((_, i) => `id-${i}`),
        );
        expect(items.length - events.length).toBeLessThanOrEqual(1);
        const last = items.at(-1);
        if (isGzip) expect(last).toMatchObject({ kind: 'rejected', reason: 'gzip-broken' });
        if (items.length > events.length) expect(last?.kind).toBe('rejected');
      },
    ),
    { numRuns: 600 },
  );
});

const damage = fc.array(
  fc.tuple(
    fc.nat(),
    fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...Buffer.from('{}[]",:\\\n '))),
  ),
  {
    minLength: 1,
    maxLength: 4,
  },
);

it('loses no untouched line, never throws, and cuts alike, whatever bytes are damaged', () => {
  fc.assert(
    fc.property(records, damage, cuts, (list, harms, places) => {
      const bytes = Buffer.from(list.map((one) => `${json(one)}\n`).join(''));
      const touched = new Set<number>();
      const whole = bytes.toString('latin1');
      for (const [place, byte] of harms) {
        if (bytes.length === 0) break;
        const at = place % bytes.length;
        touched.add(whole.slice(0, at).split('\n').length - 1);
        if (whole[at] !== '\n') bytes[at] = byte;
      }
      const items = decoded(partsOf([bytes]));
      const ids = new Set(items.map((one) => one.id));
      const lines = list.map((_, line) => line).filter((line) => !touched.has(line));
      expect(lines.filter((line) => !ids.has(`id-${line}`))).toEqual([]);
      expect(decoded(partsOf(cutAt(bytes, places)))).toEqual(items);
    }),
    { numRuns: 600 },
  );
});

it('never throws and cuts alike for damage in any shape', () => {
  fc.assert(
    fc.property(records, shape, damage, cuts, (list, name, harms, places) => {
      const bytes = Buffer.from(shapes[name]!(list));
      for (const [place, byte] of harms) if (bytes.length > 0) bytes[place % bytes.length] = byte;
      const limits = { recordBytesMax: 600, deadLetterBytesMax: 300 };
      const items = decoded(partsOf([bytes]), 0, limits);
      expect(decoded(partsOf(cutAt(bytes, places)), 0, limits)).toEqual(items);
    }),
    { numRuns: 600 },
  );
});

it('gives with a skip what it gives without, less the items skipped', () => {
  fc.assert(
    fc.property(records, shape, fc.nat({ max: 9 }), cuts, (list, name, skip, places) => {
      const parts = partsOf(cutAt(Buffer.from(shapes[name]!(list)), places));
      expect(decoded(parts, skip)).toEqual(decoded(parts).slice(skip));
    }),
  );
});

it('never throws for bytes of any kind, packed or not', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.boolean(),
      fc.nat(),
      (bytes, isPacked, at) => {
        const packed = isPacked ? gzipSync(bytes) : bytes;
        if (isPacked) packed[at % packed.length] = 0x7b;
        expect(() => decodedText(packed)).not.toThrow();
      },
    ),
  );
});
