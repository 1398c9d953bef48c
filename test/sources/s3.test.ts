import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { s3Config } from '../../schemas/sources.ts';
import type { SourceRecord } from '../../src/core/ports.ts';
import type { Progress } from '../../src/core/position.ts';
import { type S3SourceOptions, s3Source } from '../../src/sources/s3.ts';
import { sourceContract } from '../contract/source.ts';
import { type FakeS3, fakeS3 } from '../support/fake-s3.ts';
import { itemsOf, recordsOf, textOf } from '../support/reading.ts';

const bucket = 'trail';
const now = Date.UTC(2026, 10, 24, 12);

let server: FakeS3;
beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'none';
  server = await fakeS3();
});
afterAll(() => server.close());
afterEach(() => {
  server.objects.clear();
  server.faults.clear();
  server.asked.length = 0;
});

const keyOf = (account: string, region: string, stamp: string, kind = 'CloudTrail') => {
  const [, year, month, dayOfMonth] = /^(\d{4})(\d\d)(\d\d)/.exec(stamp) ?? [];
  const folder = `AWSLogs/${account}/${kind}/${region}/${year}/${month}/${dayOfMonth}`;
  return `${folder}/${account}_${kind}_${region}_${stamp}_aaaaaaaaaaaaaaaa.json.gz`;
};
const put = (key: string, text: string | Buffer = `${key}\n`) =>
  server.objects.set(`${bucket}/${key}`, Buffer.from(text));

function source(more: object = {}, options: Partial<S3SourceOptions> = {}) {
  const parsed = s3Config.parse({
    type: 's3',
    bucket,
    region: 'eu-west-1',
    endpoint: server.endpoint,
    ...more,
  });
  const isEnding = true;
  return s3Source({
    name: 'bucket',
    config: parsed,
    isEnding,
    clock: () => now,
    wait: async () => {},
    ...options,
  });
}
const shardsOf = (records: readonly SourceRecord[]) =>
  records.filter(({ isFirst }) => isFirst).map(({ shard }) => shard);
const named = (key: string) => `s3://${bucket}/${key}`;
const one = '111111111111';
const two = '222222222222';

sourceContract('a trail in a bucket', async () => {
  for (let at = 0; at < 5; at++)
    put(keyOf(one, 'eu-west-1', `20261101T000${at}Z`), `a${at}\nb${at}\n`);
  put(keyOf(one, 'eu-west-1', '20261101T0009Z'), gzipSync('x\ny\n'));
  return { open: () => source(), close: async () => server.objects.clear() };
});

sourceContract('a trail in a bucket, with an object in many parts', async () => {
  const lines = Array.from({ length: 6_000 }, (_, at) => `${at} ${'x'.repeat(3_000)}\n`).join('');
  put(keyOf(one, 'eu-west-1', '20261101T0000Z'), lines);
  return { open: () => source(), close: async () => server.objects.clear() };
});

describe('a trail in a bucket', () => {
  it('is read by delivery minute, of all accounts and regions together', async () => {
    const keys = [
      keyOf(two, 'us-east-1', '20261101T0000Z'),
      keyOf(one, 'eu-west-1', '20261101T0005Z'),
      keyOf(two, 'eu-west-1', '20261101T0005Z'),
      keyOf(one, 'us-east-1', '20261101T0010Z', 'CloudTrail-Insight'),
      keyOf(one, 'us-east-1', '20261101T2355Z'),
      keyOf(two, 'eu-west-1', '20261102T0000Z'),
    ];
    for (const key of keys.toReversed()) put(key);
    const records = await recordsOf(source());
    expect(shardsOf(records)).toEqual(keys.map(named));
    expect(records[0]?.arrival).toBe(Date.UTC(2026, 10, 1));
  });

  it('has organisations, a prefix, and leaves the logs of others alone', async () => {
    const inner = keyOf(one, 'eu-west-1', '20261101T0000Z');
    const wanted = `my/logs/${inner.replace('AWSLogs/', 'AWSLogs/o-abc123defg/')}`;
    put(wanted);
    put(`my/logs/${keyOf(one, 'eu-west-1', '20261101T0000Z', 'vpcflowlogs')}`);
    put('my/logs/AWSLogs/notes.txt');
    put(inner);
    expect(shardsOf(await recordsOf(source({ prefix: 'my/logs/' })))).toEqual([named(wanted)]);
  });

  it('reads only the accounts, regions and days it was told', async () => {
    const wanted = keyOf(one, 'eu-west-1', '20261102T0000Z');
    put(wanted);
    put(keyOf(two, 'eu-west-1', '20261102T0000Z'));
    put(keyOf(one, 'us-east-1', '20261102T0000Z'));
    put(keyOf(one, 'eu-west-1', '20261101T2355Z'));
    put(keyOf(one, 'eu-west-1', '20261103T0000Z'));
    put(keyOf(one, 'eu-west-1', '20251102T0000Z'));
    const days = { from: '2026-11-02', to: '2026-11-03' };
    const records = await recordsOf(source({ accounts: [one], regions: ['eu-west-1'], ...days }));
    expect(shardsOf(records)).toEqual([named(wanted)]);
    const wide = await recordsOf(source({ from: '2025-12-01', to: '2026-11-02' }));
    expect(shardsOf(wide)).toEqual([named(keyOf(one, 'eu-west-1', '20261101T2355Z'))]);
  });

  it.each([
    'AWSLogs/111111111111/',
    'AWSLogs/111111111111/CloudTrail/eu-west-1/2026/11/',
    'AWSLogs/111111111111/CloudTrail/eu-west-1/2026/11/01/',
  ])('begins within the layout at %s', async (prefix) => {
    const wanted = keyOf(one, 'eu-west-1', '20261101T0000Z');
    put(wanted);
    put(keyOf(two, 'eu-west-1', '20261101T0000Z'));
    expect(shardsOf(await recordsOf(source({ prefix })))).toEqual([named(wanted)]);
  });

  it('says so when there is nothing', async () => {
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    expect(await recordsOf(source({ prefix: 'wrong/' }, { onNotice }))).toEqual([]);
    expect(notices).toEqual([
      's3://trail/wrong/ holds no day folders of CloudTrail; check prefix and days',
    ]);
  });

  it('reads an empty object as an empty record', async () => {
    put(keyOf(one, 'eu-west-1', '20261101T0000Z'), '');
    const [only] = await recordsOf(source());
    expect(only).toMatchObject({ isFirst: true, isLast: true });
    expect(only?.bytes.length).toBe(0);
  });

  it('unpacks a large packed object in parts, and asks for it in ranges', async () => {
    const key = keyOf(one, 'eu-west-1', '20261101T0000Z');
    const noise = Buffer.from(Array.from({ length: 9_000_000 }, (_, at) => (at * at * 7919) >> 7));
    put(key, gzipSync(noise, { level: 0 }));
    const records = await recordsOf(source());
    expect(records.length).toBeGreaterThan(4);
    expect(Buffer.concat(records.map(({ bytes }) => bytes)).equals(noise)).toBe(true);
    expect(server.asked.some((asked) => asked.includes('bytes=8388608-'))).toBe(true);
  });

  it('tries again what passes, in listing, reading, and the middle of an object', async () => {
    const key = keyOf(one, 'eu-west-1', '20261101T0000Z');
    put(key, Buffer.alloc(9_000_000, 0x20));
    const slow = () => ({ status: 503, code: 'SlowDown' });
    server.faults.set('list', Array.from({ length: 5 }, slow));
    server.faults.set(`${bucket}/${key}`, Array.from({ length: 7 }, slow));
    const records = await recordsOf(source());
    expect(records.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(9_000_000);
    expect(records.every(({ broken }) => broken === undefined)).toBe(true);
  });

  it.each([
    ['gone', { status: 404, code: 'NoSuchKey' }],
    ['refused', { status: 403, code: 'AccessDenied' }],
    ['replaced meanwhile', { status: 412, code: 'PreconditionFailed' }],
  ])('says what cannot be read when it is %s, and reads the next', async (_, fault) => {
    const keys = ['20261101T0000Z', '20261101T0005Z'].map((at) => keyOf(one, 'eu-west-1', at));
    for (const key of keys) put(key);
    server.faults.set(`${bucket}/${keys[0]}`, Array(9).fill(fault));
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    const [bad, good] = await recordsOf(source({}, { onNotice }));
    expect(bad).toMatchObject({ broken: { reason: 'unreadable' }, done: 'unreadable' });
    expect(textOf(good!)).toBe(`${keys[1]}\n`);
    expect(notices.length).toBe(1);
    server.faults.clear();
    const shard = named(keys[0]!);
    const known: Progress = { position: { shard, sequence: '0', item: 1 }, done: 'unreadable' };
    const [again] = await recordsOf(source(), new Map([[shard, known]]));
    expect(again).toMatchObject({ shard, sequence: '1' });
  });

  it('reads anew, with a notice, what was replaced', async () => {
    const key = keyOf(one, 'eu-west-1', '20261101T0000Z');
    put(key, 'before\n');
    const committed = new Map();
    await itemsOf(source(), committed);
    put(key, 'after\n');
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    const items = await itemsOf(source({}, { onNotice }), committed);
    expect(items).toEqual([`${named(key)}:1:after`]);
    expect(notices[0]).toContain('was replaced since it was read');
  });

  it.each([
    ['NoSuchBucket', 404, 'check the name of the bucket'],
    ['AccessDenied', 403, 'grant s3:ListBucket'],
  ])('gives up on %s when it lists', async (code, status, hint) => {
    server.faults.set('list', Array(9).fill({ status, code }));
    await expect(recordsOf(source())).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining(hint),
    });
  });

  it('gives up when S3 fails for long', async () => {
    server.faults.set('list', Array(200).fill({ status: 503, code: 'SlowDown' }));
    await expect(recordsOf(source())).rejects.toMatchObject({ code: 'source' });
  });

  it('shows how much there is', async () => {
    for (const at of ['20261101T0000Z', '20261102T0000Z']) put(keyOf(one, 'eu-west-1', at), 'abcd');
    const reading = source();
    reading.progress();
    await sleep(300);
    const stop = new AbortController();
    for await (const _ of reading.read(async () => new Map(), stop.signal));
    expect(reading.progress()).toEqual({ done: 8, total: 8, unit: 'bytes' });
    await reading.close();
  });
});

describe('a trail in a bucket that goes on', () => {
  /** Reads a live source for some looks; `between` runs after each. */
  async function looksOf(
    looks: number,
    between: (look: number) => void,
    options: Partial<S3SourceOptions> = {},
    committed = new Map<string, Progress>(),
  ): Promise<string[]> {
    let time = now;
    const config = { poll: '1m', lookBack: '1d', from: '2026-11-01' };
    const live = source(config, {
      isEnding: false,
      clock: () => time,
      wait: async (ms) => {
        time += ms;
      },
      ...options,
    });
    const stop = new AbortController();
    const given: string[] = [];
    let seen = 0;
    let lookAt = 0;
    const lookup = async (shards: readonly string[]) =>
      new Map(
        shards.flatMap((shard) => (committed.has(shard) ? [[shard, committed.get(shard)!]] : [])),
      );
    for await (const record of live.read(lookup, stop.signal)) {
      if ('isLull' in record) {
        const waiting = [...committed.values()].slice(seen);
        seen = committed.size;
        if (waiting.length > 0) await live.acknowledge(waiting);
        if (time >= lookAt) {
          between(looks);
          if (--looks <= 0) stop.abort();
          lookAt = time + 60_000;
        }
        continue;
      }
      const { shard, sequence, done } = record;
      given.push(shard);
      committed.set(shard, { position: { shard, sequence, item: 1 }, ...(done && { done }) });
    }
    await live.close();
    return given;
  }

  const early = keyOf(one, 'eu-west-1', '20261124T1000Z');
  const late = keyOf(one, 'eu-west-1', '20261124T0100Z');
  const next = keyOf(one, 'eu-west-1', '20261124T1200Z');
  const tooLate = keyOf(one, 'eu-west-1', '20261110T0000Z');

  it('finds what is new, what came late and another account, and gives nothing twice', async () => {
    put(early);
    const other = keyOf(two, 'us-east-1', '20261124T1155Z');
    const given = await looksOf(4, (left) => {
      if (left === 4) put(late);
      if (left === 3) put(next);
      if (left === 2) put(other);
    });
    expect(given).toEqual([early, late, next, other].map(named));
  });

  it('gives nothing twice when nothing was committed yet', async () => {
    put(early);
    const given = await looksOf(3, () => {}, {}, forgetful());
    expect(given).toEqual([named(early)]);
  });

  it('lists less after a restart, yet finds what came meanwhile', async () => {
    const notes = new Map<string, string>();
    const options = {
      notes: {
        note: async (name: string) => notes.get(name),
        setNote: async (name: string, value: string) => {
          notes.set(name, value);
        },
      },
    };
    put(early);
    const committed = new Map<string, Progress>();
    expect(await looksOf(2, () => {}, options, committed)).toEqual([named(early)]);
    expect(notes.get('bucket/looked')).toBeDefined();
    put(next);
    put(tooLate);
    server.asked.length = 0;
    expect(await looksOf(2, () => {}, options, committed)).toEqual([named(next)]);
    expect(server.asked.some((asked) => asked.includes('2026/11/10'))).toBe(false);
  });

  it('notes no look whose records are not committed', async () => {
    const notes = new Map<string, string>();
    const setNote = async (name: string, value: string) => {
      notes.set(name, value);
    };
    put(early);
    await looksOf(3, () => {}, { notes: { note: async () => undefined, setNote } }, forgetful());
    expect(notes.size).toBe(0);
  });

  it('stops within a second while it waits for the next look', async () => {
    put(early);
    const live = source({}, { isEnding: false, wait: async (ms) => void (await sleep(ms)) });
    const stop = new AbortController();
    const reading = live.read(async () => new Map(), stop.signal)[Symbol.asyncIterator]();
    await reading.next();
    expect((await reading.next()).value).toEqual({ isLull: true });
    const waiting = reading.next();
    stop.abort();
    const begun = performance.now();
    while (!(await reading.next()).done);
    await waiting;
    expect(performance.now() - begun).toBeLessThan(1_100);
  });
});

/** Progress that is never kept, as when nothing was committed. */
function forgetful(): Map<string, Progress> {
  const none = new Map<string, Progress>();
  none.set = () => none;
  return none;
}
