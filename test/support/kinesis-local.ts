// A Kinesis emulator (kinesis-local, of npm) as a process of its own, on free ports.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** The emulator's address; `close` ends the process and removes its folder. */
export interface KinesisLocal {
  readonly endpoint: string;
  close(): Promise<void>;
}

const require = createRequire(import.meta.url);
const folder = dirname(require.resolve('kinesis-local/package.json'));
/** It takes 0.7 s on an idle machine; tests share two cores with others. */
const startWaitMs = 60_000;
/** It would listen on every interface, and has no setting for that: a preload names the loopback. */
const onLoopback = `data:text/javascript,${encodeURIComponent(`
  import { Server } from 'node:net';
  const { listen } = Server.prototype;
  Server.prototype.listen = function (port, done) {
    return listen.call(this, port, '127.0.0.1', done);
  };
`)}`;

/** Gives a new emulator without streams. Throws, with what it said, when it does not come up. */
export async function startKinesisLocal(): Promise<KinesisLocal> {
  const home = mkdtempSync(join(tmpdir(), 'kinesis-local-'));
  const [plain, tls] = await freePorts();
  const program = ['--import', onLoopback, join(folder, 'main.js')];
  const child = spawn(process.execPath, program, {
    cwd: home,
    env: { ...process.env, ...settings(plain, tls) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = { text: '' };
  const keep = (data: Buffer) => {
    log.text = (log.text + data).slice(-2_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const close = async () => {
    await end(child);
    rmSync(home, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${plain}`;
  if (await answers(child, endpoint)) return { endpoint, close };
  await close();
  throw new Error(`kinesis-local did not start: ${log.text}`);
}

function settings(plain: number, tls: number): Record<string, string> {
  return {
    KINESIS_MOCK_CERT_PATH: join(folder, 'server.json'),
    KINESIS_MOCK_PLAIN_PORT: String(plain),
    KINESIS_MOCK_TLS_PORT: String(tls),
    LOG_LEVEL: 'ERROR',
    CREATE_STREAM_DURATION: '1ms',
    SPLIT_SHARD_DURATION: '1ms',
    MERGE_SHARDS_DURATION: '1ms',
    UPDATE_SHARD_COUNT_DURATION: '1ms',
    REGISTER_STREAM_CONSUMER_DURATION: '1ms',
  };
}

async function answers(child: ChildProcess, endpoint: string): Promise<boolean> {
  const until = performance.now() + startWaitMs;
  while (performance.now() < until && child.exitCode === null && child.signalCode === null) {
    const isUp = await fetch(`${endpoint}/healthcheck`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return true;
    await wait(50);
  }
  return false;
}

/** It holds nothing that is worth the seconds it takes to end politely. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** Two ports, both held until both are known, so that they differ. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = servers.map(async (server) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port was given');
    return address.port;
  });
  const [plain = 0, tls = 0] = await Promise.all(ports);
  await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))));
  return [plain, tls];
}
