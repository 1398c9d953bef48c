// Detectors that speak when the watermark has passed: silence is told once it is certain, in any order.
import { describe, expect, it } from 'vitest';
import { Chance } from '../simulation/chance.ts';
import { judge } from '../support/judge.ts';
import { apiCall, type RawRecord } from '../support/records.ts';

const only = ['account-fell-silent'];
const hourMs = 3_600_000;
const began = Date.UTC(2026, 2, 4);
const quiet = '111122223333';
const other = '444455556666';

/** Two accounts that speak three times an hour; `quiet` does so in the hours given. */
function log(hours: readonly number[], until: number): RawRecord[] {
  const records: RawRecord[] = [];
  for (let hour = 0; hour < until; hour++) {
    for (const minute of [4, 25, 58]) {
      const accounts = hours.includes(hour) ? [quiet, other] : [other];
      for (const account of accounts) records.push(call(account, hour, minute));
    }
  }
  return records;
}

function call(account: string, hour: number, minute: number): RawRecord {
  const at = new Date(began + hour * hourMs + minute * 60_000).toISOString();
  const by = { type: 'AWSService', invokedBy: 'config.amazonaws.com' };
  const more = { recipientAccountId: account };
  return apiCall({ source: 'ec2', name: 'DescribeInstances', by, at, with: more });
}

/** Every record carries an arrival stamp that is later than all of them. */
const options = { only, arrival: began + 100 * hourMs };
const day = Array.from({ length: 24 }, (_, hour) => hour);

describe('an account that fell silent', () => {
  it('is told when three hours have passed, with the last thing it said', async () => {
    const { standing } = await judge(log(day, 30), options);
    const signals = standing.flatMap((alert) => alert.signals);
    expect(signals.map((one) => `${one.severity}: ${one.title}`)).toEqual([
      `medium: Account ${quiet} fell silent after 2026-03-04T23:58:00Z`,
    ]);
  });

  it('is not told before the watermark has passed', async () => {
    expect((await judge(log(day, 27), options)).standing).toEqual([]);
  });

  it('is not told when it spoke again in time, or had quiet hours anyway', async () => {
    expect((await judge(log([...day, 26, 27, 28, 29], 30), options)).standing).toEqual([]);
    const hours = day.filter((hour) => hour !== 12);
    expect((await judge(log(hours, 30), options)).standing).toEqual([]);
  });

  it.each([1, 2, 3])(
    'is told the same in another order within the bound, seed %i',
    async (seed) => {
      const chance = new Chance(seed);
      const records = log(day, 30);
      const mixed = [...records, ...records.slice(0, 50)]
        .map((record) => {
          const time = Date.parse(String(record['eventTime']));
          return { record, at: time + chance.below(14 * 60_000) };
        })
        .sort((a, b) => a.at - b.at)
        .map((one) => one.record);
      const calm = await judge(records, options);
      expect((await judge(mixed, options)).standing).toEqual(calm.standing);
      expect(calm.standing).toHaveLength(1);
    },
  );
});
