// Sends what was committed, in order, and notes what was sent. It knows no timers: waiting is handed in.
import { SentrailError } from '../core/errors.ts';
import type { Sink, Store } from '../core/ports.ts';

/** How deliveries are retried: waits between tries in milliseconds, and how to wait. */
export interface RetryPolicy {
  readonly waitsMs: readonly number[];
  readonly wait: (ms: number) => Promise<void>;
}

const rowsAtOnce = 100;

/**
 * The outbox over a store and its sinks. `drain` sends all that waits; a sink that fails in passing
 * is tried again by the policy, then the drain throws `SentrailError` (sink): the rows stay and the
 * next run sends them. A row is noted only after its sink took it.
 */
export class Outbox {
  readonly #store: Store;
  readonly #sinks: readonly Sink[];
  readonly #retry: RetryPolicy;

  constructor(store: Store, sinks: readonly Sink[], retry: RetryPolicy) {
    this.#store = store;
    this.#sinks = sinks;
    this.#retry = retry;
  }

  /** True when there is no sink: then nobody needs a delivery's body. */
  get isEmpty(): boolean {
    return this.#sinks.length === 0;
  }

  /** Sinks undo what was sent but not noted before a crash. Called once, before the first commit. */
  async open(): Promise<void> {
    await this.#store.sinks(this.#sinks.map((one) => one.name));
    for (const sink of this.#sinks) await this.#trying(sink, () => this.#reconcile(sink));
  }

  async drain(): Promise<void> {
    for (const sink of this.#sinks) await this.#drainOne(sink);
  }

  async #reconcile(sink: Sink): Promise<void> {
    const memo = await sink.reconcile(await this.#store.memo(sink.name));
    await this.#store.delivered(sink.name, 0, memo);
  }

  async #drainOne(sink: Sink): Promise<void> {
    for (;;) {
      const rows = await this.#store.pending(sink.name, rowsAtOnce);
      const last = rows.at(-1);
      if (last === undefined) return;
      const memo = await this.#trying(sink, () => sink.send(rows));
      await this.#store.delivered(sink.name, last.row, memo);
    }
  }

  async #trying<T>(sink: Sink, work: () => Promise<T>): Promise<T> {
    for (const ms of [...this.#retry.waitsMs, undefined]) {
      try {
        return await work();
      } catch (cause) {
        const mayRetry = cause instanceof SentrailError && cause.isRetryable && ms !== undefined;
        if (!mayRetry) throw failed(sink, cause);
        await this.#retry.wait(ms);
        // What a failed try may have left behind is undone before the next.
        if (sink.promise === 'reconcile') await this.#reconcile(sink);
      }
    }
    throw failed(sink, undefined);
  }
}

function failed(sink: Sink, cause: unknown): SentrailError {
  const why = cause instanceof Error ? cause.message : 'it gave no reason';
  const hint = 'the alerts stay in the outbox; mend the sink and start again to send them';
  return new SentrailError('sink', `sending alerts to ${sink.name}: ${why}; ${hint}`, { cause });
}
