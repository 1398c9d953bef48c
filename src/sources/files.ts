// A trail as files: read in the order of delivery, small ones whole, large ones in parts.
import {
  closeSync,
  constants,
  fstatSync,
  open as openFile,
  read as readFile,
  statSync,
} from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Lag, ProgressLookup, Source, SourceProgress, SourceRecord } from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { oneAhead, type Part, partsOf, Unreadable } from './inflate.ts';
import type { TrailFile } from './trail-layout.ts';
import { codeOf, filesOfGroup, groupsOf, type Root, rootsOf } from './trail-walk.ts';

/** What the source takes. `onNotice` is told in a sentence of files that were replaced. */
export interface FilesOptions {
  readonly paths: readonly string[];
  /** Largest size a compressed file may unpack to. */
  readonly inflatedBytesMax?: number;
  readonly onNotice?: (text: string) => void;
}

const defaultInflatedBytesMax = 8 * 1024 ** 3;
/**
 * Small files are most of a trail, and a FileHandle costs twice what a bare descriptor does. What
 * may wait for the disk is asynchronous; the size and the closing of an open file do not wait.
 */
const open = promisify(openFile);
const read = promisify(readFile);

/** A file up to this size on disk is handed over whole. */
const wholeBytesMax = 8 * 1024 * 1024;
/** A small gzip file that claims to unpack to more than this comes unpacked, in parts. */
const claimedBytesMax = 32 * 1024 * 1024;
/** Below this size even the worst bomb stays small enough for the decoder to unpack it whole. */
const harmlessBytesMax = 64 * 1024;
const partBytesMin = 1024 * 1024;
/** Plain files are read, and packed ones fed, in chunks of this size. */
const chunkBytes = 1024 * 1024;
/** Files read ahead while earlier ones are judged, and the bytes they may hold together. */
const aheadFilesMax = 8;
const aheadBytesMax = 32 * 1024 * 1024;
/** Shards asked about at once. */
const lookupMax = 500;
/** The mark of a record that ended in `unreadable`; no file's own mark looks like it. */
const unreadableMark = 'unreadable';
/** Troubles of the machine that pass; waits between the tries. */
const passingCodes = ['EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'EINTR'];
const retryWaitsMs = [20, 200];

/**
 * Takes files, folders and globs; gives the source. Throws `SentrailError` (input) for a path that
 * is not there or a glob without a match, before anything is read.
 *
 * Order: day folders (`yyyy/mm/dd`) and the stamps of other files give the day; within a day files
 * go by the delivery minute in their names, then by path; files of a day folder without a stamp
 * come last in their day, all others without a stamp come last of all. A file in a day folder keeps
 * to that day even if its stamp says another. The stamp is the arrival of the file's records.
 *
 * A file is marked done with size and time of change. Unchanged, it is left out. Grown, it is read
 * again from its start. Else it was replaced, and is read anew under the next sequence, with a
 * notice. (A file that was replaced by a larger one, or while it was half read, counts as grown.)
 * It is read up to the size it had when it was opened.
 *
 * What cannot be read is a record that ends in `broken`, never an exception. Its mark,
 * `unreadable`, makes the next run try again under the next sequence: the reject was an item of its
 * own, and under the same sequence the decoder would skip one good item for it.
 */
export function filesSource(options: FilesOptions): Source {
  return new FilesSource(options);
}

interface Job {
  readonly file: TrailFile;
  readonly known: Progress | undefined;
}

/**
 * A file whose turn is near: its bytes where it is small and there is room, else its open
 * descriptor.
 */
interface Opened {
  readonly file: TrailFile;
  readonly sequence: string;
  readonly size: number;
  readonly mark: string;
  readonly isDone?: boolean;
  readonly bytes?: Uint8Array;
  readonly handle?: number;
  readonly trouble?: string;
}

/** Days listed at once while sizes are summed. */
const groupsAtOnce = 16;

class FilesSource implements Source {
  readonly name = 'files';
  readonly #inflatedBytesMax: number;
  readonly #onNotice: (text: string) => void;
  readonly #roots: readonly Root[];
  #doneBytes = 0;
  #presentBytes = 0;
  #totalBytes = 0;
  #aheadBytes = 0;
  #isMeasured = false;
  #isClosed = false;

  constructor(options: FilesOptions) {
    this.#inflatedBytesMax = options.inflatedBytesMax ?? defaultInflatedBytesMax;
    this.#onNotice = options.onNotice ?? (() => {});
    this.#roots = rootsOf(options.paths);
  }

  async *read(progress: ProgressLookup, stop: AbortSignal): AsyncIterable<SourceRecord> {
    this.#doneBytes = 0;
    for await (const opened of this.#ahead(this.#jobs(progress, stop))) {
      try {
        if (stop.aborted) return;
        for await (const record of this.#records(opened)) {
          yield record;
          if (stop.aborted) return;
        }
      } finally {
        if (opened.handle !== undefined) closeSync(opened.handle);
      }
      this.#doneBytes += opened.size;
      this.#presentBytes = 0;
    }
  }

  progress(): SourceProgress {
    // Only who shows a bar asks, so only then the walk over all sizes is worth its while.
    if (!this.#isMeasured) void this.#measure();
    const done = this.#doneBytes + this.#presentBytes;
    return { done, total: this.#totalBytes, unit: 'bytes' };
  }

  /** Files stay where they are; progress alone decides what is read. */
  async acknowledge(): Promise<void> {}

  /** A file has no end that moves away from its reader. */
  lag(): ReadonlyMap<string, Lag> {
    return new Map();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async #measure(): Promise<void> {
    this.#isMeasured = true;
    let total = 0;
    const groups = await groupsOf(this.#roots);
    for (let at = 0; at < groups.length && !this.#isClosed; at += groupsAtOnce) {
      const some = groups.slice(at, at + groupsAtOnce);
      for (const files of await Promise.all(some.map(filesOfGroup))) {
        // A turn of the event loop for each file would take as long as the reading itself.
        for (const { path } of files) total += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      }
    }
    this.#totalBytes = total;
  }

  /**
   * Files in the order of reading with what is known of them; a day is listed when it is reached.
   */
  async *#jobs(progress: ProgressLookup, stop: AbortSignal): AsyncGenerator<Job> {
    for (const group of await groupsOf(this.#roots)) {
      if (stop.aborted) return;
      const files = await filesOfGroup(group);
      for (let at = 0; at < files.length; at += lookupMax) {
        const batch = files.slice(at, at + lookupMax);
        const known = await progress(batch.map((file) => file.shard));
        for (const file of batch) {
          if (stop.aborted) return;
          yield { file, known: known.get(file.shard) };
        }
      }
    }
  }

  /** The next few files are opened and read beside the judging, and handed on in order. */
  async *#ahead(jobs: AsyncGenerator<Job>): AsyncGenerator<Opened> {
    const queue: Promise<Opened>[] = [];
    let hasMore = true;
    try {
      for (;;) {
        while (hasMore && queue.length < aheadFilesMax) {
          const { value, done } = await jobs.next();
          if (done === true) hasMore = false;
          else queue.push(this.#open(value));
        }
        const next = queue.shift();
        if (next === undefined) return;
        const opened = await next;
        this.#aheadBytes -= opened.bytes?.length ?? 0;
        yield opened;
      }
    } finally {
      for (const opened of await Promise.all(queue)) {
        this.#aheadBytes -= opened.bytes?.length ?? 0;
        if (opened.handle !== undefined) closeSync(opened.handle);
      }
    }
  }

  /** Opens a file and reads it if it is small; what goes wrong is a value. */
  async #open({ file, known }: Job): Promise<Opened> {
    const sequence = known?.position.sequence ?? '0';
    let handle: number | undefined;
    try {
      handle = await opening(file.path);
      const stats = fstatSync(handle);
      if (!stats.isFile()) throw new Error('it is no regular file');
      const { size, mtimeMs } = stats;
      const mark = `${size}:${mtimeMs}`;
      const base = { file, sequence: this.#sequenceOf(file, known, size, mark), size, mark };
      if (known?.done === mark) {
        closeSync(handle);
        return { ...base, isDone: true };
      }
      if (size > wholeBytesMax || this.#aheadBytes + size > aheadBytesMax)
        return { ...base, handle };
      this.#aheadBytes += size;
      try {
        const bytes = await wholeOf(handle, size);
        this.#aheadBytes += bytes.length - size;
        if (isTooLargeUnpacked(bytes)) {
          this.#aheadBytes -= bytes.length;
          return { ...base, handle };
        }
        closeSync(handle);
        return { ...base, bytes };
      } catch (error) {
        this.#aheadBytes -= size;
        throw error;
      }
    } catch (error) {
      if (handle !== undefined) closeSync(handle);
      return { file, sequence, size: 0, mark: unreadableMark, trouble: codeOf(error) };
    }
  }

  #sequenceOf(file: TrailFile, known: Progress | undefined, size: number, mark: string): string {
    if (known === undefined) return '0';
    const { position, done } = known;
    const next = String(Number(position.sequence) + 1);
    if (done === undefined || done === mark) return position.sequence;
    if (done === unreadableMark) return next;
    if (size > Number(done.slice(0, done.indexOf(':')))) return position.sequence;
    this.#onNotice(`${file.shard} was replaced since it was read, so it is read anew`);
    return next;
  }

  async *#records(opened: Opened): AsyncGenerator<SourceRecord> {
    const { file, sequence, mark } = opened;
    if (opened.isDone === true) return;
    const base = { shard: file.shard, sequence, arrival: file.arrival };
    let isFirst = true;
    for await (const part of this.#parts(opened)) {
      const end = part.broken?.reason === 'unreadable' ? unreadableMark : mark;
      yield { ...base, ...part, isFirst, ...(part.isLast ? { done: end } : {}) };
      isFirst = false;
    }
  }

  async *#parts({ bytes, handle, size, trouble }: Opened): AsyncGenerator<Part> {
    if (handle === undefined) {
      const whole: Part = { bytes: bytes ?? new Uint8Array(0), isLast: true };
      if (trouble === undefined) yield whole;
      else yield { ...whole, broken: { reason: 'unreadable', detail: unreadableDetail(trouble) } };
      return;
    }
    if (size <= wholeBytesMax) {
      const late = await wholeOf(handle, size).catch(() => undefined);
      if (late !== undefined && !isTooLargeUnpacked(late)) {
        yield { bytes: late, isLast: true };
        return;
      }
    }
    const limits = { inflatedBytesMax: this.#inflatedBytesMax, partBytesMin };
    yield* oneAhead(partsOf(() => this.#chunks(handle, size), limits));
  }

  async *#chunks(handle: number, size: number): AsyncGenerator<Uint8Array> {
    let position = 0;
    while (position < size) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, size - position));
      const { bytesRead } = await read(handle, buffer, 0, buffer.length, position).catch(
        (cause) => {
          throw new Unreadable(unreadableDetail(codeOf(cause)), { cause });
        },
      );
      if (bytesRead === 0) return;
      position += bytesRead;
      this.#presentBytes = Math.max(this.#presentBytes, position);
      yield buffer.subarray(0, bytesRead);
    }
  }
}

function unreadableDetail(why: string): string {
  return `it cannot be read (${why}); the next run tries it again`;
}

async function opening(path: string): Promise<number> {
  for (const ms of retryWaitsMs) {
    try {
      return await openOnce(path);
    } catch (error) {
      if (!passingCodes.includes(codeOf(error))) throw error;
      await wait(ms);
    }
  }
  return openOnce(path);
}

/** Without O_NONBLOCK a pipe that took a file's place would be waited for, for ever. */
function openOnce(path: string): Promise<number> {
  return open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
}

/** What is there of the bytes a file had when it was opened. */
async function wholeOf(handle: number, size: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await read(handle, buffer, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/**
 * Takes a whole object's bytes; tells whether they may unpack to more than should be held at once.
 * The trailer of gzip holds the size of its last member. A claim below the packed size means
 * several members or padding, so that it says nothing about the whole.
 */
export function isTooLargeUnpacked(bytes: Uint8Array): boolean {
  if (bytes.length <= harmlessBytesMax || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const claimed = view.getUint32(bytes.length - 4, true);
  return claimed > claimedBytesMax || claimed < bytes.length;
}
