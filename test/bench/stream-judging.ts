// Judges the same events to their end, from a folder and from a stream, and says what it cost.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { detectors } from '../../detectors/index.ts';
import { configSchema } from '../../schemas/config.ts';
import { replay } from '../../src/app.ts';
import type { Store } from '../../src/core/ports.ts';
import { makeCatalogue } from '../../src/engine/catalogue.ts';
import { Lane } from '../../src/engine/lane.ts';
import { working } from '../../src/live.ts';
import { Outbox } from '../../src/pipeline/outbox.ts';
import { openSqlite } from '../../src/stores/sqlite.ts';
import { sinkWaitsMs, waitFor } from '../../src/wiring.ts';
import { freePort } from '../integration/worker.ts';

/** What judging cost: seconds of wall and of CPU (all threads of this process), and the alerts it gave. */
export interface Cost {
  readonly wall: number;
  readonly cpu: number;
  readonly alerts: number;
}

/** Judges a folder by the path of a replay, into a fresh SQLite store. */
export async function judgeFolder(folder: string): Promise<Cost> {
  const home = mkdtempSync(join(tmpdir(), 'sentrail-bench-'));
  const spent = stopwatch();
  const done = await replay({
    paths: [folder],
    config: configSchema.parse({}),
    store: join(home, 'store.sqlite'),
    detectors: undefined,
    from: undefined,
    to: undefined,
    isDelivering: false,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stop: new AbortController().signal,
    onCommit: () => {},
    onNotice: () => {},
  });
  const cost = spent();
  const alerts = await alertsOf(done.store);
  await done.close();
  rmSync(home, { recursive: true });
  return { ...cost, alerts };
}

/** How long the judging of a filled stream may take before something must be wrong. */
const judgingMsMax = 300_000;

/**
 * Judges what a source brings into a fresh SQLite store, until as many events are committed. The clock
 * runs from the first lane: that a group is joined first is no work of judging. Throws when they do
 * not come.
 */
export async function judgeStream(source: object, events: number): Promise<Cost> {
  const home = mkdtempSync(join(tmpdir(), 'sentrail-bench-'));
  const path = join(home, 'store.sqlite');
  const listen = `127.0.0.1:${await freePort()}`;
  const config = configSchema.parse({
    sources: { trail: source },
    store: { path },
    http: { listen },
  });
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), judgingMsMax);
  const catalogue = makeCatalogue(detectors, config);
  const committed = new Map<string, number>();
  let spent: (() => Pick<Cost, 'wall' | 'cpu'>) | undefined;
  let cost: Pick<Cost, 'wall' | 'cpu'> | undefined;
  const log = {
    info: () => {},
    warn: (_fields: object, text: string) => console.log(`  notice: ${text}`),
  };
  await working({ config, log, stop: stop.signal }, (worker) => (name, claim) => {
    spent ??= stopwatch();
    const lane = new Lane({ catalogue, config, checkpoint: claim.checkpoint });
    const retry = { waitsMs: sinkWaitsMs, wait: waitFor };
    const made = worker.laneRun(name, claim, lane);
    return {
      ...made,
      outbox: new Outbox({ lane: name, store: worker.store, sinks: [], retry }),
      fingerprint: 'bench',
      close: async () => {},
      onCommit: (report) => {
        made.onCommit?.(report);
        committed.set(name, report.counters.items);
        const sum = [...committed.values()].reduce((all, one) => all + one, 0);
        if (sum < events || cost !== undefined) return;
        cost = spent?.();
        stop.abort();
      },
    };
  });
  clearTimeout(timer);
  const store = openSqlite({ path, retentionMs: 1e12, clock: Date.now, isWriter: false });
  const alerts = await alertsOf(store);
  await store.close();
  rmSync(home, { recursive: true });
  const came = [...committed].map(([lane, count]) => `${lane}: ${count}`).join(', ');
  if (cost === undefined) throw new Error(`of ${events} events only these were judged: ${came}`);
  return { ...cost, alerts };
}

async function alertsOf(store: Store): Promise<number> {
  let alerts = 0;
  for await (const alert of store.listAlerts({})) alerts += alert.revision > 0 ? 1 : 0;
  return alerts;
}

/** Starts now; gives what tells the seconds since. */
export function stopwatch(): () => Pick<Cost, 'wall' | 'cpu'> {
  const started = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { wall: (performance.now() - started) / 1e3, cpu: (user + system) / 1e6 };
  };
}
