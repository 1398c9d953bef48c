// Makes stores, sinks and sources of the configuration: the adapters behind the ports.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import type { Config, SinkConfig } from '../schemas/config.ts';
import type { SecretConfig, SourceConfig } from '../schemas/sources.ts';
import { SentrailError } from './core/errors.ts';
import type { Sink, Source, Store } from './core/ports.ts';
import type { ShardedSource } from './core/shards.ts';
import { fileSink } from './sinks/file.ts';
import { stdoutSink } from './sinks/stdout.ts';
import { kafkaSource } from './sources/kafka/source.ts';
import { kinesisSource } from './sources/kinesis/source.ts';
import { lookupSource } from './sources/lookup-events.ts';
import { pushSource } from './sources/push.ts';
import { s3Source } from './sources/s3.ts';
import { sqsSource } from './sources/sqs.ts';
import { openPostgres } from './stores/postgres.ts';
import { openSqlite } from './stores/sqlite.ts';

/** Where a replay keeps its store when no other place is named. */
export const defaultStorePath = join('.sentrail', 'replay.sqlite');
/** Where a live run keeps its store when no other place is named. */
export const liveStorePath = join('.sentrail', 'live.sqlite');
/** The lane of one machine over everything that is not keyed. */
export const mainLane = 'main';
/** Waits between tries of a sink that failed in passing; live, the last one is repeated. */
export const sinkWaitsMs = [500, 2_000, 8_000, 20_000, 60_000];

/** Takes milliseconds and a signal; comes back after them, or as soon as the signal aborts. */
export async function waitFor(ms: number, signal?: AbortSignal): Promise<void> {
  await after(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
}

/** Takes where a secret is kept; gives it. Throws `SentrailError` (config) that names the place only. */
export function readSecret(secret: SecretConfig): string {
  if ('env' in secret) {
    const value = process.env[secret.env];
    if (value !== undefined && value !== '') return value;
    const hint = 'set it, or name another under {env: NAME} in the configuration';
    throw new SentrailError('config', `the environment variable ${secret.env} is not set; ${hint}`);
  }
  try {
    return readFileSync(secret.file, 'utf8').trimEnd();
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it failed';
    throw new SentrailError('config', `reading the secret in ${secret.file}: ${why}`, { cause });
  }
}

/** Takes the sinks of the config, standard output and a lane; gives the lane's own sinks. */
export function sinksOf(
  sinks: Readonly<Record<string, SinkConfig>>,
  stdout: Writable,
  lane: string,
): Sink[] {
  return Object.entries(sinks).map(([name, one]) => {
    if (one.type === 'file') return fileSink(name, one.path.replaceAll('{lane}', fileName(lane)));
    return stdoutSink(name, stdout);
  });
}

/** Throws `SentrailError` (config) where several lanes would write to one file. */
export function checkLaneSinks(sinks: Readonly<Record<string, SinkConfig>>): void {
  for (const [name, one] of Object.entries(sinks)) {
    if (one.type !== 'file' || one.path.includes('{lane}')) continue;
    const message = `sinks.${name}.path: every partition of a keyed topic is a lane with a file of its own; write {lane} into the path`;
    throw new SentrailError('config', message);
  }
}

function fileName(lane: string): string {
  return lane.replace(/[^A-Za-z0-9._-]/g, '-');
}

/** How a store is opened. `path` is used where the config names no store. */
export interface StoreOptions {
  readonly path: string;
  readonly isWriter: boolean;
  readonly onNotice?: (text: string) => void;
}

/** Takes the config; gives its store: PostgreSQL where it names one, else a SQLite file. */
export async function openStore(config: Config, options: StoreOptions): Promise<Store> {
  const { retention: retentionMs, postgres, path } = config.store;
  const { isWriter, onNotice } = options;
  if (postgres === undefined) {
    return openSqlite({ path: path ?? options.path, retentionMs, clock: Date.now, isWriter });
  }
  const notice = onNotice === undefined ? {} : { onNotice };
  const url = readSecret(postgres);
  return openPostgres({ url, retentionMs, clock: Date.now, isWriter, ...notice });
}

/** Takes a path given by the user, if any, and the config; gives where alerts are kept. */
export function storePathOf(path: string | undefined, config: Config): string {
  if (path !== undefined || config.store.path !== undefined) return path ?? config.store.path ?? '';
  const isLive = Object.keys(config.sources).length > 0 && existsSync(liveStorePath);
  return isLive ? liveStorePath : defaultStorePath;
}

/** What sources are made with. */
export interface SourceParts {
  readonly store: Store;
  readonly config: Config;
  readonly onNotice: (text: string) => void;
}

/** Takes the sources of the config; gives them, by name. Throws `SentrailError` (config). */
export function sourcesOf(parts: SourceParts): (Source | ShardedSource)[] {
  const { sources } = parts.config;
  return Object.entries(sources).map(([name, one]) => sourceOf(name, one, parts));
}

function sourceOf(name: string, one: SourceConfig, parts: SourceParts): Source | ShardedSource {
  const { store, config } = parts;
  const { inflatedBytesMax } = config.limits;
  const onNotice = (text: string) => parts.onNotice(`${name}: ${text}`);
  const base = { name, clock: Date.now, wait: waitFor, onNotice };
  switch (one.type) {
    case 'kinesis':
      return kinesisSource({ ...base, config: one, notes: store });
    case 'kafka':
      return kafkaSource({ ...base, config: one, notes: store, secrets: readSecret });
    case 's3':
      return s3Source({
        ...base,
        config: one,
        notes: store,
        inflatedBytesMax,
        isEnding: one.to !== undefined,
      });
    case 'sqs':
      return sqsSource({ ...base, config: one, inbox: store, inflatedBytesMax });
    case 'lookup-events':
      return lookupSource({ ...base, config: one, inbox: store, notes: store });
    case 'push':
      return pushSource({ ...base, config: one, secret: readSecret(one.secret), inbox: store });
  }
}
