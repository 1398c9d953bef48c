// Records to items: unpacks, splits, opens envelopes, and tells events from everything else.
import type { Item } from '../core/item.ts';
import type { SourceRecord } from '../core/ports.ts';
import { classify } from './classify.ts';
import { DecodedEvent } from './event.ts';
import { findingOf } from './finding.ts';
import type { DecodeLimits } from './limits.ts';
import { type Leaf, Opener } from './opener.ts';
import { RecordPayloads } from './payloads.ts';
import { isDeeper } from './scanner.ts';
import type { ValueSlice } from './slice.ts';
import { Splitter } from './splitter.ts';

export { type DecodeLimits, defaultDecodeLimits } from './limits.ts';

/**
 * Envelopes within envelopes: SNS in SQS in EventBridge is three, and no known route has more than
 * four. What AWS hands to a Lambda is two layers, a list and what it lists.
 */
const layersMax = 8;

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
  let opener = new Opener(limits);
  let splitter = new Splitter(limits, opener.wear);
  let payloads = new RecordPayloads(limits, layersMax);
  let count = 0;
  return {
    *decode(record, skip) {
      if (record.isFirst) {
        opener = new Opener(limits);
        payloads = new RecordPayloads(limits, layersMax);
        count = 0;
      }
      const { shard, sequence, arrival } = record;
      for (const { bytes, offset, levels, problem, isFirst, isLast } of payloads.of(record)) {
        if (isFirst) splitter = new Splitter(limits, opener.wear);
        for (const slice of splitter.push(bytes, isLast, problem)) {
          const found = slice.kind === 'value' ? classify(slice.value) : undefined;
          if (slice.kind === 'broken' || found?.kind !== 'event' || isBeyond(slice, limits)) {
            for (const leaf of opener.leavesOf(slice, levels)) {
              const item = count++;
              if (item >= skip) yield* oneItem(leaf, offset, record, item, limits);
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
      }
    },
  };
}

function isBeyond(slice: ValueSlice, limits: DecodeLimits): boolean {
  return slice.bytes.length > limits.recordBytesMax || isDeeper(slice.value, limits.depthMax);
}

/** Takes a leaf, the offset of the payload it was found in, and its place; gives its item. */
function* oneItem(
  leaf: Leaf,
  offset: number,
  record: SourceRecord,
  item: number,
  limits: DecodeLimits,
): Generator<Item> {
  const { what, size } = leaf;
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
    case 'finding':
      yield {
        kind: 'finding',
        ...place,
        bytes: leaf.bytes,
        finding: findingOf(what.body, leaf.bytes),
      };
      return;
    case 'rejected': {
      const bytes = leaf.bytes.subarray(0, limits.deadLetterBytesMax);
      yield { ...what, ...place, bytes, size, offset: offset + leaf.offset };
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
