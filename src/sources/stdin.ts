// Standard input cannot be read again, so its bytes are committed to the inbox first and read from there.
import type { Readable } from 'node:stream';
import type { ProgressLookup, Source, SourceProgress, SourceRecord, Store } from '../core/ports.ts';
import { inflated } from './inflate.ts';

/** What the source takes: the stream and the store's inbox. */
export interface StdinOptions {
  readonly stream: Readable;
  readonly inbox: Pick<Store, 'inboxPut' | 'inboxRead' | 'inboxDrop'>;
  readonly inflatedBytesMax: number;
}

const shard = 'stdin';

/**
 * Takes the stream and an inbox; gives the source. Everything is one record, told apart from earlier
 * ones by the inbox row it begins at. What an earlier run left unread is read first. Rows of a record
 * are dropped when the next run finds it done.
 */
export function stdinSource(options: StdinOptions): Source {
  return new StdinSource(options);
}

class StdinSource implements Source {
  readonly name = 'stdin';
  readonly #options: StdinOptions;
  #done = 0;

  constructor(options: StdinOptions) {
    this.#options = options;
  }

  async *read(progress: ProgressLookup, stop: AbortSignal): AsyncIterable<SourceRecord> {
    const { inbox, stream, inflatedBytesMax } = this.#options;
    const known = (await progress([shard])).get(shard);
    let after = 0;
    if (known?.done !== undefined) {
      after = Number(known.done);
      await inbox.inboxDrop(shard, after);
    }
    yield* this.#fromInbox(after, stop);
    let isFirst = true;
    let sequence = '';
    for await (const part of inflated(stream, inflatedBytesMax)) {
      const row = await inbox.inboxPut(shard, part.bytes, part.isLast);
      if (isFirst) sequence = String(row);
      yield this.#record(sequence, row, part, isFirst);
      isFirst = false;
      if (stop.aborted) return;
    }
  }

  progress(): SourceProgress {
    return { done: this.#done, total: 0, unit: 'bytes' };
  }

  async close(): Promise<void> {}

  /** What an earlier run took in and did not finish; its input ended where that run did. */
  async *#fromInbox(after: number, stop: AbortSignal): AsyncIterable<SourceRecord> {
    const { inbox } = this.#options;
    let sequence = '';
    let isFirst = true;
    let row = await inbox.inboxRead(shard, after);
    while (row !== undefined && !stop.aborted) {
      if (isFirst) sequence = String(row.row);
      const next = await inbox.inboxRead(shard, row.row);
      const isLast = row.isLast || next === undefined;
      const cut = {
        reason: 'json-cut-short',
        detail: 'the run that read it ended before it',
      } as const;
      const part = { bytes: row.bytes, isLast, ...(isLast && !row.isLast ? { broken: cut } : {}) };
      yield this.#record(sequence, row.row, part, isFirst);
      isFirst = isLast;
      row = next;
    }
  }

  #record(
    sequence: string,
    row: number,
    part: Pick<SourceRecord, 'bytes' | 'isLast' | 'broken'>,
    isFirst: boolean,
  ): SourceRecord {
    this.#done += part.bytes.length;
    const done = part.isLast ? { done: String(row) } : {};
    return { shard, sequence, arrival: undefined, ...part, isFirst, ...done };
  }
}
