// Cuts bytes that arrive in parts into JSON values: {"Records":[…]}, arrays, NDJSON, objects in a
// row. Ends are guessed with native searches and proven by JSON.parse; where a guess fails, the
// scanner decides. What is broken is one reject, and reading goes on behind it. The same bytes give
// the same slices however they were cut into parts: a decision waits for the bytes it needs.
import type { DecodeLimits } from './limits.ts';
import {
  beginsAsEnvelope,
  elementEnd,
  type Found,
  lookBackBytes,
  nextOpening,
  openerAt,
  openingAt,
  opensArray,
  opensNothing,
  opensObject,
  opensText,
  opensUnknown,
} from './openings.ts';
import { isBlank, parsed, ValueScan } from './scanner.ts';
import {
  cutShort,
  keepHead,
  type Problem,
  type Reject,
  type Slice,
  type ValueSlice,
  type Wear,
} from './slice.ts';

const lineFeed = 0x0a;
const brace = 0x7b;
const braceEnd = 0x7d;
const bracket = 0x5b;
const bracketEnd = 0x5d;
const comma = 0x2c;
const quote = 0x22;
/** Unescaped quotes cannot stand within a JSON string, so these bytes are structure anywhere. */
const recordOpener = Buffer.from('{"eventVersion"');
const wrapperOpener = Buffer.from('{"Records"');
/** Envelopes may be larger than a record, up to this; Kinesis takes 10 MiB, which base64 makes 14. */
const envelopeBytesMax = 16 * 1024 * 1024;
/** Once so many bytes were scanned in vain, values over 64 KiB are broken: it bounds the cost. */
const wastedBytesMax = 64 * 1024 * 1024;
const wearyBytesMax = 65_536;
/** How far a search looks at first; it doubles, so that near ends are found without far looks. */
const windowBytes = 4_096;

type Step = Slice | 'more' | 'again';

/** Splits one record's bytes, or those of a text within it; takes the limits. */
export class Splitter {
  readonly #limits: DecodeLimits;
  #buffer: Buffer = Buffer.alloc(0);
  #room: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Offset of the buffer's first byte in the record. */
  #base = 0;
  #isLast = false;
  #isBegun = false;
  #isCut = false;
  #mode: 'top' | 'array' | 'records' | 'tail' = 'top';
  #outer: 'top' | 'array' = 'top';
  /** Wrappers that were left open when another began within; their ends may still come. */
  #unclosed = 0;
  #problem: Problem | undefined;
  #reject: Reject | undefined;
  #openers: readonly Buffer[] = [recordOpener, wrapperOpener];
  #guessBy: Buffer = recordOpener;
  #mustLearn = true;
  #isByLine = true;
  /** Next line feed and opener in the buffer, so that no search is done twice; -1 is not known. */
  #line = -1;
  #opener = -1;
  #scan = new ValueScan();
  #scanStart = -1;
  #scanned = 0;
  readonly #wear: Wear;

  constructor(limits: DecodeLimits, wear: Wear = { wasted: 0, misguessed: 0 }) {
    this.#limits = limits;
    this.#wear = wear;
  }

  /** Takes the next bytes, whether they are the last, and what cut them short; gives the slices. */
  *push(bytes: Uint8Array, isLast: boolean, problem?: Problem): Generator<Slice> {
    this.#take(bytes);
    this.#isLast = isLast || problem !== undefined;
    this.#problem = problem;
    for (;;) {
      const step = this.#step();
      if (step === 'again') continue;
      if (step === 'more') break;
      yield step;
    }
    if (this.#isLast) yield* this.#end();
  }

  #take(bytes: Uint8Array): void {
    const fresh = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base += this.#at;
    if (this.#reject !== undefined) this.#reject.searched -= this.#at;
    const rest = this.#buffer.subarray(this.#at);
    this.#buffer = rest.length === 0 ? fresh : this.#joined(rest, fresh);
    this.#at = 0;
    this.#line = -1;
    this.#opener = -1;
  }

  /** One room is used for all parts: a new one for each would set off the garbage collector. */
  #joined(rest: Buffer, fresh: Buffer): Buffer {
    const length = rest.length + fresh.length;
    const room = this.#room.length < length ? Buffer.allocUnsafeSlow(length * 2) : this.#room;
    // The rest may lie in the same room; `copy` minds that.
    rest.copy(room, 0);
    fresh.copy(room, rest.length);
    this.#room = room;
    return room.subarray(0, length);
  }

  #step(): Step {
    if (this.#reject !== undefined) return this.#rejectOn(this.#reject);
    if (!this.#isBegun) return this.#begin();
    this.#overBlanks();
    if (this.#at >= this.#buffer.length) return 'more';
    if (this.#mode === 'top') return this.#topLevel();
    return this.#mode === 'tail' ? this.#closeWrapper() : this.#element();
  }

  #begin(): Step {
    const bytes = this.#buffer;
    if (bytes.length < 3 && !this.#isLast) return 'more';
    // A byte order mark is no content.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
    this.#isBegun = true;
    return 'again';
  }

  #overBlanks(): void {
    const bytes = this.#buffer;
    let at = this.#at;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (byte > 0x20 ? byte !== comma : !isBlank(byte)) break;
      at++;
    }
    this.#at = at;
  }

  #topLevel(): Step {
    const first = this.#buffer[this.#at];
    if (this.#unclosed > 0 && (first === bracketEnd || first === braceEnd)) {
      if (first === braceEnd) this.#unclosed--;
      return this.#leave('top');
    }
    const opens = openingAt(this.#buffer, this.#at, this.#isLast);
    if (opens === opensObject) return this.#object();
    if (opens === opensUnknown) return 'more';
    if (opens === opensNothing) return this.#startReject(false);
    if (opens === opensText) return this.#text();
    return opens === opensArray ? this.#enter('array', 1) : this.#enter('records', opens);
  }

  #element(): Step {
    const bytes = this.#buffer;
    const first = bytes[this.#at];
    if (first === bracketEnd) return this.#leave(this.#mode === 'records' ? 'tail' : 'top');
    // A broken last record may have swallowed the bracket.
    if (first === braceEnd && this.#mode === 'records') return this.#leave(this.#outer);
    if (first === bracket) return this.#object();
    if (first === quote) return this.#text();
    if (first !== brace) return this.#startReject(false);
    const opens = openingAt(bytes, this.#at, this.#isLast);
    if (opens === opensUnknown) return 'more';
    if (opens > opensText) return this.#enter('records', opens);
    return opens === opensObject ? this.#object() : this.#startReject(false);
  }

  #enter(mode: 'array' | 'records', length: number): Step {
    if (this.#mode === 'records') this.#unclosed++;
    else if (mode === 'records') this.#outer = this.#mode === 'array' ? 'array' : 'top';
    this.#mode = mode;
    this.#mustLearn = true;
    this.#at += length;
    return 'again';
  }

  #leave(mode: 'top' | 'array' | 'tail'): Step {
    this.#mode = mode;
    this.#at++;
    return 'again';
  }

  /** Behind the array of a wrapper: its end, or other members, which are no records. */
  #closeWrapper(): Step {
    const bytes = this.#buffer;
    const at = this.#at;
    if (bytes[at] === braceEnd) return this.#leave(this.#outer);
    if (bytes[at] === quote) {
      const upTo = Math.min(bytes.length, at + this.#limits.recordBytesMax);
      const end = new ValueScan(1).next(bytes, at, upTo);
      if (end < 0 && upTo === bytes.length && !this.#isLast) return 'more';
      if (end > 0 && parsed(`{${bytes.toString('utf8', at, end)}`) !== undefined) this.#at = end;
    }
    this.#mode = this.#outer;
    return 'again';
  }

  /** A string where a record should stand: JSON in a string, which is half as large again. */
  #text(): Step {
    const bytes = this.#buffer;
    const limit = Math.max(this.#limits.recordBytesMax, envelopeBytesMax);
    const upTo = Math.min(bytes.length, this.#at + limit);
    let end = this.#at + 1;
    while (end < upTo && bytes[end] !== quote) end += bytes[end] === 0x5c ? 2 : 1;
    if (end >= upTo) {
      return upTo === bytes.length && !this.#isLast ? 'more' : this.#startReject(false);
    }
    const value = parsed(bytes.toString('utf8', this.#at, end + 1));
    return value === undefined ? this.#startReject(false) : this.#value(value, end + 1);
  }

  /** An object or array that is one value; by a guess where one holds, else by the scanner. */
  #object(): Step {
    const bytes = this.#buffer;
    const at = this.#at;
    const guess = this.#guess();
    if (guess > at && guess - at <= this.#guessBytesMax()) {
      const value = parsed(bytes.toString('utf8', at, guess));
      if (value !== undefined) return this.#value(value, guess);
      this.#wear.misguessed += guess - at;
    }
    const limit = this.#limit();
    const isOver = bytes.length - at >= limit;
    const upTo =
      this.#wear.wasted < wastedBytesMax ? Math.min(at + limit, bytes.length) : this.#near();
    // With the bytes still to come a weary scan might end elsewhere, so it waits for them.
    const isWaiting = !isOver && !this.#isLast;
    if (isWaiting && this.#wear.wasted >= wastedBytesMax) return 'more';
    const end = this.#scanEnd(upTo);
    if (end < 0 && isWaiting) return 'more';
    const value = end > 0 ? parsed(bytes.toString('utf8', at, end)) : undefined;
    if (value === undefined) {
      this.#wear.wasted += (end < 0 ? upTo : end) - at;
      return this.#startReject(true);
    }
    if (this.#mode === 'top' && guess > at) this.#isByLine = !this.#isByLine;
    return this.#value(value, end);
  }

  /** Where a weary scan ends: at the next opening, which a sound value seldom holds. */
  #near(): number {
    const view = this.#buffer.subarray(0, this.#at + this.#limit());
    const found = this.#search(view, true, this.#at + 1, true);
    return found.isFound ? found.at : view.length;
  }

  /** Guesses only save time; where they keep failing, large ones are left to the scanner. */
  #guessBytesMax(): number {
    const isCostly = Math.max(this.#wear.misguessed, this.#wear.wasted) >= wastedBytesMax;
    const { recordBytesMax } = this.#limits;
    return isCostly ? Math.min(recordBytesMax, wearyBytesMax) : recordBytesMax;
  }

  /** How large a value here may be: only what begins as an envelope may be larger than a record. */
  #limit(): number {
    const { recordBytesMax } = this.#limits;
    if (this.#wear.wasted >= wastedBytesMax) return Math.min(wearyBytesMax, recordBytesMax);
    const isOver = this.#buffer.length - this.#at >= recordBytesMax;
    if (!isOver || !beginsAsEnvelope(this.#buffer, this.#at, recordBytesMax)) return recordBytesMax;
    return Math.max(recordBytesMax, envelopeBytesMax);
  }

  /** Where the value may end, or -1. It is proven or not by parsing. */
  #guess(): number {
    const bytes = this.#buffer;
    if (this.#mode === 'top' && this.#isByLine) {
      if (this.#line <= this.#at) {
        const feed = bytes.indexOf(lineFeed, this.#at);
        this.#line = feed < 0 ? Number.POSITIVE_INFINITY : feed;
      }
      if (this.#line < bytes.length) return this.#line;
      return this.#isLast ? bytes.length : -1;
    }
    if (this.#opener <= this.#at) {
      const found = bytes.indexOf(this.#guessBy, this.#at + 1);
      this.#opener = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    if (this.#opener > bytes.length) return -1;
    let end = this.#opener;
    while (end > this.#at && (bytes[end - 1]! <= 0x20 || bytes[end - 1] === comma)) end--;
    return bytes[end - 1] === braceEnd ? end : -1;
  }

  #scanEnd(upTo: number): number {
    const start = this.#base + this.#at;
    if (this.#scanStart !== start) {
      this.#scan = new ValueScan();
      this.#scanStart = start;
      this.#scanned = start;
    }
    const from = this.#scanned - this.#base;
    const end = this.#scan.next(this.#buffer, from, upTo);
    this.#scanned = this.#base + Math.max(from, end < 0 ? upTo : end);
    return end;
  }

  #value(value: unknown, to: number): ValueSlice {
    const { buffer, byteOffset } = this.#buffer;
    const from = this.#at;
    let end = to;
    while (this.#buffer[end - 1]! <= 0x20) end--;
    if (this.#mustLearn) this.#learn();
    this.#at = to;
    // No Buffer: its `slice` would not copy, and those who keep bytes rely on a copy.
    const bytes = new Uint8Array(buffer, byteOffset + from, end - from);
    return { kind: 'value', value, bytes, offset: this.#base + from };
  }

  /** Records of one container begin alike: what the first begins with is searched from then on. */
  #learn(): void {
    this.#mustLearn = false;
    const opener = openerAt(this.#buffer, this.#at);
    this.#openers = [recordOpener, wrapperOpener];
    this.#guessBy = opener ?? recordOpener;
    this.#opener = -1;
    if (opener !== undefined && !opener.equals(recordOpener))
      this.#openers = [opener, ...this.#openers];
  }

  #startReject(isObject: boolean): Step {
    this.#reject = {
      offset: this.#base + this.#at,
      scan: isObject ? new ValueScan() : undefined,
      heads: [],
      headBytes: 0,
      searched: this.#at,
      window: windowBytes,
    };
    return 'again';
  }

  /** Searches on for the end of broken bytes: where brackets close, or where JSON opens anew. */
  #rejectOn(reject: Reject): Step {
    const bytes = this.#buffer;
    const from = reject.searched;
    const isNew = reject.offset === this.#base + from;
    const view = bytes.subarray(0, from + reject.window);
    const isLast = this.#isLast && view.length === bytes.length;
    const found = this.#search(view, isLast, isNew ? from + 1 : from, reject.scan !== undefined);
    const upTo = found.isFound || !isLast ? Math.max(from, found.at) : bytes.length;
    const closed = reject.scan?.next(bytes, from, upTo) ?? -1;
    const end = closed > 0 ? closed : upTo;
    keepHead(reject, bytes.subarray(from, end), this.#limits.deadLetterBytesMax);
    reject.searched = end;
    if (closed < 0 && !found.isFound && !isLast) {
      reject.window *= 2;
      this.#at = Math.max(this.#at, end - lookBackBytes - 2);
      return view.length < bytes.length ? 'again' : 'more';
    }
    this.#at = end;
    this.#reject = undefined;
    const isCut = closed < 0 && !found.isFound;
    if (isCut) this.#isCut = true;
    const { offset } = reject;
    const size = this.#base + end - offset;
    const why = this.#why(reject, size, isCut);
    return { kind: 'broken', ...why, bytes: Buffer.concat(reject.heads), size, offset };
  }

  #search(bytes: Buffer, isLast: boolean, from: number, isInObject: boolean): Found {
    if (this.#mode !== 'top' && !isInObject) return elementEnd(bytes, isLast, from);
    const lineBytesMax = this.#limits.recordBytesMax;
    const search = { bytes, isLast, isInObject, lineBytesMax, openers: this.#openers };
    return nextOpening({ ...search, isByLine: this.#mode === 'top' }, from);
  }

  #why(reject: Reject, bytes: number, isCut: boolean): Problem {
    if (isCut && this.#problem !== undefined) return this.#problem;
    const { recordBytesMax } = this.#limits;
    if (reject.scan !== undefined && bytes > recordBytesMax) {
      return { reason: 'too-large', detail: `it is larger than ${recordBytesMax} bytes` };
    }
    if (isCut && (reject.scan !== undefined || this.#mode !== 'top')) return cutShort;
    return { reason: 'json-broken', detail: 'it is not JSON' };
  }

  /** One reject for what was cut off, if no bytes said so: the container is still open. */
  *#end(): Generator<Slice> {
    const { reason, detail } = this.#problem ?? cutShort;
    const isOpen = this.#mode !== 'top' || this.#problem !== undefined;
    const offset = this.#base + this.#buffer.length;
    this.#mode = 'top';
    const bytes = new Uint8Array(0);
    if (isOpen && !this.#isCut) yield { kind: 'broken', reason, detail, bytes, size: 0, offset };
  }
}
