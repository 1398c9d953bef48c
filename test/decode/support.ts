// What the tests of decoding share: a record of bytes, and what comes out of it as plain data.
import type { Item } from '../../src/core/item.ts';
import type { SourceRecord } from '../../src/core/ports.ts';
import { createDecoder, type DecodeLimits, defaultDecodeLimits } from '../../src/decode/decoder.ts';

/** An item without its position, as plain data. */
export interface Plain {
  readonly kind: Item['kind'];
  readonly item: number;
  readonly id?: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly text?: string;
  readonly offset?: number;
  readonly size?: number;
}

/** Takes bytes in parts; gives them as the parts of one record. */
export function partsOf(parts: readonly Uint8Array[], more: Partial<SourceRecord> = {}) {
  const base = { shard: 'file', sequence: '0', arrival: undefined };
  return parts.map((bytes, at): SourceRecord => {
    const isLast = at === parts.length - 1;
    return { ...base, bytes, isFirst: at === 0, isLast, ...(isLast ? more : {}) };
  });
}

/** Takes bytes and places to cut at; gives the parts. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b);
  const edges = [0, ...sorted, bytes.length];
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at]!, end));
}

/** Decodes the parts of one record; gives its items as plain data. */
export function decoded(
  parts: readonly SourceRecord[],
  skip = 0,
  limits: Partial<DecodeLimits> = {},
): Plain[] {
  const decoder = createDecoder({ ...defaultDecodeLimits, ...limits });
  return parts.flatMap((part) => [...mapped(decoder.decode(part, skip))]);
}

/** Decodes text or bytes that come whole. */
export function decodedText(
  text: string | Uint8Array,
  limits: Partial<DecodeLimits> = {},
  more: Partial<SourceRecord> = {},
): Plain[] {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return decoded(partsOf([bytes], more), 0, limits);
}

function* mapped(items: Iterable<Item>): Iterable<Plain> {
  for (const one of items) yield plain(one);
}

function plain(one: Item): Plain {
  const { kind, position } = one;
  const base = { kind, item: position.item };
  if (one.kind === 'event') {
    return { ...base, id: one.event.id, text: Buffer.from(one.event.raw()).toString() };
  }
  if (one.kind === 'rejected') {
    const { reason, detail, offset, size } = one;
    return { ...base, reason, detail, offset, size, text: Buffer.from(one.bytes).toString() };
  }
  return 'bytes' in one ? { ...base, text: Buffer.from(one.bytes).toString() } : base;
}

/** A small record that the guard accepts. */
export function recordOf(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    eventVersion: '1.08',
    userIdentity: { type: 'IAMUser', accountId: '111122223333', userName: 'alice' },
    eventTime: '2026-03-04T10:00:00Z',
    eventSource: 'iam.amazonaws.com',
    eventName: 'CreateUser',
    eventID: id,
    ...more,
  };
}
