// Patience with AWS: which troubles pass, how long to wait between tries, and when to give up.
import { setTimeout as sleep } from 'node:timers/promises';
import { SentrailError } from '../core/errors.ts';

/** Waits so long, or until the signal aborts; never throws. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** What patience needs from outside; tests hand in their own. */
export interface Patience {
  readonly wait: Wait;
  /** A number from 0 up to 1, so that many readers do not come back at once. */
  readonly random: () => number;
  /** How often a passing trouble is tried; default eight times, about a minute in all. */
  readonly triesMax?: number;
}

const firstWaitMs = 200;
const longestWaitMs = 30_000;
const triesMaxDefault = 9;
/** A call that says nothing for so long is tried again; the largest answer is 8 MiB. */
const callTimeoutMs = 60_000;
/** What a server says when it is the caller's fault and yet passes. */
const passingName =
  /throttl|slowdown|toomanyrequests|requestlimit|limitexceeded|throughputexceeded|requesttimeout|unavailable/i;
/** Faults of the network, as Node and the SDK name them. */
const passingCode =
  /^(?:E(?:CONNRESET|CONNREFUSED|CONNABORTED|TIMEDOUT|PIPE|HOSTUNREACH|NETUNREACH|AI_AGAIN)|UND_ERR_.+)$/;

/** Waits by the machine's timers. */
export const realWait: Wait = async (ms, signal) => {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
};

/** Takes what was thrown by an AWS client; gives its name, never its message, which may quote input. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code ?? error.name;
}

/**
 * Takes what was thrown; gives a cause to keep: its name and message. The client's own error holds
 * the whole request, with the signature and the session token in its headers, and a log would too.
 */
export function causeOf(error: unknown): Error {
  const cause = new Error(error instanceof Error ? error.message : 'unknown');
  cause.name = nameOf(error);
  return cause;
}

/** Takes what was thrown; gives the status of the HTTP answer, or undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const meta = error.$metadata;
  if (typeof meta !== 'object' || meta === null || !('httpStatusCode' in meta)) return undefined;
  return typeof meta.httpStatusCode === 'number' ? meta.httpStatusCode : undefined;
}

/** Takes what was thrown; tells whether it may be otherwise a moment later. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = statusOf(error);
  if (status === 429 || (status !== undefined && status >= 500)) return true;
  const code = nameOf(error);
  return passingCode.test(code) || passingName.test(error.name) || error.name === 'TimeoutError';
}

/** Takes how many tries failed; gives how long to wait: twice as long each time, half of it by chance. */
export function waitAfter(failures: number, random: () => number): number {
  const longest = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures - 1, 20));
  return longest * (0.5 + random() / 2);
}

/**
 * Takes one call, what it does in words (`reading the queue`), patience and a signal; gives what the
 * call gave. Passing troubles are tried again with growing waits. Throws what the call threw when it
 * does not pass or the signal aborted, and `SentrailError` (source) when tries are used up.
 */
export async function patiently<T>(
  doing: string,
  call: (signal: AbortSignal) => Promise<T>,
  patience: Patience,
  signal: AbortSignal,
): Promise<T> {
  const triesMax = patience.triesMax ?? triesMaxDefault;
  for (let tries = 1; ; tries++) {
    try {
      return await within(callTimeoutMs, call, signal);
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      if (tries >= triesMax) {
        const message = `${doing}: ${nameOf(error)}, ${tries} times; check the network and AWS's health`;
        throw new SentrailError('source', message, { cause: causeOf(error), isRetryable: true });
      }
      await patience.wait(waitAfter(tries, patience.random), signal);
      if (signal.aborted) throw error;
    }
  }
}

/** A call with a deadline. Joined by hand: signals joined by the runtime outlive the call. */
async function within<T>(
  ms: number,
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const both = new AbortController();
  const late = setTimeout(() => both.abort(), ms);
  const onAbort = () => both.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) both.abort();
  try {
    return await call(both.signal);
  } catch (error) {
    if (!both.signal.aborted || signal.aborted) throw error;
    const timeout = new Error(`no answer within ${ms} ms`, { cause: error });
    timeout.name = 'TimeoutError';
    throw timeout;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', onAbort);
  }
}
