// The real process, killed with SIGKILL at random moments and started again until it is done: alerts,
// revisions and the delivered file are those of a calm run.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Chance } from './chance.ts';
import { type Arrival, deliver, makeEvents } from './world.ts';

const program = join(import.meta.dirname, '../../dist/src/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'sentrail-kill-'));
const args = ['replay', 'trail', '--config', 'c.yaml', '--deliver', '--store'];
const chance = new Chance(20_261_124);

function writeTrail(arrivals: readonly Arrival[]): void {
  const minutes = new Map<number, string[]>();
  for (const { arrival, text } of arrivals) {
    minutes.set(arrival, [...(minutes.get(arrival) ?? []), text]);
  }
  for (const [arrival, records] of minutes) {
    const minute = new Date(arrival).toISOString().slice(0, 16).replace(/[-:]/g, '');
    const day = join(folder, 'trail', minute.slice(0, 4), minute.slice(4, 6), minute.slice(6, 8));
    mkdirSync(day, { recursive: true });
    const name = `111122223333_CloudTrail_us-east-1_${minute}Z_0123456789abcdef.json.gz`;
    // One line a record: a broken one is a reject of its own, as in the simulator.
    writeFileSync(join(day, name), gzipSync(records.map((one) => `${one}\n`).join('')));
  }
}

function place(name: string): string {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(
    join(folder, name, 'c.yaml'),
    'limits: { batchEventsMax: 80 }\nsinks: { soc: { type: file, path: alerts.ndjson } }\n',
  );
  return join(folder, name);
}

/** Runs once; kills it after so many milliseconds, if any. Gives the exit code, null when killed. */
function once(cwd: string, killAfterMs: number | undefined): Promise<number | null> {
  const child = spawn(process.execPath, [program, ...args, 's.sqlite'], { cwd, stdio: 'ignore' });
  const timer =
    killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  return new Promise((done) => {
    child.on('exit', (code) => {
      clearTimeout(timer);
      done(code);
    });
  });
}

function leftBehind(cwd: string): { alerts: string; file: string } {
  const list = [program, 'alerts', 'list', '--all', '--json', '--store', 's.sqlite'];
  const alerts = spawnSync(process.execPath, list, { cwd, encoding: 'utf8', maxBuffer: 1e9 });
  return { alerts: alerts.stdout, file: readFileSync(join(cwd, 'alerts.ndjson'), 'utf8') };
}

beforeAll(() => {
  writeTrail(deliver(chance, makeEvents(chance, 1_200), 14 * 60_000));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('leaves behind the same however often it was killed', { timeout: 300_000 }, async () => {
  const trail = join(folder, 'trail');
  args[1] = trail;
  const calm = place('calm');
  const began = Date.now();
  expect(await once(calm, undefined)).toBe(0);
  const tookMs = Date.now() - began;
  const wanted = leftBehind(calm);
  expect(wanted.alerts.split('\n').length).toBeGreaterThan(10);
  for (const round of [1, 2]) {
    const stormy = place(`stormy-${round}`);
    let kills = 0;
    for (;;) {
      // Early and late in the run alike; after some kills it is left alone, so that it ends.
      const after = kills < 6 ? 100 + chance.below(tookMs) : undefined;
      const code = await once(stormy, after);
      if (code === 0) break;
      expect(code).toBeNull();
      kills++;
    }
    const found = leftBehind(stormy);
    expect(found.file === wanted.file, `delivered file, round ${round}, ${kills} kills`).toBe(true);
    expect(found.alerts === wanted.alerts, `alerts, round ${round}, ${kills} kills`).toBe(true);
  }
});
