// The time from producing an event to its alert in a file, at a steady rate; the worker is its own process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePort } from '../integration/worker.ts';
import { apiCall, iamUser } from '../support/records.ts';

/**
 * Percentiles in milliseconds, and of how many alerts; `lost` did not come in time. Two are told apart:
 * the worst while the worker found its feet, and the last, whose shard is followed by silence in all.
 */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly maxAtStart: number;
  readonly last: number;
  readonly alerts: number;
  readonly lost: number;
}

/** What is measured: a source as configured, and how an event is sent to it. */
export interface Steady {
  readonly source: object;
  readonly send: (count: number, text: string) => Promise<unknown>;
  readonly eventsASecond: number;
  readonly seconds: number;
  readonly warmSeconds: number;
}

/** One event in so many makes an alert. */
const alertEvery = 10;
/** How often the file is looked at: the error of the measure. */
const lookMs = 5;
/** How long the last alerts are waited for. */
const patienceMs = 15_000;
const startMsMax = 60_000;

/** Runs a worker over what is sent meanwhile, one SQLite store and one file of alerts. */
export async function latencyOf(steady: Steady): Promise<Latency> {
  const home = mkdtempSync(join(tmpdir(), 'sentrail-latency-'));
  const file = join(home, 'alerts.ndjson');
  writeFileSync(file, '');
  writeFileSync(
    join(home, 'config.yaml'),
    stringify({
      sources: { trail: steady.source },
      store: { path: join(home, 'store.sqlite') },
      sinks: { soc: { type: 'file', path: file } },
      http: { listen: `127.0.0.1:${await freePort()}` },
    }),
  );
  const program = join(process.cwd(), 'dist/src/cli/main.js');
  const args = [program, 'run', '--config', join(home, 'config.yaml')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => {
    log = (log + text).slice(-2_000);
  });
  const gone = once(child, 'exit');
  const seen = new Map<string, number>();
  const looking = setInterval(() => look(file, seen), lookMs);
  try {
    await steady.send(0, signIn('prime'));
    await until(() => seen.has('prime') || child.exitCode !== null, startMsMax);
    if (!seen.has('prime')) throw new Error(`the first alert did not come: ${log}`);
    return await measured(steady, seen);
  } finally {
    clearInterval(looking);
    child.kill('SIGTERM');
    await gone;
    rmSync(home, { recursive: true, force: true });
  }
}

async function measured(steady: Steady, seen: ReadonlyMap<string, number>): Promise<Latency> {
  const sent = new Map<string, { at: number; isStart: boolean }>();
  const sending: Promise<unknown>[] = [];
  const started = performance.now();
  const countAtStart = steady.eventsASecond * steady.warmSeconds;
  const count = countAtStart + steady.eventsASecond * steady.seconds;
  for (let at = 1; at <= count; at++) {
    const due = started + (at / steady.eventsASecond) * 1e3;
    await wait(Math.max(0, due - performance.now()));
    const isAlert = at % alertEvery === 0;
    if (isAlert) sent.set(`p${at}`, { at: performance.now(), isStart: at <= countAtStart });
    sending.push(steady.send(at, isAlert ? signIn(`p${at}`) : listing(at)));
  }
  await Promise.all(sending);
  await until(() => [...sent.keys()].every((one) => seen.has(one)), patienceMs);
  const took = [...sent].map(([name, { at, isStart }]) => ({
    ms: (seen.get(name) ?? Number.NaN) - at,
    isStart,
  }));
  const last = took.pop()?.ms ?? Number.NaN;
  const came = took
    .filter((one) => !one.isStart && !Number.isNaN(one.ms))
    .map((one) => one.ms)
    .sort((a, b) => a - b);
  return {
    p50: rank(came, 0.5),
    p99: rank(came, 0.99),
    max: rank(came, 1),
    maxAtStart: Math.max(...took.filter((one) => one.isStart).map((one) => one.ms)),
    last,
    alerts: came.length,
    lost: [...sent.keys()].filter((one) => !seen.has(one)).length,
  };
}

function rank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Notes whose alerts stand in the file, by the first revision of each. */
function look(file: string, seen: Map<string, number>): void {
  const now = performance.now();
  const text = readFileSync(file, 'utf8');
  for (const [, name = ''] of text.matchAll(/IAM user (p\d+|prime) signed in/g)) {
    if (!seen.has(name)) seen.set(name, now);
  }
}

async function until(holds: () => boolean, mostMs: number): Promise<void> {
  const end = performance.now() + mostMs;
  while (!holds() && performance.now() < end) await wait(lookMs);
}

const nowText = () => `${new Date().toISOString().slice(0, 19)}Z`;

/** A sign-in without a second factor: an alert at once, and a new one for each name. */
function signIn(name: string): string {
  const { accessKeyId: _key, ...by } = iamUser(name);
  return JSON.stringify(
    apiCall({
      source: 'signin',
      name: 'ConsoleLogin',
      by,
      at: nowText(),
      response: { ConsoleLogin: 'Success' },
      with: { eventType: 'AwsConsoleSignIn', additionalEventData: { MFAUsed: 'No' } },
    }),
  );
}

function listing(at: number): string {
  const request = { maxResults: at };
  return JSON.stringify(
    apiCall({ source: 'ec2', name: 'DescribeInstances', at: nowText(), request }),
  );
}
