// Bytes that are too many to hold at once, in parts: unpacked when they are gzip, with bounded
// memory.
import { createGunzip } from 'node:zlib';
import type { SourceRecord } from '../core/ports.ts';

/** A part of a record; `broken` says why nothing follows. The last may be empty. */
export type Part = Pick<SourceRecord, 'bytes' | 'isLast' | 'broken'>;

/**
 * `partBytesMin`: parts but the last are no smaller, save where plain bytes come in smaller chunks.
 */
export interface PartLimits {
  readonly inflatedBytesMax: number;
  readonly partBytesMin: number;
}

/** Opens the same bytes from their start; called again to look closer at a break. */
export type OpenBytes = () => AsyncIterable<Uint8Array>;

/** What zlib makes in one go on its thread while the parts before are judged. */
const chunkBytes = 1024 * 1024;
/** Input given to zlib at once: first coarse, and at a break ever finer to save what is good. */
const sliceBytes = [64 * 1024, 256, 1] as const;
/** Deflate cannot do better than 1,032 : 1, and no log comes near it. */
const bombRatio = 1_000;
const bombFloorBytes = 64 * 1024 * 1024;

/**
 * Takes bytes and limits; gives them in parts, the last marked. Gzip (told by content, of one
 * member or several, zeros behind it allowed) is unpacked. What is cut short, damaged, or followed
 * by anything else ends with `gzip-broken` behind all bytes before the break; what unpacks to more
 * than the limit or a thousandfold ends with `gzip-bomb`; where `open` throws `Unreadable` they end
 * with `unreadable`. Throws whatever else `open` throws.
 */
export async function* partsOf(open: OpenBytes, limits: PartLimits): AsyncGenerator<Part> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  let broken: Part['broken'];
  try {
    for await (const chunk of chunksOf(open, limits.inflatedBytesMax)) {
      waiting.push(chunk);
      size += chunk.length;
      if (size < limits.partBytesMin) continue;
      const bytes = joined(waiting);
      waiting = [];
      size = 0;
      yield { bytes, isLast: false };
    }
  } catch (error) {
    broken = brokenBy(error);
  }
  const bytes = joined(waiting);
  yield broken === undefined ? { bytes, isLast: true } : { bytes, isLast: true, broken };
}

/** Takes an iterable; gives the same, working on the next value while the present one is used. */
export async function* oneAhead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const begin = () => {
    const coming = iterator.next();
    // Awaited below; until then a failure must not count as unhandled.
    coming.catch(() => {});
    return coming;
  };
  let coming = begin();
  try {
    for (;;) {
      const { value, done } = await coming;
      if (done === true) return;
      coming = begin();
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Thrown by `open` when bytes cannot be read: a fault of the input, in a sentence for a person. */
export class Unreadable extends Error {}

class GzipBroken extends Error {
  /** Input that zlib had taken before the slice that failed; undefined where no output was lost. */
  readonly goodBytes: number | undefined;
  constructor(message: string, goodBytes?: number) {
    super(message);
    this.goodBytes = goodBytes;
  }
}
class GzipBomb extends Error {}

function brokenBy(error: unknown): Part['broken'] {
  if (error instanceof Unreadable) return { reason: 'unreadable', detail: error.message };
  if (error instanceof GzipBomb) return { reason: 'gzip-bomb', detail: error.message };
  if (error instanceof GzipBroken)
    return { reason: 'gzip-broken', detail: `gzip: ${error.message}` };
  throw error;
}

async function* chunksOf(open: OpenBytes, inflatedBytesMax: number): AsyncGenerator<Uint8Array> {
  if (!(await beginsAsGzip(open))) {
    yield* open();
    return;
  }
  const meter = { packed: 0 };
  let total = 0;
  for await (const chunk of unpacked(open, meter)) {
    total += chunk.length;
    const byRatio = Math.max(bombFloorBytes, meter.packed * bombRatio);
    const allowed = Math.min(inflatedBytesMax, byRatio);
    if (total <= allowed) {
      yield chunk;
      continue;
    }
    yield chunk.subarray(0, Math.max(0, chunk.length - (total - allowed)));
    throw new GzipBomb(`it unpacks to more than ${allowed} bytes`);
  }
}

async function beginsAsGzip(open: OpenBytes): Promise<boolean> {
  let head: Uint8Array = new Uint8Array(0);
  for await (const chunk of open()) {
    head = joined([head, chunk.subarray(0, 2)]);
    if (head.length >= 2) break;
  }
  return head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * When zlib fails it withholds what it had unpacked of the last slice, up to a megabyte of good
 * records. So the bytes are read once more with finer slices around the break; a break is rare, a
 * loss is not forgiven.
 */
async function* unpacked(open: OpenBytes, meter: { packed: number }): AsyncGenerator<Uint8Array> {
  let given = 0;
  let fineFrom = Number.POSITIVE_INFINITY;
  let first: unknown;
  for (const fineBytes of sliceBytes) {
    let passed = 0;
    try {
      for await (const chunk of unpackedOnce(open, fineFrom, fineBytes, meter)) {
        const seen = Math.max(0, given - passed);
        passed += chunk.length;
        if (seen >= chunk.length) continue;
        given = passed;
        yield chunk.subarray(seen);
      }
      break;
    } catch (error) {
      first ??= error;
      if (!(error instanceof GzipBroken) || error.goodBytes === undefined) throw error;
      fineFrom = error.goodBytes;
    }
  }
  // Also where the bytes were mended between two looks: what was seen is what is told.
  if (first !== undefined) throw first;
}

async function* unpackedOnce(
  open: OpenBytes,
  fineFrom: number,
  fineBytes: number,
  meter: { packed: number },
): AsyncGenerator<Uint8Array> {
  const zlib = new Unpacker();
  try {
    for await (const slice of slices(open(), fineFrom, fineBytes)) {
      if (zlib.hasEnded) {
        zlib.takeBehind(slice);
        continue;
      }
      meter.packed = Math.max(meter.packed, zlib.taken + slice.length);
      yield* zlib.unpack(slice);
    }
    yield* zlib.finish();
  } finally {
    zlib.close();
  }
}

async function* slices(
  source: AsyncIterable<Uint8Array>,
  fineFrom: number,
  fineBytes: number,
): AsyncGenerator<Uint8Array> {
  let position = 0;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      const coarse = Math.min(sliceBytes[0], fineFrom - position);
      const slice = chunk.subarray(at, at + (coarse > 0 ? coarse : fineBytes));
      yield slice;
      at += slice.length;
      position += slice.length;
    }
  }
}

/** Drives zlib slice by slice, so that what it gave before an error never depends on timing. */
class Unpacker {
  /** Bytes of the slices that were taken whole. */
  taken = 0;
  hasEnded = false;
  readonly #gunzip = createGunzip({ chunkSize: chunkBytes });
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor() {
    this.#gunzip.on('readable', () => this.#wake());
    this.#gunzip.on('end', () => {
      this.hasEnded = true;
      this.#wake();
    });
    this.#gunzip.on('error', (error: Error) => {
      this.#error = error;
      this.#wake();
    });
  }

  async *unpack(slice: Uint8Array): AsyncGenerator<Uint8Array> {
    let isTaken = false;
    this.#gunzip.write(slice, () => {
      isTaken = true;
      this.#wake();
    });
    yield* this.#output(() => isTaken, this.taken);
    // Zeros behind the last member end the stream; zlib does not look at what follows them.
    const before = this.taken;
    this.taken += slice.length;
    if (this.hasEnded) this.takeBehind(slice.subarray(this.#gunzip.bytesWritten - before));
  }

  takeBehind(bytes: Uint8Array): void {
    if (bytes.some((byte) => byte !== 0)) throw new GzipBroken('other bytes follow its end');
  }

  /** Tells zlib that nothing follows; throws `GzipBroken` where more had to come. */
  async *finish(): AsyncGenerator<Uint8Array> {
    if (this.hasEnded) return;
    this.#gunzip.end();
    yield* this.#output(() => false, undefined);
  }

  close(): void {
    this.#gunzip.destroy();
  }

  async *#output(
    isTaken: () => boolean,
    goodBytes: number | undefined,
  ): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk: unknown = this.#gunzip.read();
      if (chunk instanceof Uint8Array) {
        yield chunk;
        continue;
      }
      if (this.#error !== undefined) throw new GzipBroken(this.#error.message, goodBytes);
      if (this.hasEnded || isTaken()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
