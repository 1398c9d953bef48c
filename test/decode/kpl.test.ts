import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { userRecords } from '../../src/decode/kpl.ts';
import { aggregated } from './routes.ts';
import { decodedText, recordOf } from './support.ts';

const magic = Buffer.from('f3899ac2', 'hex');
const record = (id: string) => Buffer.from(JSON.stringify(recordOf(id)));
/** Bytes with the magic and a right checksum, whatever they are. */
const sealed = (body: Uint8Array) =>
  Buffer.concat([magic, body, createHash('md5').update(body).digest()]);
const field = (number: number, bytes: Buffer) =>
  Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
const brief = (bytes: Uint8Array) =>
  decodedText(bytes)
    .map((one) => one.id ?? one.reason ?? one.kind)
    .join(' ');

function records(bytes: Uint8Array): Buffer[] | undefined {
  const found = userRecords(bytes);
  if (found === undefined) return undefined;
  return [...found].map(({ from, to }) => Buffer.from(bytes.subarray(from, to)));
}

it('gives the user records that the library of AWS packed, in order', () => {
  const data = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((one) => Buffer.from(one));
  fc.assert(
    fc.property(fc.array(data, { minLength: 1, maxLength: 40 }), (list) => {
      expect(records(aggregated(list))).toEqual(list);
    }),
  );
  const large = [Buffer.alloc(300_000, 'x'), Buffer.alloc(200_000, 'y')];
  expect(records(aggregated(large))).toEqual(large);
});

it('decodes each user record as a record of its own (fixture 32)', () => {
  const logs = {
    messageType: 'DATA_MESSAGE',
    logEvents: ['c', 'd'].map((id) => ({ message: record(id).toString() })),
  };
  const parts = [
    record('a'),
    gzipSync(record('b')),
    gzipSync(JSON.stringify(logs)),
    Buffer.from('no'),
    Buffer.concat([record('e'), record('f')]),
    Buffer.from('{"eventVersion":"1.08","eventNa'),
    record('g'),
  ];
  const bytes = aggregated(parts);
  expect(brief(bytes)).toBe('a b c d json-broken e f json-cut-short g');
  const items = decodedText(bytes);
  expect(items.map((one) => one.item)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const broken = items[4];
  expect(broken?.text).toBe('no');
  expect(bytes.toString('utf8', broken!.offset, broken!.offset! + 2)).toBe('no');
});

it('takes what only begins as an aggregate for a plain record, which is one reject', () => {
  const sound = aggregated([record('a')]);
  const wrongSum = Buffer.from(sound);
  wrongSum[wrongSum.length - 1]! ^= 1;
  const wrongBody = Buffer.from(sound);
  wrongBody[10]! ^= 1;
  for (const bytes of [wrongSum, wrongBody, magic, sound.subarray(0, 19), sound.subarray(0, -1)]) {
    expect(userRecords(bytes)).toBeUndefined();
    expect(decodedText(bytes)[0]).toMatchObject({ kind: 'rejected', reason: 'json-broken' });
  }
  expect(brief(magic)).toBe('json-broken');
});

it('believes no length, no endless number and no unknown type, though the checksum is right', () => {
  const data = field(3, record('a'));
  const hostile = {
    'a length beyond the end': Buffer.from([0x1a, 0xff, 0x01, 0x00]),
    'a length of 2^63': Buffer.from([0x1a, 255, 255, 255, 255, 255, 255, 255, 255, 127]),
    'a number that never ends': Buffer.alloc(64, 0xff),
    'a group': Buffer.from([0x1b, 0x00]),
    'field 0': Buffer.from([0x02, 0x00]),
    'a record without data': field(3, Buffer.from([0x08, 0x00])),
    'a record that leads out of itself': field(3, Buffer.from([0x1a, 0x7f])),
    'a fixed number that is cut': Buffer.from([0x39, 0x00]),
    'a good record before a broken one': Buffer.concat([data, Buffer.from([0x1a, 0x7f])]),
  };
  for (const [name, body] of Object.entries(hostile)) {
    expect({ name, found: userRecords(sealed(body)) }).toEqual({ name, found: undefined });
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (body) => {
      const found = records(sealed(body)) ?? [];
      expect(Buffer.concat(found).length).toBeLessThanOrEqual(body.length);
      expect(() => decodedText(sealed(body))).not.toThrow();
    }),
    { numRuns: 2_000 },
  );
});

it('passes over fields it does not know, and gives no item for what is empty', () => {
  const unknown = Buffer.from([0x20, 0x96, 0x01, 0x2d, 1, 2, 3, 4, 0x31, 1, 2, 3, 4, 5, 6, 7, 8]);
  const one = field(3, Buffer.concat([unknown, field(3, Buffer.from('{}')), field(4, magic)]));
  expect(records(sealed(Buffer.concat([unknown, one])))).toEqual([Buffer.from('{}')]);
  expect(decodedText(sealed(Buffer.alloc(0)))).toEqual([]);
  expect(decodedText(sealed(field(3, field(3, Buffer.alloc(0)))))).toEqual([]);
});

it('opens aggregates in aggregates up to a depth', () => {
  let bytes: Buffer = record('a');
  for (let level = 0; level < 8; level++) bytes = aggregated([bytes]);
  expect(brief(bytes)).toBe('a');
  expect(brief(aggregated([aggregated([bytes])]))).toBe('too-deep');
});
