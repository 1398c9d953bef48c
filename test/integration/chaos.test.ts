// Workers as processes, on a real Kafka and PostgreSQL: killed, frozen, cut off. Afterwards everything is
// as one calm worker leaves it, and nothing was sent twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/ports.ts';
import { type KafkaTopic, kafkaTopic } from '../../src/sinks/kafka-topic.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import { startKafka } from './servers/kafka.ts';
import { isMissing, withServer } from './servers/missing.ts';
import { startPostgres } from './servers/postgres.ts';
import { type Left, leftBy, runFolder, trafficOf } from './traffic.ts';
import { startWorker, until, type WorkerProcess } from './worker.ts';

const kafkaServer = await startKafka();
const postgresServer = isMissing(kafkaServer) ? kafkaServer : await startPostgres();
const both = isMissing(postgresServer) ? postgresServer : { kafkaServer, postgresServer };
const partitions = 4;
const parent = mkdtempSync(join(tmpdir(), 'sentrail-chaos-'));

withServer('workers on Kafka and PostgreSQL', both, () => {
  if (isMissing(kafkaServer) || isMissing(postgresServer)) return;
  const kafka = new Kafka({ brokers: [...kafkaServer.brokers], logLevel: logLevel.NOTHING });
  let admin: Admin;
  let topic: KafkaTopic;
  let calm: Left;
  const messages = trafficOf(7, 700);

  beforeAll(async () => {
    admin = kafka.admin();
    await admin.connect();
    const topics = [{ topic: 'trail', numPartitions: partitions }];
    await admin.createTopics({ topics, waitForLeaders: true });
    topic = kafkaTopic({ kafka, topic: 'trail' });
    for (let at = 0; at < messages.length; at += 100) {
      await topic.write(messages.slice(at, at + 100));
    }
    const { left } = await judged('calm', async (run) => {
      await run.start('one');
    });
    calm = left;
  });
  afterAll(async () => {
    await topic?.close();
    await admin?.disconnect();
    await kafkaServer.close();
    await postgresServer.close();
    rmSync(parent, { recursive: true, force: true });
  });

  interface Run {
    readonly store: Store;
    start(name: string): Promise<WorkerProcess>;
    /** How many events were judged and committed so far. */
    events(): Promise<number>;
  }

  /** Starts workers by `chaos`, waits until all is judged and sent, and gives what they left. */
  async function judged(name: string, chaos: (run: Run) => Promise<void>) {
    const url = await postgresServerUrl();
    const folder = runFolder(parent, name, url);
    const store = await openPostgres({ url, retentionMs: 1e12, clock: Date.now, isWriter: true });
    const workers: WorkerProcess[] = [];
    const run: Run = {
      store,
      async start(worker) {
        const started = await startWorker('run', folder, worker, configOf(name, folder));
        workers.push(started);
        return started;
      },
      async events() {
        const lanes = await store.lanes();
        const loaded = await Promise.all(lanes.map((lane) => store.load(lane)));
        return loaded.reduce((sum, one) => sum + (one?.counters.items ?? 0), 0);
      },
    };
    try {
      await chaos(run);
      await until('all is judged and sent', () => isDone(store), 180_000);
      const codes = await Promise.all(workers.map((one) => one.stop()));
      return { left: await leftBy(store, folder), codes, workers };
    } finally {
      for (const one of workers) one.signal('SIGKILL');
      await store.close();
    }
  }

  async function postgresServerUrl(): Promise<string> {
    if (isMissing(postgresServer)) throw new Error(postgresServer.missing);
    return postgresServer.fresh();
  }

  function configOf(name: string, folder: string): object {
    if (isMissing(kafkaServer)) throw new Error(kafkaServer.missing);
    const { brokers } = kafkaServer;
    return {
      sources: {
        trail: {
          type: 'kafka',
          brokers: [...brokers],
          topic: 'trail',
          group: `chaos-${name}`,
          keyed: true,
          start: 'earliest',
          sessionTimeout: '6s',
        },
      },
      store: { postgres: { file: join(folder, 'url') } },
      sinks: { soc: { type: 'file', path: join(folder, 'alerts-{lane}.ndjson') } },
      // Small batches: a kill then meets many commits.
      limits: { batchEventsMax: 20 },
    };
  }

  async function isDone(store: Store): Promise<boolean> {
    const offsets = await admin.fetchTopicOffsets('trail');
    for (const { partition, high } of offsets) {
      if (high === '0') continue;
      const lane = `trail/${partition}`;
      const at = (await store.progress(lane, [lane])).get(lane);
      if (at?.done === undefined || BigInt(at.position.sequence) + 1n < BigInt(high)) return false;
    }
    return (await store.depth()).outbox === 0;
  }

  function expectCalm(left: Left): void {
    expect(left.alerts).toEqual(calm.alerts);
    expect(left.counters).toEqual(calm.counters);
    // Equal as lists: a message that was sent twice would stand twice.
    expect(left.sent).toEqual(calm.sent);
    expect(new Set(left.sent).size).toBe(left.sent.length);
  }

  describe('leave what a calm worker leaves, and send nothing twice,', () => {
    it('in the calm, with something to tell', () => {
      expect(calm.alerts.length).toBeGreaterThan(10);
      expect(calm.sent.length).toBeGreaterThan(10);
    });

    it('when one is killed in mid-batch, again and again', async () => {
      let kills = 0;
      const { left } = await judged('killed', async (run) => {
        for (let round = 1; round <= 4; round++) {
          const worker = await run.start(`w${round}`);
          const before = await run.events();
          await until('some is judged', async () => (await run.events()) > before + 30, 60_000);
          worker.signal('SIGKILL');
          await worker.ended();
          kills++;
        }
        await run.start('last');
      });
      expect(kills).toBe(4);
      expectCalm(left);
    });

    it('when two of three are killed', async () => {
      const { left } = await judged('two-of-three', async (run) => {
        const workers = [await run.start('a'), await run.start('b'), await run.start('c')];
        await until('some is judged', async () => (await run.events()) > 60, 60_000);
        workers[0]?.signal('SIGKILL');
        workers[2]?.signal('SIGKILL');
      });
      expectCalm(left);
    });

    it('when one is frozen past its session, loses its lanes, and wakes', async () => {
      let lost = 0;
      const { left, codes } = await judged('frozen', async (run) => {
        const frozen = await run.start('frozen');
        await until('some is judged', async () => (await run.events()) > 40, 60_000);
        frozen.signal('SIGSTOP');
        const other = await run.start('other');
        await until('the other has lanes', () => runningOf(other) > 0, 60_000);
        await until('it goes on', async () => (await run.events()) > 80, 60_000);
        frozen.signal('SIGCONT');
        await until('all is judged', () => isDone(run.store), 120_000);
        await wait(3_000);
        lost = frozen.logs.filter((one) => one.state === 'lost' || one.state === 'ended').length;
      });
      expect(lost).toBeGreaterThan(0);
      expect(codes).toEqual([0, 0]);
      expectCalm(left);
    });

    it('when the broker is killed and started again', async () => {
      const { left } = await judged('broker', async (run) => {
        await run.start('one');
        await until('some is judged', async () => (await run.events()) > 40, 60_000);
        await kafkaServer.stop(0);
        await wait(3_000);
        await kafkaServer.start(0);
      });
      expectCalm(left);
    });

    it('when the database is stopped and started again', async () => {
      const { left } = await judged('database', async (run) => {
        await run.start('one');
        await until('some is judged', async () => (await run.events()) > 40, 60_000);
        await postgresServer.stop();
        await wait(1_000);
        await postgresServer.start();
      });
      expectCalm(left);
    });

    it('when it is told to stop, within the bound and with exit code 0, and started again', async () => {
      const { left } = await judged('stopped', async (run) => {
        const worker = await run.start('first');
        await until('some is judged', async () => (await run.events()) > 40, 60_000);
        const started = performance.now();
        expect(await worker.stop()).toBe(0);
        expect(performance.now() - started).toBeLessThan(20_000);
        await run.start('second');
      });
      expectCalm(left);
    });
  });
});

function runningOf(worker: WorkerProcess): number {
  return worker.logs.filter((one) => one.state === 'running').length;
}
