// Troubles of a Kinesis stream: which pass, how long to wait, when to tell, and which are final.
import { SentrailError } from '../../core/errors.ts';
import { causeOf, isPassing, nameOf, statusOf, type Wait } from '../aws-retry.ts';

/** What waiting needs from outside. */
export interface TroubleParts {
  /** What is read, for messages: the stream. */
  readonly what: string;
  readonly clock: () => number;
  readonly random: () => number;
  readonly wait: Wait;
  readonly onNotice: (text: string) => void;
}

/** How one call is to be retried. */
export interface Retry {
  /** Errors that the caller handles itself; they are thrown as they came. */
  readonly handled?: RegExp;
  /** Errors that pass here although they would not elsewhere. */
  readonly passing?: RegExp;
  /** The least time to wait before the next try. */
  readonly leastMs?: (error: unknown) => number;
}

const firstWaitMs = 200;
/** Kinesis's own throttling passes within seconds; longer waits would only make events late. */
const longestWaitMs = 10_000;
/** An answer of 10 MiB takes seconds; one that takes so long is not coming. */
const callTimeoutMs = 60_000;
/**
 * A trouble that has lasted so long is told of, and again each time it has lasted as long again.
 */
const tellAfterMs = 60_000;

const passingName =
  /^(?:ProvisionedThroughputExceeded|LimitExceeded|InternalFailure|ResourceInUse|KMSThrottling)/;
/** HTTP/2, which Kinesis speaks, breaks in ways that Node names by code, */
const brokenCode = /^(?:ENOTFOUND|EPROTO|ERR_HTTP2_.+|ERR_STREAM_PREMATURE_CLOSE)$/;
/** or that the SDK and Node describe in words alone. */
const brokenWords = /http\/?2|socket hang up|aborted|truncated event message/i;

const hints: readonly (readonly [RegExp, string])[] = [
  [/^KMS/, 'see that the key of the stream is enabled, and grant kms:Decrypt on it'],
  [
    /AccessDenied|NotAuthorized/,
    'grant kinesis:ListShards, GetShardIterator and GetRecords on the stream; for a consumer ' +
      'also DescribeStreamSummary, DescribeStreamConsumer, RegisterStreamConsumer and SubscribeToShard',
  ],
  [/^ResourceNotFound/, 'check the name, the region and the account of the stream'],
  [/Credentials|Token|Signature|UnrecognizedClient/, 'check the credentials and the role'],
];

/** Takes what a call threw; tells whether it may be otherwise a moment later. */
export function isTrouble(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof SentrailError) return false;
  if (isPassing(error) || passingName.test(error.name) || isClockCorrected(error)) return true;
  if (brokenCode.test(nameOf(error))) return true;
  return statusOf(error) === undefined && error.name === 'Error' && brokenWords.test(error.message);
}

/**
 * The troubles of one reader, or of one call: since when nothing succeeded, and how often it
 * failed.
 */
export class Trouble {
  readonly #parts: TroubleParts;
  #since: number | undefined;
  #toldAt = 0;
  #failures = 0;

  constructor(parts: TroubleParts) {
    this.#parts = parts;
  }

  /**
   * Takes what is done in words, a call, a signal, and how to retry; gives what the call gave.
   * What passes is tried again until the signal aborts, with waits that grow and are up to chance.
   * Throws what the caller handles, what was thrown when the signal had aborted, else
   * `SentrailError` (source).
   */
  async until<T>(
    doing: string,
    call: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    { handled, passing, leastMs }: Retry = {},
  ): Promise<T> {
    for (;;) {
      try {
        const given = await inTime(call, signal);
        this.over();
        return given;
      } catch (error) {
        const name = nameOf(error);
        if (signal.aborted || handled?.test(name) === true) throw error;
        if (!isTrouble(error) && passing?.test(name) !== true)
          throw failureOf(doing, this.#parts.what, error);
        const ms = Math.max(this.met(doing, name), leastMs?.(error) ?? 0);
        await this.#parts.wait(ms, signal);
        if (signal.aborted) throw error;
      }
    }
  }

  /** Notes a trouble, tells of one that lasts, and gives how long to wait. */
  met(doing: string, name: string): number {
    const { clock, random, onNotice } = this.#parts;
    const now = clock();
    if (this.#since === undefined) this.#toldAt = now;
    this.#since ??= now;
    if (now - this.#toldAt >= tellAfterMs) {
      this.#toldAt = now;
      const seconds = Math.round((now - this.#since) / 1000);
      onNotice(`${doing}: ${name} for ${seconds} s now; still trying`);
    }
    const longest = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.#failures++, 20));
    return longest * random();
  }

  /** Notes that the trouble, if there was one, is over. */
  over(): void {
    this.#since = undefined;
    this.#failures = 0;
  }
}

/** Takes what was done, to what, and what was thrown for good; gives the error to stop with. */
export function failureOf(doing: string, what: string, error: unknown): SentrailError {
  if (error instanceof SentrailError) return error;
  const name = nameOf(error);
  const hint = hints.find(([names]) => names.test(name))?.[1];
  const message = `${doing} of ${what}: ${name}; ${hint ?? 'check the source in the config'}`;
  return new SentrailError('source', message, { cause: causeOf(error) });
}

/**
 * A call with a deadline: over HTTP/2 the SDK has none, and a dead connection would be waited for.
 */
async function inTime<T>(
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const both = new AbortController();
  const onAbort = () => both.abort();
  const late = setTimeout(onAbort, callTimeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await call(both.signal);
  } catch (error) {
    if (!both.signal.aborted || signal.aborted) throw error;
    const timeout = new Error(`no answer within ${callTimeoutMs} ms`);
    timeout.name = 'TimeoutError';
    throw timeout;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', onAbort);
  }
}

/** The SDK has set its clock right by the answer: the same call signed again is good. */
function isClockCorrected(error: Error): boolean {
  if (!('$metadata' in error)) return false;
  const meta = error.$metadata;
  return typeof meta === 'object' && meta !== null && 'clockSkewCorrected' in meta;
}
