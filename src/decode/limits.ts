// How large and how deep input may be before it is a dead letter.

/** Limits of decoding; bytes, and levels of nesting. */
export interface DecodeLimits {
  readonly recordBytesMax: number;
  readonly depthMax: number;
  readonly inflatedBytesMax: number;
  readonly deadLetterBytesMax: number;
}

/** The limits that hold without a configuration. */
export const defaultDecodeLimits: DecodeLimits = {
  recordBytesMax: 2 * 1024 * 1024,
  depthMax: 64,
  inflatedBytesMax: 8 * 1024 ** 3,
  deadLetterBytesMax: 65_536,
};
