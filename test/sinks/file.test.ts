// The file sink: what was sent but not noted is cut back, and nothing else is touched.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { fileSink } from '../../src/sinks/file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sentrail-sink-'));
afterAll(() => rmSync(folder, { recursive: true }));
const delivery = (n: number) => ({ alertId: `a${n}`, revision: n, body: `{"n":${n}}` });

it('cuts a torn line back, and sends it whole', async () => {
  const path = join(folder, 'a', 'alerts.ndjson');
  const sink = fileSink('f', path);
  await sink.reconcile(undefined);
  const memo = await sink.send([delivery(1)]);
  await sink.close();
  appendFileSync(path, '{"n":2}\n{"n":');
  const next = fileSink('f', path);
  expect(await next.reconcile(memo)).toBe(memo);
  await next.send([delivery(2), delivery(3)]);
  await next.close();
  expect(readFileSync(path, 'utf8')).toBe('{"n":1}\n{"n":2}\n{"n":3}\n');
});

it('keeps what stood in the file before, and goes on in one that was emptied', async () => {
  const path = join(folder, 'b.ndjson');
  writeFileSync(path, 'mine\n');
  const sink = fileSink('f', path);
  await sink.reconcile(undefined);
  const memo = await sink.send([delivery(1)]);
  expect(readFileSync(path, 'utf8')).toBe('mine\n{"n":1}\n');
  writeFileSync(path, '');
  await sink.reconcile(memo);
  await sink.send([delivery(2)]);
  await sink.close();
  expect(readFileSync(path, 'utf8')).toBe('{"n":2}\n');
});

it('tells what it was doing, to what, when it cannot', async () => {
  const sink = fileSink('f', join(folder, 'b.ndjson', 'x'));
  await expect(sink.reconcile(undefined)).rejects.toMatchObject({ code: 'sink' });
});
