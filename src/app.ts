// The composition root: configuration in, a running pipeline out. Only this file knows sources, sinks
// and stores; it alone knows that a replay is a replay.
import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { detectors } from '../detectors/index.ts';
import type { Config } from '../schemas/config.ts';
import { s3Config } from '../schemas/sources.ts';
import { SentrailError } from './core/errors.ts';
import { contentId } from './core/hash.ts';
import type { Counters, Source, Store } from './core/ports.ts';
import { dayMs, formatTime } from './core/time.ts';
import { createDecoder } from './decode/decoder.ts';
import { makeCatalogue } from './engine/catalogue.ts';
import { emptyCounters } from './engine/counters.ts';
import { Lane } from './engine/lane.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Outbox } from './pipeline/outbox.ts';
import { type CommitReport, type RunResult, run } from './pipeline/run.ts';
import { filesSource } from './sources/files.ts';
import { s3Source } from './sources/s3.ts';
import { stdinSource } from './sources/stdin.ts';
import { openSqlite } from './stores/sqlite.ts';
import {
  defaultStorePath,
  mainLane,
  openStore,
  sinksOf,
  sinkWaitsMs,
  storePathOf,
  waitFor,
} from './wiring.ts';

/** What a replay is asked to do. `store` false keeps nothing after the run. */
export interface ReplayOptions {
  /** Files, folders and globs; `-` is standard input. */
  readonly paths: readonly string[];
  readonly config: Config;
  readonly store: string | undefined | false;
  readonly detectors: readonly string[] | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** True sends alerts to the sinks of the config; a replay does not unless asked. */
  readonly isDelivering: boolean;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stop: AbortSignal;
  readonly onCommit: (report: CommitReport) => void;
  readonly onNotice: (text: string) => void;
}

/** A replay that has ended; its store is open until `close`. */
export interface Replayed extends RunResult {
  readonly counters: Readonly<Counters>;
  /** Counters before this run, when it went on from a checkpoint. */
  readonly before: Readonly<Counters>;
  readonly store: Store;
  readonly storePath: string;
  close(): Promise<void>;
}

/** Runs a replay to the end of its input. Throws `SentrailError`; what was committed stays. */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { config } = options;
  const catalogue = makeCatalogue(detectors, config, options.detectors);
  const range = { from: options.from ?? null, to: options.to ?? null };
  const fingerprint = fingerprintOf(config, { detectors: options.detectors ?? null, ...range });
  const opened = await openReplayStore(options, fingerprint);
  const { store } = opened;
  try {
    const { version, checkpoint } = await store.claim(mainLane);
    if (checkpoint !== undefined && checkpoint.fingerprint !== fingerprint) {
      options.onNotice(
        'code or configuration changed since this store was last written; events read from here on are judged by the new one',
      );
    }
    const lane = new Lane({
      catalogue,
      config,
      checkpoint,
      ...(options.from === undefined ? {} : { from: options.from }),
      ...(options.to === undefined ? {} : { to: options.to }),
    });
    const before = structuredClone(checkpoint?.counters ?? emptyCounters());
    const sinks = options.isDelivering ? sinksOf(config.sinks, options.stdout, mainLane) : [];
    const retry = { waitsMs: sinkWaitsMs, wait: waitFor };
    const outbox = new Outbox({ lane: mainLane, store, sinks, retry });
    const source = sourceOf(options, store);
    const result = await run({
      laneName: mainLane,
      version,
      fingerprint,
      config,
      lane,
      source,
      decoder: createDecoder(config.limits),
      store,
      outbox,
      stop: options.stop,
      clock: Date.now,
      breathe: () => nextTurn(),
      onCommit: options.onCommit,
    });
    await source.close();
    for (const sink of sinks) await sink.close();
    return {
      ...result,
      counters: lane.counters,
      before,
      store,
      storePath: opened.path,
      close: opened.close,
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function sourceOf(options: ReplayOptions, store: Store): Source {
  const { paths, config, stdin, onNotice } = options;
  const { inflatedBytesMax } = config.limits;
  if (paths.some((one) => one.startsWith('s3://'))) return bucketOf(options);
  if (!paths.includes('-')) return filesSource({ paths, inflatedBytesMax, onNotice });
  if (paths.length > 1) {
    throw new SentrailError(
      'usage',
      "standard input ('-') cannot be mixed with files; replay them one after the other",
    );
  }
  const progress = (shards: readonly string[]) => store.progress(mainLane, shards);
  const inbox = {
    progress,
    inboxPut: store.inboxPut.bind(store),
    inboxRead: store.inboxRead.bind(store),
    inboxDrop: store.inboxDrop.bind(store),
  };
  return stdinSource({ stream: stdin, inbox, inflatedBytesMax });
}

/** Days that delivery may lie behind the event: a record of the evening is in the next day's folder. */
const deliveryDays = 2;

/** `s3://bucket/prefix`, listed to its present end; a range of event time bounds the days listed. */
function bucketOf(options: ReplayOptions): Source {
  const [path = '', ...more] = options.paths;
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(path) ?? [];
  if (bucket === undefined || more.length > 0) {
    const hint = 'name one s3://bucket/prefix, and nothing beside it';
    throw new SentrailError('usage', `a trail in S3 is read alone; ${hint}`);
  }
  const day = (ms: number) => formatTime(ms).slice(0, 10);
  // Named to the source too: an address that is not AWS's is asked by path, not by a host a bucket.
  const endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
  const config = s3Config.parse({
    type: 's3',
    bucket,
    prefix,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(options.from === undefined ? {} : { from: day(options.from) }),
    ...(options.to === undefined ? {} : { to: day(options.to + deliveryDays * dayMs) }),
  });
  const { onNotice } = options;
  const { inflatedBytesMax } = options.config.limits;
  const clock = Date.now;
  return s3Source({ name: 's3', config, inflatedBytesMax, isEnding: true, clock, onNotice });
}

interface Opened {
  readonly store: Store;
  readonly path: string;
  readonly close: () => Promise<void>;
}

async function openReplayStore(options: ReplayOptions, fingerprint: string): Promise<Opened> {
  if (options.store === false) return temporary(options);
  const { path, postgres } = options.config.store;
  const named = options.store ?? path;
  if (named !== undefined) return kept(named, options);
  if (postgres !== undefined) {
    const text = 'a replay keeps its own store, not the database of the configuration';
    options.onNotice(`${text}; name a file with --store to keep another`);
  }
  try {
    return await ownStore(options, runKey(options, fingerprint));
  } catch (error) {
    if (!(error instanceof SentrailError) || !['store-busy', 'store'].includes(error.code))
      throw error;
    options.onNotice(`${error.message}. This replay keeps its store in a temporary place instead.`);
    return temporary(options);
  }
}

/** The default store belongs to one question asked of one input; another question moves it aside. */
async function ownStore(options: ReplayOptions, key: string): Promise<Opened> {
  const opened = kept(defaultStorePath, options);
  const held = await opened.store.note('replay');
  if (held === undefined) await opened.store.setNote('replay', key);
  if (held === undefined || held === key) return opened;
  await opened.close();
  const aside = `${defaultStorePath}.previous`;
  for (const end of ['', '-wal', '-shm']) {
    rmSync(`${aside}${end}`, { force: true });
    if (exists(`${defaultStorePath}${end}`))
      renameSync(`${defaultStorePath}${end}`, `${aside}${end}`);
  }
  options.onNotice(`another replay was kept in ${defaultStorePath}; it is now ${aside}`);
  const fresh = kept(defaultStorePath, options);
  await fresh.store.setNote('replay', key);
  return fresh;
}

function runKey(options: ReplayOptions, fingerprint: string): string {
  const marks = options.paths.map((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    // A named file is part of the question: another content under its name is another question.
    return stat?.isFile() ? `${resolve(path)} ${stat.size} ${stat.mtimeMs}` : resolve(path);
  });
  // Standard input is never the same twice.
  const once = options.paths.includes('-') ? String(Date.now()) : '';
  return contentId(fingerprint, once, ...marks);
}

function kept(path: string, options: ReplayOptions): Opened {
  const retentionMs = options.config.store.retention;
  const store = openSqlite({ path, retentionMs, clock: Date.now, isWriter: true });
  return { store, path, close: () => store.close() };
}

function temporary(options: ReplayOptions): Opened {
  const folder = mkdtempSync(join(tmpdir(), 'sentrail-'));
  const opened = kept(join(folder, 'replay.sqlite'), options);
  const close = async () => {
    await opened.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...opened, close };
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Opens a store for reading: the one named, or the default one. Throws `SentrailError` where none is. */
export async function readStore(path: string | undefined, config: Config): Promise<Store> {
  if (path !== undefined) return openStore(withPath(config, path), { path, isWriter: false });
  return openStore(config, { path: storePathOf(path, config), isWriter: false });
}

/** Takes a config and a path the user gave; gives the config with the store at that path. */
export function withPath(config: Config, path: string): Config {
  const { postgres: _database, ...store } = config.store;
  return { ...config, store: { ...store, path } };
}

/** Takes paths of a trail; gives a source over those that still exist, undefined where none does. */
export function filesOf(paths: readonly string[], config: Config): Source | undefined {
  const there = paths.filter((path) => /[*?[{]/.test(path) || exists(path));
  if (there.length === 0) return undefined;
  const { inflatedBytesMax } = config.limits;
  return filesSource({ paths: there, inflatedBytesMax, onNotice: () => {} });
}
