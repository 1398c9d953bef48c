import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cloudtrailRecord } from '../../schemas/cloudtrail.ts';
import { parseTime } from '../../src/core/time.ts';
import { refusal } from '../../src/decode/guard.ts';
import { cutAt, decoded, decodedText, partsOf, recordOf } from './support.ts';

const folder = resolve(
  process.env['SENTRAIL_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data'),
);
const isAbsent = !existsSync(folder);
if (isAbsent) console.log(`no test data in ${folder}: tests over it are left out`);

const files = (under: string) =>
  readdirSync(join(folder, under), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .sort();
const corpus = () =>
  files('cloudtrail').filter((one) => one.endsWith('.ndjson.gz') && !one.includes('.index.'));
const lines = (file: string) =>
  gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line !== '');

it.skipIf(isAbsent)('gives an item for every line of the corpus', () => {
  const kinds: Record<string, number> = {};
  for (const file of corpus()) {
    const items = decodedText(readFileSync(file));
    expect(items).toHaveLength(lines(file).length);
    for (const one of items) {
      const name = one.reason === undefined ? one.kind : `${one.reason}: ${one.detail}`;
      kinds[name] = (kinds[name] ?? 0) + 1;
    }
  }
  console.log('corpus', kinds);
});

it.skipIf(isAbsent)('decodes every file without a throw, the same however it is cut', () => {
  const kinds: Record<string, number> = {};
  const rejects: string[] = [];
  for (const file of [...files('raw'), ...files('guardduty')]) {
    const bytes = readFileSync(file);
    const items = decodedText(bytes);
    for (const one of items) {
      kinds[one.kind] = (kinds[one.kind] ?? 0) + 1;
      if (one.reason !== undefined) {
        rejects.push(`${file.slice(folder.length + 1)}: ${one.reason}, ${one.detail}`);
      }
    }
    if (bytes[0] === 0x1f) continue;
    const places = Array.from({ length: 9 }, (_, at) => at * 977 + 13);
    expect(decoded(partsOf(cutAt(bytes, places)))).toEqual(items);
  }
  console.log('files', kinds);
  if (process.env['SENTRAIL_TEST_VERBOSE'] !== undefined) console.log(rejects.join('\n'));
});

function agree(value: unknown): void {
  expect(refusal(value) === undefined).toBe(cloudtrailRecord.safeParse(value).success);
}

it.skipIf(isAbsent)('guards the corpus as its schema does', () => {
  for (const file of corpus()) for (const line of lines(file)) agree(JSON.parse(line));
});

it('guards changed records as its schema does', () => {
  const fields = [
    'eventName',
    'eventSource',
    'userIdentity',
    'eventTime',
    'readOnly',
    'errorCode',
    'x',
  ];
  const odd = fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 2 }), fc.constant(''));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...fields), odd), (changes) => {
      const text = JSON.stringify(recordOf('a', changes));
      agree(JSON.parse(text));
      const found = decodedText(text)[0];
      if (found?.kind === 'event') expect(parseTime(JSON.parse(text).eventTime)).toBeDefined();
    }),
  );
  fc.assert(fc.property(fc.jsonValue(), agree));
});
