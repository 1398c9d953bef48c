import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { decoded, decodedText, partsOf, recordOf } from './support.ts';

const a = JSON.stringify(recordOf('a'));
const bomb = gzipSync(Buffer.alloc(4_000_000, 0x20)).toString('base64');
const good = gzipSync(a).toString('base64');
const lambda = (...data: readonly string[]) =>
  JSON.stringify({ Records: data.map((one) => ({ kinesis: { data: one } })) });
const brief = (text: string | Uint8Array, limits = {}) =>
  decodedText(text, limits)
    .map((one) => one.id ?? one.reason ?? one.kind)
    .join(' ');

it('bounds what all envelopes of one record unpack to together', () => {
  const limits = { inflatedBytesMax: 1_000_000 };
  expect(brief(lambda(good, bomb), limits)).toBe('a gzip-bomb');
  // Whoever sent one bomb gets no more unpacked.
  expect(brief(lambda(bomb, good), limits)).toBe('gzip-bomb gzip-bomb');
  const many = lambda(...Array.from({ length: 9 }, () => good));
  expect(brief(many, { inflatedBytesMax: a.length * 3 })).toMatch(/^a a a( gzip-bomb){6}$/);
  expect(brief(many, limits)).toBe(Array.from({ length: 9 }, () => 'a').join(' '));
});

it('bounds gzip in gzip by what the record unpacks to in all', () => {
  const twice = gzipSync(gzipSync(Buffer.concat([Buffer.from(a), Buffer.alloc(900_000, 0x20)])));
  expect(brief(twice)).toBe('a');
  expect(brief(twice, { inflatedBytesMax: 100_000 })).toBe('gzip-bomb');
  let deep: Uint8Array = gzipSync(a);
  for (let level = 0; level < 8; level++) deep = gzipSync(deep);
  expect(brief(deep)).toBe('a');
  expect(brief(gzipSync(deep))).toBe('too-deep');
});

it('holds a packed file within a packed file until it is whole, up to a size', () => {
  const inner = Buffer.concat([gzipSync(a), gzipSync(JSON.stringify(recordOf('b')))]);
  const parts = [inner.subarray(0, 90), inner.subarray(90, 200), inner.subarray(200)];
  expect(decoded(partsOf(parts)).map((one) => one.id)).toEqual(['a', 'b']);
  const cut = decoded(partsOf([inner.subarray(0, 90), inner.subarray(90, 200)]));
  expect(cut.at(-1)).toMatchObject({ kind: 'rejected', reason: 'gzip-broken' });
  const block = new Uint8Array(33 * 1024 * 1024);
  const large = decoded(partsOf([inner, block, block, block]));
  expect(large).toHaveLength(1);
  expect(large[0]).toMatchObject({ kind: 'rejected', reason: 'too-large' });
});

it('tells how large a reject was before it was cut', () => {
  const limits = { deadLetterBytesMax: 50 };
  const prose = 'x'.repeat(9_000);
  const [broken] = decodedText(`${prose}\n${a}`, limits);
  expect(broken).toMatchObject({ reason: 'json-broken', size: 9_001, text: 'x'.repeat(50) });
  const strange = JSON.stringify({ a: prose });
  expect(decodedText(strange, limits)[0]).toMatchObject({ size: strange.length });
  const inside = JSON.stringify({ MessageId: 'm', Body: strange });
  expect(decodedText(inside, limits)[0]).toMatchObject({ size: strange.length });
});

it('gives one reject for what an envelope carries and cannot be read, and reads on', () => {
  const message = (text: string) => JSON.stringify({ MessageId: 'm', Body: text });
  expect(brief(message(''))).toBe('json-broken');
  expect(brief(message('hello'))).toBe('json-broken');
  expect(brief(message(`${a}\nhello\n${a}`))).toBe('a json-broken a');
  expect(brief(lambda('no base64!', good))).toBe('json-broken a');
  expect(brief(lambda(`${good.slice(0, 40)}=`, good))).toBe('gzip-broken a');
  // Kinesis and Kafka carry empty records; they hold nothing.
  expect(brief(lambda('', good))).toBe('a');
  const kafka = { records: { 'a-0': [{ value: null }, { key: 'x' }, { value: good }, 7] } };
  expect(brief(JSON.stringify(kafka))).toBe('a not-cloudtrail');
  const mixed = { Records: [a, [recordOf('b')], [1, 2], 'prose', recordOf('c')] };
  expect(brief(JSON.stringify(mixed))).toBe('a b not-cloudtrail not-cloudtrail c');
});

it('reads envelopes that are larger than a record may be', () => {
  const limits = { recordBytesMax: 1_024 };
  const list = Array.from({ length: 40 }, (_, at) => JSON.stringify(recordOf(`${at}`)));
  const ids = list.map((_, at) => `${at}`).join(' ');
  const shapes = [
    { Events: list.map((CloudTrailEvent) => ({ CloudTrailEvent })) },
    { Messages: list.map((Body) => ({ MessageId: 'm', Body })) },
    { 'detail-type': 'x', detail: list.map((one) => JSON.parse(one)) },
    { Records: [{ messageId: 'm', eventSource: 'aws:sqs', body: list.join('\n') }] },
    list.join('\n'),
  ];
  for (const shape of shapes) expect(brief(JSON.stringify(shape), limits)).toBe(ids);
});

it('takes time that grows with the bytes, also where they are many broken texts', () => {
  const Body = '{"eventVersion":[\n'.repeat(500);
  const text = JSON.stringify({ Messages: Array.from({ length: 40 }, () => ({ Body })) });
  expect(decodedText(text)).toHaveLength(20_000);
}, 30_000);
