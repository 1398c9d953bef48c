// Cuts bytes that arrive in parts into JSON values: {"Records":[…]}, arrays, NDJSON, objects one after
// another. Ends of values are guessed with native searches and proven by JSON.parse; where a guess
// fails, the scanner decides. What is broken is one reject, and reading goes on behind it.
import type { RejectReason } from '../core/item.ts';
import type { DecodeLimits } from './limits.ts';
import { isDeeper, ValueScan, valueEnd } from './scanner.ts';

/** A JSON value and its bytes, or bytes that are none. Bytes are valid until the next slice is drawn. */
export type Slice =
  | {
      readonly kind: 'value';
      readonly value: unknown;
      readonly bytes: Uint8Array;
      readonly offset: number;
    }
  | {
      readonly kind: 'broken';
      readonly reason: RejectReason;
      readonly detail: string;
      readonly bytes: Uint8Array;
      readonly offset: number;
    };

/** Why the input ended before its end, as the source or gzip tells it. */
export interface Problem {
  readonly reason: RejectReason;
  readonly detail: string;
}

const lineFeed = 0x0a;
const brace = 0x7b;
const bracket = 0x5b;
/** Unescaped quotes cannot stand within a JSON string, so these bytes are structure wherever they occur. */
const betweenRecords = Buffer.from('},{"eventVersion"');
const betweenObjects = Buffer.from('}{"eventVersion"');
const recordStart = Buffer.from('{"eventVersion"');
const wrapper = /^\{\s*"Records"\s*:\s*\[/;
/** A wrapper's opening, with some blanks, fits in this. */
const wrapperBytesMax = 64;

type Step = Slice | 'more' | 'again';

export class Splitter {
  readonly #limits: DecodeLimits;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #base = 0;
  #isLast = false;
  #mode: 'start' | 'top' | 'array' | 'records' | 'tail' = 'start';
  #problem: Problem | undefined;
  /** From here on the present buffer holds no `betweenRecords`; searching again would be in vain. */
  #noGuessFrom = Number.POSITIVE_INFINITY;
  #isConcatenated = false;
  #skip: { scan: ValueScan; head: Buffer; offset: number } | undefined;
  #tail = new ValueScan(1);

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  /** Takes the next bytes, whether they are the last, and what cut them short; gives the slices. */
  *push(bytes: Uint8Array, isLast: boolean, problem?: Problem): Generator<Slice> {
    this.#take(bytes);
    this.#isLast = isLast;
    this.#problem = problem;
    for (;;) {
      const step = this.#step();
      if (step === 'again') continue;
      if (step === 'more') break;
      yield step;
    }
    if (isLast) yield* this.#end();
  }

  #take(bytes: Uint8Array): void {
    const fresh = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base += this.#at;
    const rest = this.#buffer.subarray(this.#at);
    this.#buffer = rest.length === 0 ? fresh : Buffer.concat([rest, fresh]);
    this.#at = 0;
    this.#noGuessFrom = Number.POSITIVE_INFINITY;
  }

  #step(): Step {
    if (this.#skip !== undefined) return this.#skipOn(this.#skip);
    if (this.#mode === 'start') return this.#begin();
    if (this.#mode === 'tail') return this.#throughTail();
    this.#overBlanks();
    if (this.#at >= this.#buffer.length) return 'more';
    return this.#mode === 'top' ? this.#topLevel() : this.#element();
  }

  #begin(): Step {
    const bytes = this.#buffer;
    if (bytes.length < 3 && !this.#isLast) return 'more';
    // A byte order mark is no content.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
    this.#mode = 'top';
    return 'again';
  }

  /** What stands behind the Records array up to the wrapper's end is no record. */
  #throughTail(): Step {
    const end = this.#tail.next(this.#buffer, this.#at, this.#buffer.length);
    this.#at = end < 0 ? this.#buffer.length : end;
    if (end < 0) return 'more';
    this.#mode = 'top';
    return 'again';
  }

  #overBlanks(): void {
    const bytes = this.#buffer;
    let at = this.#at;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      const isBlank =
        byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0x1e || byte === 0;
      if (!isBlank && byte !== 0x2c) break;
      at++;
    }
    this.#at = at;
  }

  #topLevel(): Step {
    const first = this.#buffer[this.#at];
    if (first === bracket) {
      this.#at++;
      this.#mode = 'array';
      return 'again';
    }
    if (first !== brace) return this.#garbage();
    const opening = this.#wrapperOpening();
    if (opening === undefined) return 'more';
    if (opening > 0) {
      this.#at += opening;
      this.#mode = 'records';
      this.#tail = new ValueScan(1);
      return 'again';
    }
    return this.#isConcatenated ? this.#glued() : this.#line();
  }

  /** Length of `{"Records":[` here, 0 where something else stands, undefined where it is not yet known. */
  #wrapperOpening(): number | undefined {
    const bytes = this.#buffer;
    const at = this.#at;
    if (bytes[at + 1] === 0x22 && bytes[at + 2] !== undefined && bytes[at + 2] !== 0x52) return 0;
    if (bytes.length - at < wrapperBytesMax && !this.#isLast) return undefined;
    return wrapper.exec(bytes.toString('latin1', at, at + wrapperBytesMax))?.[0].length ?? 0;
  }

  /** NDJSON: the value ends where the line does. */
  #line(): Step {
    const bytes = this.#buffer;
    const at = this.#at;
    const feed = bytes.indexOf(lineFeed, at);
    if (feed < 0 && !this.#isLast) return this.#waitOr(() => this.#openValue());
    const end = feed < 0 ? bytes.length : feed;
    const whole = this.#value(at, end);
    if (whole !== undefined) return whole;
    const inLine = valueEnd(bytes, at, end);
    if (inLine > 0) {
      this.#isConcatenated = true;
      return this.#cut(at, inLine);
    }
    if (feed < 0) return this.#openValue();
    if (feed + 1 >= bytes.length && !this.#isLast) return this.#waitOr(() => this.#openValue());
    // The next line opens an object of its own, so this one is broken and swallows nothing.
    if (bytes[feed + 1] === brace) return this.#broken(end, 'json-broken', 'the line is not JSON');
    return this.#openValue();
  }

  /** Objects one after another on one line. */
  #glued(): Step {
    const found = this.#guess(betweenObjects);
    if (found > 0) {
      const value = this.#value(this.#at, found);
      if (value !== undefined) return value;
    }
    const end = valueEnd(this.#buffer, this.#at, this.#scanTo());
    if (end < 0) return this.#waitOr(() => this.#openValue());
    return this.#cut(this.#at, end);
  }

  /** A value over several lines, or one that the input ends within. */
  #openValue(): Step {
    const bytes = this.#buffer;
    const at = this.#at;
    const end = valueEnd(bytes, at, this.#scanTo());
    if (end > 0) return this.#cut(at, end);
    const nextLine = bytes.indexOf('\n{', at);
    if (nextLine > 0 && nextLine - at <= this.#limits.recordBytesMax) {
      return this.#broken(nextLine, 'json-broken', 'the JSON is not closed before the next object');
    }
    if (bytes.length - at > this.#limits.recordBytesMax) return this.#tooLarge();
    return 'more';
  }

  #element(): Step {
    const bytes = this.#buffer;
    const first = bytes[this.#at];
    if (first === 0x5d) {
      this.#at++;
      this.#mode = this.#mode === 'records' ? 'tail' : 'top';
      return 'again';
    }
    if (first !== brace && first !== bracket) return this.#scalar();
    const found = this.#guess(betweenRecords);
    if (found > 0) {
      const value = this.#value(this.#at, found);
      if (value !== undefined) return value;
    }
    const end = valueEnd(bytes, this.#at, this.#scanTo());
    if (end > 0) {
      const value = this.#value(this.#at, end);
      if (value !== undefined) return value;
      return this.#brokenElement(end);
    }
    const next = bytes.indexOf(recordStart, this.#at + 1);
    const isOver = bytes.length - this.#at > this.#limits.recordBytesMax;
    if (next > 0 && (isOver || this.#isLast)) return this.#brokenElement(next);
    return isOver ? this.#tooLarge() : 'more';
  }

  /** A broken record ends at the next one, if that opens within it: a missing brace swallows nothing. */
  #brokenElement(end: number): Slice {
    const next = this.#buffer.indexOf(recordStart, this.#at + 1);
    const upTo = next > 0 && next < end ? next : end;
    return this.#broken(upTo, 'json-broken', 'the record is not JSON');
  }

  /** A number, string or word where a record should stand. */
  #scalar(): Step {
    const bytes = this.#buffer;
    let end = this.#at;
    if (bytes[end] === 0x22) {
      end++;
      while (end < bytes.length && bytes[end] !== 0x22) end += bytes[end] === 0x5c ? 2 : 1;
      end++;
    } else while (end < bytes.length && !isScalarEnd(bytes[end]!)) end++;
    if (end >= bytes.length && !this.#isLast && end - this.#at <= this.#limits.recordBytesMax)
      return 'more';
    return this.#broken(Math.min(end, bytes.length), 'not-cloudtrail', 'it is not a JSON object');
  }

  /** Bytes that open no JSON: one reject up to the next line that does. */
  #garbage(): Step {
    const bytes = this.#buffer;
    let at = this.#at;
    for (;;) {
      const feed = bytes.indexOf(lineFeed, at);
      if (feed < 0) break;
      const next = bytes[feed + 1];
      if (next === brace || next === bracket)
        return this.#broken(feed, 'json-broken', 'it is not JSON');
      at = feed + 1;
    }
    if (!this.#isLast && bytes.length - this.#at <= this.#limits.recordBytesMax) return 'more';
    const problem = this.#problem ?? { reason: 'json-broken' as const, detail: 'it is not JSON' };
    return this.#broken(bytes.length, problem.reason, problem.detail);
  }

  #guess(pattern: Buffer): number {
    if (this.#at >= this.#noGuessFrom) return -1;
    const found = this.#buffer.indexOf(pattern, this.#at);
    if (found < 0) this.#noGuessFrom = this.#at;
    return found < 0 || found - this.#at > this.#limits.recordBytesMax ? -1 : found + 1;
  }

  /** Ends at a proven JSON value, or is undefined. */
  #value(from: number, to: number): Slice | undefined {
    if (to - from > this.#limits.recordBytesMax) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(this.#buffer.toString('utf8', from, to));
    } catch {
      return undefined;
    }
    const bytes = this.#buffer.subarray(from, to);
    const offset = this.#base + from;
    this.#at = to;
    if (!isDeeper(value, this.#limits.depthMax)) return { kind: 'value', value, bytes, offset };
    const detail = `it nests deeper than ${this.#limits.depthMax} levels`;
    return { kind: 'broken', reason: 'too-deep', detail, bytes, offset };
  }

  /** The scanner found the end: a value, or a reject up to there or to the end of its first line. */
  #cut(from: number, to: number): Slice {
    const value = this.#value(from, to);
    if (value !== undefined) return value;
    const nextLine = this.#buffer.indexOf('\n{', from);
    const end = nextLine > 0 && nextLine < to ? nextLine : to;
    return this.#broken(end, 'json-broken', 'it is not JSON');
  }

  #broken(to: number, reason: RejectReason, detail: string): Slice {
    const from = this.#at;
    this.#at = to;
    const bytes = this.#buffer.subarray(from, to);
    return { kind: 'broken', reason, detail, bytes, offset: this.#base + from };
  }

  #scanTo(): number {
    return Math.min(this.#buffer.length, this.#at + this.#limits.recordBytesMax + 1);
  }

  #waitOr(decide: () => Step): Step {
    const waits = this.#buffer.length - this.#at;
    return this.#isLast || waits > this.#limits.recordBytesMax ? decide() : 'more';
  }

  /** From here on bytes are let go as they are scanned; only the head is kept. */
  #tooLarge(): Step {
    const head = Buffer.from(
      this.#buffer.subarray(this.#at, this.#at + this.#limits.deadLetterBytesMax),
    );
    this.#skip = { scan: new ValueScan(), head, offset: this.#base + this.#at };
    return 'again';
  }

  #skipOn(skip: { scan: ValueScan; head: Buffer; offset: number }): Step {
    const end = skip.scan.next(this.#buffer, this.#at, this.#buffer.length);
    this.#at = end < 0 ? this.#buffer.length : end;
    if (end < 0 && !this.#isLast) return 'more';
    this.#skip = undefined;
    const detail = `it is larger than ${this.#limits.recordBytesMax} bytes`;
    return { kind: 'broken', reason: 'too-large', detail, bytes: skip.head, offset: skip.offset };
  }

  /** One reject for what was cut off: bytes that remain, or a container that was never closed. */
  *#end(): Generator<Slice> {
    const isOpen = this.#mode !== 'top' && this.#mode !== 'start';
    const rest = this.#at < this.#buffer.length;
    if (!rest && !isOpen && this.#problem === undefined) return;
    const cut = { reason: 'json-cut-short' as const, detail: 'the input ends within it' };
    const { reason, detail } = this.#problem ?? cut;
    yield this.#broken(this.#buffer.length, reason, detail);
    this.#mode = 'top';
  }
}

function isScalarEnd(byte: number): boolean {
  return byte === 0x2c || byte === 0x5d || byte <= 0x20 || byte === brace || byte === bracket;
}
