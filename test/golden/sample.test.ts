// The sample trail's stories, from files to alerts: the loud ones are told, the quiet ones stay quiet.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AlertJson, alertSchema } from '../../schemas/alert.ts';
import { configSchema } from '../../schemas/config.ts';
import { replay } from '../../src/app.ts';
import { alertJson } from '../../src/core/alert-json.ts';
import { severityRank } from '../../src/core/severity.ts';
import { balance } from '../../src/engine/counters.ts';

const examples = join(import.meta.dirname, '../../examples');
const story = z.looseObject({
  story: z.string(),
  quiet: z.boolean(),
  eventIds: z.array(z.string()),
  expectDetector: z.string().nullish(),
});
const stories = z
  .array(story)
  .parse(JSON.parse(readFileSync(join(examples, 'stories.json'), 'utf8')));

const folder = mkdtempSync(join(tmpdir(), 'sentrail-golden-'));
let alerts: AlertJson[] = [];
let rest = Number.NaN;

async function sample(store: string): Promise<AlertJson[]> {
  const done = await replay({
    paths: [join(examples, 'trail')],
    config: configSchema.parse({}),
    store: join(folder, store),
    detectors: undefined,
    from: undefined,
    to: undefined,
    isDelivering: false,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stop: new AbortController().signal,
    onCommit: () => {},
    onNotice: () => {},
  });
  const found: AlertJson[] = [];
  for await (const alert of done.store.listAlerts({})) {
    if (alert.status === 'open') found.push(alertSchema.parse(alertJson(alert)));
  }
  rest = balance(done.counters);
  await done.close();
  return found;
}

beforeAll(async () => {
  alerts = await sample('first.sqlite');
});
afterAll(() => rmSync(folder, { recursive: true }));

const signals = () => alerts.flatMap((one) => one.signals);

describe('the sample trail', () => {
  it.each(stories.filter((one) => !one.quiet))('tells of $story', (one) => {
    const told = signals().filter(
      (signal) =>
        signal.detector === one.expectDetector &&
        signal.events.some((id) => one.eventIds.includes(id)),
    );
    const worst = Math.max(...told.map((signal) => severityRank(signal.severity)));
    expect(worst).toBeGreaterThanOrEqual(severityRank('medium'));
  });

  it.each(stories.filter((one) => one.quiet))('is quiet about $story', (one) => {
    const loud = signals().filter(
      (signal) =>
        severityRank(signal.severity) > severityRank('low') &&
        signal.events.some((id) => one.eventIds.includes(id)),
    );
    expect(loud.map((signal) => signal.title)).toEqual([]);
  });

  it('is loud about nothing that is no story', () => {
    const told = new Set(stories.filter((one) => !one.quiet).flatMap((one) => one.eventIds));
    const other = signals().filter(
      (signal) =>
        severityRank(signal.severity) > severityRank('low') &&
        !signal.events.some((id) => told.has(id)),
    );
    expect(other.map((signal) => `${signal.severity}: ${signal.title}`)).toEqual([]);
  });

  it('accounts for every item, and a second run repeats nothing', async () => {
    expect(rest).toBe(0);
    expect(JSON.stringify(await sample('first.sqlite'))).toBe(JSON.stringify(alerts));
    expect(JSON.stringify(await sample('second.sqlite'))).toBe(JSON.stringify(alerts));
  });
});
