// Real trails, where they are at hand: every record is accounted for (law 4), twice the same (law 1), and
// labelled attacks that these detectors are made for are found.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { balance } from '../../src/engine/counters.ts';
import { judgeBytes } from '../support/judge.ts';

const folder =
  process.env['SENTRAIL_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data');
const isThere = existsSync(join(folder, 'cloudtrail'));
if (!isThere) console.warn(`no real trails at ${folder}: set SENTRAIL_TEST_DATA to test with them`);

const sets = isThere
  ? readdirSync(join(folder, 'cloudtrail')).filter((one) => /^(?!.*index).*\.ndjson\.gz$/.test(one))
  : [];

describe.skipIf(!isThere)('real trails', () => {
  it.each(sets)(
    '%s: every record is accounted for, and a second reading is the same',
    async (set) => {
      const bytes = readFileSync(join(folder, 'cloudtrail', set));
      const records = gunzipSync(bytes).toString().trimEnd().split('\n').length;
      const { counters, all } = await judgeBytes(bytes);
      expect(counters.items).toBe(records);
      expect(balance(counters)).toBe(0);
      expect(counters.detectorErrors).toEqual({});
      const again = await judgeBytes(bytes);
      expect(JSON.stringify(again.all)).toBe(JSON.stringify(all));
    },
  );

  it('rejects of the record sets only what has no time or is no API call', async () => {
    const rejected: Record<string, number> = {};
    for (const set of sets) {
      const { counters } = await judgeBytes(readFileSync(join(folder, 'cloudtrail', set)));
      for (const [reason, n] of Object.entries(counters.rejected)) {
        rejected[`${set.split('.')[0]} ${reason}`] = n;
      }
    }
    expect(rejected).toMatchInlineSnapshot(`{}`);
  });

  it('finds the attacks on identity in the Stratus logs', async () => {
    const set = 'stratus-detonations-2024.ndjson.gz';
    const { standing } = await judgeBytes(readFileSync(join(folder, 'cloudtrail', set)));
    const titles = standing.flatMap((one) => one.signals.map((signal) => signal.title)).join('\n');
    for (const sign of [
      /attached AdministratorAccess to user malicious-iam-user/,
      /changed the trust policy of role stratus-red-team-backdoor/,
      /attached AdministratorAccess to role stratus-red-team-malicious/,
      /signed in to the console without MFA/,
    ]) {
      expect(titles).toMatch(sign);
    }
  });

  it('stays at or below low on the benign sets', async () => {
    for (const set of ['coralogix-benign-2023', 'grycap-benign-2017']) {
      const bytes = readFileSync(join(folder, 'cloudtrail', `${set}.ndjson.gz`));
      const { standing } = await judgeBytes(bytes);
      const loud = standing.filter((one) => !['info', 'low'].includes(one.severity));
      expect(
        loud.map((one) => one.title),
        set,
      ).toEqual([]);
    }
  });
});
