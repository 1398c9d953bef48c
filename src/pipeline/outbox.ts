// Sends what a lane committed, in order, and notes what was sent. It knows no timers: waiting is handed in.
import { SentrailError } from '../core/errors.ts';
import type { Sink, Store } from '../core/ports.ts';

/** How deliveries are retried: waits between tries in milliseconds, and how to wait. */
export interface RetryPolicy {
  readonly waitsMs: readonly number[];
  readonly wait: (ms: number) => Promise<void>;
  /**
   * Absent, a sink that keeps failing ends the run. Given, judging goes on meanwhile: a drain tries
   * once, tells of the failure, and the next drains leave the sink alone until its wait is over.
   */
  readonly patience?: {
    readonly clock: () => number;
    readonly onTrouble: (error: SentrailError) => void;
  };
}

const rowsAtOnce = 100;

/** What an outbox works with; `lane` is whose rows it sends. */
export interface OutboxParts {
  readonly lane: string;
  readonly store: Store;
  readonly sinks: readonly Sink[];
  readonly retry: RetryPolicy;
}

/** A sink in trouble: how often it failed in a row, and when it may be tried again. */
interface Trouble {
  readonly times: number;
  readonly notBefore: number;
}

/**
 * The outbox of one lane. `drain` sends all that waits; a sink that fails in passing is tried again by
 * the policy, then the drain throws `SentrailError` (sink), or goes on where the policy has patience:
 * the rows stay. A row is noted only after its sink took it, and only while the lane stands at the
 * version given: who lost the lane notes nothing (`SentrailError` store-version).
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #troubles = new Map<string, Trouble>();
  readonly #opened = new Set<string>();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** True when there is no sink: then nobody needs a delivery's body. */
  get isEmpty(): boolean {
    return this.#parts.sinks.length === 0;
  }

  /** Sinks undo what was sent but not noted before a crash. Called once, before the first commit. */
  async open(version: number): Promise<void> {
    const { store, sinks } = this.#parts;
    await store.sinks(sinks.map((one) => one.name));
    for (const sink of sinks) await this.#patiently(sink, version, async () => {});
  }

  async drain(version: number): Promise<void> {
    for (const sink of this.#parts.sinks) {
      await this.#patiently(sink, version, () => this.#drainOne(sink, version));
    }
  }

  async #patiently(sink: Sink, version: number, work: () => Promise<void>): Promise<void> {
    const { retry } = this.#parts;
    const trouble = this.#troubles.get(sink.name);
    const now = retry.patience?.clock() ?? 0;
    if (retry.patience !== undefined && trouble !== undefined && now < trouble.notBefore) return;
    try {
      if (!this.#opened.has(sink.name)) {
        await this.#trying(sink, version, () => this.#reconcile(sink, version));
        this.#opened.add(sink.name);
      }
      await work();
      this.#troubles.delete(sink.name);
    } catch (error) {
      const isSinks = error instanceof SentrailError && error.code === 'sink';
      if (retry.patience === undefined || !isSinks) throw error;
      const times = trouble?.times ?? 0;
      const ms = retry.waitsMs[Math.min(times, retry.waitsMs.length - 1)] ?? 0;
      this.#troubles.set(sink.name, { times: times + 1, notBefore: now + ms });
      // What the failed try may have left behind is undone before the next.
      this.#opened.delete(sink.name);
      retry.patience.onTrouble(error);
    }
  }

  async #reconcile(sink: Sink, version: number): Promise<void> {
    const { store, lane } = this.#parts;
    const memo = await sink.reconcile(await store.memo(lane, sink.name));
    await store.delivered(lane, version, sink.name, { upToRow: 0, memo });
  }

  async #drainOne(sink: Sink, version: number): Promise<void> {
    const { store, lane } = this.#parts;
    for (;;) {
      const rows = await store.pending(lane, version, { sink: sink.name, limit: rowsAtOnce });
      const last = rows.at(-1);
      if (last === undefined) return;
      const memo = await this.#trying(sink, version, () => sink.send(rows));
      await store.delivered(lane, version, sink.name, { upToRow: last.row, memo });
    }
  }

  async #trying<T>(sink: Sink, version: number, work: () => Promise<T>): Promise<T> {
    const { retry } = this.#parts;
    const waits = retry.patience === undefined ? retry.waitsMs : [];
    for (const ms of [...waits, undefined]) {
      try {
        return await work();
      } catch (cause) {
        const isSinks = cause instanceof SentrailError && cause.code === 'sink';
        if (cause instanceof SentrailError && !isSinks) throw cause;
        if (!isSinks || !cause.isRetryable || ms === undefined) throw failed(sink, cause);
        await retry.wait(ms);
        if (sink.promise === 'reconcile') await this.#reconcile(sink, version);
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
