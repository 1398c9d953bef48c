// Traffic for workers: a small world's events as records of a log, and what a run over them left behind.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../../src/core/ports.ts';
import type { TopicMessage } from '../../src/sinks/kafka-topic.ts';
import { Chance } from '../simulation/chance.ts';
import { deliver, makeEvents } from '../simulation/world.ts';
import { alertsIn, countersIn, sentIn } from './worker.ts';

const boundMs = 14 * 60_000;

/** Records as a producer sends them, in order: mostly one event each, some several, some broken. */
export function trafficOf(seed: number, happenings: number): readonly TopicMessage[] {
  const chance = new Chance(seed);
  const arrivals = deliver(chance, makeEvents(chance, happenings), boundMs);
  return arrivals.map(({ text }) => ({
    key: /"recipientAccountId":"(\d+)"/.exec(text)?.[1] ?? 'none',
    value: Buffer.from(text),
  }));
}

/** What a run left behind, comparable between runs over the same log. */
export interface Left {
  readonly alerts: readonly string[];
  /** `id:revision` of every message that was sent, sorted; a repeated one stands twice. */
  readonly sent: readonly string[];
  readonly counters: readonly string[];
}

/** Takes the store of a run and the folder of its file sinks; gives what it left behind. */
export async function leftBy(store: Store, folder: string): Promise<Left> {
  const counters = (await countersIn(store)).map((one) => JSON.stringify(one));
  return { alerts: await alertsIn(store), sent: sentIn(folder).sort(), counters };
}

/** Makes a folder for a run, with a file that holds the url of its database. */
export function runFolder(parent: string, name: string, url?: string): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  if (url !== undefined) writeFileSync(join(folder, 'url'), url, { mode: 0o600 });
  return folder;
}
