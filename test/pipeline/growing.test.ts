// A file that is read while it is still written: nothing is lost at the cut, nothing judged twice.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, expect, it } from 'vitest';
import { configSchema } from '../../schemas/config.ts';
import { replay } from '../../src/app.ts';
import { apiCall } from '../support/records.ts';

const folder = mkdtempSync(join(tmpdir(), 'sentrail-growing-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(path: string) {
  const done = await replay({
    paths: [path],
    config: configSchema.parse({}),
    store: `${path}.sqlite`,
    detectors: undefined,
    from: undefined,
    to: undefined,
    isDelivering: false,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stop: new AbortController().signal,
    onCommit: () => {},
    onNotice: () => {},
  });
  const { counters } = done;
  await done.close();
  return counters;
}

const lines = [1, 2, 3].map((n) => {
  const id = `${n}1111111-1111-4111-8111-111111111111`;
  return `${JSON.stringify(apiCall({ source: 'ec2', name: 'RunInstances', id }))}\n`;
});

it('reads the rest of a line that was cut at the first reading', async () => {
  const path = join(folder, 'a.ndjson');
  const text = lines.join('');
  const cut = (lines[0]?.length ?? 0) + 100;
  writeFileSync(path, text.slice(0, cut));
  const first = await read(path);
  expect(first).toMatchObject({ events: 1, rejected: { 'json-cut-short': 1 } });
  appendFileSync(path, text.slice(cut));
  const second = await read(path);
  expect(second).toMatchObject({ events: 3, duplicates: 0, rejected: { 'json-cut-short': 1 } });
});

it('reads on behind what was whole', async () => {
  const path = join(folder, 'b.ndjson');
  writeFileSync(path, lines.slice(0, 2).join(''));
  expect(await read(path)).toMatchObject({ events: 2, items: 2 });
  appendFileSync(path, lines[2] ?? '');
  expect(await read(path)).toMatchObject({ events: 3, items: 3 });
});
