// From the bytes of a record, or of base64 in an envelope, to bytes that hold JSON: takes Kinesis
// aggregates apart and unpacks gzip, also gzip in gzip, within what one record may grow to.
import type { SourceRecord } from '../core/ports.ts';
import { type Gunzipped, gunzip, isGzip, triesMax } from './gunzip.ts';
import { isAggregate, userRecords } from './kpl.ts';
import type { DecodeLimits } from './limits.ts';
import type { Problem } from './slice.ts';

/** Bytes to be split. `levels` says how many envelopes may still be opened within. */
export interface Payload {
  readonly bytes: Uint8Array;
  /** Offset of these bytes in the record, as far as it was not packed. */
  readonly offset: number;
  readonly levels: number;
  readonly problem: Problem | undefined;
}

/** A payload of a record: the whole of one, or a part of one that comes in parts. */
export interface PayloadPart extends Payload {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** A packed file within a packed file is held until it is whole; Firehose writes 5 MiB by default. */
const heldBytesMax = 64 * 1024 * 1024;

/** The payloads of one record, whose parts follow one another. */
export class RecordPayloads {
  readonly #limits: DecodeLimits;
  readonly #levels: number;
  /** Parts that wait for the last one; 'none' once they were too many. */
  #held: Uint8Array[] | 'none' | undefined;
  #heldBytes = 0;

  /** Takes the limits and how many envelopes may be opened. */
  constructor(limits: DecodeLimits, levels: number) {
    this.#limits = limits;
    this.#levels = levels;
  }

  /** Takes the next part; gives what is in it. Throws nothing for any bytes. */
  of(record: SourceRecord): Iterable<PayloadPart> {
    const { bytes, broken, isFirst, isLast } = record;
    const isWhole = isFirst && isLast;
    if (isFirst && !isLast && isGzip(bytes)) this.#held = [];
    if (this.#held !== undefined) return this.#hold(this.#held, record);
    if (isWhole && isPacked(bytes)) return this.#unpacked(bytes, broken);
    // On the way of every event: no generator for it.
    return [{ bytes, offset: 0, levels: this.#levels, problem: broken, isFirst, isLast }];
  }

  *#unpacked(bytes: Uint8Array, broken: Problem | undefined): Generator<PayloadPart> {
    const allowance = new Allowance(this.#limits.inflatedBytesMax);
    const rest = { offset: 0, levels: this.#levels, problem: broken };
    for (const one of payloadsIn(bytes, rest, allowance)) {
      yield { ...one, isFirst: true, isLast: true };
    }
  }

  *#hold(held: Uint8Array[] | 'none', record: SourceRecord): Generator<PayloadPart> {
    if (held === 'none') return;
    this.#heldBytes += record.bytes.length;
    if (this.#heldBytes > heldBytesMax) {
      this.#held = 'none';
      const detail = `it is packed twice and larger than ${heldBytesMax} bytes`;
      yield* this.#unpacked(empty, { reason: 'too-large', detail });
      return;
    }
    held.push(new Uint8Array(record.bytes));
    if (record.isLast) yield* this.#unpacked(Buffer.concat(held), record.broken);
  }
}

/** How many bytes may still be unpacked. One bomb uses it up: the rest of its record is no better. */
export class Allowance {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** As `gunzip`, within what is left. */
  gunzip(bytes: Uint8Array): Gunzipped {
    if (this.#left <= 0) return { bytes: empty, problem: spent };
    const out = gunzip(bytes, { inflatedBytesMax: this.#left });
    const isBomb = out.problem?.reason === 'gzip-bomb';
    // Where a break was looked for, the good bytes were unpacked once for each try.
    const times = out.problem === undefined ? 1 : triesMax;
    this.#left -= isBomb ? this.#left : out.bytes.length * times;
    return out;
  }
}

const spent: Problem = {
  reason: 'gzip-bomb',
  detail: 'the record it came in unpacks to more than is allowed',
};

/**
 * Takes bytes that came whole, what cut them short if anything did, and the rest as `Payload` says;
 * gives what they hold, in order. Gzip in what was packed is one layer more: Firehose packs what
 * CloudWatch Logs packed before. Throws nothing for any bytes.
 */
export function* payloadsIn(
  bytes: Uint8Array,
  { offset, levels, problem }: Omit<Payload, 'bytes'>,
  allowance: Allowance,
): Generator<Payload> {
  const records = userRecords(bytes);
  if (records === undefined && !isGzip(bytes)) {
    yield { bytes, offset, levels: Math.max(0, levels), problem };
  } else if (levels < 0) {
    yield { bytes: empty, offset, levels: 0, problem: tooDeep };
  } else if (records === undefined) {
    const out = allowance.gunzip(bytes);
    const left = isPacked(out.bytes) ? levels - 1 : levels;
    const rest = { offset, levels: left, problem: problem ?? out.problem };
    yield* payloadsIn(out.bytes, rest, allowance);
  } else {
    for (const { from, to } of records) {
      const rest = { offset: offset + from, levels: levels - 1, problem: undefined };
      yield* payloadsIn(bytes.subarray(from, to), rest, allowance);
    }
    if (problem !== undefined) yield { bytes: empty, offset, levels: 0, problem };
  }
}

/** True for what `payloadsIn` takes apart; a broken aggregate is found out there. */
function isPacked(bytes: Uint8Array): boolean {
  return isGzip(bytes) || isAggregate(bytes);
}

const empty = new Uint8Array(0);

/** The problem of what is wrapped too often. */
export const tooDeep: Problem = {
  reason: 'too-deep',
  detail: 'envelopes are nested too deep',
};
