import { describe, expect, it } from 'vitest';
import { decoded, decodedText, partsOf, recordOf } from './support.ts';

const a = JSON.stringify(recordOf('a'));
const b = JSON.stringify(recordOf('b'));
const c = JSON.stringify(recordOf('c'));
const cut = a.slice(0, 150);

/** What came out, in short: ids of events, reasons of rejects, other kinds by name. */
function brief(text: string | Uint8Array, limits = {}): string {
  return decodedText(text, limits)
    .map((one) => one.id ?? one.reason ?? one.kind)
    .join(' ');
}

describe('what is broken is one reject, and reading goes on', () => {
  const cases: readonly (readonly [name: string, text: string, expected: string])[] = [
    ['nothing at all', '', ''],
    ['only blanks', ' \r\n\n', ''],
    ['an empty wrapper', '{"Records":[]}', ''],
    ['an empty array', ' [ ] ', ''],
    ['a line that is cut', `${cut}\n${b}\n${c}\n`, 'json-broken b c'],
    ['a line that is cut in a string, in the middle', `${a}\n${cut}x\n${c}`, 'a json-broken c'],
    ['a line cut behind a comma', `${a}\n{"x":1,\n${c}\n`, 'a json-broken c'],
    ['a line cut behind a bracket', `${a}\n{"x":[\n${c}\n`, 'a json-broken c'],
    ['two lines that are cut', `${cut}\n${cut}\n${c}\n`, 'json-broken json-broken c'],
    ['a word that is no JSON in a line', `${a}\n{"x":nope}\n${c}`, 'a json-broken c'],
    ['a brace too many', `${a}}\n${b}\n`, 'a json-broken b'],
    ['text over many lines', `<html>\n <p>\n</html>\n${a}\n`, 'json-broken a'],
    ['text before a record', `Jan 1 host: ${a}\nJan 1 host: ${b}\n`, 'json-broken a json-broken b'],
    ['a comma-separated table', 'id,name\n1,"x"\n2,"y"\n', 'json-broken'],
    ['a log that begins with a bracket', '[2026-01-01] hello {"a":1}\n', 'json-broken'],
    ['a word in an array', `[${a},nope,${b}]`, 'a json-broken b'],
    [
      'a number and a string in an array',
      `[${a},1,${b},"x ] y",${c}]`,
      'a json-broken b not-cloudtrail c',
    ],
    ['an array in an array', `[${a},[1,[2]],${b}]`, 'a not-cloudtrail not-cloudtrail b'],
    ['a broken record of a wrapper', `{"Records":[${a},{"x":nope},${c}]}`, 'a json-broken c'],
    [
      'a record without its last brace',
      `{"Records":[${a},${b.slice(0, -1)},${c}]}`,
      'a json-broken c',
    ],
    ['a string without its end', `{"Records":[${a},{"x":"y},${c}]}`, 'a json-broken c'],
    ['a broken last record', `{"Records":[${a},{"x":{"y":nope}]}`, 'a json-broken'],
    ['a wrapper cut in a record', `{"Records":[${a},${cut}`, 'a json-cut-short'],
    ['a wrapper cut behind a record', `{"Records":[${a}`, 'a json-cut-short'],
    ['a wrapper cut behind its array', `{"Records":[${a}]`, 'a json-cut-short'],
    ['a wrapper cut in its name', '{"Reco', 'json-cut-short'],
    ['a last line that is cut', `${a}\n${cut}`, 'a json-cut-short'],
    ['a wrapper behind one that was not closed', `{"Records":[${a}{"Records":[${b}]}`, 'a b'],
    [
      'a wrapper behind one cut in a record',
      `{"Records":[${cut}{"Records":[${b}]}`,
      'json-broken b',
    ],
    ['garbage behind a wrapper', `{"Records":[${a}]}\nxyz\n`, 'a json-broken'],
    ['NULs of padding', `${a}\n\0\0\0\0`, 'a'],
    ['a JSON text in a string', JSON.stringify(a), 'a'],
  ];
  it.each(cases)('%s', (_name, text, expected) => {
    expect(brief(text)).toBe(expected);
    const bytes = [...Buffer.from(text)].map((one) => Uint8Array.of(one));
    expect(decoded(partsOf(bytes.length === 0 ? [new Uint8Array()] : bytes))).toEqual(
      decodedText(text),
    );
  });
});

it('keeps the same key order working where eventVersion is not the first key', () => {
  const sorted = [a, b, c].map((one) => `{"awsRegion":"x",${one.slice(1)}`);
  const text = `{"Records":[${sorted[0]},${sorted[1]!.slice(0, -1)},${sorted[2]}]}`;
  expect(brief(text)).toBe('a json-broken c');
});

it('reads a record that holds what separates records', () => {
  const nested = {
    list: [{ a: 1 }, { eventVersion: 1 }, { eventVersion: 2 }],
    text: '},{"eventVersion"',
  };
  const list = [recordOf('x', { requestParameters: nested }), recordOf('y')];
  expect(brief(JSON.stringify({ Records: list }))).toBe('x y');
  expect(brief(list.map((one) => JSON.stringify(one)).join(''))).toBe('x y');
});

it('reads two records that come one behind the other, with braces in strings (fixture 31)', () => {
  const list = [recordOf('x', { userAgent: '}{"\\"{' }), recordOf('y', { userAgent: '\\' })];
  const bytes = Buffer.from(list.map((one) => JSON.stringify(one)).join(''));
  for (let at = 0; at <= bytes.length; at++) {
    const items = decoded(partsOf([bytes.subarray(0, at), bytes.subarray(at)]));
    expect(items.map((one) => one.id)).toEqual(['x', 'y']);
  }
});

describe('what is too large or too deep is a reject', () => {
  it('names a record over the limit, keeps its head and reads on', () => {
    const large = JSON.stringify(
      recordOf('large', { requestParameters: { x: 'y'.repeat(5_000) } }),
    );
    const limits = { recordBytesMax: 1_000, deadLetterBytesMax: 100 };
    for (const text of [
      `${a}\n${large}\n${b}`,
      `{"Records":[${a},${large},${b}]}`,
      a + large + b,
    ]) {
      expect(brief(text, limits)).toBe('a too-large b');
      expect(decodedText(text, limits)[1]?.text).toBe(large.slice(0, 100));
    }
  });
  it('accepts a record of 600 KB and refuses one of 9 MiB (fixture 33)', () => {
    const of = (size: number) => JSON.stringify(recordOf('big', { userAgent: 'x'.repeat(size) }));
    expect(brief(of(600_000))).toBe('big');
    expect(brief(`${of(9 * 1024 * 1024)}\n${a}`)).toBe('too-large a');
  });
  it('opens an envelope that is larger than a record may be', () => {
    const logEvents = Array.from({ length: 2_000 }, (_, at) => ({
      message: JSON.stringify(recordOf(`e${at}`, { userAgent: 'x'.repeat(1_500) })),
    }));
    const items = decodedText(JSON.stringify({ messageType: 'DATA_MESSAGE', logEvents }));
    expect(items.filter((one) => one.kind === 'event')).toHaveLength(2_000);
  });
  it('survives a hundred thousand brackets', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const record = `${a.slice(0, -1)},"z":${deep}}`;
    expect(brief(`${record}\n${a}\n`)).toBe('too-deep a');
    expect(brief(`{"Records":[${record},${a}]}`)).toBe('too-deep a');
    expect(brief(`{"detail-type":"x","detail":${record}}\n${a}`)).toBe('too-deep a');
    expect(brief(`${'['.repeat(100_000)}\n${a}`)).toBe('json-broken a');
    expect(brief('{"a":'.repeat(100_000))).toBe('json-cut-short');
  });
  it('takes time that grows with the bytes, however broken they are', () => {
    const lines = '{"broken\nx\n'.repeat(100_000);
    expect(decodedText(lines)).toHaveLength(100_000);
    expect(decodedText(`[${'{"eventVersion":{'.repeat(60_000)}`)).toHaveLength(60_000);
    expect(decodedText('{"eventVersion":[\n'.repeat(20_000))).toHaveLength(20_000);
  }, 30_000);
});

describe('what the source could not read is told once', () => {
  const broken = { reason: 'gzip-broken', detail: 'gzip: it ends early' } as const;
  const briefly = (text: string) =>
    decodedText(text, {}, { broken })
      .map((one) => one.id ?? one.reason)
      .join(' ');
  it.each([
    ['', 'gzip-broken'],
    [`${a}\n`, 'a gzip-broken'],
    [`${a}\n${cut}`, 'a gzip-broken'],
    [`{"Records":[${a},${cut}`, 'a gzip-broken'],
    [`{"Records":[${a}`, 'a gzip-broken'],
    [`{"Records":[${a}]}`, 'a gzip-broken'],
  ])('%#', (text, expected) => {
    expect(briefly(text)).toBe(expected);
  });
});

it('gives every byte that is not structure to exactly one item (law 4)', () => {
  const text = `junk\n${a}\n{"x":nope}\n${b}\n${cut}`;
  const items = decodedText(text);
  const rest = items.reduce((left, one) => left.replace(one.text!, ''), text);
  expect(rest.trim()).toBe('');
});
