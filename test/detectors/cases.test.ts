// Every case of every detector, through the real pipeline; each again duplicated and shuffled (laws 2, 3).
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { detectors } from '../../detectors/index.ts';
import type { AlertJson } from '../../schemas/alert.ts';
import type { DetectorCase, DetectorCases } from '../support/cases.ts';
import { judge } from '../support/judge.ts';

const files = readdirSync(import.meta.dirname).filter((name) => /(?<!\.test)\.ts$/.test(name));
// Each file beside this one exports the table of the detector whose name it has.
const modules = (await Promise.all(files.sort().map((name) => import(`./${name}`)))) as {
  cases: DetectorCases;
}[];
const tables = modules.map((one) => one.cases);

/** Everything of alerts that does not depend on order. */
function contents(alerts: readonly AlertJson[]): unknown {
  return alerts.map(({ revision, ...rest }) => {
    expect(revision).toBeGreaterThan(0);
    return rest;
  });
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const copy = [...list];
  let state = seed;
  for (let at = copy.length - 1; at > 0; at--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const other = state % (at + 1);
    [copy[at], copy[other]] = [copy[other] as T, copy[at] as T];
  }
  return copy;
}

/** A bound wider than any case: the tables are about judgement, lateness has tests of its own. */
const lateness = '60d';

function settings(table: DetectorCases): { only: string[]; config: unknown } {
  const own = table.config === undefined ? {} : { detectors: { [table.detector]: table.config } };
  return { only: [table.detector], config: { lateness, ...own } };
}

function check(one: DetectorCase, standing: readonly AlertJson[]): void {
  const signals = standing.flatMap((alert) => alert.signals);
  const left = [...signals];
  for (const wanted of one.expect) {
    const at = left.findIndex(
      (signal) =>
        signal.severity === wanted.severity &&
        (wanted.title?.test(signal.title) ?? true) &&
        (wanted.reason?.test(signal.reason) ?? true) &&
        (wanted.events?.every((id) => signal.events.includes(id)) ?? true),
    );
    const had = signals.map((signal) => `${signal.severity}: ${signal.title} | ${signal.reason}`);
    const missing = `no ${wanted.severity} signal ${wanted.title ?? ''} ${wanted.reason ?? ''}`;
    expect(at, `${missing}; there are:\n${had.join('\n')}`).toBeGreaterThanOrEqual(0);
    left.splice(at, 1);
  }
  expect(left.map((signal) => `${signal.severity}: ${signal.title}`)).toEqual([]);
}

it('has a table for every detector', () => {
  expect(tables.map((one) => one.detector).sort()).toEqual(
    detectors.map((one) => one.meta.id).sort(),
  );
});

describe.each(tables)('$detector', (table) => {
  it.each(table.cases)('$name', async (one) => {
    const options = settings(table);
    const calm = await judge(one.given, options);
    check(one, calm.standing);
    const twice = await judge([...one.given, ...one.given], options);
    expect(twice.all).toEqual(calm.all);
    expect(twice.counters.duplicates).toBe(calm.counters.duplicates + one.given.length);
    for (const seed of [1, 2, 3]) {
      const mixed = await judge(shuffled([...one.given, ...one.given], seed), options);
      expect(contents(mixed.standing)).toEqual(contents(calm.standing));
    }
  });
});
