// The way from a deed back to the person: exact where the trail proves it, never a wrong name for proven.
import { describe, expect, it } from 'vitest';
import type { AlertJson, SignalInAlertJson } from '../../schemas/alert.ts';
import { Chance } from '../simulation/chance.ts';
import { judge } from '../support/judge.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';
import { type Organisation, organisation, type Walk } from './organisation.ts';

const only = ['iam-policy-changed'];

function signalsOf(alerts: readonly AlertJson[]): Map<string, SignalInAlertJson> {
  const signals = alerts.flatMap((alert) => alert.signals);
  return new Map(signals.flatMap((one) => one.events.map((event) => [event, one] as const)));
}

/** Each record at most fourteen minutes from its place: within the default bound. */
function disordered(records: readonly RawRecord[], chance: Chance): RawRecord[] {
  const late = records.map((record) => {
    const time = Date.parse(String(record['eventTime']));
    return { record, at: time + chance.below(14 * 60_000) };
  });
  return late.sort((a, b) => a.at - b.at).map((one) => one.record);
}

interface Score {
  proven: number;
  hinted: number;
  unknown: number;
}

function score({ walks }: Organisation, alerts: readonly AlertJson[]): Score {
  const signals = signalsOf(alerts);
  const sum: Score = { proven: 0, hinted: 0, unknown: 0 };
  for (const walk of walks) {
    const chain = signals.get(walk.deed)?.chains[0];
    expect(chain, walk.deed).toBeDefined();
    if (chain === undefined) continue;
    sum[chain.standing]++;
    check(walk, chain);
  }
  return sum;
}

function check(walk: Walk, chain: SignalInAlertJson['chains'][number]): void {
  if (chain.standing === 'proven') expect(chain.person?.name, walk.deed).toBe(walk.person);
  if (!walk.isProvable) expect(chain.standing, walk.deed).not.toBe('proven');
  for (const hop of chain.hops) {
    if (hop.standing !== 'proven' || hop.event === undefined) continue;
    expect(walk.steps, `${hop.event} of ${walk.deed}`).toContain(hop.event);
  }
  if (!walk.isProvable) return;
  expect(chain.standing, walk.deed).toBe('proven');
}

describe.each([1, 2, 3, 4, 5, 6])('an organisation of 50 accounts, seed %i', (seed) => {
  it('names the person behind every deed when nothing is lost, over one to five hops', async () => {
    const made = organisation(new Chance(seed), { accounts: 50, walks: 200, lost: 0 });
    const { standing } = await judge(made.records, { only });
    expect(score(made, standing)).toEqual({ proven: 200, hinted: 0, unknown: 0 });
    const signals = signalsOf(standing);
    for (const walk of made.walks) {
      expect(signals.get(walk.deed)?.chains[0]?.hops.length, walk.deed).toBe(walk.hops);
    }
  });

  it('never claims what lost records leave open', async () => {
    const made = organisation(new Chance(seed), { accounts: 50, walks: 200, lost: 0.2 });
    const sum = score(made, (await judge(made.records, { only })).standing);
    const provable = made.walks.filter((one) => one.isProvable).length;
    expect(sum.proven).toBe(provable);
    expect(provable).toBeLessThan(180);
  });

  it('comes to the same end in any order within the bound, with duplicates', async () => {
    const chance = new Chance(seed);
    const made = organisation(chance, { accounts: 50, walks: 120, lost: 0.1 });
    const contents = (alerts: readonly AlertJson[]) => alerts.map(({ revision, ...rest }) => rest);
    const calm = await judge(made.records, { only });
    const twice = made.records.flatMap((one) => (chance.happens(0.25) ? [one, one] : [one]));
    const mixed = await judge(disordered(twice, chance), { only });
    expect(contents(mixed.standing)).toEqual(contents(calm.standing));
    const revisions = (alerts: readonly AlertJson[]) =>
      alerts.reduce((sum, one) => sum + one.revision, 0);
    // The steps that came after the deeds amended their alerts.
    expect(revisions(mixed.standing)).toBeGreaterThan(revisions(calm.standing));
  });
});

it('takes no key for the one that was issued years before under the same name', async () => {
  const by = assumedRole('deploy', 'pipeline');
  const issued = (at: string): RawRecord =>
    apiCall({
      source: 'sts',
      name: 'AssumeRole',
      by: iamUser('mary'),
      response: { credentials: { accessKeyId: by['accessKeyId'] } },
      at,
    });
  const deed = apiCall({
    source: 'iam',
    name: 'AttachUserPolicy',
    by,
    request: { userName: 'x', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
    at: '2026-03-04T10:00:00Z',
  });
  const chainOf = async (records: readonly RawRecord[]) =>
    (await judge(records, { only })).standing[0]?.signals[0]?.chains[0];
  const old = await chainOf([issued('2020-01-01T10:00:00Z'), deed]);
  expect([old?.standing, old?.person?.name]).toEqual(['hinted', 'pipeline']);
  const both = [issued('2020-01-01T10:00:00Z'), deed, issued('2026-03-04T09:59:00Z')];
  const own = await chainOf(both);
  expect([own?.standing, own?.person?.name]).toEqual(['proven', 'mary']);
});

it('takes the name of a federated user, which its caller chose, for no proof', async () => {
  const by = { type: 'FederatedUser', principalId: '111122223333:alice', accessKeyId: 'ASIAX' };
  const deed = apiCall({
    source: 'iam',
    name: 'AttachUserPolicy',
    by,
    request: { userName: 'x', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
  });
  const { standing } = await judge([deed], { only });
  expect(standing[0]?.signals[0]?.chains[0]?.standing).toBe('unknown');
  expect(standing[0]?.persons).toEqual([]);
});

it('tells two subjects of one web identity provider apart', async () => {
  const deed = (sub: string): RawRecord[] => {
    const by = assumedRole('ci', sub);
    const web = {
      type: 'WebIdentityUser',
      principalId: `idp.example.com:aud:${sub}`,
      userName: sub,
      identityProvider: 'idp.example.com',
    };
    const response = { credentials: { accessKeyId: by['accessKeyId'] } };
    const request = { userName: sub, policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' };
    return [
      apiCall({ source: 'sts', name: 'AssumeRoleWithWebIdentity', by: web, response }),
      apiCall({ source: 'iam', name: 'AttachUserPolicy', by, request }),
    ];
  };
  const { standing } = await judge([...deed('one'), ...deed('two')], { only });
  expect(standing[0]?.persons.map((one) => one.principal.name)).toEqual(['one', 'two']);
});
