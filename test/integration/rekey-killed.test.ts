// `sentrail rekey` as a process: killed in the middle, it loses nothing, and each account is in one partition.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, expect, it } from 'vitest';
import { kafkaConfig } from '../../schemas/sources.ts';
import { kafkaSource } from '../../src/sources/kafka/source.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { openSqlite } from '../../src/stores/sqlite.ts';
import { merged } from '../support/merged.ts';
import { recordsOf } from '../support/reading.ts';
import { startKafka } from './servers/kafka.ts';
import { withServer } from './servers/missing.ts';
import { trafficOf } from './traffic.ts';
import { startWorker, until } from './worker.ts';

const server = await startKafka();
const parent = mkdtempSync(join(tmpdir(), 'sentrail-rekey-'));

interface Raw {
  readonly eventID: string;
  readonly recipientAccountId: string;
  readonly eventSource: string;
  readonly errorCode?: string;
  readonly responseElements?: { readonly ConsoleLogin?: string } | null;
}

withServer('rekeying', server, ({ brokers, close }) => {
  afterAll(async () => {
    await close();
    rmSync(parent, { recursive: true, force: true });
  });

  it('writes every event to the partition of its account, also when it is killed', async () => {
    const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const topics = [
      { topic: 'raw', numPartitions: 2 },
      { topic: 'keyed', numPartitions: 4 },
      { topic: 'sessions', numPartitions: 1 },
    ];
    await admin.createTopics({ topics, waitForLeaders: true });
    const texts = trafficOf(3, 600).map((one) => Buffer.from(one.value).toString());
    const producer = kafka.producer();
    await producer.connect();
    const messages = texts.map((value, at) => ({ value, partition: at % 2 }));
    await producer.send({ topic: 'raw', messages });
    await producer.disconnect();

    const source = { type: 'kafka', brokers: [...brokers], topic: 'raw', start: 'earliest' };
    const path = join(parent, 'rekey.sqlite');
    const config = {
      sources: { trail: source },
      store: { path },
      rekey: { brokers: [...brokers], topic: 'keyed', sessions: 'sessions' },
      // Small batches: the kill then comes between two commits.
      limits: { batchEventsMax: 20 },
    };
    const written = async () =>
      (await admin.fetchTopicOffsets('keyed')).reduce((sum, one) => sum + Number(one.high), 0);
    const first = await startWorker('rekey', parent, 'first', config);
    await until('some is written', async () => (await written()) > 20, 60_000);
    first.signal('SIGKILL');
    await first.ended();
    const second = await startWorker('rekey', parent, 'second', config);
    const isDone = async () => {
      const store = openSqlite({ path, retentionMs: 1e12, clock: () => 0, isWriter: false });
      const items = (await store.load('main'))?.counters.items ?? 0;
      await store.close();
      return items === texts.length;
    };
    await until('all is written', isDone, 120_000);
    expect(await second.stop()).toBe(0);

    const whole = texts.flatMap((text) => (text.endsWith('}') ? [JSON.parse(text) as Raw] : []));
    const sent = new Map(whole.map((one) => [one.eventID, one]));
    const read = async (topic: string) => {
      const of = kafkaConfig.parse({ ...source, topic, group: `read-${topic}` });
      const parts = { name: topic, config: of, notes: memoryStore(), clock: Date.now };
      const records = await recordsOf(merged(kafkaSource({ ...parts, secrets: () => '' })));
      return records.flatMap(({ shard, bytes }) =>
        Buffer.from(bytes)
          .toString()
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => ({ shard, event: JSON.parse(line) as Raw })),
      );
    };
    const keyed = await read('keyed');
    // Nothing lost; what the kill made it write again is a copy, which a lane removes.
    expect(new Set(keyed.map((one) => one.event.eventID))).toEqual(new Set(sent.keys()));
    const partitions = new Map<string, Set<string>>();
    for (const { shard, event } of keyed) {
      const at = partitions.get(event.recipientAccountId) ?? new Set();
      partitions.set(event.recipientAccountId, at.add(shard));
    }
    expect(partitions.size).toBeGreaterThan(2);
    for (const at of partitions.values()) expect(at.size).toBe(1);
    const begins = [...sent.values()].filter(
      (one) =>
        /^(sts|signin)\./.test(one.eventSource) &&
        one.errorCode === undefined &&
        one.responseElements?.ConsoleLogin !== 'Failure',
    );
    expect(begins.length).toBeGreaterThan(5);
    const sessions = new Set((await read('sessions')).map((one) => one.event.eventID));
    expect(sessions).toEqual(new Set(begins.map((one) => one.eventID)));
    await admin.disconnect();
  });
});
