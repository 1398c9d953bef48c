// Workers as processes: started, watched, killed, frozen; and what they left behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Counters, Store } from '../../src/core/ports.ts';
import { balance } from '../../src/engine/counters.ts';

const program = join(import.meta.dirname, '../../dist/src/cli/main.js');

/** A worker's process; `logs` grows while it lives. */
export interface WorkerProcess {
  readonly pid: number;
  readonly logs: readonly LogLine[];
  readonly http: string;
  signal(signal: NodeJS.Signals): void;
  /** Waits for its end; gives its exit code, undefined where a signal ended it. */
  ended(): Promise<number | undefined>;
  /** SIGTERM, and the end. */
  stop(): Promise<number | undefined>;
}
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly lane?: string;
  readonly state?: string;
}

/** Takes a command (`run`, `rekey`), a folder to write its file to, and the config; starts it. */
export async function startWorker(
  command: 'run' | 'rekey',
  folder: string,
  name: string,
  config: object,
): Promise<WorkerProcess> {
  const http = `127.0.0.1:${await freePort()}`;
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, stringify({ ...config, http: { listen: http } }));
  const child = spawn(process.execPath, [program, command, '--config', path], {
    cwd: folder,
    env: { ...process.env, ...testCredentials },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const logs = logsOf(child);
  const exit = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : undefined));
  return {
    pid: child.pid ?? -1,
    logs,
    http,
    signal: (signal) => void child.kill(signal),
    ended: () => exit,
    stop() {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      return exit;
    },
  };
}

/** What servers for tests take for credentials. */
export const testCredentials = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'eu-west-1',
  NODE_NO_WARNINGS: '1',
};

function logsOf(child: ChildProcess): LogLine[] {
  const logs: LogLine[] = [];
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter((one) => one !== '')) {
      if (process.env['SENTRAIL_TEST_VERBOSE']) console.log(`[${child.pid}] ${line}`);
      logs.push(line.startsWith('{') ? JSON.parse(line) : { level: 60, msg: line });
    }
  });
  return logs;
}

/** Waits until a condition holds; throws with what was waited for after `mostMs`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  mostMs = 120_000,
): Promise<void> {
  const end = performance.now() + mostMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${mostMs / 1000} s in vain: ${what}`);
    await wait(100);
  }
}

/** Gives a port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Every alert as stored, one line of JSON each, in order. */
export async function alertsIn(store: Store): Promise<string[]> {
  const alerts: string[] = [];
  for await (const alert of store.listAlerts({})) alerts.push(JSON.stringify(alert));
  return alerts;
}

/** The counters of all lanes; each must balance (law 4). */
export async function countersIn(store: Store): Promise<Counters[]> {
  const all: Counters[] = [];
  for (const lane of await store.lanes()) {
    const counters = (await store.load(lane))?.counters;
    if (counters === undefined) continue;
    if (balance(counters) !== 0) throw new Error(`the accounting identity is broken in ${lane}`);
    all.push(counters);
  }
  return all;
}

/** `id:revision` of every line in the files of the file sinks, in order of the files. */
export function sentIn(folder: string): string[] {
  const files = readdirSync(folder).filter((one) => one.endsWith('.ndjson'));
  return files.sort().flatMap((file) => {
    const lines = readFileSync(join(folder, file), 'utf8').split('\n');
    return lines
      .filter((one) => one !== '')
      .map((line) => {
        const { id, revision } = JSON.parse(line) as { id: string; revision: number };
        return `${id}:${revision}`;
      });
  });
}
