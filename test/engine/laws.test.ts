// Laws 2 and 3 as properties of the engine, over worlds from seeds; and what a broken detector may do.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { detectors } from '../../detectors/index.ts';
import type { AlertJson } from '../../schemas/alert.ts';
import { signalFrom, stateless } from '../../src/core/detector.ts';
import type { Event } from '../../src/core/event.ts';
import { Chance } from '../simulation/chance.ts';
import { makeEvents } from '../simulation/world.ts';
import { judge } from '../support/judge.ts';
import { account, allow, apiCall, document, iamUser, rootUser } from '../support/records.ts';

/** Wide enough that nothing in a world is late, however it is shuffled. */
const config = { lateness: '5d' };
const seeds = fc.integer({ min: 1, max: 1_000_000 });

function worldOf(seed: number) {
  return makeEvents(new Chance(seed), 25);
}

const contents = (alerts: readonly AlertJson[]) => alerts.map(({ revision: _, ...rest }) => rest);

describe('law 2: duplicates change nothing', () => {
  it('not even a revision', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const events = worldOf(seed);
        const chance = new Chance(seed + 7);
        const doubled = events.flatMap((one) => (chance.happens(0.5) ? [one, one] : [one]));
        const calm = await judge(events, { config });
        const twice = await judge([...doubled, ...chance.shuffled(events)], { config });
        expect(twice.all).toEqual(calm.all);
        expect(twice.counters.events).toBe(calm.counters.events);
      }),
      { numRuns: 40 },
    );
  });
});

describe('law 3: order changes nothing in the end', () => {
  it('for any two orders within the bound', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const events = worldOf(seed);
        const calm = await judge(events, { config });
        const mixed = await judge(new Chance(seed + 9).shuffled(events), { config });
        expect(contents(mixed.standing)).toEqual(contents(calm.standing));
      }),
      { numRuns: 60 },
    );
  });
});

describe('an event', () => {
  it('is of no use after its step', async () => {
    const kept: Event[] = [];
    const keeper = stateless({
      meta: { ...detectors[0]!.meta, id: 'keeper' },
      on: ['ec2.amazonaws.com:*'],
      config: z.strictObject({}),
      detect(event) {
        kept.push(event);
        return 'keeps what it must not';
      },
    });
    await judge([apiCall({ source: 'ec2', name: 'RunInstances' })], { catalogue: [keeper] });
    expect(() => kept[0]?.field('requestParameters')).toThrow(/after its step/);
    expect(() => kept[0]?.raw()).toThrow(/after its step/);
  });
});

describe('a detector that throws', () => {
  it('costs its own coverage, which is counted, and nobody else’s', async () => {
    const broken = stateless({
      meta: { ...detectors[0]!.meta, id: 'broken' },
      on: ['iam.amazonaws.com:PutUserPolicy'],
      config: z.strictObject({}),
      detect() {
        throw new Error('odd input');
      },
    });
    const record = apiCall({
      source: 'iam',
      name: 'PutUserPolicy',
      request: { userName: 'x', policyName: 'y', policyDocument: document(allow('*')) },
    });
    const { standing, counters } = await judge([record], { catalogue: [broken, ...detectors] });
    expect(counters.detectorErrors).toEqual({ broken: 1 });
    expect(standing).toHaveLength(1);
  });
});

const teller = stateless({
  meta: { ...detectors[0]!.meta, id: 'teller' },
  on: ['ec2.amazonaws.com:*'],
  config: z.strictObject({}),
  detect: (event) => {
    const severity = event.name === 'TerminateInstances' ? 'critical' : 'low';
    return { ...signalFrom(event), severity, title: event.name, reason: 'told' };
  },
});
const call = (name: string, n: number, at = '2026-03-04T10:00:00Z') =>
  apiCall({ source: 'ec2', name, at, id: `${name}-${n}` });

describe('alerts', () => {
  it('never lose the worst to a limit', async () => {
    const many = Array.from({ length: 9 }, (_, n) => call('RunInstances', n));
    const records = [
      ...many,
      call('TerminateInstances', 1),
      ...many.map((_, n) => call('StopInstances', n)),
    ];
    const limits = { alerts: { signalsMax: 3 } };
    const { standing } = await judge(records, { catalogue: [teller], config: limits });
    expect(standing[0]?.severity).toBe('critical');
    expect(standing[0]?.signals).toHaveLength(3);
    expect(standing[0]?.signalsOverLimit).toBe(16);
  });

  it('name the window beside them while both stand', async () => {
    const records = [
      call('A', 1),
      call('B', 1, '2026-03-05T10:00:00Z'),
      call('C', 1, '2026-03-07T10:00:00Z'),
    ];
    const { standing } = await judge(records, { catalogue: [teller] });
    const [first, second, third] = standing;
    expect(first?.related).toEqual([second?.id]);
    expect(second?.related).toEqual([first?.id]);
    expect(third?.related).toEqual([]);
  });

  it('are hidden by an exception until it ends, and counted', async () => {
    const exceptions = [
      { id: 'e', principal: '*user/alice', owner: 'me', reason: 'known', expires: '2026-03-05' },
    ];
    const records = [call('A', 1), call('B', 1, '2026-03-05T00:00:00Z')];
    const { all, standing, counters } = await judge(records, {
      catalogue: [teller],
      config: { exceptions },
    });
    expect(counters.hidden).toEqual({ e: 1 });
    expect(standing.map((one) => one.title)).toEqual(['B']);
    expect(all[0]).toMatchObject({ status: 'withdrawn', exceptions: [{ id: 'e', hidden: 1 }] });
  });

  it('take a severity from the config', async () => {
    const config = { detectors: { teller: { severity: 'info' } } };
    const { standing } = await judge([call('TerminateInstances', 1)], {
      catalogue: [teller],
      config,
    });
    expect(standing[0]?.severity).toBe('info');
  });

  it('follow a correction: what it no longer supports is withdrawn', async () => {
    const login = (mfa: string, more: object) =>
      apiCall({
        source: 'signin',
        name: 'ConsoleLogin',
        by: iamUser('bob'),
        response: { ConsoleLogin: 'Success' },
        with: { additionalEventData: { MFAUsed: mfa }, ...more },
      });
    const original = login('No', { eventID: 'original' });
    const addendum = { reason: 'UPDATED_DATA', originalEventID: 'original' };
    const corrected = login('Yes', { eventID: 'correction', addendum });
    expect((await judge([original])).standing).toHaveLength(1);
    for (const order of [
      [original, corrected],
      [corrected, original],
    ]) {
      const { standing } = await judge(order);
      expect(standing).toEqual([]);
    }
  });
});

describe('lateness', () => {
  const early = call('A', 1, '2026-03-04T10:00:00Z');
  const later = call('B', 1, '2026-03-04T10:30:00Z');

  it('is judged, marked and counted', async () => {
    const { standing, counters } = await judge([later, early], { catalogue: [teller] });
    expect(counters.late).toBe(1);
    expect(standing[0]?.signals.map((one) => [one.title, one.late])).toEqual([
      ['A', true],
      ['B', false],
    ]);
  });

  it('is counted an account at a time where the log has no stamps', async () => {
    const other = { ...early, recipientAccountId: '999988887777' };
    expect(account).not.toBe('999988887777');
    expect((await judge([later, other], { catalogue: [teller] })).counters.late).toBe(0);
    const stamped = { catalogue: [teller], arrival: Date.UTC(2026, 2, 4, 10, 35) };
    expect((await judge([later, other], stamped)).counters.late).toBe(1);
  });

  it('does not hide root: what is older than any bucket is judged by itself', async () => {
    const root = (n: number, at: string) =>
      apiCall({ source: 'iam', name: 'CreateUser', by: rootUser(), at, id: `root-${n}` });
    const newestFirst = [
      root(1, '2026-03-04T10:00:00Z'),
      root(2, '2024-05-06T10:00:00Z'),
      root(3, '2024-05-06T09:00:00Z'),
    ];
    const { standing } = await judge(newestFirst, { only: ['root-account-used'] });
    const old = standing.find((one) => one.from.startsWith('2024'));
    expect(old?.signals.map((one) => [one.events[0], one.late, one.severity])).toEqual([
      ['root-3', true, 'high'],
      ['root-2', true, 'high'],
    ]);
    const weeks = [
      root(1, '2026-03-04T10:00:00Z'),
      root(2, '2026-01-06T10:00:00Z'),
      root(3, '2026-01-06T09:00:00Z'),
    ];
    const { standing: history } = await judge(weeks, { only: ['root-account-used'] });
    expect(history.find((one) => one.from.startsWith('2026-01'))?.signals).toHaveLength(1);
  });

  it('does not come from an event far ahead of its stamp', async () => {
    const ahead = call('C', 1, '2027-01-01T00:00:00Z');
    const stamped = { catalogue: [teller], arrival: Date.UTC(2026, 2, 4, 10, 35) };
    const { counters } = await judge([ahead, later], stamped);
    expect(counters).toMatchObject({ ahead: 1, late: 0, events: 2 });
  });
});
