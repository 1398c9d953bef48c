// Workers for an hour: steady traffic, a worker killed or frozen every minute; at the end every item is
// accounted for (law 4), and no alert was sent twice (law 5).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, expect, it } from 'vitest';
import { kafkaTopic } from '../../src/sinks/kafka-topic.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import { startKafka } from '../integration/servers/kafka.ts';
import { isMissing, withServer } from '../integration/servers/missing.ts';
import { startPostgres } from '../integration/servers/postgres.ts';
import { runFolder, trafficOf } from '../integration/traffic.ts';
import { countersIn, sentIn, startWorker, until } from '../integration/worker.ts';
import { Chance } from '../simulation/chance.ts';

const minutes = Number(process.env['SENTRAIL_SOAK_MINUTES'] ?? 60);
const seed = Number(process.env['SENTRAIL_SEED'] ?? 1);
const kafkaServer = await startKafka();
const postgresServer = isMissing(kafkaServer) ? kafkaServer : await startPostgres();
const both = isMissing(postgresServer) ? postgresServer : { postgresServer };
const parent = mkdtempSync(join(tmpdir(), 'sentrail-soak-'));

withServer('a soak', both, () => {
  if (isMissing(kafkaServer) || isMissing(postgresServer)) return;
  afterAll(async () => {
    await kafkaServer.close();
    await postgresServer.close();
    rmSync(parent, { recursive: true, force: true });
  });

  it(`of ${minutes} minutes accounts for every item and sends nothing twice`, async () => {
    const kafka = new Kafka({ brokers: [...kafkaServer.brokers], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'soak', numPartitions: 4 }] });
    const topic = kafkaTopic({ kafka, topic: 'soak' });
    const url = await postgresServer.fresh();
    const folder = runFolder(parent, 'run', url);
    const store = await openPostgres({ url, retentionMs: 1e12, clock: Date.now, isWriter: true });
    const source = {
      type: 'kafka',
      brokers: [...kafkaServer.brokers],
      topic: 'soak',
      keyed: true,
      start: 'earliest',
      sessionTimeout: '6s',
    };
    const config = {
      sources: { soak: source },
      store: { postgres: { file: join(folder, 'url') } },
      sinks: { soc: { type: 'file', path: join(folder, 'alerts-{lane}.ndjson') } },
    };
    const chance = new Chance(seed);
    let started = 0;
    const start = () => startWorker('run', folder, `w${++started}`, config);
    const workers = [await start(), await start(), await start()];
    const end = Date.now() + minutes * 60_000;
    let produced = 0;
    const producing = (async () => {
      for (let round = 0; Date.now() < end; round++) {
        const messages = trafficOf(seed * 1_000 + round, 40);
        await topic.write(messages);
        produced += messages.length;
        await wait(1_000);
      }
    })();
    while (Date.now() < end) {
      await wait(Math.min(60_000, Math.max(0, end - Date.now())));
      const at = chance.below(workers.length);
      const victim = workers[at];
      if (chance.happens(0.5)) {
        victim?.signal('SIGKILL');
        await victim?.ended();
        workers[at] = await start();
      } else {
        victim?.signal('SIGSTOP');
        await wait(9_000);
        victim?.signal('SIGCONT');
      }
      const sizes = workers.map((one) => `${residentMegabytes(one.pid)} MB`);
      console.log(`${produced} messages produced; workers ${sizes.join(', ')}`);
    }
    await producing;
    const high = async () =>
      (await admin.fetchTopicOffsets('soak')).reduce((sum, one) => sum + Number(one.high), 0);
    const items = async () => (await countersIn(store)).reduce((sum, one) => sum + one.items, 0);
    await until('all is judged', async () => (await items()) === (await high()), 300_000);
    await until('all is sent', async () => (await store.depth()).outbox === 0, 120_000);
    for (const one of workers) expect(await one.stop()).toBe(0);
    // Each message is one item, and `countersIn` throws where a lane's kinds do not add up to its items.
    expect(await items()).toBe(await high());
    expect(await high()).toBeGreaterThanOrEqual(produced);
    const sent = sentIn(folder);
    expect(sent.length).toBeGreaterThan(0);
    expect(new Set(sent).size).toBe(sent.length);
    console.log(`${await items()} items accounted for, ${sent.length} messages sent, none twice`);
    await store.close();
    await topic.close();
    await admin.disconnect();
  });
});

/** Resident memory as the kernel tells it; 0 where it does not. */
function residentMegabytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}
