import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../schemas/config.ts';
import type { Event } from '../../src/core/event.ts';
import type { Item } from '../../src/core/item.ts';
import { createDecoder, defaultDecodeLimits } from '../../src/decode/decoder.ts';
import { makeCatalogue } from '../../src/engine/catalogue.ts';
import { balance } from '../../src/engine/counters.ts';
import { Lane } from '../../src/engine/lane.ts';
import { canCarry, type Route, routes, travellers, wrapped } from './routes.ts';
import { partsOf } from './support.ts';

/** Everything of an event that a detector sees without a path, and the record itself. */
function seen(event: Event) {
  const { id, identity, isCorrection, time, account, source, name, region, eventType } = event;
  const { identityType, principal, accessKeyId, invokedBy, origin, userAgent, readOnly } = event;
  const { errorCode, errorMessage, outcome } = event;
  const who = { identityType, principal, accessKeyId, invokedBy, origin, userAgent };
  const what = { id, identity, isCorrection, time, account, source, name, region, eventType };
  const record: unknown = JSON.parse(Buffer.from(event.raw()).toString());
  return { ...what, ...who, readOnly, errorCode, errorMessage, outcome, record };
}

function decoded(bytes: Buffer): unknown[] {
  const out: unknown[] = [];
  for (const item of createDecoder(defaultDecodeLimits).decode(partsOf([bytes])[0]!, 0)) {
    out.push(item.kind === 'event' ? seen(item.event) : item);
  }
  return out;
}

const bare: Route = { name: 'single record', carries: 'text', wrap: (content) => content };
const pairs = [bare, ...routes].flatMap((outer) =>
  [bare, ...routes].filter((inner) => canCarry(outer, inner)).map((inner) => [outer, inner]),
);

describe('the same event that arrives by two routes is one event', () => {
  it.each(Object.entries(travellers))('%s by every pair of routes', (_name, record) => {
    const straight = decoded(wrapped([bare], record));
    expect(straight).toHaveLength(1);
    expect(straight[0]).toMatchObject({ time: Date.parse('2026-03-04T10:00:00Z') });
    expect(pairs.length).toBeGreaterThan(1_000);
    for (const pair of pairs) {
      const by = pair.map((one) => one.name).join(' > ');
      expect({ by, items: decoded(wrapped(pair, record)) }).toEqual({ by, items: straight });
    }
  });

  it('by up to four routes in each other', () => {
    const some = fc.array(fc.constantFrom(...routes), { minLength: 3, maxLength: 4 });
    const record = travellers['a call'];
    const straight = decoded(wrapped([bare], record));
    fc.assert(
      fc.property(some, (by) => {
        fc.pre(by.every((one, at) => at === 0 || canCarry(by[at - 1]!, one)));
        expect(decoded(wrapped(by, record))).toEqual(straight);
      }),
      { numRuns: 500 },
    );
  });

  it('for a lane, which counts it once and every copy as a duplicate', () => {
    const config = configSchema.parse({});
    const catalogue = makeCatalogue([], config);
    for (const [name, record] of Object.entries(travellers)) {
      const lane = new Lane({ catalogue, config, checkpoint: undefined });
      const decoder = createDecoder(config.limits);
      for (const pair of pairs) {
        const [bytes] = partsOf([wrapped(pair, record)]);
        for (const item of decoder.decode(bytes!, 0)) lane.step(item);
      }
      const { events, duplicates, items } = lane.counters;
      expect({ name, events, duplicates }).toEqual({
        name,
        events: 1,
        duplicates: pairs.length - 1,
      });
      expect(items).toBe(pairs.length);
      expect(balance(lane.counters)).toBe(0);
    }
  });

  it('whatever the order of its keys, its blanks and its escapes, where it has no id', () => {
    const record = travellers['a call without an id']!;
    const keys = Object.keys(record);
    const turned = Object.fromEntries(keys.toReversed().map((key) => [key, record[key]]));
    const ids = [
      JSON.stringify(record),
      JSON.stringify(turned, undefined, 2),
      JSON.stringify(record).replaceAll('/', '\\/').replaceAll('CreateUser', '\\u0043reateUser'),
    ].map((text) => (decoded(Buffer.from(text))[0] as { id: string }).id);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    const other = { ...record, eventTime: '2026-03-04T10:00:01Z' };
    expect((decoded(Buffer.from(JSON.stringify(other)))[0] as { id: string }).id).not.toBe(ids[0]);
  });
});

it('counts items through, so that a skip falls on the same ones by every route', () => {
  const lines = ['a', 'b', 'c'].map((id) =>
    JSON.stringify({ ...travellers['a call'], eventID: id }),
  );
  const idsOf = (items: Iterable<Item>) => {
    const ids: string[] = [];
    for (const one of items) {
      ids.push(`${one.position.item} ${one.kind === 'event' ? one.event.id : one.kind}`);
    }
    return ids;
  };
  const text = Buffer.from(lines.join('\n'));
  for (const route of routes.filter((one) => one.carries !== 'value')) {
    const [record] = partsOf([route.wrap(text)]);
    const decoder = createDecoder(defaultDecodeLimits);
    const all = ['0 a', '1 b', '2 c'];
    expect({ route: route.name, ids: idsOf(decoder.decode(record!, 0)) }).toEqual({
      route: route.name,
      ids: all,
    });
    expect(idsOf(decoder.decode(record!, 2))).toEqual(all.slice(2));
  }
});
