// Golden stories of days on which nothing is wrong: with the full catalogue, no alert above low.
import { describe, expect, it } from 'vitest';
import { type Severity, severityRank } from '../../src/core/severity.ts';
import { balance } from '../../src/engine/counters.ts';
import { judge } from '../support/judge.ts';
import { awsInternalDay } from './stories/aws-internal-day.ts';
import { cloudFormationDay } from './stories/cloudformation-day.ts';
import { scannerSweep } from './stories/scanner-sweep.ts';
import { ssoMorning } from './stories/sso-morning.ts';
import { terraformDay } from './stories/terraform-day.ts';
import { workloadDay } from './stories/workload-day.ts';

const stories = [
  ['an ordinary Terraform day', terraformDay],
  ['a CloudFormation and CDK day', cloudFormationDay],
  ['an SSO morning', ssoMorning],
  ["a security scanner's sweep", scannerSweep],
  ['a day of workloads', workloadDay],
  ['what AWS does by itself', awsInternalDay],
] as const;
const all = () =>
  stories
    .flatMap(([, story]) => story())
    .sort((a, b) => String(a['eventTime']).localeCompare(String(b['eventTime'])));

describe.each([...stories, ['all of it in one day', all] as const])('%s', (_name, story) => {
  it('raises no alert above low', async () => {
    const records = story();
    expect(new Set(records.map((one) => one['eventID'])).size).toBe(records.length);
    expect(records.length).toBeGreaterThan(200);
    const { standing, counters } = await judge(records);
    expect(counters.rejected).toEqual({});
    expect(counters.items).toBe(records.length);
    expect(balance(counters)).toBe(0);
    expect(counters.detectorErrors).toEqual({});
    const isLoud = (one: { severity: Severity }) =>
      severityRank(one.severity) > severityRank('low');
    const loud = standing.filter(isLoud).map((alert) => ({
      alert: `${alert.severity}: ${alert.title}`,
      signals: alert.signals
        .filter(isLoud)
        .map((one) => `${one.detector} (${one.severity}): ${one.title}. ${one.reason}`),
    }));
    expect(loud).toEqual([]);
  });
});
