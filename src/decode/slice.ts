// What the splitter gives.
import type { RejectReason } from '../core/item.ts';

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
  readonly bytes: Uint8Array;
  readonly offset: number;
}

/** Why the input ended before its end, as the source or gzip tells it. */
export interface Problem {
  readonly reason: RejectReason;
  readonly detail: string;
}

/** The problem of input that ends in the middle. */
export const cutShort: Problem = { reason: 'json-cut-short', detail: 'the input ends within it' };
