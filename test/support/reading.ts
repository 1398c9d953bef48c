// Reads a source as the pipeline does, with lines for items, so that sources can be tested alone.
import { gunzipSync } from 'node:zlib';
import type { Lull, Source, SourceRecord } from '../../src/core/ports.ts';
import type { Progress } from '../../src/core/position.ts';

/** Committed progress by shard. */
export type Committed = Map<string, Progress>;

/** A live source does not end: a lull in which nothing waits is the end of what there is. */
export function isEnd(lull: Lull): boolean {
  return lull.isWaiting !== true;
}

/** Gives everything a source has to give, from a progress, until a stop. */
export async function recordsOf(
  source: Source,
  committed: Committed = new Map(),
  stop: AbortSignal = new AbortController().signal,
): Promise<SourceRecord[]> {
  const records: SourceRecord[] = [];
  const lookup = async (shards: readonly string[]) => some(committed, shards);
  for await (const record of source.read(lookup, stop)) {
    if ('isLull' in record) {
      if (isEnd(record)) break;
      continue;
    }
    records.push(record);
  }
  await source.close();
  return records;
}

/**
 * Reads items (lines, as `shard:sequence:line`) from a progress on, skips those that are committed,
 * and commits each; walks away behind `itemsMax` of them, as a crash would.
 */
export async function itemsOf(
  source: Source,
  committed: Committed,
  itemsMax = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const items: string[] = [];
  const lookup = async (shards: readonly string[]) => some(committed, shards);
  let rest = '';
  let count = 0;
  let skip = 0;
  for await (const record of source.read(lookup, new AbortController().signal)) {
    if ('isLull' in record) {
      if (isEnd(record)) break;
      continue;
    }
    const { shard, sequence, isFirst, isLast, done } = record;
    if (isFirst) {
      const known = committed.get(shard)?.position;
      skip = known?.sequence === sequence ? known.item : 0;
      rest = '';
      count = 0;
    }
    const lines = (rest + textOf(record)).split('\n');
    rest = isLast ? '' : (lines.pop() ?? '');
    for (const line of lines.filter((one) => one !== '')) {
      if (count++ < skip) continue;
      items.push(`${shard}:${sequence}:${line}`);
      committed.set(shard, { position: { shard, sequence, item: count } });
      if (items.length < itemsMax) continue;
      await source.close();
      return items;
    }
    if (!isLast) continue;
    const position = { shard, sequence, item: Math.max(skip, count) };
    committed.set(shard, { position, ...(done === undefined ? {} : { done }) });
  }
  await source.close();
  return items;
}

/** Gives a record's text; a whole one may be gzip, as the decoder takes it. */
export function textOf({ bytes, isFirst, isLast }: SourceRecord): string {
  const isGzip = isFirst && isLast && bytes[0] === 0x1f && bytes[1] === 0x8b;
  return (isGzip ? gunzipSync(bytes) : Buffer.from(bytes)).toString('latin1');
}

function some(committed: Committed, shards: readonly string[]): Map<string, Progress> {
  const found = new Map<string, Progress>();
  for (const shard of shards) {
    const one = committed.get(shard);
    if (one !== undefined) found.set(shard, one);
  }
  return found;
}
