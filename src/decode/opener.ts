// What a slice holds: one item, or where it is an envelope the items within, opened layer by layer.
import { type Classified, classify } from './classify.ts';
import type { Inner } from './envelopes.ts';
import type { DecodeLimits } from './limits.ts';
import { Allowance, payloadsIn, tooDeep } from './payloads.ts';
import { isDeeper } from './scanner.ts';
import type { Problem, Slice, Wear } from './slice.ts';
import { Splitter } from './splitter.ts';

/** One item to be: what it is, its bytes, and how large it was where they were cut. */
export interface Leaf {
  readonly what: Exclude<Classified, { readonly kind: 'envelope' }>;
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly offset: number;
}

/**
 * All that is packed in the envelopes of one record may unpack to this, held in memory at once: the
 * 10 MiB of a Kinesis record at the 10:1 of CloudTrail, twice over.
 */
const nestedBytesMax = 256 * 1024 * 1024;
const base64 = /^[A-Za-z0-9+/_-]*={0,2}\s*$/;
/** Where a queue takes only text, gzip goes through it as base64: these are its first bytes. */
const gzipAsText = /^H4sI[A-Za-z0-9+/]/;
const jsonAsText = /^\s*[{["]/;

/** Opens the slices of one record; takes the limits, which hold for the record as a whole. */
export class Opener {
  readonly #limits: DecodeLimits;
  #allowance: Allowance | undefined;
  /** Shared by the splitters of the record. */
  readonly wear: Wear = { wasted: 0, misguessed: 0 };

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  /** Takes a slice and how many envelopes may be opened; gives its items. Throws nothing. */
  *leavesOf(slice: Slice, levels: number): Generator<Leaf> {
    const { bytes, offset } = slice;
    if (slice.kind === 'value') yield* this.#opened(slice.value, bytes, offset, levels);
    else yield { what: rejected(slice), bytes, size: slice.size, offset };
  }

  *#opened(value: unknown, bytes: Uint8Array, offset: number, levels: number): Generator<Leaf> {
    const what = classify(value);
    if (what.kind !== 'envelope') {
      yield { what: this.#limited(what, value, bytes), bytes, size: bytes.length, offset };
    } else if (levels === 0) {
      yield { what: rejected(tooDeep), bytes, size: bytes.length, offset };
    } else {
      for (const inner of what.inner) yield* this.#inner(inner, bytes, offset, levels - 1);
    }
  }

  *#inner(inner: Inner, envelope: Uint8Array, offset: number, levels: number): Generator<Leaf> {
    if (inner.as === 'value') {
      yield* this.#opened(inner.value, this.#jsonOf(inner.value, envelope), offset, levels);
    } else if (inner.as === 'base64' && !jsonAsText.test(inner.text)) {
      yield* this.#fromBase64(inner.text, offset, levels);
    } else {
      yield* this.#fromText(inner.text, offset, levels);
    }
  }

  /** One JSON value, nearly always; else lines of them, or gzip in base64. */
  *#fromText(text: string, offset: number, levels: number): Generator<Leaf> {
    const bytes = Buffer.from(text);
    const value = parsedOr(text, nothing);
    if (value !== nothing) yield* this.#opened(value, bytes, offset, levels);
    else if (gzipAsText.test(text)) yield* this.#fromBase64(text, offset, levels);
    else if (/\S/.test(text)) yield* this.#split(bytes, offset, levels, undefined);
    else yield this.#broken('the message is empty', bytes, offset);
  }

  *#fromBase64(text: string, offset: number, levels: number): Generator<Leaf> {
    if (!base64.test(text)) {
      yield this.#broken('its data is not base64', Buffer.from(text), offset);
      return;
    }
    const bytes = Buffer.from(text, 'base64');
    // The offset is that of the envelope: within base64 and gzip no byte of the record can be told.
    const rest = { offset: 0, levels, problem: undefined };
    const { inflatedBytesMax } = this.#limits;
    this.#allowance ??= new Allowance(Math.min(inflatedBytesMax, nestedBytesMax));
    for (const one of payloadsIn(bytes, rest, this.#allowance)) {
      yield* this.#split(one.bytes, offset, one.levels, one.problem);
    }
  }

  *#split(
    bytes: Uint8Array,
    offset: number,
    levels: number,
    problem: Problem | undefined,
  ): Generator<Leaf> {
    const splitter = new Splitter(this.#limits, this.wear);
    for (const slice of splitter.push(bytes, true, problem)) {
      for (const leaf of this.leavesOf(slice, levels)) yield { ...leaf, offset };
    }
  }

  #broken(detail: string, bytes: Uint8Array, offset: number): Leaf {
    const what = rejected({ reason: 'json-broken', detail });
    return { what, bytes, size: bytes.length, offset };
  }

  /** The bytes of a value in an envelope; what is too deep to be printed is shown by the envelope. */
  #jsonOf(value: unknown, envelope: Uint8Array): Uint8Array {
    const isTooDeep = isDeeper(value, this.#limits.depthMax);
    return isTooDeep ? envelope : Buffer.from(JSON.stringify(value) ?? '');
  }

  #limited(what: Leaf['what'], value: unknown, bytes: Uint8Array): Leaf['what'] {
    const { depthMax, recordBytesMax } = this.#limits;
    if (isDeeper(value, depthMax)) {
      return rejected({ reason: 'too-deep', detail: `it nests deeper than ${depthMax} levels` });
    }
    if (bytes.length > recordBytesMax) {
      return rejected({ reason: 'too-large', detail: `it is larger than ${recordBytesMax} bytes` });
    }
    return what;
  }
}

/** Stands for a text that is no JSON; no JSON text has it as its value. */
const nothing = Symbol('no JSON');

function parsedOr(text: string, other: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return other;
  }
}

function rejected({ reason, detail }: Problem): Leaf['what'] {
  return { kind: 'rejected', reason, detail };
}
