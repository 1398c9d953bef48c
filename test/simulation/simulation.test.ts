// From seeds: a stormy run leaves behind, byte for byte, what a calm one does (laws 1, 2, 4, 5), and the
// same events in another order the same alerts (law 3). SENTRAIL_SEEDS=5000 runs thousands.
import { describe, expect, it } from 'vitest';
import { Chance } from './chance.ts';
import { survive } from './storm.ts';
import { type Arrival, deliver, makeEvents } from './world.ts';

const seeds = Number(process.env['SENTRAIL_SEEDS'] ?? 200);
const first = Number(process.env['SENTRAIL_SEED'] ?? 1);
const groups = 20;
const boundMs = 14 * 60_000;

function world(seed: number): { arrivals: Arrival[]; other: Arrival[] } {
  const chance = new Chance(seed);
  const events = makeEvents(chance, 10 + chance.below(40));
  return { arrivals: deliver(chance, events, boundMs), other: deliver(chance, events, boundMs) };
}

/** What law 3 compares: alerts that stand, without what counts revisions. */
function contents(alerts: readonly string[]): unknown {
  return alerts
    .map((one) => JSON.parse(one) as Record<string, unknown>)
    .filter((one) => one['status'] === 'open')
    .map(({ revision: _revision, delivered: _delivered, ...rest }) => rest);
}

async function judgeSeed(seed: number): Promise<number> {
  const { arrivals, other } = world(seed);
  const chance = new Chance(seed + 1_000_000);
  const isSqlite = seed % 10 === 0;
  const calm = await survive(arrivals, { chance: undefined, isSqlite, batchEventsMax: 25 });
  const size = 1 + chance.below(30);
  const stormy = await survive(arrivals, { chance, isSqlite, batchEventsMax: size });
  const name = `seed ${seed}: SENTRAIL_SEED=${seed} SENTRAIL_SEEDS=1`;
  expect(stormy.alerts, `alerts, ${name}`).toEqual(calm.alerts);
  expect(stormy.file, `file, ${name}`).toBe(calm.file);
  expect(stormy.received, `received, ${name}`).toEqual(calm.received);
  expect(stormy.counters, `counters, ${name}`).toEqual(calm.counters);
  expect(calm.counters.late, `none is late, ${name}`).toBe(0);
  const mixed = await survive(other, { chance: undefined, isSqlite: false, batchEventsMax: size });
  expect(contents(mixed.alerts), `another order, ${name}`).toEqual(contents(calm.alerts));
  return stormy.crashes;
}

describe(`${seeds} seeds`, () => {
  const share = Math.ceil(seeds / groups);
  const parts = Array.from({ length: Math.ceil(seeds / share) }, (_, at) => first + at * share);
  it.each(parts)('from %i on', { timeout: 600_000 }, async (from) => {
    let crashes = 0;
    const end = Math.min(from + share, first + seeds);
    for (let seed = from; seed < end; seed++) crashes += await judgeSeed(seed);
    // A storm without a crash would prove nothing.
    if (share >= 5) expect(crashes).toBeGreaterThan(0);
  });
});
