// The Kafka source in bad weather: brokers away for longer than a session, leaders that move, logs that
// lose their beginning while they are read, and TLS that does not hold.
import { setTimeout as wait } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterAll, describe, expect, it } from 'vitest';
import { type KafkaConfig, kafkaConfig } from '../../schemas/sources.ts';
import type { Progress } from '../../src/core/position.ts';
import type { ShardReader } from '../../src/core/shards.ts';
import { kafkaSource } from '../../src/sources/kafka/source.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { type KafkaServer, startKafka } from './servers/kafka.ts';
import { withServer } from './servers/missing.ts';
import { until } from './worker.ts';

/** A topic of a cluster, and what writes to it. */
async function topicOn(server: KafkaServer, topic: string, numPartitions: number) {
  const kafka = new Kafka({
    brokers: [...server.brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 200, maxRetryTime: 1_000 },
  });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await admin.connect();
  await producer.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });
  let sent = 0;
  return {
    admin,
    /** Writes so many more numbers to a partition; gives them. */
    async send(count: number, partition = 0, padding = ''): Promise<string[]> {
      const values = Array.from({ length: count }, () => `${partition}:${sent++}${padding}`);
      const messages = values.map((value) => ({ value, partition }));
      await producer.send({ topic, acks: -1, messages });
      return values;
    },
    async close() {
      await producer.disconnect();
      await admin.disconnect();
    },
  };
}

/** Reads as a worker does: one assignment after another, each behind what was committed. */
function worker(config: KafkaConfig) {
  const committed = new Map<string, Progress>();
  const got: string[] = [];
  const notices: string[] = [];
  const stop = new AbortController();
  const counts = { assignments: 0, ms: 0 };
  const source = kafkaSource({
    name: 'k',
    config,
    notes: memoryStore(),
    clock: Date.now,
    secrets: () => 'reader-secret',
    onNotice: (text) => notices.push(text),
  });
  const lookup = async () => new Map(committed);
  const drain = async (reader: ShardReader, signal: AbortSignal) => {
    while (!signal.aborted) {
      const { records } = await reader.next(signal);
      if (signal.aborted) return;
      for (const { shard, sequence, bytes } of records) {
        got.push(Buffer.from(bytes).toString());
        committed.set(shard, { position: { shard, sequence, item: 1 }, done: '' });
      }
    }
  };
  const ended = (async () => {
    for await (const { taken, open, release } of source.assignments(stop.signal)) {
      counts.assignments++;
      const signal = AbortSignal.any([taken, stop.signal]);
      const readers = await open(lookup);
      await Promise.all(readers.map((one) => drain(one, signal)));
      await release();
    }
  })();
  // Seen by `until` below, and thrown by `leave`.
  ended.catch(() => {});
  return {
    got,
    notices,
    counts,
    committed,
    ended,
    async leave() {
      stop.abort();
      await ended;
      await source.close();
    },
  };
}

const configOf = (server: KafkaServer, topic: string, more: Partial<KafkaConfig> = {}) => ({
  ...kafkaConfig.parse({
    type: 'kafka',
    brokers: server.brokers,
    topic,
    group: `g-${topic}`,
    start: 'earliest',
    sessionTimeout: '6s',
  }),
  ...more,
});

const sorted = (values: readonly string[]) => [...values].sort();

withServer('one broker, in bad weather', await startKafka(), (server) => {
  afterAll(() => server.close());

  it('goes on exactly where it was when the only broker was away for longer than a session', async () => {
    const topic = await topicOn(server, 'away', 2);
    const sent = [...(await topic.send(50)), ...(await topic.send(50, 1))];
    const reading = worker(configOf(server, 'away'));
    await until('the first hundred', () => reading.got.length >= 100, 60_000);
    await server.stop(0);
    await wait(15_000);
    await server.start(0);
    sent.push(...(await topic.send(50)), ...(await topic.send(50, 1)));
    await until('the rest', () => reading.got.length >= 200, 120_000);
    await reading.leave();
    await topic.close();
    expect(sorted(reading.got)).toEqual(sorted(sent));
  });

  it('tells what was lost when the log loses its beginning while it is read', async () => {
    const topic = await topicOn(server, 'trimmed', 1);
    const padding = 'x'.repeat(10_000);
    for (let at = 0; at < 20; at++) await topic.send(20, 0, padding);
    const config = configOf(server, 'trimmed', { bufferBytesMax: 65_536 });
    const notices: string[] = [];
    const source = kafkaSource({
      name: 'k',
      config,
      notes: memoryStore(),
      clock: Date.now,
      secrets: () => '',
      onNotice: (text) => notices.push(text),
    });
    const stop = new AbortController();
    const drawn = source.assignments(stop.signal)[Symbol.asyncIterator]();
    const { value: assignment } = await drawn.next();
    const [reader] = await assignment.open(async () => new Map());
    const offsets: number[] = [];
    const some = async () => {
      for (const one of (await reader.next(stop.signal)).records) offsets.push(+one.sequence);
    };
    await until('something', async () => {
      await some();
      return offsets.length > 0;
    });
    // kafkajs deletes records only of topics that it was asked for before.
    await topic.admin.fetchTopicOffsets('trimmed');
    await topic.admin.deleteTopicRecords({
      topic: 'trimmed',
      partitions: [{ partition: 0, offset: '390' }],
    });
    await until('the end', async () => {
      await some();
      return offsets.includes(399);
    });
    stop.abort();
    await drawn.return?.();
    await source.close();
    await topic.close();
    expect(offsets.slice(-10)).toEqual(Array.from({ length: 10 }, (_, at) => 390 + at));
    expect(new Set(offsets).size).toBe(offsets.length);
    expect(notices.join()).toMatch(/past retention/);
  });

  it('begins again at the oldest offset of a topic that was made anew, and says so', async () => {
    const topic = await topicOn(server, 'anew', 1);
    const sent = await topic.send(3);
    const reading = worker(configOf(server, 'anew'));
    reading.committed.set('k/0', { position: { shard: 'k/0', sequence: '99', item: 1 }, done: '' });
    await until('what is there', () => reading.got.length >= 3, 60_000);
    await reading.leave();
    await topic.close();
    expect(reading.got).toEqual(sent);
    expect(reading.notices.join()).toMatch(/ends at 3, before 100/);
  });

  describe('tls', () => {
    const secure = (topic: string, tls: KafkaConfig['tls']) =>
      configOf(server, topic, { brokers: [...(server.tls ?? [])], tls });

    it('reads by TLS, with a certificate of its own', async () => {
      const topic = await topicOn(server, 'secure', 1);
      const sent = await topic.send(3);
      const { path, keyPath } = server.certificate ?? { path: '', keyPath: '' };
      const { readFileSync } = await import('node:fs');
      const source = kafkaSource({
        name: 'k',
        config: secure('secure', { ca: path, cert: path, key: { file: keyPath } }),
        notes: memoryStore(),
        clock: Date.now,
        secrets: (secret) => readFileSync('file' in secret ? secret.file : '', 'utf8'),
      });
      const stop = new AbortController();
      const drawn = source.assignments(stop.signal)[Symbol.asyncIterator]();
      const [reader] = await (await drawn.next()).value.open(async () => new Map());
      const got: string[] = [];
      while (got.length < 3)
        for (const one of (await reader.next(stop.signal)).records)
          got.push(Buffer.from(one.bytes).toString());
      stop.abort();
      await drawn.return?.();
      await topic.close();
      expect(got).toEqual(sent);
    });

    it('ends with what to try when the certificate of the broker is of nobody it trusts', async () => {
      const reading = worker(secure('secure', true));
      await expect(reading.ended).rejects.toMatchObject({
        code: 'source',
        message: expect.stringMatching(/certificate/),
      });
    });
  });
});

withServer('three brokers, in bad weather', await startKafka({ brokers: 3 }), (server) => {
  afterAll(() => server.close());

  it('follows leaders when one broker after another dies and comes back', async () => {
    const topic = await topicOn(server, 'leaders', 6);
    const sent: string[] = [];
    const reading = worker(configOf(server, 'leaders'));
    const round = async () => {
      for (let partition = 0; partition < 6; partition++)
        sent.push(...(await topic.send(10, partition)));
      await until('what was sent', () => reading.got.length >= sent.length, 90_000);
    };
    await round();
    for (const index of [0, 1, 2]) {
      await server.stop(index);
      await round();
      await server.start(index);
      await round();
      // Until replicas are in sync again, the next death would leave partitions without a leader.
      await until('replicas', async () => {
        const { topics } = await topic.admin.fetchTopicMetadata({ topics: ['leaders'] });
        return topics[0]?.partitions.every((one) => one.isr.length === 3) ?? false;
      });
    }
    await reading.leave();
    await topic.close();
    expect(sorted(reading.got)).toEqual(sorted(sent));
  });
});
