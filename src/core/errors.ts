// Every error has a code, a cause, and a message: doing what, to what, what to try.

export type ErrorCode =
  | 'usage'
  | 'config'
  | 'input'
  | 'store-version'
  | 'store-newer'
  | 'store-busy'
  | 'store-full'
  | 'store'
  | 'sink'
  | 'source'
  | 'broken-promise';

/** Takes a code, a message that says what to try, and what lies behind; carries no secrets. */
export class SentrailError extends Error {
  readonly code: ErrorCode;
  readonly isRetryable: boolean;
  constructor(
    code: ErrorCode,
    message: string,
    more: { cause?: unknown; isRetryable?: boolean } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'SentrailError';
    this.code = code;
    this.isRetryable = more.isRetryable ?? false;
  }
}

/** Takes a condition that our own code promises, and what was promised; throws where it is broken. */
export function assert(condition: boolean, promise: string): asserts condition {
  if (!condition)
    throw new SentrailError('broken-promise', `a promise of Sentrail's is broken: ${promise}`);
}
