// A live run: the configured sources judged until told to stop, with metrics, health and logs.
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { detectors } from '../detectors/index.ts';
import type { Config } from '../schemas/config.ts';
import { SentrailError } from './core/errors.ts';
import type { Claim, Store } from './core/ports.ts';
import { createDecoder } from './decode/decoder.ts';
import { makeCatalogue } from './engine/catalogue.ts';
import { Lane } from './engine/lane.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type Standing, serveHealth } from './health.ts';
import { type Metrics, makeMetrics } from './metrics.ts';
import { Outbox } from './pipeline/outbox.ts';
import type { CommitReport, Judge } from './pipeline/run.ts';
import { type LaneRun, work } from './pipeline/work.ts';
import {
  checkLaneSinks,
  liveStorePath,
  mainLane,
  openStore,
  sinksOf,
  sinkWaitsMs,
  sourcesOf,
  waitFor,
} from './wiring.ts';

/** Where a run tells what happens: a line each, with fields; never content of records, never secrets. */
export interface Log {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/** What a live run is asked to do. */
export interface LiveOptions {
  readonly config: Config;
  readonly stdout: Writable;
  readonly log: Log;
  readonly stop: AbortSignal;
}

/** How often depths are measured, and what is past retention is dropped. */
const depthMs = 5_000;
const sweepMs = 60 * 60_000;

/**
 * Judges what the sources of the config bring, until `stop` aborts or all of them have ended. Throws
 * `SentrailError`: what was committed stays, the rest is read again.
 */
export async function live(options: LiveOptions): Promise<void> {
  const { config, stdout } = options;
  const catalogue = makeCatalogue(detectors, config);
  const fingerprint = fingerprintOf(config, { detectors: null, from: null, to: null });
  await working(options, (worker) => (name, claim, lanes) => {
    if (lanes === 'several') checkLaneSinks(config.sinks);
    const { checkpoint } = claim;
    if (checkpoint !== undefined && checkpoint.fingerprint !== fingerprint) {
      const text = 'code or configuration changed since this lane last committed';
      options.log.info({ lane: name }, text);
    }
    const sinks = sinksOf(config.sinks, stdout, name);
    const lane = new Lane({ catalogue, config, checkpoint });
    const outbox = new Outbox({
      lane: name,
      store: worker.store,
      sinks,
      retry: {
        waitsMs: sinkWaitsMs,
        wait: waitFor,
        patience: {
          clock: Date.now,
          onTrouble: (error) => {
            worker.metrics.sinkFailed();
            options.log.warn({ lane: name, code: error.code }, error.message);
          },
        },
      },
    });
    const close = async () => {
      for (const sink of sinks) await sink.close();
    };
    return { ...worker.laneRun(name, claim, lane), outbox, fingerprint, close };
  });
}

/** What `working` hands to whoever makes lanes. */
export interface Worker {
  readonly store: Store;
  readonly metrics: Metrics;
  /** The parts of a lane's run that every worker shares. */
  laneRun(
    name: string,
    claim: Claim,
    lane: Judge,
  ): Omit<LaneRun, 'outbox' | 'fingerprint' | 'close'>;
}

/** Opens store, sources and the operator's address, works until the end, and closes them all. */
export async function working(
  options: Omit<LiveOptions, 'stdout'>,
  make: (worker: Worker) => (name: string, claim: Claim, lanes: 'one' | 'several') => LaneRun,
): Promise<void> {
  const { config, log, stop } = options;
  if (Object.keys(config.sources).length === 0) {
    const hint = 'name one under `sources:` (docs/configuration.md lists them), or use `replay`';
    throw new SentrailError('config', `the configuration has no source to read; ${hint}`);
  }
  const onNotice = (text: string) => log.warn({}, text);
  const metrics = makeMetrics();
  const standing: Standing = {
    lanes: new Set(),
    isReady: false,
    isStopping: false,
    lastCommit: undefined,
  };
  const store = await openStore(config, { path: liveStorePath, isWriter: true, onNotice });
  const closing: (() => Promise<unknown>)[] = [() => store.close()];
  try {
    const health = await serveHealth(config.http.listen, metrics, standing);
    closing.push(() => health.close());
    const sources = sourcesOf({ store, config, onNotice });
    for (const one of sources) closing.push(() => one.close());
    const chores = choresOf(store, metrics, log);
    closing.push(chores);
    stop.addEventListener('abort', () => {
      standing.isStopping = true;
    });
    const { idle: idleMs, skew: skewMs } = config.streams;
    const onPassed = (shards: readonly string[]) => {
      metrics.passed(shards.length);
      log.info({ shards }, 'idle shards were passed over');
    };
    const worker = workerOf(options, store, metrics, standing);
    log.info({ sources: sources.map((one) => one.name) }, 'reading');
    standing.isReady = true;
    await work({
      sources,
      store,
      mainLane,
      stop,
      merge: { idleMs, skewMs, clock: Date.now, wait: waitFor, onPassed },
      laneRun: make(worker),
      onLane: (lane, state) => {
        if (state === 'running') standing.lanes.add(lane);
        else standing.lanes.delete(lane);
        metrics.lanes(standing.lanes.size);
        log.info({ lane, state }, `lane ${lane}: ${state}`);
      },
    });
  } finally {
    for (const close of closing.reverse()) {
      // What ended the run is told, not what went wrong while it was tidied up.
      await close().catch((error: unknown) => log.warn({}, messageOf(error)));
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function workerOf(
  options: Omit<LiveOptions, 'stdout'>,
  store: Store,
  metrics: Metrics,
  standing: Standing,
): Worker {
  const { config } = options;
  return {
    store,
    metrics,
    laneRun(name, claim, lane) {
      metrics.claimed(name, claim.checkpoint?.counters);
      return {
        config,
        lane,
        decoder: createDecoder(config.limits),
        clock: Date.now,
        isEndless: true,
        breathe: breathing(),
        onCommit: (report: CommitReport) => {
          standing.lastCommit = Date.now();
          metrics.committed(report, standing.lastCommit);
        },
      };
    },
  };
}

/** A turn of the event loop now and then: one for each small record would cost more than judging it. */
function breathing(): () => Promise<void> {
  const everyMs = 10;
  let last = performance.now();
  return async () => {
    if (performance.now() - last < everyMs) return;
    await nextTurn();
    last = performance.now();
  };
}

/** Measures and sweeps in the background; gives what ends it. */
function choresOf(store: Store, metrics: Metrics, log: Log): () => Promise<void> {
  const ended = new AbortController();
  const loop = async (everyMs: number, chore: () => Promise<void>) => {
    while (!ended.signal.aborted) {
      await chore().catch((error: unknown) => {
        log.warn({}, messageOf(error));
      });
      await waitFor(everyMs, ended.signal);
    }
  };
  const loops = [
    loop(depthMs, async () => metrics.depth(await store.depth())),
    loop(sweepMs, () => store.sweep()),
  ];
  return async () => {
    ended.abort();
    await Promise.all(loops);
  };
}
