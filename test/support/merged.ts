// A sharded source as the pipeline reads it: its first assignment, merged.
import type { Source } from '../../src/core/ports.ts';
import type { Assignment, ShardedSource } from '../../src/core/shards.ts';
import { mergedSource } from '../../src/pipeline/merge.ts';
import { waitFor } from '../../src/wiring.ts';

/** Takes a source of shards; gives it as one source, as a run over its first assignment would see it. */
export function merged(sharded: ShardedSource): Source {
  const stop = new AbortController();
  const drawn = sharded.assignments(stop.signal)[Symbol.asyncIterator]();
  let assignment: Assignment | undefined;
  const source = mergedSource(
    {
      name: sharded.name,
      async open(progress) {
        const { value } = await drawn.next();
        assignment = value as Assignment;
        return assignment.open(progress);
      },
      acknowledge: (progress) => sharded.acknowledge(progress),
    },
    { idleMs: 5_000, skewMs: 2_000, clock: Date.now, wait: waitFor },
  );
  return {
    name: source.name,
    read: (progress, signal) => source.read(progress, signal),
    acknowledge: (progress) => source.acknowledge(progress),
    progress: () => source.progress(),
    lag: () => source.lag(),
    async close() {
      await source.close();
      await assignment?.release();
      stop.abort();
      await drawn.return?.();
      await sharded.close();
    },
  };
}
