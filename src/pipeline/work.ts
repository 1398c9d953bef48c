// A worker: takes the shards it is given, runs a lane over them, and lets go when they are taken.
import { SentrailError } from '../core/errors.ts';
import type { Claim, ProgressLookup, Source, Store } from '../core/ports.ts';
import type { Assignment, ShardedSource, ShardReader } from '../core/shards.ts';
import { readerOf } from './channel.ts';
import { type MergeOptions, mergedSource } from './merge.ts';
import { type RunResult, run } from './run.ts';

/** What a lane is run with: everything but what this file makes. */
export type LaneRun = Omit<
  Parameters<typeof run>[0],
  'laneName' | 'version' | 'source' | 'store' | 'stop'
> & { readonly close: () => Promise<void> };

/** Everything a worker works with; `app` makes it. */
export interface WorkParts {
  readonly sources: readonly (Source | ShardedSource)[];
  readonly store: Store;
  /** The lane over everything that is not keyed. */
  readonly mainLane: string;
  readonly merge: MergeOptions;
  readonly stop: AbortSignal;
  /** Makes a lane from what was claimed. */
  readonly laneRun: (lane: string, claim: Claim, lanes: 'one' | 'several') => LaneRun;
  /** Told when lanes begin and end, for readiness and logs. */
  readonly onLane?: (lane: string, state: 'running' | 'ended' | 'lost') => void;
}

/** How long a lane that was claimed by somebody else waits for its shards to be taken as well. */
const graceMs = 15_000;

/**
 * Works until `stop` aborts or every source has ended. Shards of a keyed source are a lane each; all
 * others are merged into one. A lane is claimed before it is read, so that whoever had it can commit
 * nothing more. A lane lost to another process is let go: when its shards are taken as well the next
 * assignment is waited for; when they stay ours it is claimed again, because then a person's command
 * held it meanwhile. Throws what a port threw, after all lanes came to rest.
 */
export async function work(parts: WorkParts): Promise<void> {
  const keyed = parts.sources.filter((one) => isSharded(one) && one.isKeyed);
  const [only] = keyed;
  if (only === undefined || !isSharded(only)) return workMerged(parts);
  if (parts.sources.length > 1) {
    const message = `the keyed source ${only.name} makes lanes of its own; run other sources in another process`;
    throw new SentrailError('config', message);
  }
  for await (const assignment of only.assignments(parts.stop)) {
    const ended = AbortSignal.any([parts.stop, assignment.taken]);
    try {
      await together(assignment.shards, ended, (shard, signal) => {
        const open = (progress: ProgressLookup) => assignment.open(progress, [shard]);
        return holdLane(parts, shard, { open, source: only, isTakeable: true, signal });
      });
    } finally {
      await assignment.release();
    }
    if (parts.stop.aborted) return;
  }
}

async function workMerged(parts: WorkParts): Promise<void> {
  const sharded = parts.sources.filter(isSharded);
  const plain = parts.sources.filter((one): one is Source => !isSharded(one));
  const drawn = sharded.map((one) => one.assignments(parts.stop)[Symbol.asyncIterator]());
  const held: (Assignment | undefined)[] = drawn.map(() => undefined);
  while (!parts.stop.aborted) {
    await Promise.all(
      drawn.map(async (one, at) => {
        held[at] ??= (await one.next()).value as Assignment | undefined;
      }),
    );
    const given = held.filter((one) => one !== undefined);
    if (given.length < held.length) break;
    const signal = AbortSignal.any([parts.stop, ...given.map((one) => one.taken)]);
    const open = async (progress: ProgressLookup) => [
      ...(await Promise.all(given.map((one) => one.open(progress)))).flat(),
      ...plain.map((one) =>
        readerOf(one, (stopping) => one.read(progress, stopping), parts.merge.wait),
      ),
    ];
    const source = {
      name: parts.sources.map((one) => one.name).join('+'),
      acknowledge: async (progress: Parameters<Source['acknowledge']>[0]) => {
        for (const one of parts.sources) await one.acknowledge(progress);
      },
    };
    const isTakeable = given.length > 0;
    const hasEnded = await holdLane(parts, parts.mainLane, { open, source, isTakeable, signal });
    for (const [at, one] of held.entries()) {
      if (one?.taken.aborted !== true) continue;
      await one.release();
      held[at] = undefined;
    }
    if (hasEnded) break;
  }
  for (const one of held) await one?.release();
  for (const one of drawn) await one.return?.();
}

interface Hold {
  readonly open: (progress: ProgressLookup) => Promise<readonly ShardReader[]>;
  readonly source: Pick<ShardedSource, 'name' | 'acknowledge'>;
  /** True where another process may be given the shards. */
  readonly isTakeable: boolean;
  readonly signal: AbortSignal;
}

/** Runs a lane until it is stopped or taken; gives true when its input has ended. */
async function holdLane(parts: WorkParts, lane: string, hold: Hold): Promise<boolean> {
  const { onLane } = parts;
  while (!hold.signal.aborted) {
    try {
      const { wasStopped } = await runLane(parts, lane, hold);
      onLane?.(lane, 'ended');
      return !wasStopped;
    } catch (error) {
      const isLost = error instanceof SentrailError && error.code === 'store-version';
      if (!isLost) throw error;
      onLane?.(lane, 'lost');
      if (!hold.isTakeable) throw error;
      await parts.merge.wait(graceMs, hold.signal);
    }
  }
  return false;
}

async function runLane(parts: WorkParts, lane: string, hold: Hold): Promise<RunResult> {
  const { store, merge } = parts;
  const claim = await store.claim(lane);
  const { close, ...made } = parts.laneRun(
    lane,
    claim,
    lane === parts.mainLane ? 'one' : 'several',
  );
  const { name, acknowledge } = hold.source;
  const merged = { name, open: hold.open, acknowledge: acknowledge.bind(hold.source) };
  const source = mergedSource(merged, merge);
  parts.onLane?.(lane, 'running');
  try {
    const { version } = claim;
    return await run({ ...made, laneName: lane, version, source, store, stop: hold.signal });
  } finally {
    await close();
  }
}

/** Runs one task a shard; when one fails the others are stopped, and what it threw is thrown. */
async function together(
  shards: readonly string[],
  signal: AbortSignal,
  task: (shard: string, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const tasks = shards.map((shard) =>
    task(shard, either).catch((error: unknown) => {
      failed.abort();
      throw error;
    }),
  );
  const results = await Promise.allSettled(tasks);
  for (const one of results) if (one.status === 'rejected') throw one.reason;
}

function isSharded(source: Source | ShardedSource): source is ShardedSource {
  return 'assignments' in source;
}
