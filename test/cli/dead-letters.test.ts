// Dead letters from the command line: listed, shown, read again; and what a crash in between leaves.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import type { Store, StoredDeadLetter } from '../../src/core/ports.ts';
import { allLetters, reread } from '../../src/letters.ts';
import { deadLettersSource } from '../../src/sources/dead-letters.ts';
import { openStore } from '../../src/wiring.ts';
import { sourceContract } from '../contract/source.ts';
import { allow, apiCall, document } from '../support/records.ts';

const program = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'sentrail-letters-'));
const secretEnd = 'the-end-that-show-leaves-out';
const large = apiCall({
  source: 'iam',
  name: 'PutUserPolicy',
  request: { userName: 'carol', policyName: 'all', policyDocument: document(allow('*')) },
  with: { additionalEventData: { note: `${'x'.repeat(1_000)}${secretEnd}` } },
});
const odd = '{"a": broken \u001b[31mred\u202e \u00fc}';
const stranger = '{"hello":"world"}';
const trail = `${[JSON.stringify(large), odd, stranger].join('\n')}\n`;
let cwd = '';

function sentrail(...args: readonly string[]) {
  const env = { ...process.env, NO_COLOR: '1' };
  const done = spawnSync(process.execPath, [program, ...args], { cwd, env, encoding: 'utf8' });
  return { code: done.status, out: done.stdout, err: done.stderr };
}
const letters = (...args: readonly string[]) =>
  sentrail('dead-letters', ...args, '--store', 's.sqlite');
interface Listed {
  readonly number: number;
  readonly reason: string;
  readonly kept: number;
  readonly size: number;
}
const listed = (...args: readonly string[]) =>
  letters('list', '--json', ...args)
    .out.split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Listed);
const reasons = () => listed().map((one) => `${one.number} ${one.reason}`);

/** Folders with three dead letters, by the limits that the first record was too large for. */
const made = new Map<string, string>();
function broken(limits = '{ recordBytesMax: 1024 }'): void {
  const first = made.get(limits) ?? read(limits);
  made.set(limits, first);
  cwd = mkdtempSync(join(folder, 'run-'));
  cpSync(first, cwd, { recursive: true });
}
function read(limits: string): string {
  cwd = mkdtempSync(join(folder, 'first-'));
  writeFileSync(join(cwd, 't.ndjson'), trail);
  writeFileSync(join(cwd, 'small.yaml'), `limits: ${limits}\n`);
  const sink = 'sinks: { keep: { type: file, path: out.ndjson } }\n';
  writeFileSync(join(cwd, 'mended.yaml'), `limits: { recordBytesMax: 65536 }\n${sink}`);
  const args = ['replay', 't.ndjson', '--json', '--store', 's.sqlite', '--config', 'small.yaml'];
  expect(sentrail(...args)).toMatchObject({ code: 0, out: '' });
  return cwd;
}
afterAll(() => rmSync(folder, { recursive: true }));

describe('dead-letters list and show', () => {
  beforeAll(() => broken());

  it('lists every letter on a line, without its content', () => {
    const { code, out, err } = letters('list');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const rows = out.trimEnd().split('\n');
    expect(rows.map((row) => row.split('\t')[2])).toEqual([
      'too-large',
      'json-broken',
      'not-cloudtrail',
    ]);
    expect(out).not.toMatch(/carol|hello|red/);
  });

  it('lists as JSON, and only one reason where it is asked for', () => {
    const size = Buffer.byteLength(JSON.stringify(large));
    const one = listed('--reason', 'too-large');
    expect(one).toMatchObject([{ number: 1, size, kept: size }]);
    expect(JSON.stringify(one)).not.toContain('carol');
    expect(letters('list', '--reason', 'gzip-bomb').out).toBe(
      'There is no dead letter with reason gzip-bomb.\n',
    );
  });

  it('shows where a letter stood and how it begins, and no more', () => {
    const { out } = letters('show', '1');
    expect(out).toContain('too-large');
    expect(out).toContain('from t.ndjson, sequence 0, item 0, byte 0');
    expect(out).toContain('{"eventVersion":"1.11"');
    expect(out).toContain('…\n');
    expect(out).not.toContain(secretEnd);
    expect(out.length).toBeLessThan(700);
    const json = letters('show', '1', '--json').out;
    expect(JSON.parse(json)).toMatchObject({ number: 1, reason: 'too-large', lane: 'main' });
    expect(json).not.toContain('carol');
  });

  it('shows no control character that could move the cursor or turn text round', () => {
    const { out } = letters('show', '2');
    expect(out).toContain('{"a": broken [31mred \u00fc}');
    expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it('prints the bytes as they were with --raw', () => {
    expect(letters('show', '2', '--raw').out).toBe(`${odd}\n`);
  });

  it.each([
    [1, ['show', '99'], /no dead letter 99; `sentrail dead-letters list`/],
    [1, ['replay', '99'], /no dead letter 99/],
    [2, ['show', 'x'], /'x' is invalid .* named by its number/],
    [2, ['replay', 'x'], /'x' is invalid .* named by its number/],
    [2, ['list', '--reason', 'odd'], /Allowed choices are gzip-broken/],
    [2, ['replay'], /say which: numbers, --reason REASON, or --all/],
  ] as const)('ends with %i for %j, and says why', (code, args, message) => {
    const done = letters(...args);
    expect(done.err).toMatch(message);
    expect(done).toMatchObject({ code, out: '' });
  });

  it('makes no store where there is none', () => {
    const done = sentrail('dead-letters', 'replay', '--all', '--store', 'typo.sqlite');
    expect(done.code).toBe(1);
    expect(done.err).toContain('there is no store at typo.sqlite');
    expect(existsSync(join(cwd, 'typo.sqlite'))).toBe(false);
  });
});

describe('dead-letters replay', () => {
  it('makes and sends the alert once the limit was raised, and the letter is gone', () => {
    broken();
    const done = letters('replay', '1', '--config', 'mended.yaml', '--deliver');
    expect(done.err).toBe('1 dead letter read again: 1 item, 0 rejected again, 1 alert revised\n');
    expect(done.code).toBe(0);
    expect(reasons()).toEqual(['2 json-broken', '3 not-cloudtrail']);
    const sent = readFileSync(join(cwd, 'out.ndjson'), 'utf8').trimEnd().split('\n');
    expect(sent).toHaveLength(1);
    expect(sent[0]).toContain('carol');
  });

  it('ends with 3 and keeps a new letter of what is rejected again', () => {
    broken();
    const done = letters('replay', '--reason', 'not-cloudtrail');
    expect(done.err).toContain('1 rejected again');
    expect(done.code).toBe(3);
    expect(reasons()).toEqual(['1 too-large', '2 json-broken', '4 not-cloudtrail']);
  });

  it('refuses a letter of which only a part was kept; --all leaves it and says so', () => {
    broken('{ recordBytesMax: 1024, deadLetterBytesMax: 100 }');
    const done = letters('replay', '1', '--config', 'mended.yaml');
    expect(done.code).toBe(1);
    expect(done.err).toMatch(/only 100 of \d+ bytes were kept; read its source again, or raise/);
    const all = letters('replay', '--all', '--config', 'mended.yaml');
    expect(all.err).toContain('1 dead letter left: only a part was kept');
    expect(all.err).toContain('2 dead letters read again');
    expect(reasons()).toEqual(['1 too-large', '4 json-cut-short', '5 not-cloudtrail']);
    expect(existsSync(join(cwd, 'out.ndjson'))).toBe(false);
  });
});

describe('dead letters read again', () => {
  let store: Store;
  let kept: readonly StoredDeadLetter[];
  const again = (over: Store) =>
    reread({
      store: over,
      config: defaultConfig(),
      letters: kept,
      isDelivering: false,
      stdout: process.stdout,
      stop: new AbortController().signal,
    });
  beforeEach(async () => {
    broken();
    store = await openStore(defaultConfig(), { path: join(cwd, 's.sqlite'), isWriter: true });
    kept = await store.deadLetters(10);
  });

  it('are not judged twice when a crash comes between their commit and their end', async () => {
    const crash = new Error('the process died');
    const dying = new Proxy(store, {
      get(target, key) {
        if (key === 'dropDeadLetters') return () => Promise.reject(crash);
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await expect(again(dying)).rejects.toBe(crash);
    const judged = (await store.load('main'))?.counters;
    expect(judged?.events).toBe(1);
    const numbers = async () => {
      const all: number[] = [];
      for await (const one of allLetters(store)) all.push(one.number);
      return all;
    };
    expect(await numbers()).toEqual([1, 2, 3, 4, 5]);
    expect(await again(store)).toEqual({ letters: 3, items: 0, rejected: 0, alerts: 0 });
    expect((await store.load('main'))?.counters).toEqual(judged);
    expect(await numbers()).toEqual([4, 5]);
    await store.close();
  });
});

sourceContract('a source of dead letters', async () => {
  const texts = ['{"a":1}', '{"b":2}\n{"c":3}', 'broken', '{"d":4}'];
  const all = texts.map((text, at): StoredDeadLetter => {
    const bytes = Buffer.from(text);
    return {
      number: at + 1,
      lane: 'main',
      shard: 's',
      sequence: String(at),
      item: 0,
      offset: 0,
      reason: 'json-broken',
      detail: 'it is not JSON',
      size: bytes.length,
      bytes,
      added: 0,
    };
  });
  return {
    open: () => deadLettersSource(all, { dropDeadLetters: async () => {} }),
    close: async () => {},
  };
});
