// Posts as an EventBridge API destination sends them, and a live worker that takes them.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startWorker, until, type WorkerProcess } from '../integration/worker.ts';
import { account, type RawRecord } from './records.ts';

/** What the header of every post must say. */
export const secret = 'Bearer 5f0c-not-to-be-seen-in-any-log';
/** The header that carries it. */
const header = 'x-sentrail-secret';
process.env['SENTRAIL_TEST_SECRET'] = secret;

/** Takes a record; gives the envelope EventBridge puts it in, as text. */
export function envelope(record: RawRecord): string {
  return JSON.stringify({
    version: '0',
    id: record['eventID'],
    'detail-type': 'AWS API Call via CloudTrail',
    source: 'aws.iam',
    account,
    time: record['eventTime'],
    region: 'us-east-1',
    resources: [],
    detail: record,
  });
}

/** A folder of a live run with a push source, and its config. */
export interface PushRun {
  readonly folder: string;
  readonly url: string;
  readonly config: Record<string, unknown>;
}

/** Takes keys to set over those of the source and of the config; gives a run not yet started. */
export async function pushRun(source: object = {}, config: object = {}): Promise<PushRun> {
  const listen = `127.0.0.1:${await freePort()}`;
  const bus = { type: 'push', listen, header, secret: { env: 'SENTRAIL_TEST_SECRET' }, ...source };
  return {
    folder: mkdtempSync(join(tmpdir(), 'sentrail-run-')),
    url: `http://${listen}/events`,
    config: {
      sources: { bus },
      sinks: { keep: { type: 'file', path: 'out.ndjson' } },
      store: { path: 'live.sqlite' },
      log: { level: 'debug' },
      ...config,
    },
  };
}

/** Starts the worker of a run; gives it once it takes posts. */
export async function started({ folder, config, url }: PushRun): Promise<WorkerProcess> {
  const worker = await startWorker('run', folder, 'live', config);
  const died = worker.ended().then((code) => {
    throw new Error(`ended with ${code}: ${JSON.stringify(worker.logs)}`);
  });
  // Without the secret an endpoint that listens says 401.
  const listens = async () => (await post(url, '{}', 'no')) === 401;
  await Promise.race([until('the endpoint listens', listens, 20_000), died]);
  died.catch(() => {});
  return worker;
}

/** Posts a body; gives the status, 0 where nobody answered. */
export async function post(url: string, body: string, word: string = secret): Promise<number> {
  const headers = { [header]: word, 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', body, headers }).then(
    (response) => response.status,
    () => 0,
  );
}

/** Samples of a worker's metrics by name with labels: `sentrail_items_total{kind="events"}`. */
export async function metricsOf(worker: WorkerProcess): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://${worker.http}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
