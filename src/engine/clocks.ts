// Watermarks: the newest event time of a lane, or of an account where the log has no arrival stamps.
import type { Event } from '../core/event.ts';
import type { Clocks } from '../core/ports.ts';

/** How an event stands to the watermark. */
export interface Standing {
  readonly isLate: boolean;
  readonly isAhead: boolean;
}

/** The clock of everything that carries an arrival stamp. */
export const laneClock = '';
/** The clock shared by the accounts beyond the limit. */
const restClock = 'other-accounts';

/** Event-time clocks of a lane. They only move forward. */
export class EventClocks {
  readonly #newest: Map<string, number>;
  readonly #latenessMs: number;
  readonly #aheadMs: number;
  readonly #accountsMax: number;
  #oldestNewest: number | undefined;

  constructor(clocks: Clocks, latenessMs: number, aheadMs: number, accountsMax: number) {
    this.#newest = new Map(Object.entries(clocks));
    this.#latenessMs = latenessMs;
    this.#aheadMs = aheadMs;
    this.#accountsMax = accountsMax;
  }

  /** Takes an event and its arrival stamp; moves the clock it belongs to and says how it stands. */
  observe(event: Event, arrival: number | undefined): Standing {
    const clock = arrival === undefined ? this.#clockOf(event.account) : laneClock;
    const newest = this.#newest.get(clock);
    const isLate = newest !== undefined && event.time < newest - this.#latenessMs;
    const isAhead = arrival !== undefined && event.time > arrival + this.#aheadMs;
    if (!isAhead && (newest === undefined || event.time > newest)) {
      this.#newest.set(clock, event.time);
      this.#oldestNewest = undefined;
    }
    return { isLate, isAhead };
  }

  /** The lowest watermark of all clocks: nothing in order can come before it. */
  watermark(): number {
    if (this.#oldestNewest === undefined) {
      let oldest = Number.POSITIVE_INFINITY;
      for (const newest of this.#newest.values()) oldest = Math.min(oldest, newest);
      this.#oldestNewest = oldest;
    }
    return Number.isFinite(this.#oldestNewest) ? this.#oldestNewest - this.#latenessMs : -8.64e15;
  }

  /** Gives the clocks as plain JSON, sorted by name. */
  snapshot(): Clocks {
    return Object.fromEntries([...this.#newest].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #clockOf(account: string): string {
    const name = account === '' ? restClock : account;
    if (this.#newest.has(name) || this.#newest.size < this.#accountsMax) return name;
    return restClock;
  }
}
