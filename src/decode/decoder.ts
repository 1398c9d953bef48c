// Records to items: unpacks, splits, opens envelopes, and tells events from everything else.
import type { Item } from '../core/item.ts';
import type { SourceRecord } from '../core/ports.ts';
import { classify } from './classify.ts';
import { DecodedEvent } from './event.ts';
import { gunzip, isGzip } from './gunzip.ts';
import type { DecodeLimits } from './limits.ts';
import { type Problem, type Slice, Splitter } from './splitter.ts';

/** Envelopes within envelopes; SNS in SQS in EventBridge is three. */
const envelopesMax = 4;

/** Decodes the records of one lane; the parts of a large record follow one another. */
export interface Decoder {
  /**
   * Takes a record and how many of its items are done already; gives the items behind those. An item
   * and its event are valid until the next one is drawn. Throws nothing for any bytes.
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
      for (const slice of splitter.push(bytes, record.isLast, problem)) {
        for (const item of items(slice, record, count, limits)) {
          count++;
          if (item.position.item < skip) continue;
          yield item;
          if (item.kind === 'event') closeEvent(item.event);
        }
      }
    },
  };
}

/** Ends an event's life after its step, so that a detector that kept one is found out. */
function closeEvent(event: unknown): void {
  if (event instanceof DecodedEvent) event.close();
}

function unpacked(
  record: SourceRecord,
  limits: DecodeLimits,
): { readonly bytes: Uint8Array; readonly problem?: Problem } {
  const { bytes, broken, isFirst, isLast } = record;
  const isWhole = isFirst && isLast;
  if (!isWhole || !isGzip(bytes))
    return broken === undefined ? { bytes } : { bytes, problem: broken };
  const out = gunzip(bytes, limits.inflatedBytesMax);
  const problem = broken ?? out.problem;
  return problem === undefined ? { bytes: out.bytes } : { bytes: out.bytes, problem };
}

function* items(
  slice: Slice,
  record: SourceRecord,
  first: number,
  limits: DecodeLimits,
): Generator<Item> {
  const { shard, sequence, arrival } = record;
  const at = (item: number) => ({ position: { shard, sequence, item }, arrival });
  if (slice.kind === 'broken') {
    const { reason, detail, offset } = slice;
    const bytes = slice.bytes.subarray(0, limits.deadLetterBytesMax);
    yield { kind: 'rejected', ...at(first), reason, detail, bytes, offset };
    return;
  }
  const found = classify(slice.value);
  if (found.kind === 'event') {
    yield {
      kind: 'event',
      ...at(first),
      event: new DecodedEvent(found.body, slice.bytes, found.time),
    };
    return;
  }
  let item = first;
  for (const inner of opened(slice.value, slice.bytes, envelopesMax)) {
    const what = classify(inner.value);
    const place = at(item++);
    switch (what.kind) {
      case 'event':
        yield {
          kind: 'event',
          ...place,
          event: new DecodedEvent(what.body, inner.bytes, what.time),
        };
        break;
      case 'rejected': {
        const bytes = inner.bytes.subarray(0, limits.deadLetterBytesMax);
        yield { ...what, ...place, bytes, offset: slice.offset };
        break;
      }
      case 'envelope': {
        const detail = 'envelopes are nested too deep';
        const bytes = inner.bytes.subarray(0, limits.deadLetterBytesMax);
        yield {
          kind: 'rejected',
          ...place,
          reason: 'too-deep',
          detail,
          bytes,
          offset: slice.offset,
        };
        break;
      }
      case 'control':
      case 'sample':
        yield { kind: what.kind, ...place };
        break;
      default:
        yield { kind: what.kind, ...place, bytes: inner.bytes };
    }
  }
}

/** The values within envelopes, in order; what is no envelope is itself. */
function* opened(
  value: unknown,
  bytes: Uint8Array,
  levels: number,
): Generator<{ readonly value: unknown; readonly bytes: Uint8Array }> {
  const found = classify(value);
  if (found.kind !== 'envelope' || levels === 0) {
    yield { value, bytes };
    return;
  }
  for (const inner of found.inner) {
    yield* opened(inner, Buffer.from(JSON.stringify(inner) ?? ''), levels - 1);
  }
}
