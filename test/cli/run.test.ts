// A live run as an operator meets it: a process that takes posts, tells how it stands, and stops.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { checkLaneSinks } from '../../src/wiring.ts';
import { sentIn, startWorker, until, type WorkerProcess } from '../integration/worker.ts';
import {
  envelope,
  metricsOf,
  type PushRun,
  post,
  pushRun,
  secret,
  started,
} from '../support/posts.ts';
import { allow, apiCall, document } from '../support/records.ts';

const program = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const quiet = (name: string) =>
  apiCall({ source: 'ec2', name: 'DescribeVpcs', at: now(), request: { name } });
const admin = (userName: string) =>
  apiCall({
    source: 'iam',
    name: 'PutUserPolicy',
    at: now(),
    request: { userName, policyName: 'all', policyDocument: document(allow('*')) },
  });
const statusOf = async (worker: WorkerProcess, path: string) => {
  const response = await fetch(`http://${worker.http}${path}`);
  return { code: response.status, body: (await response.json()) as unknown };
};
const lines = (run: PushRun) =>
  existsSync(join(run.folder, 'out.ndjson')) ? sentIn(run.folder) : [];

describe('a live run', () => {
  let run: PushRun;
  let worker: WorkerProcess;
  beforeAll(async () => {
    run = await pushRun();
    worker = await started(run);
  });
  afterAll(async () => {
    await worker.stop();
    rmSync(run.folder, { recursive: true });
  });

  it('sends an alert for a post, and shows it in its metrics', async () => {
    const before = await metricsOf(worker);
    expect(before.get('sentrail_items_total{kind="events"}')).toBe(0);
    expect(before.get('sentrail_rejected_total{reason="json-broken"}')).toBe(0);
    expect(await post(run.url, envelope(admin('carol')))).toBe(200);
    await until('the alert is sent', () => lines(run).length > 0, 20_000);
    const moved = async () =>
      (await metricsOf(worker)).get('sentrail_event_to_alert_seconds_count');
    await until('its time was measured', async () => (await moved()) === 1, 20_000);
    const after = await metricsOf(worker);
    expect(after.get('sentrail_items_total{kind="events"}')).toBe(1);
    expect(after.get('sentrail_records_total')).toBe(1);
    expect(after.get('sentrail_alert_revisions_total')).toBe(1);
    expect(after.get('sentrail_lag_seconds{shard="bus"}')).toBeLessThan(60);
    expect(after.get('sentrail_lag_records{shard="bus"}')).toBe(0);
    expect(after.get('sentrail_event_ids{lane="main"}')).toBe(1);
    expect(after.get('sentrail_state_bytes{lane="main"}')).toBeGreaterThan(0);
    expect(after.has('sentrail_state_keys{lane="main"}')).toBe(true);
    expect(after.get('sentrail_commit_seconds_count')).toBeGreaterThan(0);
    expect(after.get('sentrail_commit_seconds_bucket{le="+Inf"}')).toBeGreaterThan(0);
    expect(after.get('sentrail_lanes')).toBe(1);
    expect(after.get('sentrail_outbox_rows')).toBe(0);
  });

  it('lives, and is ready with its lane and the time of its last commit', async () => {
    expect(await statusOf(worker, '/healthz')).toEqual({ code: 200, body: { status: 'ok' } });
    const { code, body } = await statusOf(worker, '/readyz');
    expect(code).toBe(200);
    expect(body).toMatchObject({ status: 'ready', lanes: ['main'] });
    const { lastCommit } = body as { lastCommit: string };
    expect(Math.abs(Date.now() - Date.parse(lastCommit))).toBeLessThan(60_000);
  });

  it('keeps a broken post as a dead letter, and counts it', async () => {
    expect(await post(run.url, '{"version": "0", "detail": {')).toBe(200);
    const name = 'sentrail_rejected_total{reason="json-cut-short"}';
    await until('it is rejected', async () => (await metricsOf(worker)).get(name) === 1, 20_000);
    const letters = async () => (await metricsOf(worker)).get('sentrail_dead_letters');
    await until('the gauge follows', async () => (await letters()) === 1, 20_000);
  });

  it('logs objects only, without the secret or what posts say', async () => {
    const wrong = 'Bearer wrong-but-somebodys-secret';
    expect(await post(run.url, envelope(admin('mallory')), wrong)).toBe(401);
    expect(await post(run.url, `{"mallory": "${secret}"`)).toBe(200);
    const name = 'sentrail_rejected_total{reason="json-cut-short"}';
    await until('it is rejected', async () => (await metricsOf(worker)).get(name) === 2, 20_000);
    expect(worker.logs.map((one) => one.msg)).toContain('reading');
    expect(worker.logs.filter((one) => one.level > 50)).toEqual([]);
    const said = JSON.stringify(worker.logs);
    for (const word of [secret, wrong, 'not-to-be-seen', 'mallory', 'carol']) {
      expect(said).not.toContain(word);
    }
  });
});

describe('a live run that is stopped', () => {
  const running: WorkerProcess[] = [];
  const begun = async (run: PushRun) => {
    const worker = await started(run);
    running.push(worker);
    return worker;
  };
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop();
  });

  it('ends with 0 within its bound, goes on from its checkpoint and sends nothing twice', async () => {
    const run = await pushRun({}, { streams: { stop: '5s' } });
    const first = await begun(run);
    await post(run.url, envelope(admin('carol')));
    await until('the alert is sent', () => lines(run).length === 1, 20_000);
    const asked = performance.now();
    expect(await first.stop()).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5_000);
    expect(first.logs.at(-1)?.msg).toBe('stopped');

    const second = await begun(run);
    await post(run.url, envelope(quiet('after')));
    const events = async () => (await metricsOf(second)).get('sentrail_items_total{kind="events"}');
    await until('the new event is judged', async () => (await events()) === 1, 20_000);
    expect(await second.stop()).toBe(0);
    expect(lines(run)).toHaveLength(1);
    expect(second.logs.map((one) => one.msg).join()).not.toContain('configuration changed');
    rmSync(run.folder, { recursive: true });
  });

  it('loses no post it took under a flood, and refuses those that find no room', async () => {
    const run = await pushRun({ unreadMax: 3 });
    const worker = await begun(run);
    const answers = new Map<number, number>();
    const sender = async (from: number) => {
      for (let n = 0; n < 15; n++) {
        const body = Array.from({ length: 20 }, (_, at) => envelope(quiet(`${from}-${n}-${at}`)));
        const code = await post(run.url, body.join('\n'));
        answers.set(code, (answers.get(code) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, at) => sender(at)));
    const taken = (answers.get(200) ?? 0) * 20;
    expect([...answers.keys()].sort()).toEqual([200, 503]);
    const events = async () => (await metricsOf(worker)).get('sentrail_items_total{kind="events"}');
    await until('all that was taken is judged', async () => (await events()) === taken, 30_000);
    expect((await metricsOf(worker)).get('sentrail_items_total{kind="duplicates"}')).toBe(0);
    expect(await worker.stop()).toBe(0);
    rmSync(run.folder, { recursive: true });
  });
});

describe('a live run that is set up wrong', () => {
  let folder = '';
  const refused = (config: object) => {
    folder = mkdtempSync(join(tmpdir(), 'sentrail-run-'));
    writeFileSync(join(folder, 'c.yaml'), stringify(config));
    const env = { ...process.env, NO_COLOR: '1' };
    const args = [program, 'run', '--config', 'c.yaml'];
    const done = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
    return { code: done.status, err: done.stderr };
  };
  const bus = (more: object) => ({
    sources: { bus: { type: 'push', listen: '127.0.0.1:0', ...more } },
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ['no source at all', {}, /no source to read; name one under `sources:`/],
    [
      'an unknown key of a source',
      bus({ secret: { env: 'HOME' }, unreadMx: 3 }),
      /c\.yaml:9: there is no key 'sources\.bus\.unreadMx'; did you mean 'unreadMax'\?/,
    ],
    ['a secret as plain text', bus({ secret }), /c\.yaml:7: .*never the text itself/],
    [
      'an environment variable that is not set',
      bus({ secret: { env: 'SENTRAIL_NOT_SET' } }),
      /environment variable SENTRAIL_NOT_SET is not set/,
    ],
  ])('ends with 2 and says so once: %s', (_, config, message) => {
    const { code, err } = refused({ http: { listen: '127.0.0.1:0' }, ...config });
    expect(err).toMatch(message);
    expect(err).not.toContain(secret);
    expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    expect(code).toBe(2);
  });

  it('ends with 2 when http.listen is taken, and says what to try', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const listen = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { code, err } = refused({ http: { listen }, ...bus({ secret: { env: 'PATH' } }) });
    server.close();
    expect(code).toBe(2);
    expect(err).toContain(`${listen}`);
    expect(err).toContain('EADDRINUSE; set http.listen to another address');
  });
});

describe('sinks of a keyed source', () => {
  it('need {lane} in the path of a file, each of them', () => {
    const own = { type: 'file', path: 'a-{lane}.ndjson' } as const;
    const shared = { type: 'file', path: 'b.ndjson' } as const;
    expect(() => checkLaneSinks({ own, all: { type: 'stdout' } })).not.toThrow();
    expect(() => checkLaneSinks({ own, shared })).toThrow(/sinks\.shared\.path.*\{lane\}/);
  });
});

it('stops within the bound, with exit code 0, while its broker is away', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentrail-away-'));
  const trail = { type: 'kafka', brokers: ['127.0.0.1:1'], topic: 'trail' };
  const worker = await startWorker('run', folder, 'away', { sources: { trail } });
  await until(
    'it tries',
    () => worker.logs.some((one) => one.msg.includes('ECONNREFUSED')),
    20_000,
  );
  const asked = performance.now();
  expect(await worker.stop()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(20_000);
  rmSync(folder, { recursive: true });
});
