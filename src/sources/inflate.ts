// A stream of bytes in parts of a useful size, unpacked when it is gzip, with bounded memory.
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { SourceRecord } from '../core/ports.ts';

/** A part of an unpacked stream; `broken` says why nothing follows. */
export type Part = Pick<SourceRecord, 'bytes' | 'isLast' | 'broken'>;

const partBytes = 2 * 1024 * 1024;
const bombRatio = 1_000;
const bombFloor = 64 * 1024 * 1024;

/**
 * Takes a stream and the largest size it may unpack to; gives its parts, the last marked. Gzip is told
 * by content. Broken gzip and bombs end the parts with `broken`; what was unpacked before stays good.
 */
export async function* inflated(stream: Readable, inflatedBytesMax: number): AsyncIterable<Part> {
  const source = stream.iterator({ destroyOnReturn: true });
  const head = await enough(source);
  const packed = { bytes: head.length };
  const joined = chained(head, source, packed);
  const isGzip = head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
  const chunks = isGzip ? unpacked(joined) : joined;
  let waiting: Uint8Array[] = [];
  let size = 0;
  let total = 0;
  let broken: Part['broken'];
  try {
    for await (const chunk of chunks) {
      total += chunk.length;
      const allowed = Math.min(inflatedBytesMax, Math.max(bombFloor, packed.bytes * bombRatio));
      if (isGzip && total > allowed) {
        broken = { reason: 'gzip-bomb', detail: `it unpacks to more than ${allowed} bytes` };
        break;
      }
      waiting.push(chunk);
      size += chunk.length;
      if (size < partBytes) continue;
      yield { bytes: joinedBytes(waiting), isLast: false };
      waiting = [];
      size = 0;
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const isZlib = error instanceof Error && 'code' in error && /^Z_|ERR_/.test(String(error.code));
    broken = isZlib
      ? { reason: 'gzip-broken', detail: `gzip: ${why}` }
      : { reason: 'unreadable', detail: `reading it: ${why}` };
  }
  const bytes = joinedBytes(waiting);
  yield broken === undefined ? { bytes, isLast: true } : { bytes, isLast: true, broken };
}

/** The first bytes, at least three of them unless the stream ends before. */
async function enough(source: AsyncIterator<unknown>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 3) {
    const { value, done } = await source.next();
    if (done === true) break;
    head = Buffer.concat([head, bytesOf(value)]);
  }
  return head;
}

async function* chained(
  head: Buffer,
  source: AsyncIterator<unknown>,
  packed: { bytes: number },
): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (;;) {
    const { value, done } = await source.next();
    if (done === true) return;
    const chunk = bytesOf(value);
    packed.bytes += chunk.length;
    yield chunk;
  }
}

async function* unpacked(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 512 * 1024 });
  // An error of the source reaches the reader through `destroy`.
  const feeding = feed(source, gunzip);
  try {
    for await (const chunk of gunzip) yield bytesOf(chunk);
    await feeding;
  } finally {
    gunzip.destroy();
  }
}

async function feed(source: AsyncIterable<Buffer>, gunzip: ReturnType<typeof createGunzip>) {
  try {
    for await (const chunk of source) {
      if (gunzip.destroyed) return;
      if (!gunzip.write(chunk)) await drained(gunzip);
    }
    gunzip.end();
  } catch (error) {
    gunzip.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function drained(gunzip: ReturnType<typeof createGunzip>): Promise<void> {
  return new Promise((resolve) => {
    gunzip.once('drain', resolve);
    gunzip.once('close', resolve);
  });
}

function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function bytesOf(value: unknown): Buffer {
  // Streams opened without an encoding give Buffers; standard input may give strings.
  return Buffer.isBuffer(value) ? value : Buffer.from(String(value));
}
