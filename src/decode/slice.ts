// What the splitter gives, and what it holds on the way there.
import type { RejectReason } from '../core/item.ts';
import type { ValueScan } from './scanner.ts';

/** A JSON value and its bytes, or bytes that are none; valid until the next slice is drawn. */
export type Slice = ValueSlice | BrokenSlice;
export interface ValueSlice {
  readonly kind: 'value';
  readonly value: unknown;
  readonly bytes: Uint8Array;
  readonly offset: number;
}
export interface BrokenSlice {
  readonly kind: 'broken';
  readonly reason: RejectReason;
  readonly detail: string;
  /** The first of it, cut at the dead-letter limit; `size` is how large it was. */
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly offset: number;
}

/** Why the input ended before its end, as the source or gzip tells it. */
export interface Problem {
  readonly reason: RejectReason;
  readonly detail: string;
}

/** The problem of input that ends in the middle. */
export const cutShort: Problem = { reason: 'json-cut-short', detail: 'the input ends within it' };

/** Bytes searched in vain. Splitters of one record share it, so that many broken texts cost as one. */
export interface Wear {
  wasted: number;
  misguessed: number;
}

/** Broken bytes on their way out: they are let go as they are searched, only the head is kept. */
export interface Reject {
  readonly offset: number;
  readonly scan: ValueScan | undefined;
  readonly heads: Buffer[];
  headBytes: number;
  /** Place in the buffer up to which it was searched. */
  searched: number;
  window: number;
}

/** Takes the next bytes of a reject; keeps of them what there is room for. */
export function keepHead(reject: Reject, bytes: Uint8Array, bytesMax: number): void {
  const room = bytesMax - reject.headBytes;
  if (room <= 0 || bytes.length === 0) return;
  const head = Buffer.from(bytes.subarray(0, room));
  reject.heads.push(head);
  reject.headBytes += head.length;
}
