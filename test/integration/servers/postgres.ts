// A PostgreSQL server for tests: from the environment, the machine's own binaries, or docker.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../worker.ts';
import type { Missing } from './missing.ts';

/** A server; `url` names a database of its own. `stop` and `start` work where `isOurs`. */
export interface PostgresServer {
  readonly isOurs: boolean;
  readonly url: string;
  /** Makes an empty database beside it; gives its url. */
  fresh(): Promise<string>;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Gives a server, or why there is none. */
export async function startPostgres(): Promise<PostgresServer | Missing> {
  const given = process.env['SENTRAIL_TEST_POSTGRES'];
  if (given !== undefined)
    return over(given, { isOurs: false, stop: cannot, start: cannot, close: async () => {} });
  const bin = binaries() ?? installed();
  if (bin !== undefined) return local(bin);
  if (spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0) return inDocker();
  const missing = 'PostgreSQL: install it, or set SENTRAIL_TEST_POSTGRES to the url of a database';
  return { missing };
}

const cannot = async () => {
  throw new Error('the server of SENTRAIL_TEST_POSTGRES is not ours to stop');
};

function binaries(): string | undefined {
  const found = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  const folders = [
    ...(existsSync('/usr/lib/postgresql')
      ? readdirSync('/usr/lib/postgresql').map((one) => `/usr/lib/postgresql/${one}/bin`)
      : []),
    ...(found.status === 0 ? [found.stdout.trim()] : []),
  ];
  return folders.find((one) => existsSync(join(one, 'initdb')));
}

function installed(): string | undefined {
  if (process.getuid?.() !== 0 || spawnSync('which', ['apt-get']).status !== 0) return undefined;
  spawnSync('apt-get', ['update'], { stdio: 'ignore' });
  spawnSync('apt-get', ['install', '-y', 'postgresql'], {
    stdio: 'ignore',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return binaries();
}

async function local(bin: string): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sentrail-postgres-'));
  const port = await freePort();
  // initdb refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    chmodSync(folder, 0o755);
    execFileSync('chown', ['postgres', folder]);
  }
  // Not synchronous: a test does its work while the server stops and starts.
  const run = async (program: string, ...args: string[]) => {
    const command = [join(bin, program), ...args];
    const [first = '', ...rest] = isRoot
      ? ['runuser', '-u', 'postgres', '--', ...command]
      : command;
    await execute(first, rest, folder);
  };
  const data = join(folder, 'data');
  await run('initdb', '-D', data, '-A', 'trust', '-U', 'postgres');
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder}`;
  const start = () =>
    run('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', settings, 'start');
  // Immediate: connections end as they do when a server dies.
  const stop = () => run('pg_ctl', '-D', data, '-w', '-m', 'immediate', 'stop');
  await start();
  return over(`postgres://postgres@127.0.0.1:${port}/postgres`, {
    isOurs: true,
    stop,
    start,
    async close() {
      await stop().catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

/** Without pipes: the server that pg_ctl leaves behind would hold them open. */
async function execute(program: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(program, args, { stdio: 'ignore', cwd });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
}

const dockerWaitMs = 60_000;

async function inDocker(): Promise<PostgresServer> {
  const port = await freePort();
  const args = ['run', '-d', '-e', 'POSTGRES_HOST_AUTH_METHOD=trust'];
  const started = [...args, '-p', `127.0.0.1:${port}:5432`, 'postgres:16'];
  const id = execFileSync('docker', started, { encoding: 'utf8' }).trim();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const docker = (...words: string[]) => execute('docker', words, tmpdir());
  await answering(url);
  return over(url, {
    isOurs: true,
    stop: () => docker('kill', id),
    start: () => docker('start', id).then(() => answering(url)),
    close: () => docker('rm', '-f', '-v', id),
  });
}

/** Waits until the server takes connections. */
async function answering(url: string): Promise<void> {
  const end = performance.now() + dockerWaitMs;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    const trouble = await client.connect().then(
      () => undefined,
      (error: Error) => error,
    );
    await client.end().catch(() => {});
    if (trouble === undefined) return;
    if (performance.now() > end) throw trouble;
    await wait(200);
  }
}

let databases = 0;

function over(
  url: string,
  server: Pick<PostgresServer, 'isOurs' | 'stop' | 'start' | 'close'>,
): PostgresServer {
  return {
    ...server,
    url,
    async fresh() {
      const name = `sentrail_${process.pid}_${++databases}`;
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(`DROP DATABASE IF EXISTS ${name}`);
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      const at = new URL(url);
      at.pathname = `/${name}`;
      return at.href;
    },
  };
}
