// A lane that judges nothing: it passes events on, keyed by account, so that others may judge them.
import type { Event } from '../core/event.ts';
import type { Item } from '../core/item.ts';
import type { Counters, DeadLetter } from '../core/ports.ts';
import { emptyCounters } from '../engine/counters.ts';
import type { LaneChanges } from '../engine/lane.ts';
import type { LaneSize } from '../engine/lane-size.ts';
import type { Judge } from './run.ts';

/** A message to be written. `isSession` marks the copy for those who follow sessions. */
export interface Forwarded {
  readonly key: string;
  readonly value: Uint8Array;
  readonly isSession: boolean;
}

/** Events of one account share a message up to these: fewer messages cost less on both sides. */
const messageEventsMax = 200;
const messageBytesMax = 256 * 1024;
const newline = Buffer.from('\n');
/** Things without an account of their own go together, in order. */
const otherKey = 'other';
/** Calls that begin a session; every lane will need them to follow roles across accounts. */
const sessionSources: ReadonlySet<string> = new Set(['sts.amazonaws.com', 'signin.amazonaws.com']);

interface Growing {
  readonly parts: Uint8Array[];
  bytes: number;
}

/**
 * Gathers items as messages: events, findings and other kinds as their bytes, one a line, in the order
 * of each account. Rejects become dead letters of this lane. `taken` gives the messages since the last
 * call; they must be written before the positions are committed.
 */
export class ForwardLane implements Judge {
  pendingBytes = 0;
  readonly #counters: Counters;
  readonly #withSessions: boolean;
  #growing = new Map<string, Growing>();
  #ready: Forwarded[] = [];
  #deadLetters: DeadLetter[] = [];

  constructor(counters: Counters | undefined, withSessions: boolean) {
    this.#counters = counters === undefined ? emptyCounters() : structuredClone(counters);
    this.#withSessions = withSessions;
  }

  get counters(): Readonly<Counters> {
    return this.#counters;
  }

  get size(): LaneSize {
    return { keys: 0, ids: 0, sessions: 0, sessionBytes: 0, bytes: 0 };
  }

  step(item: Item): void {
    const counters = this.#counters;
    counters.items++;
    switch (item.kind) {
      case 'event':
        counters.events++;
        this.#event(item.event);
        return;
      case 'rejected': {
        const { reason, detail, offset, position, size } = item;
        counters.rejected[reason] = (counters.rejected[reason] ?? 0) + 1;
        const bytes = new Uint8Array(item.bytes);
        this.pendingBytes += bytes.length;
        this.#deadLetters.push({ ...position, offset, reason, detail, bytes, size });
        return;
      }
      case 'control':
        counters.control++;
        return;
      case 'sample':
        counters.samples++;
        return;
      case 'finding':
        counters.findings++;
        this.#add(item.finding.account || otherKey, new Uint8Array(item.bytes));
        return;
      case 'insight':
        counters.insights++;
        break;
      case 'aggregated':
        counters.aggregated++;
        break;
      case 'digest':
        counters.digests++;
        break;
    }
    this.#add(otherKey, new Uint8Array(item.bytes));
  }

  /** Gives the messages gathered since the last call, each account's in order. */
  taken(): readonly Forwarded[] {
    for (const [key, one] of this.#growing) this.#finish(key, one);
    this.#growing = new Map();
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  drain(): { readonly judgements: readonly []; readonly changes: LaneChanges } {
    const deadLetters = this.#deadLetters;
    this.#deadLetters = [];
    this.pendingBytes = 0;
    const none = { buckets: [], bucketsGone: [], ids: [], hoursGone: [], events: [], kept: [] };
    const counters = structuredClone(this.#counters);
    return { judgements: [], changes: { counters, clocks: {}, horizon: {}, deadLetters, ...none } };
  }

  #event(event: Event): void {
    const bytes = event.raw();
    this.#add(event.account || otherKey, bytes);
    if (!this.#withSessions || !sessionSources.has(event.source)) return;
    if (event.outcome !== 'success') return;
    this.#ready.push({ key: event.account, value: bytes, isSession: true });
  }

  #add(key: string, bytes: Uint8Array): void {
    this.pendingBytes += bytes.length;
    let one = this.#growing.get(key);
    if (one === undefined) {
      one = { parts: [], bytes: 0 };
      this.#growing.set(key, one);
    }
    const isFull =
      one.bytes + bytes.length > messageBytesMax || one.parts.length >= messageEventsMax;
    if (isFull && one.parts.length > 0) {
      this.#finish(key, one);
      one.parts.length = 0;
      one.bytes = 0;
    }
    one.parts.push(bytes);
    one.bytes += bytes.length + 1;
  }

  #finish(key: string, { parts }: Growing): void {
    if (parts.length === 0) return;
    const value = Buffer.concat(parts.flatMap((one) => [one, newline]));
    this.#ready.push({ key, value, isSession: false });
  }
}
