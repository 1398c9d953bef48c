// Gives every signal the chains behind its events, and amends them when a missing step is seen later.
import type { Caller, Chain } from '../core/chain.ts';
import { standingRank } from '../core/chain.ts';
import type { Event } from '../core/event.ts';
import { contentId } from '../core/hash.ts';
import type { BucketRow } from '../core/ports.ts';
import type { Principal } from '../core/principal.ts';
import type { Evidence, Signal } from '../core/signal.ts';
import { dayMs, hourMs } from '../core/time.ts';
import type { ExceptionMatch } from './exceptions.ts';
import type { Operation } from './operations.ts';
import { Sessions } from './sessions.ts';

/** A signal whose chain lacks a step. Plain JSON. */
interface Waiter {
  readonly alertId: string;
  readonly signalId: string;
  readonly detector: string;
  readonly account: string;
  readonly principal: Principal;
  readonly time: number;
  readonly callers: readonly Seen[];
  readonly until: number;
}

type SetOperation = Extract<Operation, { kind: 'set' }>;

/** Under which name the rows stand among those of detectors. */
export const waitsRow = '@waits';
const version = 1;

/** More sessions than a person reads of one signal; the earliest are told. */
const chainsMax = 5;
/** Signals that wait for one step: those of a stolen session are one or a few alerts. */
const waitersMax = 200;
/** The longest a token lives, and a day for what is judged in daily buckets. */
const waitMs = 36 * hourMs + dayMs;

export class Chains {
  readonly #sessions: Sessions;
  readonly #excepted: ExceptionMatch;
  readonly #waits = new Map<string, Map<string, Waiter>>();
  readonly #dirty = new Set<string>();
  readonly #max: number;
  #ownLimits = 0;

  constructor(rows: readonly BucketRow[], sessionsMax: number, excepted: ExceptionMatch) {
    this.#sessions = new Sessions(rows, sessionsMax);
    this.#excepted = excepted;
    this.#max = sessionsMax;
    for (const { detector, version: of, key, state } of rows) {
      if (detector !== waitsRow || of !== version) continue;
      // Rows are written by `changes` below and by nothing else, under this version.
      this.#waits.set(key, new Map((state as Waiter[]).map((one) => [placeOf(one), one])));
    }
  }

  get size(): { readonly sessions: number; readonly bytes: number } {
    return { sessions: this.#sessions.size, bytes: this.#sessions.bytes };
  }

  get limitsReached(): number {
    return this.#sessions.limitsReached + this.#ownLimits;
  }

  /** Takes an event; gives what it amends of signals raised before it. */
  observe(event: Event): readonly Operation[] {
    const needs = this.#sessions.observe(event);
    if (needs.length === 0) return [];
    const found = new Map<string, Waiter>();
    for (const need of needs) {
      for (const [place, waiter] of this.#waits.get(need) ?? []) found.set(place, waiter);
      if (this.#waits.delete(need)) this.#dirty.add(need);
    }
    return [...found.values()].map((waiter) => this.#amend(waiter));
  }

  /** Takes a signal as raised; gives it with its chains, or hidden by an exception. */
  attach(operation: SetOperation): Exclude<Operation, { kind: 'remove' | 'chain' }> {
    const { alertId, signal: raised } = operation;
    const callers = callersOf(raised.evidence);
    const { id, detector, account, principal, time } = raised;
    const until = (callers[0]?.time ?? time) + waitMs;
    const waiter: Waiter = {
      alertId,
      signalId: id,
      detector,
      account,
      principal,
      time,
      callers,
      until,
    };
    const chains = this.#chainsOf(waiter);
    const signal: Signal = { ...raised, evidence: raised.evidence.map(withoutCaller), chains };
    const exception = this.#excepted(detector, signal, chains);
    if (exception === undefined) return { kind: 'set', alertId, signal };
    return { kind: 'hide', alertId, signal, exception };
  }

  expire(watermark: number): void {
    this.#sessions.expire(watermark);
    for (const [need, waiters] of this.#waits) {
      for (const [place, { until }] of waiters) {
        if (until >= watermark) continue;
        waiters.delete(place);
        this.#dirty.add(need);
      }
      if (waiters.size === 0) this.#waits.delete(need);
    }
  }

  changes(): ReturnType<Sessions['changes']> {
    const { buckets, bucketsGone } = this.#sessions.changes();
    for (const key of this.#dirty) {
      const waiters = this.#waits.get(key);
      const place = { detector: waitsRow, key, start: 0 };
      if (waiters === undefined) bucketsGone.push(place);
      else buckets.push({ ...place, version, state: [...waiters.values()] });
    }
    this.#dirty.clear();
    return { buckets, bucketsGone };
  }

  #amend(waiter: Waiter): Operation {
    const { alertId, signalId, detector } = waiter;
    const chains = this.#chainsOf(waiter);
    const exception = this.#excepted(detector, waiter, chains);
    const base = { kind: 'chain' as const, alertId, signalId, chains };
    return exception === undefined ? base : { ...base, exception };
  }

  #chainsOf(waiter: Waiter): Chain[] {
    const needed = new Set<string>();
    const chains = waiter.callers.map(({ caller, time }) => {
      this.#sessions.pin(caller, waiter.until);
      const { chain, needs } = this.#sessions.resolve(caller, time);
      for (const need of needs) needed.add(need);
      return chain;
    });
    for (const need of needed) this.#wait(need, waiter);
    return chains;
  }

  #wait(need: string, waiter: Waiter): void {
    if (!this.#waits.has(need) && this.#waits.size >= this.#max) {
      this.#ownLimits++;
      return;
    }
    const waiters = this.#waits.get(need) ?? new Map<string, Waiter>();
    waiters.set(placeOf(waiter), waiter);
    if (waiters.size > waitersMax) {
      this.#ownLimits++;
      waiters.delete([...waiters.keys()].sort().at(-1) ?? '');
    }
    this.#waits.set(need, waiters);
    this.#dirty.add(need);
  }
}

function placeOf({ alertId, signalId }: Waiter): string {
  return contentId(alertId, signalId);
}

interface Seen {
  readonly caller: Caller;
  readonly time: number;
}

/** One for each session, by its earliest event; the events are in order of time already or are sorted. */
function callersOf(evidence: readonly Evidence[]): Seen[] {
  const sorted = [...evidence].sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
  const seen = new Map<string, Seen>();
  for (const { caller, time } of sorted) {
    if (caller === undefined) continue;
    const key = `${caller.principal.key} ${caller.key || (caller.session ?? caller.shared ?? '')}`;
    if (!seen.has(key) && seen.size < chainsMax) seen.set(key, { caller, time });
  }
  return [...seen.values()];
}

function withoutCaller(evidence: Evidence): Evidence {
  const { caller, ...rest } = evidence;
  return caller === undefined || caller.key === '' ? rest : { ...rest, session: caller.key };
}

/**
 * Takes chains of a signal as they were and as they are now; gives the more certain of each session. A
 * session that was forgotten since must not make a signal know less than it did.
 */
export function surer(old: readonly Chain[], now: readonly Chain[]): readonly Chain[] {
  return now.map((chain) => {
    const was = old.find(
      (one) => one.session === chain.session && one.principal === chain.principal,
    );
    if (was === undefined) return chain;
    const gain = provenSteps(chain) - provenSteps(was);
    const isSurer =
      gain > 0 || (gain === 0 && standingRank(chain.standing) >= standingRank(was.standing));
    return isSurer ? chain : was;
  });
}

/** Steps seen in the trail are what is lost when a session is forgotten; a hint always comes back. */
function provenSteps({ hops }: Chain): number {
  return hops.filter((one) => one.standing === 'proven' && one.event !== undefined).length;
}
