// Unpacks a gzip payload that is wholly in memory. Broken input is a value, never an exception.
import { constants, gunzipSync } from 'node:zlib';
import type { RejectReason } from '../core/item.ts';

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
const bombRatio = 1_000;
const bombFloor = 64 * 1024 * 1024;

/** Takes gzip bytes of one member or several and the largest size allowed; gives what is in them. */
export function gunzip(bytes: Uint8Array, inflatedBytesMax: number): Gunzipped {
  const maxOutputLength = Math.min(
    inflatedBytesMax,
    Math.max(bombFloor, bytes.length * bombRatio),
    2 ** 31,
  );
  const options = { chunkSize: chunkFor(bytes), maxOutputLength };
  try {
    return { bytes: gunzipSync(bytes, options) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      const detail = `it unpacks to more than ${maxOutputLength} bytes`;
      return { bytes: new Uint8Array(0), problem: { reason: 'gzip-bomb', detail } };
    }
    return salvage(bytes, options, error instanceof Error ? error.message : 'broken');
  }
}

/** The good bytes before the break: found by giving zlib ever fewer bytes until it is content. */
function salvage(
  bytes: Uint8Array,
  options: { readonly chunkSize: number; readonly maxOutputLength: number },
  why: string,
): Gunzipped {
  const problem = { reason: 'gzip-broken', detail: `gzip: ${why}` } as const;
  const flushed = { ...options, finishFlush: constants.Z_SYNC_FLUSH };
  const tryTo = (length: number): Uint8Array | undefined => {
    try {
      return gunzipSync(bytes.subarray(0, length), flushed);
    } catch {
      return undefined;
    }
  };
  const whole = tryTo(bytes.length);
  if (whole !== undefined) return { bytes: whole, problem };
  let good = 0;
  let bad = bytes.length;
  let best: Uint8Array = new Uint8Array(0);
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const got = tryTo(middle);
    if (got === undefined) bad = middle;
    else {
      good = middle;
      best = got;
    }
  }
  return { bytes: best, problem };
}

/** Output in one chunk is fastest; the size in the trailer is believed only up to a limit. */
function chunkFor(bytes: Uint8Array): number {
  if (bytes.length < 18) return chunkMin;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const claimed = view.getUint32(bytes.length - 4, true) + 1;
  return claimed > trustedSizeMax ? trustedSizeMax : Math.max(claimed, chunkMin);
}
