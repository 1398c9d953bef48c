// A PostgreSQL server for tests: from the environment, the machine's own binaries, or docker.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../worker.ts';
import type { Missing } from './missing.ts';

/** A server; `url` names a database of its own. `stop` and `start` are there where we run it. */
export interface PostgresServer {
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
    return over(given, { stop: cannot, start: cannot, close: async () => {} });
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
  const run = (program: string, ...args: string[]) => {
    const command = [join(bin, program), ...args];
    const [first = '', ...rest] = isRoot
      ? ['runuser', '-u', 'postgres', '--', ...command]
      : command;
    execFileSync(first, rest, { stdio: ['ignore', 'ignore', 'ignore'], cwd: folder });
  };
  const data = join(folder, 'data');
  run('initdb', '-D', data, '-A', 'trust', '-U', 'postgres');
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder}`;
  const start = async () =>
    run('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', settings, 'start');
  // Immediate: connections end as they do when a server dies.
  const stop = async () => run('pg_ctl', '-D', data, '-w', '-m', 'immediate', 'stop');
  await start();
  return over(`postgres://postgres@127.0.0.1:${port}/postgres`, {
    stop,
    start,
    async close() {
      await stop().catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

async function inDocker(): Promise<PostgresServer> {
  const port = await freePort();
  const args = ['run', '-d', '--rm', '-e', 'POSTGRES_HOST_AUTH_METHOD=trust'];
  const started = [...args, '-p', `127.0.0.1:${port}:5432`, 'postgres:16'];
  const id = execFileSync('docker', started, { encoding: 'utf8' }).trim();
  const docker = async (...words: string[]) => {
    execFileSync('docker', words, { stdio: 'ignore' });
  };
  return over(`postgres://postgres@127.0.0.1:${port}/postgres`, {
    stop: () => docker('kill', id),
    start: () => docker('start', id),
    close: () => docker('rm', '-f', id),
  });
}

let databases = 0;

function over(
  url: string,
  server: Pick<PostgresServer, 'stop' | 'start' | 'close'>,
): PostgresServer {
  return {
    ...server,
    url,
    async fresh() {
      const { default: pg } = await import('pg');
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
