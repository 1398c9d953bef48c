// The coverage of public trails, where they are at hand: docs/coverage.md is fresh, every technique of
// Stratus is caught or its miss is explained, and what is benign stays at or below low.
import { beforeAll, describe, expect, it } from 'vitest';
import { severityRank } from '../../src/core/severity.ts';
import { isCaught, type Outcome, outcomeOf } from './outcome.ts';
import { readReasons } from './reasons.ts';
import { folder, isThere, readScenarios } from './scenarios.ts';
import { coverageText } from './table.ts';

if (!isThere) console.warn(`no real trails at ${folder}: set SENTRAIL_TEST_DATA to test coverage`);

const reasons = readReasons();
const outcomes: Outcome[] = [];
const keyOf = ({ scenario }: Outcome) => `${scenario.set}/${scenario.name}`;

beforeAll(async () => {
  if (!isThere) return;
  for (const one of readScenarios()) outcomes.push(await outcomeOf(one));
}, 300_000);

describe('coverage', () => {
  it.runIf(isThere)('is as docs/coverage.md tells: `npm run coverage` writes it anew', async () => {
    const text = coverageText(outcomes, reasons);
    await expect(text, 'stale: run `npm run coverage`').toMatchFileSnapshot(
      '../../docs/coverage.md',
    );
  });

  it.runIf(isThere)('catches every technique of Stratus, or says why it does not', () => {
    const stratus = outcomes.filter((one) => one.scenario.set === 'stratus-detonations-2024');
    expect(stratus).toHaveLength(18);
    const silent = stratus.filter((one) => !isCaught(one) && !reasons.misses.has(keyOf(one)));
    expect(silent.map((one) => one.scenario.name)).toEqual([]);
  });

  it.runIf(isThere)('gives a reason for every other scenario it misses', () => {
    const silent = outcomes.filter(
      (one) =>
        /^(attack|match)$/.test(one.scenario.kind) &&
        !isCaught(one) &&
        !reasons.misses.has(keyOf(one)),
    );
    expect(silent.map(keyOf)).toEqual([]);
  });

  it.runIf(isThere)('keeps no reason for what is caught or is not there', () => {
    const missed = new Set(outcomes.filter((one) => !isCaught(one)).map(keyOf));
    expect([...reasons.misses.keys()].filter((one) => !missed.has(one))).toEqual([]);
  });

  it.runIf(isThere)('raises nothing above low on benign records without a verdict', () => {
    const loud = outcomes
      .filter((one) => one.scenario.kind === 'benign')
      .flatMap((one) =>
        one.fired
          .filter(([, severity]) => severityRank(severity) > severityRank('low'))
          .map(([detector, severity]) => ({ ...one.scenario, detector, severity })),
      )
      .filter(
        ({ set, name, detector }) =>
          !reasons.verdicts.some(
            (one) => one.set === set && one.scenario === name && one.detector === detector,
          ),
      );
    const told = loud.map((one) => `${one.set}, ${one.name}: ${one.detector} (${one.severity})`);
    expect(told).toEqual([]);
  });
});
