// Remembers which events were seen. A copy of an event carries the same event time, so ids are kept
// by hour of event time: a look-up touches one hour, and forgetting drops whole hours.
import { createHash } from 'node:crypto';
import type { Event } from '../core/event.ts';
import type { IdChunk } from '../core/ports.ts';
import { hourMs } from '../core/time.ts';

/** What the memory says of an event. `forgotten` means that its hour is no longer remembered. */
export type Seen = 'new' | 'duplicate' | 'forgotten';

const words = 4;
const idBytes = 16;

/**
 * The memory of event ids. One id costs 16 bytes in a table that is between 3/8 and 3/4 full, so 21
 * to 43 bytes. The key is (eventID, account, time, call): placeholder ids such as `EXAMPLE`, seen in
 * exports, do not make different events one.
 */
export class IdMemory {
  readonly #hours = new Map<number, IdSet>();
  readonly #added = new Map<number, number[]>();
  readonly #gone: number[] = [];
  readonly #hash = new Uint32Array(words);
  readonly #names = new Map<string, number>();
  #forgottenBefore = Number.NEGATIVE_INFINITY;
  #size = 0;

  /** Takes the chunks of a checkpoint. */
  constructor(chunks: Iterable<IdChunk>, forgottenBefore: number | undefined) {
    if (forgottenBefore !== undefined) this.#forgottenBefore = forgottenBefore;
    for (const chunk of chunks) {
      const view = new DataView(chunk.ids.buffer, chunk.ids.byteOffset, chunk.ids.byteLength);
      for (let at = 0; at + idBytes <= view.byteLength; at += idBytes) {
        for (let word = 0; word < words; word++) this.#hash[word] = view.getUint32(at + word * 4);
        if (this.#hour(chunk.hour).add(this.#hash)) this.#size++;
      }
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes of the tables. */
  get bytes(): number {
    let bytes = 0;
    for (const set of this.#hours.values()) bytes += set.bytes;
    return bytes;
  }

  /** Takes an event and which of its ids is meant; gives whether it was seen, and remembers it. */
  see(event: Event, id: string): Seen {
    const hour = Math.floor(event.time / hourMs);
    if (hour < this.#forgottenBefore) return 'forgotten';
    this.#key(event, id);
    if (!this.#hour(hour).add(this.#hash)) return 'duplicate';
    this.#size++;
    const added = this.#added.get(hour);
    const [a, b, c, d] = this.#hash;
    if (added === undefined) this.#added.set(hour, [a!, b!, c!, d!]);
    else added.push(a!, b!, c!, d!);
    return 'new';
  }

  /** Forgets hours that ended before `time`; then the oldest while more than `idsMax` are kept. */
  forget(time: number, idsMax: number): { readonly overLimit: boolean } {
    const before = Math.floor(time / hourMs);
    if (before > this.#forgottenBefore) this.#forgetBefore(before);
    let overLimit = false;
    while (this.#size > idsMax && this.#hours.size > 1) {
      overLimit = true;
      this.#forgetBefore(Math.min(...this.#hours.keys()) + 1);
    }
    return { overLimit };
  }

  /** Gives what was added and what was forgotten since the last call. */
  changes(): { readonly ids: IdChunk[]; readonly hoursGone: number[] } {
    const ids = [...this.#added].map(([hour, all]) => ({ hour, ids: bytesOf(all) }));
    const hoursGone = this.#gone.splice(0);
    this.#added.clear();
    return { ids, hoursGone };
  }

  /** The first hour that is remembered; undefined while nothing was forgotten. */
  get forgottenBefore(): number | undefined {
    return Number.isFinite(this.#forgottenBefore) ? this.#forgottenBefore : undefined;
  }

  /** Only hours that held ids are forgotten: a log that begins with its newest event loses nothing. */
  #forgetBefore(hour: number): void {
    for (const [one, set] of this.#hours) {
      if (one >= hour) continue;
      this.#size -= set.size;
      this.#hours.delete(one);
      this.#added.delete(one);
      this.#gone.push(one);
      this.#forgottenBefore = Math.max(this.#forgottenBefore, one + 1);
    }
  }

  #hour(hour: number): IdSet {
    let set = this.#hours.get(hour);
    if (set === undefined) {
      set = new IdSet();
      this.#hours.set(hour, set);
    }
    return set;
  }

  #key(event: Event, id: string): void {
    if (!parseUuid(id, this.#hash)) digest(id, this.#hash);
    this.#hash[0]! ^= this.#number(event.account);
    this.#hash[1]! ^= this.#number(event.name);
    this.#hash[2]! ^= event.time / 1000;
    this.#hash[3]! ^= event.time % 1000;
  }

  #number(name: string): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const number = createHash('sha256').update(name).digest().readUInt32BE(0);
    // Names of accounts and calls are few; a hostile log could bring many, so the cache is bounded.
    if (this.#names.size < 100_000) this.#names.set(name, number);
    return number;
  }
}

/** Open addressing over 128-bit keys; a slot of four zero words is empty. */
class IdSet {
  #table = new Uint32Array(64 * words);
  #mask = 63;
  size = 0;

  get bytes(): number {
    return this.#table.byteLength;
  }

  add(id: Uint32Array): boolean {
    if (id[0] === 0 && id[1] === 0 && id[2] === 0 && id[3] === 0) id[3] = 1;
    // All words are mixed in: ids that count upwards in one place must not crowd into one slot.
    const mixed = Math.imul(id[0]! ^ id[2]!, 0x9e3779b1) ^ Math.imul(id[1]! ^ id[3]!, 0x85ebca6b);
    let slot = (mixed ^ (mixed >>> 15)) & this.#mask;
    for (;;) {
      const at = slot * words;
      const table = this.#table;
      if (table[at] === 0 && table[at + 1] === 0 && table[at + 2] === 0 && table[at + 3] === 0) {
        table.set(id, at);
        this.size++;
        if (this.size * 4 > (this.#mask + 1) * 3) this.#grow();
        return true;
      }
      if (
        table[at] === id[0] &&
        table[at + 1] === id[1] &&
        table[at + 2] === id[2] &&
        table[at + 3] === id[3]
      ) {
        return false;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    this.size = 0;
    for (let at = 0; at < old.length; at += words) {
      const id = old.subarray(at, at + words);
      if (id[0] !== 0 || id[1] !== 0 || id[2] !== 0 || id[3] !== 0) this.add(id);
    }
  }
}

function bytesOf(all: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(all.length * 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < all.length; at++) view.setUint32(at * 4, all[at]!);
  return bytes;
}

/** The value of each ASCII hex digit; 255 for what is none. */
const hexValues = new Uint8Array(128).fill(255);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  hexValues[digit.charCodeAt(0)] = value;
  hexValues[digit.toUpperCase().charCodeAt(0)] = value;
}
const hyphen = 45;

/** Reads 8-4-4-4-12 hex digits into four words; gives false for any other text. */
function parseUuid(text: string, into: Uint32Array): boolean {
  if (text.length !== 36 || text.charCodeAt(8) !== hyphen || text.charCodeAt(13) !== hyphen)
    return false;
  if (text.charCodeAt(18) !== hyphen || text.charCodeAt(23) !== hyphen) return false;
  const first = hexNumber(text, 0, 8);
  const second = hexNumber(text, 9, 4) * 65_536 + hexNumber(text, 14, 4);
  const third = hexNumber(text, 19, 4) * 65_536 + hexNumber(text, 24, 4);
  const fourth = hexNumber(text, 28, 8);
  // What is no digit makes a NaN, and a sum with one is NaN too.
  if (Number.isNaN(first + second + third + fourth)) return false;
  into[0] = first;
  into[1] = second;
  into[2] = third;
  into[3] = fourth;
  return true;
}

/** The number that some hex digits make; NaN when one is none. */
function hexNumber(text: string, from: number, digits: number): number {
  let number = 0;
  let bad = 0;
  for (let at = from; at < from + digits; at++) {
    const code = text.charCodeAt(at);
    const value = code < 128 ? hexValues[code]! : 255;
    bad |= value;
    number = (number << 4) | (value & 15);
  }
  return bad > 15 ? Number.NaN : number >>> 0;
}

function digest(text: string, into: Uint32Array): void {
  const hash = createHash('sha256').update(text).digest();
  for (let word = 0; word < words; word++) into[word] = hash.readUInt32BE(word * 4);
}
