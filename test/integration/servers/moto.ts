// An AWS API server (moto) for S3, SQS, SNS and STS: from the environment, else by pip, else by docker.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Missing } from './missing.ts';

/** The server's address; `close` stops what was started for it. */
export interface Moto {
  readonly endpoint: string;
  close(): Promise<void>;
}

const version = '5.2.5';
const cache = join(import.meta.dirname, '../../../node_modules/.cache/sentrail/moto');
/** Installing takes 40 seconds here, starting three. */
const startWaitMs = 60_000;
const image = `motoserver/moto:${version}`;
const run = promisify(execFile);

/** Gives an AWS API server, new and empty unless the environment names one, or what is missing. */
export async function startMoto(): Promise<Moto | Missing> {
  const given = process.env['SENTRAIL_TEST_AWS'];
  if (given !== undefined) return { endpoint: given, close: async () => {} };
  const program = await installed();
  if (program !== undefined) {
    const port = await freePort();
    const log = { text: '' };
    const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (data) => {
      log.text = (log.text + data).slice(-2_000);
    });
    return answering(child, port, () => log.text);
  }
  if (await hasDocker()) {
    const port = await freePort();
    const publish = `127.0.0.1:${port}:5000`;
    const child = spawn('docker', ['run', '--rm', '--init', '-p', publish, image], {
      stdio: 'ignore',
    });
    return answering(child, port, () => 'docker could not start it');
  }
  return {
    missing: 'install python3 with venv, or docker, or set SENTRAIL_TEST_AWS to an address',
  };
}

/** The path of moto's server, installed where it was not; undefined where python cannot. */
async function installed(): Promise<string | undefined> {
  const program = join(cache, 'bin/moto_server');
  const mark = join(cache, `installed-${version}`);
  if (existsSync(mark)) return program;
  try {
    rmSync(cache, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    await run('python3', ['-m', 'venv', cache]);
    await run(join(cache, 'bin/pip'), ['install', '-q', `moto[server]==${version}`]);
    writeFileSync(mark, '');
    return program;
  } catch {
    rmSync(cache, { recursive: true, force: true });
    return undefined;
  }
}

async function hasDocker(): Promise<boolean> {
  return run('docker', ['info']).then(
    () => true,
    () => false,
  );
}

async function answering(child: ChildProcess, port: number, why: () => string): Promise<Moto> {
  const endpoint = `http://127.0.0.1:${port}`;
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(timer);
  };
  const until = performance.now() + startWaitMs;
  while (performance.now() < until && child.exitCode === null) {
    const isUp = await fetch(`${endpoint}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return { endpoint, close };
    await wait(100);
  }
  await close();
  throw new Error(`moto did not start: ${why()}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
