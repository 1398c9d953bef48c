// What is remembered of eventIDs: exact, bounded, and the same after a restart.
import { expect, it } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import { hourMs } from '../../src/core/time.ts';
import { IdMemory } from '../../src/engine/duplicates.ts';

function event(id: string, time = 0, account = '111122223333', name = 'A'): Event {
  // The memory looks at these four and at nothing else.
  return { id, time, account, name } as Event;
}
const see = (memory: IdMemory, one: Event) => memory.see(one, one.id);
const uuid = (n: number) => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`;

it('knows an id again, and only for the same account, time and call', () => {
  const memory = new IdMemory([], undefined);
  expect(see(memory, event(uuid(1)))).toBe('new');
  expect(see(memory, event(uuid(1)))).toBe('duplicate');
  expect(see(memory, event(uuid(1), 0, '999988887777'))).toBe('new');
  expect(see(memory, event(uuid(1), 1000))).toBe('new');
  expect(see(memory, event(uuid(1), 0, '111122223333', 'B'))).toBe('new');
});

it('takes ids that are no UUIDs, whatever they are', () => {
  const memory = new IdMemory([], undefined);
  for (const id of ['EXAMPLE', '1', '', uuid(1).replace('4', 'g'), uuid(1).toUpperCase()]) {
    expect(see(memory, event(id))).toBe('new');
    expect(see(memory, event(id))).toBe('duplicate');
  }
});

it('is exact for many', () => {
  const memory = new IdMemory([], undefined);
  for (let n = 0; n < 50_000; n++) expect(see(memory, event(uuid(n)))).toBe('new');
  for (let n = 0; n < 50_000; n += 97) expect(see(memory, event(uuid(n)))).toBe('duplicate');
  expect(memory.size).toBe(50_000);
});

it('forgets by span and by count, the oldest hours first, and says so', () => {
  const memory = new IdMemory([], undefined);
  for (let hour = 0; hour < 10; hour++) see(memory, event(uuid(hour), hour * hourMs));
  expect(memory.forget(3 * hourMs, 100)).toEqual({ overLimit: false });
  expect(see(memory, event(uuid(2), 2 * hourMs))).toBe('forgotten');
  expect(see(memory, event(uuid(3), 3 * hourMs))).toBe('duplicate');
  expect(memory.forget(0, 2)).toEqual({ overLimit: true });
  expect(memory.size).toBe(2);
  expect(see(memory, event(uuid(7), 7 * hourMs))).toBe('forgotten');
  expect(see(memory, event(uuid(8), 8 * hourMs))).toBe('duplicate');
});

it('knows duplicates in a log that begins with its newest event', () => {
  const memory = new IdMemory([], undefined);
  see(memory, event(uuid(1), 9_000 * hourMs));
  memory.forget(8_000 * hourMs, 100);
  expect(see(memory, event(uuid(2), 5 * hourMs))).toBe('new');
  expect(see(memory, event(uuid(2), 5 * hourMs))).toBe('duplicate');
});

it('is the same after a restart', () => {
  const memory = new IdMemory([], undefined);
  for (let n = 0; n < 100; n++) see(memory, event(uuid(n), n * 60_000));
  const first = memory.changes();
  for (let n = 100; n < 150; n++) see(memory, event(uuid(n), n * 60_000));
  const second = memory.changes();
  expect(memory.changes()).toEqual({ ids: [], hoursGone: [] });
  const again = new IdMemory([...first.ids, ...second.ids], memory.forgottenBefore);
  expect(again.size).toBe(150);
  for (let n = 0; n < 150; n++) expect(see(again, event(uuid(n), n * 60_000))).toBe('duplicate');
});
