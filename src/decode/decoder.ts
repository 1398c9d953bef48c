// Records to items: unpacks, splits, opens envelopes, and tells events from everything else.
import type { Item } from '../core/item.ts';
import type { SourceRecord } from '../core/ports.ts';
import { type Classified, classify } from './classify.ts';
import { DecodedEvent } from './event.ts';
import { gunzip, isGzip } from './gunzip.ts';
import type { DecodeLimits } from './limits.ts';
import { isDeeper } from './scanner.ts';
import type { Problem, Slice, ValueSlice } from './slice.ts';
import { Splitter } from './splitter.ts';

export { type DecodeLimits, defaultDecodeLimits } from './limits.ts';

/** Envelopes within envelopes; SNS in SQS in EventBridge is three. */
const envelopesMax = 4;

/** Decodes the records of one lane; the parts of a large record follow one another. */
export interface Decoder {
  /**
   * Takes a record and how many of its items are done already; gives the items behind those. An
   * item and its event are valid until the next one is drawn. Throws nothing for any bytes.
   */
  decode(record: SourceRecord, skip: number): Iterable<Item>;
}

/** Takes the limits; gives a decoder. */
export function createDecoder(limits: DecodeLimits): Decoder {
  let splitter = new Splitter(limits);
  let count = 0;
  return {
    *decode(record, skip) {
      if (record.isFirst) {
        splitter = new Splitter(limits);
        count = 0;
      }
      const { bytes, problem } = unpacked(record, limits);
      const { shard, sequence, arrival } = record;
      for (const slice of splitter.push(bytes, record.isLast, problem)) {
        const found = slice.kind === 'value' ? classify(slice.value) : undefined;
        if (slice.kind === 'broken' || found?.kind !== 'event' || isBeyond(slice, limits)) {
          for (const leaf of leavesOf(slice, limits)) {
            const item = count++;
            if (item >= skip) yield* oneItem(leaf, record, item, limits);
          }
          continue;
        }
        // Most slices are one event each: these few lines are the hot path.
        const item = count++;
        if (item < skip) continue;
        const event = new DecodedEvent(found.body, slice.bytes, found.time);
        // Ended even where the reader stops early, so that a detector that kept it is found out.
        try {
          yield { kind: 'event', position: { shard, sequence, item }, arrival, event };
        } finally {
          event.close();
        }
      }
    },
  };
}

function isBeyond(slice: ValueSlice, limits: DecodeLimits): boolean {
  return slice.bytes.length > limits.recordBytesMax || isDeeper(slice.value, limits.depthMax);
}

function unpacked(
  record: SourceRecord,
  limits: DecodeLimits,
): { readonly bytes: Uint8Array; readonly problem: Problem | undefined } {
  const { bytes, broken, isFirst, isLast } = record;
  if (!isFirst || !isLast || !isGzip(bytes)) return { bytes, problem: broken };
  const out = gunzip(bytes, limits);
  return { bytes: out.bytes, problem: broken ?? out.problem };
}

/** One item to be: what it is, and its bytes. */
interface Leaf {
  readonly what: Exclude<Classified, { readonly kind: 'envelope' }>;
  readonly bytes: Uint8Array;
  readonly offset: number;
}

/** The items within a slice: one, unless it is an envelope. */
function leavesOf(slice: Slice, limits: DecodeLimits): readonly Leaf[] {
  const { bytes, offset } = slice;
  if (slice.kind === 'value') return opened(slice.value, bytes, offset, limits, envelopesMax);
  const what = { kind: 'rejected', reason: slice.reason, detail: slice.detail } as const;
  return [{ what, bytes, offset }];
}

function opened(
  value: unknown,
  bytes: Uint8Array,
  offset: number,
  limits: DecodeLimits,
  levels: number,
): readonly Leaf[] {
  const what = classify(value);
  if (what.kind !== 'envelope') {
    return [{ what: limited(what, value, bytes, limits), bytes, offset }];
  }
  if (levels === 0) {
    return [{ what: rejected('too-deep', 'envelopes are nested too deep'), bytes, offset }];
  }
  const leaves: Leaf[] = [];
  for (const inner of what.inner) {
    leaves.push(
      ...(what.isText && typeof inner === 'string'
        ? parsedText(inner, offset, limits, levels - 1)
        : opened(inner, jsonOf(inner, bytes, limits), offset, limits, levels - 1)),
    );
  }
  return leaves;
}

function parsedText(
  text: string,
  offset: number,
  limits: DecodeLimits,
  levels: number,
): readonly Leaf[] {
  const bytes = Buffer.from(text);
  try {
    return opened(JSON.parse(text), bytes, offset, limits, levels);
  } catch {
    return [{ what: rejected('json-broken', 'the message is not JSON'), bytes, offset }];
  }
}

/** The bytes of a value in an envelope; what is too deep to be printed is shown by the envelope. */
function jsonOf(value: unknown, envelope: Uint8Array, limits: DecodeLimits): Uint8Array {
  return isDeeper(value, limits.depthMax) ? envelope : Buffer.from(JSON.stringify(value) ?? '');
}

function limited(
  what: Leaf['what'],
  value: unknown,
  bytes: Uint8Array,
  limits: DecodeLimits,
): Leaf['what'] {
  if (isDeeper(value, limits.depthMax)) {
    return rejected('too-deep', `it nests deeper than ${limits.depthMax} levels`);
  }
  if (bytes.length > limits.recordBytesMax) {
    return rejected('too-large', `it is larger than ${limits.recordBytesMax} bytes`);
  }
  return what;
}

function rejected(
  reason: Problem['reason'],
  detail: string,
): Extract<Classified, { readonly kind: 'rejected' }> {
  return { kind: 'rejected', reason, detail };
}

function* oneItem(
  leaf: Leaf,
  record: SourceRecord,
  item: number,
  limits: DecodeLimits,
): Generator<Item> {
  const { what, offset } = leaf;
  const { shard, sequence, arrival } = record;
  const place = { position: { shard, sequence, item }, arrival };
  switch (what.kind) {
    case 'event': {
      const event = new DecodedEvent(what.body, leaf.bytes, what.time);
      try {
        yield { kind: 'event', ...place, event };
      } finally {
        event.close();
      }
      return;
    }
    case 'rejected': {
      const bytes = leaf.bytes.subarray(0, limits.deadLetterBytesMax);
      yield { ...what, ...place, bytes, offset };
      return;
    }
    case 'control':
    case 'sample':
      yield { kind: what.kind, ...place };
      return;
    default:
      yield { kind: what.kind, ...place, bytes: leaf.bytes };
  }
}
