// Unpacks a gzip payload that is wholly in memory. Broken input is a value, never an exception.
import { constants, gunzipSync } from 'node:zlib';
import type { RejectReason } from '../core/item.ts';
import type { DecodeLimits } from './limits.ts';

/** What came out, and what stopped it if anything did: the bytes before that are still good. */
export interface Gunzipped {
  readonly bytes: Uint8Array;
  readonly problem?: { readonly reason: RejectReason; readonly detail: string };
}

/** True for bytes that begin as gzip does (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

const trustedSizeMax = 16 * 1024 * 1024;
const chunkMin = 16 * 1024;
/** Deflate cannot do more than 1032:1; CloudTrail does 10:1. */
const bombRatio = 1_000;
const bombFloor = 64 * 1024 * 1024;
/** One Buffer holds no more in any Node that we run on. */
const outputMax = 2 ** 31;
/** A break is looked for with this many tries at most, which bounds what a broken file costs. */
export const triesMax = 16;

interface Options {
  readonly chunkSize: number;
  readonly maxOutputLength: number;
}

/**
 * Takes gzip bytes of one member or several and the limits; gives what is in them, with a problem
 * where they are cut short, broken, followed by other bytes than zeros, or a bomb. Never throws.
 */
export function gunzip(
  bytes: Uint8Array,
  limits: Pick<DecodeLimits, 'inflatedBytesMax'>,
): Gunzipped {
  const byRatio = Math.max(bombFloor, bytes.length * bombRatio);
  const maxOutputLength = Math.max(1, Math.min(limits.inflatedBytesMax, byRatio, outputMax));
  const options = { chunkSize: chunkFor(bytes, maxOutputLength), maxOutputLength };
  try {
    const { buffer, consumed } = unpack(bytes, options);
    return hasTrailer(bytes, consumed)
      ? { bytes: buffer, problem: broken('other bytes follow the packed ones') }
      : { bytes: buffer };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      const detail = `it unpacks to more than ${maxOutputLength} bytes`;
      return { bytes: new Uint8Array(0), problem: { reason: 'gzip-bomb', detail } };
    }
    return salvage(bytes, options, error instanceof Error ? error.message : 'broken');
  }
}

/** With `info`, zlib tells how far it read: it stops silently at a zero behind a member. */
function unpack(
  bytes: Uint8Array,
  options: Options & { readonly finishFlush?: number },
): { readonly buffer: Uint8Array; readonly consumed: number } {
  // With `info` the answer is an object of bytes and engine; the types of Node do not say so.
  const out = gunzipSync(bytes, { ...options, info: true }) as unknown as {
    readonly buffer: Buffer;
    readonly engine: { readonly bytesWritten: number };
  };
  return { buffer: out.buffer, consumed: out.engine.bytesWritten };
}

function hasTrailer(bytes: Uint8Array, consumed: number): boolean {
  for (let at = consumed; at < bytes.length; at++) if (bytes[at] !== 0) return true;
  return false;
}

/** The good bytes before the break: found by giving zlib fewer bytes until it is content. */
function salvage(bytes: Uint8Array, options: Options, why: string): Gunzipped {
  const problem = broken(why);
  const flushed = { ...options, finishFlush: constants.Z_SYNC_FLUSH };
  let best: Uint8Array = new Uint8Array(0);
  const isGood = (length: number): boolean => {
    try {
      best = unpack(bytes.subarray(0, length), flushed).buffer;
      return true;
    } catch {
      return false;
    }
  };
  // Bytes that are only cut short are good up to their end.
  if (isGood(bytes.length)) return { bytes: best, problem };
  let good = 0;
  let bad = bytes.length;
  for (let tries = 0; bad - good > 1 && tries < triesMax; tries++) {
    const middle = (good + bad) >> 1;
    if (isGood(middle)) good = middle;
    else bad = middle;
  }
  return { bytes: best, problem };
}

function broken(why: string): NonNullable<Gunzipped['problem']> {
  return { reason: 'gzip-broken', detail: `gzip: ${why}` };
}

/**
 * Output in one chunk is fastest. The size in the trailer can be forged, so it is believed up to a
 * limit, and never beyond what deflate can do.
 */
function chunkFor(bytes: Uint8Array, maxOutputLength: number): number {
  if (bytes.length < 18) return chunkMin;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const claimed = view.getUint32(bytes.length - 4, true) + 1;
  const possible = Math.min(bytes.length * 1_040, trustedSizeMax, maxOutputLength + 1);
  return Math.max(Math.min(claimed, possible), chunkMin);
}
