import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { defaultDecodeLimits as limits } from '../../src/decode/decoder.ts';
import { gunzip } from '../../src/decode/gunzip.ts';
import { decodedText, recordOf } from './support.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
/** Bytes that packing hardly shrinks. */
const noise = Buffer.from(
  Array.from({ length: 60_000 }, (_, at) => (at * 7919 + ((at * at) % 251)) % 256),
);

it('unpacks one member and several (fixture 30)', () => {
  const two = Buffer.concat([gzipSync('{"a":1}'), gzipSync('{"b":2}')]);
  expect(gunzip(gzipSync('x'), limits)).toEqual({ bytes: Buffer.from('x') });
  expect(gunzip(two, limits).problem).toBeUndefined();
  expect(text(gunzip(two, limits).bytes)).toBe('{"a":1}{"b":2}');
});

it('passes zeros behind the last member, and tells of anything else', () => {
  const packed = gzipSync('good');
  const zeros = gunzip(Buffer.concat([packed, Buffer.alloc(512)]), limits);
  expect([text(zeros.bytes), zeros.problem]).toEqual(['good', undefined]);
  for (const tail of ['garbage', '\0garbage', '\x1f\x8bgarbage']) {
    const got = gunzip(Buffer.concat([packed, Buffer.from(tail, 'latin1')]), limits);
    expect([text(got.bytes), got.problem?.reason]).toEqual(['good', 'gzip-broken']);
  }
});

it('gives the good bytes of what is cut short or broken', () => {
  const packed = gzipSync(noise);
  const short = gunzip(packed.subarray(0, packed.length / 2), limits);
  expect(short.problem?.reason).toBe('gzip-broken');
  expect(short.bytes.length).toBeGreaterThan(10_000);
  expect(noise.subarray(0, short.bytes.length).equals(short.bytes)).toBe(true);
  const second = Buffer.concat([gzipSync('first'), packed.subarray(0, 3), Buffer.from('???????')]);
  expect(text(gunzip(second, limits).bytes)).toBe('first');
  const flipped = Buffer.from(packed);
  flipped[flipped.length - 6]! ^= 0xff;
  expect(gunzip(flipped, limits).problem?.reason).toBe('gzip-broken');
});

it('does not believe a forged size', () => {
  const packed = gzipSync('small');
  packed.writeUInt32LE(0xfffffff0, packed.length - 4);
  const got = gunzip(packed, limits);
  expect([text(got.bytes), got.problem?.reason]).toEqual(['small', 'gzip-broken']);
});

it('stops at a bomb', () => {
  const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
  expect(gunzip(bomb, limits).problem?.reason).toBe('gzip-bomb');
  expect(gunzip(gzipSync(noise), { inflatedBytesMax: 1_000 }).problem?.reason).toBe('gzip-bomb');
});

it('never throws for any cut', () => {
  const packed = gzipSync('{"a":1}\n'.repeat(50));
  for (let at = 0; at < packed.length; at++) gunzip(packed.subarray(0, at), limits);
});

it('unpacks a record that is gzip by its content, and gives what is good of a broken one', () => {
  const lines = ['a', 'b'].map((id) => `${JSON.stringify(recordOf(id))}\n`).join('');
  const packed = gzipSync(lines);
  const ids = (bytes: Uint8Array) => decodedText(bytes).map((one) => one.id ?? one.reason);
  expect(ids(packed)).toEqual(['a', 'b']);
  expect(ids(packed.subarray(0, packed.length - 4))).toEqual(['a', 'b', 'gzip-broken']);
});
