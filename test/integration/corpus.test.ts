// The whole corpus by every route, as files, through Kafka and through Kinesis: the same alerts and counters.
// Only events beyond the lateness bound may make a difference, and those are listed.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../schemas/config.ts';
import { replay } from '../../src/app.ts';
import type { Alert } from '../../src/core/alert.ts';
import type { Counters, Store } from '../../src/core/ports.ts';
import { balance } from '../../src/engine/counters.ts';
import { live } from '../../src/live.ts';
import { kafkaTopic } from '../../src/sinks/kafka-topic.ts';
import { openSqlite } from '../../src/stores/sqlite.ts';
import { mainLane } from '../../src/wiring.ts';
import { type FakeKinesis, startFakeKinesis } from '../support/fake-kinesis.ts';
import { makeStream, type TestStream } from './kinesis-stream.ts';
import { startKafka } from './servers/kafka.ts';
import { withServer } from './servers/missing.ts';
import { freePort, until } from './worker.ts';

const folder = resolve(
  process.env['SENTRAIL_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data'),
  'cloudtrail',
);
const isThere = existsSync(folder);
if (!isThere) console.warn(`no corpus at ${folder}: set SENTRAIL_TEST_DATA to test with it`);
/** Every record, set after set. */
const records = isThere ? corpus() : [];
const parent = mkdtempSync(join(tmpdir(), 'sentrail-corpus-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));
const kafkaServer = isThere ? await startKafka() : undefined;

/** What a route left: alerts that stand, by id, as compared between routes; and the counters. */
interface Result {
  readonly alerts: ReadonlyMap<string, Omit<Alert, 'revision' | 'delivered'>>;
  readonly counters: Counters;
}

if (kafkaServer === undefined) describe.skip('the corpus, which is absent', () => {});
else
  withServer('the corpus by every route', kafkaServer, (server) => {
    const kafka = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING });
    let fake: FakeKinesis;
    const streams: TestStream[] = [];

    beforeAll(async () => {
      fake = await startFakeKinesis();
    });
    afterAll(async () => {
      for (const one of streams) one.close();
      await fake?.close();
      await server.close();
    });

    /** Sends all by every route: a folder, a topic of one partition, a stream of one shard. */
    async function sent(name: string, all: readonly string[]) {
      const files = join(parent, name);
      mkdirSync(files, { recursive: true });
      for (const [at, some] of chunks(all, 100).entries()) {
        writeFileSync(join(files, `${String(at).padStart(4, '0')}.ndjson`), lines(some));
      }
      const admin = kafka.admin();
      await admin.connect();
      const topics = [{ topic: name, numPartitions: 1 }];
      await admin.createTopics({ topics, waitForLeaders: true });
      await admin.disconnect();
      const topic = kafkaTopic({ kafka, topic: name });
      for (const some of chunks(all, 50)) {
        await topic.write([{ key: '', value: Buffer.from(lines(some)) }]);
      }
      await topic.close();
      const stream = await makeStream(fake.endpoint, name, 1);
      streams.push(stream);
      for (const some of chunks(all, 30)) await stream.put(subscription(some), 0);
      let groups = 0;
      return async (settings: object) => {
        const group = `${name}-${++groups}`;
        const { brokers } = server;
        const reading = { type: 'kafka', brokers, topic: name, start: 'earliest', group };
        return {
          files: await replayed(files, settings),
          kafka: await lived({ ...settings, sources: { trail: reading } }),
          kinesis: await lived({ ...settings, sources: { trail: stream.source } }),
        };
      };
    }

    describe('set after set, which is many times a leap back by years,', () => {
      let judged: Awaited<ReturnType<typeof sent>>;
      beforeAll(async () => {
        judged = await sent('sets', records);
      });

      it('gives the same alerts and counters where nothing is late', async () => {
        const { files, kafka, kinesis } = await judged({ lateness: '9999d' });
        expect(files.alerts.size).toBeGreaterThan(20);
        for (const one of [files, kafka, kinesis]) {
          expectWhole(one.counters);
          expect(one.counters.late).toBe(0);
          expect(one).toEqual(files);
        }
      });

      it('differs at the default bound by what is late, and by nothing else', async () => {
        // These files have no stamp in their names, so each account has a watermark of its own; a
        // stream stamps every record, so its lane has one, and more of these leaps are late there.
        const { files, kafka, kinesis } = await judged({});
        expect(kinesis).toEqual(kafka);
        for (const one of [files, kafka]) expectWhole(one.counters);
        const late = new Set([...lateEvents(files, kafka), ...lateInOneLane(records)]);
        const differing = differingIds(files, kafka).map((id) => ({
          id,
          pair: [files, kafka].map((one) => one.alerts.get(id)?.signals ?? []),
          proofs: [files, kafka].flatMap((one) => provedBy(one, id)).filter((one) => late.has(one)),
        }));
        const told = differing.map(({ id, proofs }) => [id, ...new Set(proofs)].join(' '));
        const counts = `${files.counters.late} events are late as files, ${kafka.counters.late} in a stream`;
        console.log(`${counts}; alerts that differ, with their late events:\n${told.join('\n')}`);
        // Without the signals that rest on events late by one route, what is left of each alert is the same.
        for (const { id, pair, proofs } of differing) {
          expect(proofs, `alert ${id} differs and nothing in it is late`).not.toEqual([]);
          const inTime = (signals: Alert['signals'] | undefined) =>
            signals?.filter(({ evidence }) => !evidence.some((one) => late.has(one.id)));
          expect(inTime(pair[1])).toEqual(inTime(pair[0]));
        }
        // An event that comes after its id was forgotten counts as one more event: it is late by days.
        const again = files.counters.duplicates - kafka.counters.duplicates;
        expect(kafka.counters.events - files.counters.events).toBe(again);
        const forgotten = kafka.counters.beyondMemory - files.counters.beyondMemory;
        expect(again).toBeLessThanOrEqual(forgotten);
        expect(kafka.counters.rejected).toEqual(files.counters.rejected);
      });
    });

    it('gives the same alerts and counters at the default bound when sent in order of time', async () => {
      const judged = await sent('ordered', inOrder(records));
      const { files, kafka, kinesis } = await judged({});
      for (const one of [files, kafka, kinesis]) {
        expectWhole(one.counters);
        expect(one.counters.late).toBe(0);
        expect(one).toEqual(files);
      }
    });
  });

/** Every line is one item, and every item is accounted for. */
function expectWhole(counters: Counters): void {
  expect(counters.items).toBe(records.length);
  expect(balance(counters)).toBe(0);
}

function differingIds(one: Result, other: Result): readonly string[] {
  const ids = [...new Set([...one.alerts.keys(), ...other.alerts.keys()])].sort();
  const text = (result: Result, id: string) => JSON.stringify(result.alerts.get(id));
  return ids.filter((id) => text(one, id) !== text(other, id));
}

/** Ids of the events that prove a late signal by either route. */
function lateEvents(...results: readonly Result[]): ReadonlySet<string> {
  const signals = results.flatMap((one) => [...one.alerts.values()].flatMap((own) => own.signals));
  const late = signals.filter((one) => one.late);
  return new Set(late.flatMap(({ evidence }) => evidence.map((one) => one.id)));
}

/** Ids of the events behind the bound of one clock: a count that lacks them may make no signal at all. */
function lateInOneLane(all: readonly string[]): readonly string[] {
  const boundMs = 15 * 60_000;
  let newest = Number.NEGATIVE_INFINITY;
  return all.flatMap((text) => {
    const record = JSON.parse(text) as Record<string, unknown>;
    const time = timeOf(record);
    const isLate = time < newest - boundMs;
    newest = Math.max(newest, time);
    return isLate ? [String(record['eventID'])] : [];
  });
}

function provedBy(result: Result, alert: string): readonly string[] {
  const signals = result.alerts.get(alert)?.signals ?? [];
  return signals.flatMap(({ evidence }) => evidence.map((one) => one.id));
}

function timeOf(record: Record<string, unknown>): number {
  return Date.parse(String(record['eventTime'] ?? record['@timestamp']).replaceAll(' ', '')) || 0;
}

/** One set says its times as Logstash does, and one record has blanks in its time. */
function inOrder(all: readonly string[]): readonly string[] {
  const timed = all.map((text) => ({ text, time: timeOf(JSON.parse(text)) }));
  return timed.sort((a, b) => a.time - b.time).map((one) => one.text);
}

function corpus(): readonly string[] {
  const sets = readdirSync(folder).filter((one) => /^(?!.*\.index\.).*\.ndjson\.gz$/.test(one));
  return sets.sort().flatMap((set) => {
    const text = gunzipSync(readFileSync(join(folder, set))).toString();
    return text.split('\n').filter((one) => one !== '');
  });
}

function chunks<T>(list: readonly T[], size: number): (readonly T[])[] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, at) => list.slice(at * size, (at + 1) * size));
}

function lines(some: readonly string[]): string {
  return some.map((one) => `${one}\n`).join('');
}

/** As CloudWatch Logs puts it into a stream. */
function subscription(some: readonly string[]): Uint8Array {
  const logEvents = some.map((message, at) => ({ id: String(at), timestamp: 0, message }));
  const head = { messageType: 'DATA_MESSAGE', owner: '111122223333', logGroup: 'trail' };
  const rest = { logStream: 'all', subscriptionFilters: ['all'], logEvents };
  return gzipSync(JSON.stringify({ ...head, ...rest }));
}

async function replayed(path: string, settings: object): Promise<Result> {
  const run = await replay({
    paths: [path],
    config: configSchema.parse(settings),
    store: false,
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
  try {
    return await resultIn(run.store);
  } finally {
    await run.close();
  }
}

let runs = 0;
async function lived(settings: object): Promise<Result> {
  const path = join(parent, `live-${++runs}.sqlite`);
  const http = { listen: `127.0.0.1:${await freePort()}` };
  const config = configSchema.parse({ ...settings, store: { path }, http });
  const stop = new AbortController();
  const reading = async <T>(task: (store: Store) => Promise<T>): Promise<T> => {
    const store = openSqlite({ path, retentionMs: 1e12, clock: Date.now, isWriter: false });
    try {
      return await task(store);
    } finally {
      await store.close();
    }
  };
  let isRunning = false;
  const info = (fields: object) => {
    isRunning ||= 'state' in fields && fields.state === 'running';
  };
  const log = { info, warn: () => {} };
  let failure: { readonly error: unknown } | undefined;
  const ended = live({ config, stdout: new PassThrough(), log, stop: stop.signal }).catch(
    (error: unknown) => {
      failure = { error };
    },
  );
  try {
    await until('all is judged', async () => {
      if (failure !== undefined) throw failure.error;
      if (!isRunning) return false;
      const judged = await reading(async (store) => (await store.load(mainLane))?.counters.items);
      return judged === records.length;
    });
  } finally {
    stop.abort();
    await ended;
  }
  return reading(resultIn);
}

async function resultIn(store: Store): Promise<Result> {
  const alerts = new Map<string, Omit<Alert, 'revision' | 'delivered'>>();
  for await (const alert of store.listAlerts({ statuses: ['open'] })) {
    const { revision: _times, delivered: _sent, ...content } = alert;
    alerts.set(alert.id, content);
  }
  const counters = (await store.load(mainLane))?.counters;
  if (counters === undefined) throw new Error('the lane committed nothing');
  return { alerts, counters };
}
