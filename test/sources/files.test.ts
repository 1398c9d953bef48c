import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createGzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SourceRecord } from '../../src/core/ports.ts';
import { type FilesOptions, filesSource } from '../../src/sources/files.ts';
import { sourceContract } from '../contract/source.ts';
import { type Committed, itemsOf, recordsOf } from '../support/reading.ts';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'sentrail-files-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (name: string, bytes: string | Uint8Array = `${name}\n`): string => {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
};
const source = (paths: readonly string[], more: Partial<FilesOptions> = {}) =>
  filesSource({ paths, ...more });
const named = (records: readonly SourceRecord[]) =>
  records.filter((one) => one.isFirst).map((one) => one.shard.slice(root.length + 1));
const text = (records: readonly SourceRecord[]) =>
  Buffer.concat(records.map((one) => one.bytes)).toString('latin1');
const trail = (account: number, region: string, day: string, minute: string): string => {
  const owner = String(account).padStart(12, '0');
  const stamp = `${day.replaceAll('/', '')}T${minute}Z`;
  const name = `${owner}_CloudTrail_${region}_${stamp}_abcdefghijklmnop.json.gz`;
  return `AWSLogs/${owner}/CloudTrail/${region}/${day}/${name}`;
};
/** Text that gzip cannot pack to nearly nothing. */
const noise = (bytes: number): Buffer => {
  const out = Buffer.alloc(bytes);
  let state = 1;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    out[at] = at % 64 === 63 ? 0x0a : 0x30 + ((state >>> 16) % 64);
  }
  return out;
};

sourceContract('files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentrail-files-'));
  const items = (count: number, name: string) =>
    Array.from({ length: count }, (_, at) => `${name} ${at}\n`).join('');
  const days = ['2026/11/09', '2026/11/10'];
  for (const [at, day] of days.flatMap((one) => [one, one, one]).entries()) {
    const path = join(folder, trail(at % 2, 'us-east-1', day, `010${at}`));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, gzipSync(items(20, `file ${at}`)));
  }
  writeFileSync(join(folder, 'large.json'), noise(9 * 1024 * 1024));
  return {
    open: () => filesSource({ paths: [folder] }),
    close: async () => rmSync(folder, { recursive: true }),
  };
});

describe('the order of files', () => {
  it('merges accounts and regions by delivery minute, and carries it as arrival', async () => {
    const inOrder = [
      trail(2, 'us-east-1', '2026/11/09', '2355'),
      trail(1, 'us-east-1', '2026/11/10', '0000'),
      trail(2, 'eu-west-1', '2026/11/10', '0000'),
      trail(1, 'eu-west-1', '2026/11/10', '0005'),
      'a-loose.json',
    ];
    for (const name of [...inOrder].reverse()) put(name);
    const records = await recordsOf(source([root]));
    expect(named(records)).toEqual(inOrder);
    const at = Date.UTC(2026, 10, 9, 23, 55);
    expect(records[0]?.arrival).toBe(at);
    expect(records.at(-1)?.arrival).toBeUndefined();
  });

  it('does not depend on the order of making, of naming, or of spelling', async () => {
    const stamped = [0, 1, 2].map((at) => trail(1, 'us-east-1', '2026/11/10', `000${at}`));
    const names = [...stamped, 'flat/B.json', 'flat/a.json', 'flat/ä.json'];
    const any = fc.shuffledSubarray(names, { minLength: names.length });
    await fc.assert(
      fc.asyncProperty(any, any, async (made, spelled) => {
        rmSync(root, { recursive: true, force: true });
        for (const name of made) put(name);
        const whole = named(await recordsOf(source([`${root}/flat/../`])));
        const one = named(await recordsOf(source(spelled.map((name) => join(root, name)))));
        const twice = named(await recordsOf(source([join(root, spelled[0]!), root, root])));
        expect([whole, one, twice]).toEqual([names, names, names]);
      }),
      { numRuns: 20 },
    );
  });

  it('reads a file of a day folder with its day, whatever its own stamp says', async () => {
    const odd = trail(1, 'us-east-1', '2026/11/09', '0000').replace('/2026/11/09/', '/2026/11/10/');
    const names = ['09/a.json', '10/b.json'].map((name) => `x/2026/11/${name}`);
    for (const name of [names[1]!, odd, names[0]!]) put(name);
    expect(named(await recordsOf(source([root])))).toEqual([names[0], odd, names[1]]);
  });

  it('names shards below the working folder relative to it', async () => {
    const [record] = await recordsOf(source([join(process.cwd(), 'package.json')]));
    expect(record?.shard).toBe('package.json');
  });

  it('asks for the progress of at most 500 files at once', async () => {
    for (let at = 0; at < 1_100; at++) put(`many/${at}.json`, '');
    const asked: number[] = [];
    const lookup = async (shards: readonly string[]) => {
      asked.push(shards.length);
      return new Map();
    };
    for await (const _ of source([root]).read(lookup, new AbortController().signal));
    expect(asked).toEqual([500, 500, 100]);
  });
});

describe('what is read', () => {
  it('skips dot files in folders, but reads one that is named', async () => {
    put('.DS_Store');
    put('a/.git/config');
    put('a/notes.md');
    expect(named(await recordsOf(source([root])))).toEqual(['a/notes.md']);
    const both = await recordsOf(source([root, join(root, '.DS_Store')]));
    expect(named(both)).toEqual(['.DS_Store', 'a/notes.md']);
  });

  it('ends where links lead in a circle, and reads a linked folder once', async () => {
    put('b/real.json');
    symlinkSync('..', join(root, 'b/up'));
    symlinkSync(join(root, 'b'), join(root, 'a'));
    expect(named(await recordsOf(source([root])))).toEqual(['b/real.json']);
  });

  it.each([
    ['a path that is not there', 'nowhere.json', /no file or folder .*check/],
    ['a glob without a match', '*.nothing', /nothing matches .*check/],
    ['a path through a file', 'file.json/x', /file.json.x/],
    ['a device', '/dev/null', /standard input/],
  ])('refuses %s before anything is read', (_, path, message) => {
    put('file.json');
    const full = path.startsWith('/') ? path : join(root, path);
    expect(() => source([root, full])).toThrow(message);
    expect(() => source([full])).toThrow(expect.objectContaining({ code: 'input' }));
  });

  it('reads globs, and takes a name that looks like one for itself', async () => {
    for (const name of ['a/1.json', 'b/2.json', 'b/[2].json', 'c/3.txt']) put(name);
    expect(named(await recordsOf(source([join(root, '*/*.json')])))).toEqual([
      'a/1.json',
      'b/2.json',
      'b/[2].json',
    ]);
    expect(named(await recordsOf(source([join(root, 'b/[2].json')])))).toEqual(['b/[2].json']);
  });

  it('tells of what cannot be read, and tries it again under the next sequence', async () => {
    const target = join(root, '.hidden/later.json');
    symlinkSync(target, join(root, 'a.json'));
    put('b.json');
    const committed: Committed = new Map();
    const records = await recordsOf(source([root]));
    expect(records[0]).toMatchObject({
      broken: { reason: 'unreadable' },
      isFirst: true,
      isLast: true,
    });
    expect(records[0]?.bytes.length).toBe(0);
    expect(named(records)).toEqual(['a.json', 'b.json']);
    await itemsOf(source([root]), committed);
    const [again] = await recordsOf(source([root]), committed);
    expect(again).toMatchObject({ sequence: '0', broken: { reason: 'unreadable' } });
    put('.hidden/later.json', 'now\n');
    const items = await itemsOf(source([root]), committed);
    expect(items).toEqual([`${root}/a.json:1:now`]);
  });

  it('tells of a folder that cannot be listed', async () => {
    put('closed/x.json');
    chmodSync(join(root, 'closed'), 0);
    chmodSync(root, 0o755);
    // Nothing is closed to the superuser, so the test steps down while it reads.
    const isSuper = process.getuid?.() === 0;
    if (isSuper) process.seteuid?.(65_534);
    const records = await recordsOf(source([root])).finally(() => {
      if (isSuper) process.seteuid?.(0);
      chmodSync(join(root, 'closed'), 0o700);
    });
    expect(records).toMatchObject([{ broken: { reason: 'unreadable' } }]);
  });

  it('tells of a file that vanished behind a folder that took its name', async () => {
    const path = put('a.json');
    const one = source([path]);
    unlinkSync(path);
    mkdirSync(path);
    expect(await recordsOf(one)).toMatchObject([{ broken: { reason: 'unreadable' } }]);
  });

  it('reads an empty file as one record that is done', async () => {
    put('a.json', '');
    const committed: Committed = new Map();
    const [record] = await recordsOf(source([root]));
    expect(record).toMatchObject({
      isFirst: true,
      isLast: true,
      done: expect.stringMatching(/^0:/),
    });
    await itemsOf(source([root]), committed);
    expect(await recordsOf(source([root]), committed)).toEqual([]);
  });
});

describe('a file that changed since it was read', () => {
  const change = async (work: (path: string) => void, notices: string[] = []) => {
    const path = put('a.json', 'one\ntwo\n');
    const committed: Committed = new Map();
    await itemsOf(source([root]), committed);
    work(path);
    const onNotice = (notice: string) => notices.push(notice);
    const items = await itemsOf(source([root], { onNotice }), committed);
    return items.map((item) => item.slice(path.length + 1));
  };

  it('is read on when it grew', async () => {
    expect(await change((path) => appendFileSync(path, 'three\n'))).toEqual(['0:three']);
  });
  it('is read anew, with a notice, when it shrank', async () => {
    const notices: string[] = [];
    expect(await change((path) => writeFileSync(path, 'new\n'), notices)).toEqual(['1:new']);
    expect(notices).toEqual([expect.stringContaining('replaced')]);
  });
  it('is read anew when it has the same size and another time', async () => {
    expect(await change((path) => utimesSync(path, 1, 1))).toEqual(['1:one', '1:two']);
  });
  it('is left out when nothing changed', async () => {
    expect(await change(() => {})).toEqual([]);
  });
});

describe('small files', () => {
  it('come whole and as they are', async () => {
    const bytes = gzipSync(noise(100_000));
    put('a.json.gz', bytes);
    put('b.gz', 'plain\n');
    const [packed, plain] = await recordsOf(source([root]));
    expect(Buffer.from(packed!.bytes).equals(bytes)).toBe(true);
    expect(text([plain!])).toBe('plain\n');
  });

  it('come in parts when their trailer claims too much or cannot speak for the whole', async () => {
    const large = noise(40 * 1024 * 1024).fill(0x41, 1024 * 1024);
    put('claims.gz', gzipSync(large));
    const members = [noise(200_000), noise(50_000)];
    put('members.gz', Buffer.concat(members.map((one) => gzipSync(one))));
    const records = await recordsOf(source([root]));
    const of = (name: string) => records.filter((one) => one.shard.endsWith(name));
    expect(of('claims.gz').length).toBeGreaterThan(2);
    expect(Buffer.concat(of('claims.gz').map((one) => one.bytes)).equals(large)).toBe(true);
    expect(text(of('members.gz'))).toBe(Buffer.concat(members).toString('latin1'));
  });

  it('hold no more than their share of memory ahead of the reader', async () => {
    for (let at = 0; at < 12; at++) put(`${at}.json`, Buffer.alloc(7 * 1024 * 1024, 0x20));
    const records = await recordsOf(source([root]));
    expect(records.filter((one) => one.isFirst)).toHaveLength(12);
    expect(records.every((one) => one.bytes.length === 7 * 1024 * 1024)).toBe(true);
  });
});

describe('large files', () => {
  const good = noise(14 * 1024 * 1024);
  const packed = gzipSync(good, { level: 1 });
  const flipped = Buffer.from(packed);
  flipped[packed.length - 6]! ^= 0xff;
  const damaged = Buffer.from(packed);
  damaged.fill(0xff, packed.length >> 1, (packed.length >> 1) + 64);
  const read = async (bytes: Uint8Array, more: Partial<FilesOptions> = {}) => {
    const path = put('a.gz', bytes);
    const records = await recordsOf(source([path], more));
    expect(records.slice(0, -1).every((one) => one.broken === undefined)).toBe(true);
    return { got: Buffer.concat(records.map((one) => one.bytes)), last: records.at(-1)!, records };
  };

  it.each([
    ['plain', good],
    ['gzip', packed],
    ['gzip of two members', Buffer.concat([packed, gzipSync('')])],
    ['gzip padded with zeros', Buffer.concat([packed, Buffer.alloc(3_000_000)])],
  ])('of %s come whole in bounded parts', async (_, bytes) => {
    expect(bytes.length).toBeGreaterThan(8 * 1024 * 1024);
    const { got, last, records } = await read(bytes);
    expect(got.equals(good)).toBe(true);
    expect(last.broken).toBeUndefined();
    expect(last.done).toMatch(new RegExp(`^${bytes.length}:`));
    expect(Math.max(...records.map((one) => one.bytes.length))).toBeLessThan(4 * 1024 * 1024);
    expect(Math.min(...records.slice(0, -1).map((one) => one.bytes.length))).toBeGreaterThan(1e6);
  });

  it.each([
    ['cut short', packed.subarray(0, -4), good.length],
    ['with a wrong checksum', flipped, good.length],
    ['followed by garbage', Buffer.concat([packed, Buffer.from('garbage')]), good.length],
    [
      'followed by zeros and garbage',
      Buffer.concat([packed, Buffer.alloc(99), packed]),
      good.length,
    ],
  ])('of gzip %s give every good byte, then the reject', async (_, bytes, expected) => {
    const { got, last } = await read(bytes);
    expect(got.length).toBe(expected);
    expect(got.equals(good)).toBe(true);
    expect(last).toMatchObject({ broken: { reason: 'gzip-broken' }, done: expect.any(String) });
  });

  it('of damaged gzip give the same bytes on every read, up to the damage', async () => {
    const { got, last } = await read(damaged);
    expect(last.broken?.reason).toBe('gzip-broken');
    expect(got.length).toBeGreaterThan(good.length * 0.49);
    const before = Math.floor(good.length * 0.49);
    expect(got.subarray(0, before).equals(good.subarray(0, before))).toBe(true);
    expect((await read(damaged)).got.equals(got)).toBe(true);
  });

  it('end as a bomb beyond the limit', async () => {
    const max = 10 * 1024 * 1024;
    const { got, last } = await read(packed, { inflatedBytesMax: max });
    expect(got.length).toBe(max);
    expect(last.broken).toMatchObject({ reason: 'gzip-bomb' });
  });

  it('end as a bomb beyond a thousandfold, however small on the disk', async () => {
    const { got, last } = await read(gzipSync(Buffer.alloc(200 * 1024 * 1024)));
    expect(last.broken).toMatchObject({ reason: 'gzip-bomb' });
    expect(got.length).toBeLessThan(80 * 1024 * 1024);
  });

  it('keep few bytes in flight: 200 MB unpacked, parts of a few megabytes', async () => {
    const path = join(root, 'large.gz');
    const gzip = createGzip({ level: 1 });
    const file = gzip.pipe(createWriteStream(path));
    const block = noise(1024 * 1024);
    for (let at = 0; at < 200; at++) if (!gzip.write(block)) await once(gzip, 'drain');
    gzip.end();
    await once(file, 'close');
    let total = 0;
    let largest = 0;
    const before = process.memoryUsage();
    let growth = 0;
    const reading = source([path]).read(async () => new Map(), new AbortController().signal);
    for await (const given of reading) {
      if ('isLull' in given) continue;
      const { bytes } = given;
      total += bytes.length;
      largest = Math.max(largest, bytes.length);
      // A slow consumer must not let the source run ahead.
      await new Promise((resolve) => setImmediate(resolve));
      growth = Math.max(growth, process.memoryUsage().rss - before.rss);
    }
    expect(total).toBe(200 * 1024 * 1024);
    expect(largest).toBeLessThan(4 * 1024 * 1024);
    // Buffers are freed when the collector comes round; holding the whole would be twice this.
    expect(growth).toBeLessThan(100 * 1024 * 1024);
  });
});

describe('progress', () => {
  it('counts bytes on the disk, also of what was left out', async () => {
    put('a.json', Buffer.alloc(1_000, 0x20));
    put('b.gz', gzipSync(noise(9 * 1024 * 1024)));
    const one = source([root]);
    expect(one.progress()).toEqual({ done: 0, total: 0, unit: 'bytes' });
    const committed: Committed = new Map();
    await itemsOf(one, committed);
    await expect.poll(() => one.progress().total).toBeGreaterThan(1_000);
    expect(one.progress().done).toBe(one.progress().total);
    await recordsOf(one, committed);
    expect(one.progress().done).toBe(one.progress().total);
  });
});
