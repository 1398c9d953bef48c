// Shards in memory, read as a stream's are: some records at a time, an end where a shard was split.
import type { ProgressLookup, SourceRecord } from '../../src/core/ports.ts';
import type { ShardBatch, ShardReader } from '../../src/core/shards.ts';

/** A record as a shard holds it. `available` is when it can be read, by the test's clock; default at once. */
export interface Held {
  readonly text: string;
  readonly arrival: number;
  readonly available?: number;
}

/** A shard: what it holds, and how it stands to others. */
export interface MemoryShard {
  readonly name: string;
  readonly held: readonly Held[];
  readonly after?: readonly string[];
  /** Shards that follow it; with an empty list it simply ends. */
  readonly children?: readonly string[];
}

/** How readers behave. */
export interface ShardBehaviour {
  readonly clock: () => number;
  /** Called at every `next`; may wait, or throw. */
  readonly onNext?: (shard: string) => Promise<void>;
  readonly batchMax?: number;
}

/** Takes shards; gives readers of those named, behind their progress. */
export async function openShards(
  all: readonly MemoryShard[],
  names: readonly string[],
  progress: ProgressLookup,
  behaviour: ShardBehaviour,
): Promise<ShardReader[]> {
  const known = await progress(all.map((one) => one.name));
  const make = (name: string): ShardReader => {
    const shard = all.find((one) => one.name === name);
    if (shard === undefined) throw new Error(`no shard ${name}`);
    const at = known.get(name);
    const from =
      at === undefined ? 0 : Number(at.position.sequence) + (at.done === undefined ? 0 : 1);
    return readerOver(shard, from, behaviour, make);
  };
  return names.map(make);
}

function readerOver(
  shard: MemoryShard,
  from: number,
  { clock, onNext, batchMax = 3 }: ShardBehaviour,
  make: (name: string) => ShardReader,
): ShardReader {
  let at = from;
  return {
    shard: shard.name,
    after: shard.after ?? [],
    async next(): Promise<ShardBatch> {
      await onNext?.(shard.name);
      const records: SourceRecord[] = [];
      for (; records.length < batchMax; at++) {
        const one = shard.held[at];
        if (one === undefined || (one.available ?? 0) > clock()) break;
        const place = { shard: shard.name, sequence: String(at), arrival: one.arrival };
        records.push({
          ...place,
          bytes: Buffer.from(one.text),
          isFirst: true,
          isLast: true,
          done: '',
        });
      }
      const isAll = at >= shard.held.length;
      const isEnded = isAll && shard.children !== undefined;
      const next = shard.held[at];
      const isCaughtUp = next === undefined || (next.available ?? 0) > clock();
      const children = isEnded ? { children: (shard.children ?? []).map(make) } : {};
      return { records, isCaughtUp, isEnded, ...children };
    },
    lag: () => ({ records: shard.held.length - at }),
    close: async () => {},
  };
}
