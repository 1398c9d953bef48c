// From seeds: workers that crash, lose their shards and wake as zombies leave behind, byte for byte, what
// one calm worker does, merged into one lane and with a lane a shard. SENTRAIL_SEEDS=5000 runs thousands.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { MemoryShard } from '../support/shards.ts';
import { Chance } from './chance.ts';
import { workThrough } from './workers.ts';
import { type Arrival, deliver, makeEvents } from './world.ts';

const seeds = Number(process.env['SENTRAIL_SEEDS'] ?? 200) / 2;
const first = Number(process.env['SENTRAIL_SEED'] ?? 1);
const groups = 10;
const boundMs = 14 * 60_000;

/** Arrivals over shards, by account or at random, each shard in the order of arrival. */
function shardsOf(arrivals: readonly Arrival[], count: number, isKeyed: boolean): MemoryShard[] {
  const shards = Array.from({ length: count }, (_, at) => ({
    name: `s/${at}`,
    held: [] as { text: string; arrival: number }[],
    children: [],
  }));
  for (const [at, { text, arrival }] of arrivals.entries()) {
    const account = /"recipientAccountId":"(\d+)"/.exec(text)?.[1] ?? 'none';
    const by =
      createHash('md5')
        .update(isKeyed ? account : String(at))
        .digest()[0] ?? 0;
    shards[by % count]?.held.push({ text, arrival });
  }
  return shards;
}

async function judgeSeed(seed: number, isKeyed: boolean) {
  const chance = new Chance(seed);
  const events = makeEvents(chance, 10 + chance.below(30));
  const shards = shardsOf(deliver(chance, events, boundMs), 1 + chance.below(4), isKeyed);
  const calm = await workThrough({ shards, isKeyed, workers: 1, chance: undefined });
  const storm = new Chance(seed + 2_000_000);
  const stormy = await workThrough({ shards, isKeyed, workers: 1 + storm.below(3), chance: storm });
  const name = `seed ${seed}: SENTRAIL_SEED=${seed} SENTRAIL_SEEDS=2`;
  expect(stormy.alerts, `alerts, ${name}`).toEqual(calm.alerts);
  expect(stormy.received, `received, ${name}`).toEqual(calm.received);
  expect(stormy.counters, `counters, ${name}`).toEqual(calm.counters);
  return stormy;
}

describe.each([
  ['merged into one lane', false],
  ['a lane a shard', true],
])(`${seeds} seeds, %s`, (_, isKeyed) => {
  const share = Math.max(1, Math.ceil(seeds / groups));
  const parts = Array.from({ length: Math.ceil(seeds / share) }, (_, at) => first + at * share);
  const sum = { crashes: 0, lost: 0, moves: 0 };
  it.each(parts)('from %i on', { timeout: 600_000 }, async (from) => {
    for (let seed = from; seed < Math.min(from + share, first + seeds); seed++) {
      const { crashes, lost, moves } = await judgeSeed(seed, isKeyed);
      sum.crashes += crashes;
      sum.lost += lost;
      sum.moves += moves;
    }
  });

  it('met crashes, shards that moved, and workers that learnt it too late', () => {
    // A single seed may be a fair day; many without these would prove nothing.
    if (seeds < 50) return;
    expect(sum.crashes).toBeGreaterThan(seeds / 4);
    expect(sum.moves).toBeGreaterThan(seeds / 4);
    expect(sum.lost).toBeGreaterThan(seeds / 20);
  });
});
