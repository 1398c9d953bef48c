// Dead letters read once more, each as a record of its own; dropped when what became of them is committed.
import type {
  ProgressLookup,
  Source,
  SourceRecord,
  Store,
  StoredDeadLetter,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';

const shardStart = 'dead-letter/';

/** Takes letters and their store; gives the source. What is rejected again becomes a new letter. */
export function deadLettersSource(
  letters: readonly StoredDeadLetter[],
  store: Pick<Store, 'dropDeadLetters'>,
): Source {
  let done = 0;
  return {
    name: 'dead-letters',
    async *read(progress: ProgressLookup, stop: AbortSignal): AsyncIterable<SourceRecord> {
      const shards = letters.map((one) => `${shardStart}${one.number}`);
      const known = await progress(shards);
      for (const [at, { bytes }] of letters.entries()) {
        if (stop.aborted) return;
        const shard = shards[at] ?? '';
        done = at + 1;
        if (known.get(shard)?.done !== undefined) {
          // It was judged, and the crash came before it was dropped.
          await store.dropDeadLetters([Number(shard.slice(shardStart.length))]);
          continue;
        }
        const place = { shard, sequence: '0', arrival: undefined };
        yield { ...place, bytes, isFirst: true, isLast: true, done: 'read again' };
      }
    },
    async acknowledge(progress: readonly Progress[]) {
      const judged = progress.filter(
        (one) => one.done !== undefined && one.position.shard.startsWith(shardStart),
      );
      const numbers = judged.map((one) => Number(one.position.shard.slice(shardStart.length)));
      if (numbers.length > 0) await store.dropDeadLetters(numbers);
    },
    progress: () => ({ done, total: letters.length, unit: 'records' }),
    lag: () => new Map(),
    close: async () => {},
  };
}
