// One region's event history: its pages within the two calls a second that AWS allows.
import { CloudTrailClient, type Event, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { SentrailError } from '../core/errors.ts';
import { type AwsOptions, awsClient } from './aws.ts';
import { causeOf, isPassing, nameOf, type Patience, statusOf, waitAfter } from './aws-retry.ts';

/** Times in milliseconds, whole seconds; `to` is the first that is not meant. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

/** What is there in a slice: its events; or that they are more than were allowed to be fetched. */
export type Collected = { readonly events: readonly Event[] } | 'too-many';

/** A region whose history cannot be had at all. */
export class RegionRefused extends Error {
  readonly region: string;
  readonly reason: string;
  constructor(region: string, reason: string, cause: unknown) {
    super(`the event history of ${region} is refused: ${reason}`, { cause });
    this.region = region;
    this.reason = reason;
  }
}

/** What a region's history takes. */
export interface HistoryOptions extends AwsOptions {
  readonly region: string;
  readonly clock: () => number;
  readonly patience: Patience;
}

/** Two calls a second are allowed; a little more between them, since the network may bunch them. */
const callEveryMs = 550;
const pageEvents = 50;
const callTimeoutMs = 30_000;
const triesMax = 9;
/** A token of a page lives for so long that a slice is begun again at most a few times. */
const restartsMax = 3;
/** What says that this region is not for us, and not that AWS fails. */
const refusals =
  /AccessDenied|UnauthorizedOperation|OptInRequired|UnrecognizedClient|InvalidClientTokenId|AuthFailure|ENOTFOUND/;

/** The event history of one region. */
export class History {
  readonly #options: HistoryOptions;
  readonly #client: CloudTrailClient;
  #nextCallAt = Number.NEGATIVE_INFINITY;

  constructor(options: HistoryOptions) {
    this.#options = options;
    // Retries of the client would not know of the limit, so there is one try a call.
    this.#client = new CloudTrailClient({ ...awsClient(options), maxAttempts: 1 });
  }

  get region(): string {
    return this.#options.region;
  }

  /**
   * Takes a slice and how many pages may be fetched; `mayFetch` is asked before each page. Gives all
   * events of the slice, newest first as AWS does, or `too-many` when it was told no more. Throws
   * `RegionRefused`, and `SentrailError` (source) where AWS fails for long.
   */
  async collect(slice: Slice, mayFetch: () => boolean, signal: AbortSignal): Promise<Collected> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.#pages(slice, mayFetch, signal);
      } catch (error) {
        const isStale = nameOf(error) === 'InvalidNextTokenException';
        if (!isStale || restarts >= restartsMax) throw this.#failure(error, signal);
      }
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #pages(slice: Slice, mayFetch: () => boolean, signal: AbortSignal): Promise<Collected> {
    const events: Event[] = [];
    let NextToken: string | undefined;
    do {
      if (!mayFetch()) return 'too-many';
      const page = await this.#page(slice, NextToken, signal);
      events.push(...(page.Events ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return { events };
  }

  async #page({ from, to }: Slice, NextToken: string | undefined, signal: AbortSignal) {
    const { patience } = this.#options;
    const command = new LookupEventsCommand({
      StartTime: new Date(from),
      // Both ends are meant, and times are of whole seconds.
      EndTime: new Date(to - 1000),
      MaxResults: pageEvents,
      NextToken,
    });
    for (let tries = 1; ; tries++) {
      await this.#turn(signal);
      try {
        return await this.#client.send(command, {
          abortSignal: signal,
          requestTimeout: callTimeoutMs,
        });
      } catch (error) {
        if (signal.aborted || !isPassing(error) || tries >= triesMax) throw error;
        await patience.wait(waitAfter(tries, patience.random), signal);
      }
    }
  }

  /** Waits until another call is allowed. */
  async #turn(signal: AbortSignal): Promise<void> {
    const { clock, patience } = this.#options;
    const at = Math.max(clock(), this.#nextCallAt);
    this.#nextCallAt = at + callEveryMs;
    if (at > clock()) await patience.wait(at - clock(), signal);
    signal.throwIfAborted();
  }

  #failure(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return error;
    const { region } = this.#options;
    const name = nameOf(error);
    if (refusals.test(name)) return new RegionRefused(region, name, causeOf(error));
    const status = statusOf(error);
    const what = `looking up events of ${region}: ${name}${status === undefined ? '' : ` (${status})`}`;
    const hint = 'check the network, credentials and AWS health';
    return new SentrailError('source', `${what}; ${hint}`, { cause: causeOf(error) });
  }
}
