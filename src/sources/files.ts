// A trail as files: read in the order of delivery, small ones whole, large ones in parts.
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { ProgressLookup, Source, SourceProgress, SourceRecord } from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { inflated } from './inflate.ts';
import { type FileGroup, fileGroups, filesOf, type TrailFile } from './trail-layout.ts';

/** What the source takes. `onNotice` is told in a sentence of files that were replaced. */
export interface FilesOptions {
  readonly paths: readonly string[];
  readonly inflatedBytesMax: number;
  readonly onNotice: (text: string) => void;
}

/** A file up to this size on disk is handed over whole. */
const wholeBytesMax = 8 * 1024 * 1024;
/** A small gzip file that claims to unpack to more than this is unpacked as a stream. */
const claimedBytesMax = 32 * 1024 * 1024;
/** Files read ahead while earlier ones are judged. */
const aheadMax = 8;
/** Shards asked about at once. */
const lookupMax = 500;

/**
 * Takes paths; gives the source. Files with a delivery minute in their name carry it as their arrival
 * stamp. A file that was done is left out while its size and time of change stay; one that only grew
 * is read on; one that was replaced is read anew under the next sequence. A file that cannot be read
 * is one record with `broken`, and is tried again by the next run. Throws `SentrailError` (input) for
 * paths that are not there.
 */
export function filesSource(options: FilesOptions): Source {
  return new FilesSource(options);
}

class FilesSource implements Source {
  readonly name = 'files';
  readonly #options: FilesOptions;
  readonly #groups: readonly FileGroup[];
  #done = 0;
  #total = 0;

  constructor(options: FilesOptions) {
    this.#options = options;
    this.#groups = fileGroups(options.paths);
  }

  async *read(progress: ProgressLookup, stop: AbortSignal): AsyncIterable<SourceRecord> {
    void this.#measure(stop);
    for (const group of this.#groups) {
      const files = filesOf(group);
      for (let at = 0; at < files.length; at += lookupMax) {
        const some = files.slice(at, at + lookupMax);
        const known = await progress(some.map((one) => one.shard));
        yield* this.#readAll(some, known, stop);
        if (stop.aborted) return;
      }
    }
  }

  progress(): SourceProgress {
    return { done: this.#done, total: this.#total, unit: 'bytes' };
  }

  async close(): Promise<void> {}

  /** Sums sizes beside the reading, for a progress bar; a file that cannot be seen counts nothing. */
  async #measure(stop: AbortSignal): Promise<void> {
    let total = 0;
    for (const group of this.#groups) {
      for (const file of filesOf(group)) {
        if (stop.aborted) return;
        total += await stat(file.path).then(
          (one) => one.size,
          () => 0,
        );
      }
    }
    this.#total = total;
  }

  async *#readAll(
    files: readonly TrailFile[],
    known: ReadonlyMap<string, Progress>,
    stop: AbortSignal,
  ): AsyncIterable<SourceRecord> {
    const ahead: Promise<Opened>[] = [];
    let next = 0;
    const fill = () => {
      while (ahead.length < aheadMax && next < files.length) {
        const file = files[next++]!;
        ahead.push(this.#open(file, known.get(file.shard)));
      }
    };
    for (fill(); ahead.length > 0; fill()) {
      const opened = await ahead.shift()!;
      if (!stop.aborted) yield* this.#records(opened);
      await opened.handle?.close();
      this.#done += opened.size;
      if (stop.aborted) break;
    }
    for (const one of ahead) await (await one).handle?.close();
  }

  /** Opens a file and, when it is small, reads it; what goes wrong becomes a value. */
  async #open(file: TrailFile, known: Progress | undefined): Promise<Opened> {
    const first = { file, sequence: known?.position.sequence ?? '0', size: 0, mark: '' };
    let handle: FileHandle | undefined;
    try {
      handle = await open(file.path, 'r');
      const { size, mtimeMs } = await handle.stat();
      const mark = `${size}:${mtimeMs}`;
      if (known?.done === mark) {
        await handle.close();
        return { ...first, size, mark, isDone: true };
      }
      const sequence = this.#sequence(file, known, size, mtimeMs);
      if (size > wholeBytesMax) return { ...first, sequence, size, mark, handle };
      const bytes = await handle.readFile();
      if (claims(bytes) > claimedBytesMax) return { ...first, sequence, size, mark, handle };
      await handle.close();
      return { ...first, sequence, size, mark, bytes };
    } catch (error) {
      await handle?.close().catch(() => {});
      const detail = error instanceof Error ? error.message : String(error);
      return { ...first, unreadable: detail.replace(file.path, file.shard) };
    }
  }

  #sequence(file: TrailFile, known: Progress | undefined, size: number, mtimeMs: number): string {
    if (known?.done === undefined) return known?.position.sequence ?? '0';
    const [oldSize = '', oldTime = ''] = known.done.split(':');
    const { sequence } = known.position;
    if (size > Number(oldSize)) return sequence;
    if (size === Number(oldSize) && mtimeMs === Number(oldTime)) return sequence;
    this.#options.onNotice(`${file.shard} was replaced since it was read; it is read anew`);
    return String(Number(sequence) + 1);
  }

  async *#records(opened: Opened): AsyncIterable<SourceRecord> {
    const { file, sequence, mark, bytes, handle, unreadable } = opened;
    if (opened.isDone === true) return;
    const base = { shard: file.shard, sequence, arrival: file.arrival };
    const empty = new Uint8Array(0);
    if (unreadable !== undefined) {
      const broken = { reason: 'unreadable', detail: `reading it: ${unreadable}` } as const;
      yield { ...base, bytes: empty, isFirst: true, isLast: true, broken };
      return;
    }
    if (bytes !== undefined) {
      yield { ...base, bytes, isFirst: true, isLast: true, done: mark };
      return;
    }
    if (handle === undefined) return;
    const stream = createReadStream(file.path, { fd: handle.fd, autoClose: false, start: 0 });
    let isFirst = true;
    for await (const part of inflated(stream, this.#options.inflatedBytesMax)) {
      const end = part.isLast ? { done: mark } : {};
      yield { ...base, ...part, ...end, isFirst };
      isFirst = false;
    }
  }
}

interface Opened {
  readonly file: TrailFile;
  readonly sequence: string;
  readonly size: number;
  readonly mark: string;
  readonly isDone?: boolean;
  readonly bytes?: Uint8Array;
  readonly handle?: FileHandle;
  readonly unreadable?: string;
}

/** What a gzip trailer claims the last member unpacks to; 0 for what is not gzip. */
function claims(bytes: Uint8Array): number {
  if (bytes.length < 18 || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(
    bytes.length - 4,
    true,
  );
}
