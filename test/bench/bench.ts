// The engine beside `gunzip + JSON.parse` of the same bytes, in one process and in turns; and the peak
// memory of a replay. Ratios are reported, never asserted: the machine is shared and noisy.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { configSchema } from '../../schemas/config.ts';
import { replay } from '../../src/app.ts';
import { makeBenchTrail } from './trail.ts';

const project = process.cwd();
const stored = join(project, 'test', 'bench', 'ratios.json');
const isShort = process.argv.includes('--short');
const rounds = isShort ? 3 : 7;
const megabytes = (bytes: number) => Math.round(bytes / 1e6);

/** The catalogue that the throughput of the full one is compared with. */
const three = ['root-account-used', 'console-login-without-mfa', 'iam-policy-changed'];

interface Done {
  readonly seconds: number;
  readonly cpu: number;
  readonly alerts: number;
  readonly sessions: number;
  readonly sessionBytes: number;
}

/** Runs one replay of the whole path into a fresh store; gives seconds, CPU seconds and alerts. */
async function engine(folder: string, only?: readonly string[]): Promise<Done> {
  const at = mkdtempSync(join(tmpdir(), 'sentrail-bench-'));
  let sessions = 0;
  let sessionBytes = 0;
  const started = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  const done = await replay({
    paths: [folder],
    config: configSchema.parse({}),
    store: join(at, 'store.sqlite'),
    detectors: only,
    from: undefined,
    to: undefined,
    isDelivering: false,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stop: new AbortController().signal,
    onCommit: ({ state }) => {
      if (state.sessions < sessions) return;
      ({ sessions, sessionBytes } = state);
    },
    onNotice: () => {},
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const used = process.cpuUsage(cpu);
  let alerts = 0;
  for await (const alert of done.store.listAlerts({})) alerts += alert.revision > 0 ? 1 : 0;
  await done.close();
  rmSync(at, { recursive: true });
  const cpuSeconds = (used.user + used.system) / 1e6;
  return { seconds, cpu: cpuSeconds, alerts, sessions, sessionBytes };
}

/** The yardstick: every file unpacked at once and parsed whole. */
function yardstick(folder: string): { seconds: number; cpu: number; events: number } {
  const started = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  let events = 0;
  for (const one of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!one.isFile()) continue;
    const packed = readFileSync(join(one.parentPath, one.name));
    const chunkSize = packed.readUInt32LE(packed.length - 4) + 1;
    const parsed: { Records: unknown[] } = JSON.parse(gunzipSync(packed, { chunkSize }).toString());
    events += parsed.Records.length;
  }
  const used = process.cpuUsage(cpu);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { seconds, cpu: (used.user + used.system) / 1e6, events };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

async function throughput(folder: string, events: number): Promise<{ wall: number; cpu: number }> {
  const wall: number[] = [];
  const cpu: number[] = [];
  const micros: number[] = [];
  const full: number[] = [];
  const held: number[] = [];
  await engine(folder);
  yardstick(folder);
  for (let round = 0; round < rounds; round++) {
    const by = yardstick(folder);
    const ours = await engine(folder);
    const few = await engine(folder, three);
    full.push(few.cpu / ours.cpu);
    held.push(ours.sessions === 0 ? 0 : ours.sessionBytes / ours.sessions);
    wall.push(by.seconds / ours.seconds);
    cpu.push(by.cpu / ours.cpu);
    micros.push((ours.seconds / events) * 1e6);
    const text = `yardstick ${by.seconds.toFixed(2)} s, engine ${ours.seconds.toFixed(2)} s`;
    console.log(
      `  round ${round + 1}: ${text}, ${ours.alerts} alerts, ratio ${wall.at(-1)?.toFixed(2)}`,
    );
  }
  const lost = `${median(full).toFixed(2)} of the throughput with three detectors (CPU time)`;
  console.log(`  the full catalogue has ${lost}`);
  console.log(`  a live session takes about ${Math.round(median(held))} bytes`);
  console.log(`  ${median(micros).toFixed(1)} µs an event, median of ${rounds} rounds`);
  return { wall: median(wall), cpu: median(cpu) };
}

/** Peak memory is measured in a process of its own, which does nothing but the replay. */
async function peakMemory(folder: string): Promise<number> {
  const self = fileURLToPath(import.meta.url);
  const out = execFileSync(process.execPath, [self, '--replay', folder], { encoding: 'utf8' });
  return Number(out.trim());
}

async function main(): Promise<void> {
  const at = process.argv.indexOf('--replay');
  if (at > 0) {
    await engine(process.argv[at + 1] ?? '.');
    console.log(String(process.resourceUsage().maxRSS));
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sentrail-trail-'));
  try {
    const sample = join(project, 'examples', 'trail');
    const trail = makeBenchTrail(sample, join(folder, 'a'), isShort ? 20e6 : 200e6);
    const ratio = (trail.bytes / trail.packedBytes).toFixed(1);
    const size = `${megabytes(trail.bytes)} MB of JSON, gzip 1:${ratio}`;
    console.log(
      `${trail.events} events, ${Math.round(trail.bytes / trail.events)} bytes each, ${size}`,
    );
    const { wall, cpu } = await throughput(trail.folder, trail.events);
    const large = makeBenchTrail(sample, join(folder, 'b'), isShort ? 60e6 : 1e9);
    const [small, big] = [await peakMemory(trail.folder), await peakMemory(large.folder)];
    console.log(
      `ratio to gunzip + JSON.parse: ${wall.toFixed(2)} of wall time, ${cpu.toFixed(2)} of CPU time (1 is as fast)`,
    );
    console.log(
      `peak memory: ${megabytes(small * 1024)} MB for ${megabytes(trail.bytes)} MB, ${megabytes(big * 1024)} MB for ${megabytes(large.bytes)} MB of JSON`,
    );
    if (!isShort) compare(wall);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A fall of a fifth against the stored ratio is printed loudly; no test waits on a clock. */
function compare(wall: number): void {
  const before: { wall: number } = JSON.parse(readFileSync(stored, 'utf8'));
  if (wall < before.wall * 0.8) console.log(`!!! SLOWER: the stored ratio is ${before.wall}`);
  if (process.argv.includes('--store')) {
    writeFileSync(stored, `{ "wall": ${wall.toFixed(2)} }\n`);
  }
}

await main();
