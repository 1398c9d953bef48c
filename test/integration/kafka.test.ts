// The Kafka source against a real broker: the contract, codecs, groups, restarts, retention.
import { setTimeout as wait } from 'node:timers/promises';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KafkaConfig, kafkaConfig } from '../../schemas/sources.ts';
import type { SourceRecord } from '../../src/core/ports.ts';
import type { Progress } from '../../src/core/position.ts';
import type { Assignment } from '../../src/core/shards.ts';
import { kafkaTopic } from '../../src/sinks/kafka-topic.ts';
import { kafkaOf } from '../../src/sources/kafka/cluster.ts';
import { kafkaSource } from '../../src/sources/kafka/source.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { sourceContract } from '../contract/source.ts';
import { merged } from '../support/merged.ts';
import { isEnd, itemsOf, recordsOf } from '../support/reading.ts';
import { startKafka } from './servers/kafka.ts';
import { kafkaUsers } from './servers/kafka-broker.ts';
import { withServer } from './servers/missing.ts';
import { until } from './worker.ts';

const started = await startKafka();

withServer('Kafka', started, (server) => {
  const kafka = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  const notices: string[] = [];
  let topics = 0;

  beforeAll(async () => {
    await admin.connect();
    await producer.connect();
  });
  afterAll(async () => {
    await producer.disconnect();
    await admin.disconnect();
    await server.close();
  });

  async function topicOf(numPartitions = 1, configEntries: { name: string; value: string }[] = []) {
    const topic = `t${++topics}`;
    await admin.createTopics({
      topics: [{ topic, numPartitions, configEntries }],
      waitForLeaders: true,
    });
    return topic;
  }
  const configOf = (topic: string, more: Partial<KafkaConfig> = {}): KafkaConfig => ({
    ...kafkaConfig.parse({
      type: 'kafka',
      brokers: server.brokers,
      topic,
      group: `g-${topic}`,
      start: 'earliest',
    }),
    ...more,
  });
  const source = (config: KafkaConfig, notes = memoryStore()) =>
    kafkaSource({
      name: 'k',
      config,
      notes,
      clock: Date.now,
      secrets: () => kafkaUsers.reader,
      onNotice: (text) => notices.push(text),
    });
  const send = (topic: string, values: readonly (string | null)[], partition = 0) =>
    producer.send({ topic, messages: values.map((value) => ({ value, partition })) });
  const text = (records: readonly SourceRecord[]) =>
    records.map((one) => Buffer.from(one.bytes).toString());

  sourceContract('kafka, partitions merged', async () => {
    const topic = await topicOf(3);
    for (let at = 0; at < 4; at++) {
      for (const partition of [0, 1, 2]) {
        await send(topic, [`line ${at} of ${partition}\nand another\n`], partition);
      }
    }
    const notes = memoryStore();
    return { open: () => merged(source(configOf(topic), notes)), close: async () => {} };
  });

  describe('kafka', () => {
    it.each([
      ['gzip', CompressionTypes.GZIP],
      ['snappy', CompressionTypes.Snappy],
      ['lz4', CompressionTypes.LZ4],
      ['zstd', CompressionTypes.ZSTD],
    ])('reads batches packed with %s', async (_, compression) => {
      const topic = await topicOf();
      const values = Array.from({ length: 50 }, (_, at) => `a value that repeats itself ${at}`);
      kafkaOf(configOf(topic), { secrets: () => '', onNotice: () => {} });
      await producer.send({ topic, compression, messages: values.map((value) => ({ value })) });
      expect(text(await recordsOf(merged(source(configOf(topic)))))).toEqual(values);
    });

    it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
      'signs in by %s',
      async (mechanism) => {
        const topic = await topicOf();
        await send(topic, ['x']);
        const sasl = { mechanism, username: 'reader', password: { env: 'NONE' } };
        const config = configOf(topic, { brokers: [...(server.sasl ?? [])], sasl });
        expect(text(await recordsOf(merged(source(config))))).toEqual(['x']);
      },
    );

    it('ends with what to try when the password is wrong, and does not say it', async () => {
      const sasl = { mechanism: 'plain', username: 'reader', password: { env: 'X' } } as const;
      const config = configOf(await topicOf(), { brokers: [...(server.sasl ?? [])], sasl });
      const wrong = kafkaSource({
        name: 'k',
        config,
        notes: memoryStore(),
        clock: Date.now,
        secrets: () => 'not-the-password',
      });
      const said = await recordsOf(merged(wrong)).catch((error: Error) => error.message);
      expect(said).toMatch(/check username, password/);
      expect(said).not.toMatch(/not-the-password/);
    });

    it('ends with what to try when there is no such topic, and makes none', async () => {
      const reading = recordsOf(merged(source(configOf('no-such-topic'))));
      await expect(reading).rejects.toMatchObject({ code: 'source' });
      expect(await admin.listTopics()).not.toContain('no-such-topic');
    });

    it('passes tombstones and goes on behind them', async () => {
      const topic = await topicOf();
      await send(topic, ['a', null, '', 'b', null]);
      const records = await recordsOf(merged(source(configOf(topic))));
      expect(records.map((one) => one.sequence)).toEqual(['0', '1', '2', '3', '4']);
      expect(text(records)).toEqual(['a', '', '', 'b', '']);
    });

    it('goes on by the store, whatever the group of the broker says', async () => {
      const topic = await topicOf();
      await send(topic, ['0', '1', '2', '3']);
      const config = configOf(topic);
      await admin.setOffsets({
        groupId: config.group,
        topic,
        partitions: [{ partition: 0, offset: '4' }],
      });
      const position = { shard: 'k/0', sequence: '1', item: 1 };
      const committed = new Map<string, Progress>([['k/0', { position, done: '' }]]);
      expect(text(await recordsOf(merged(source(config)), committed))).toEqual(['2', '3']);
    });

    it('shows what was committed to the tools that ask the group', async () => {
      const topic = await topicOf();
      await send(topic, ['0', '1']);
      const config = configOf(topic);
      const reading = merged(source(config));
      const stop = new AbortController();
      for await (const one of reading.read(async () => new Map(), stop.signal)) {
        if ('isLull' in one) break;
        const position = { shard: one.shard, sequence: one.sequence, item: 1 };
        await reading.acknowledge([{ position, done: '' }]);
        await wait(300);
      }
      const [shown] = await admin.fetchOffsets({ groupId: config.group, topics: [topic] });
      expect(shown?.partitions).toMatchObject([{ partition: 0, offset: '2' }]);
      await reading.close();
    });

    it('begins at latest, and a restart before the first commit skips nothing', async () => {
      const topic = await topicOf();
      await send(topic, ['old']);
      const notes = memoryStore();
      const config = configOf(topic, { start: 'latest' });
      expect(text(await recordsOf(merged(source(config, notes))))).toEqual([]);
      await send(topic, ['new']);
      expect(text(await recordsOf(merged(source(config, notes))))).toEqual(['new']);
    });

    it('begins at a time', async () => {
      const topic = await topicOf();
      const at = Date.now() - 60_000;
      const messages = [-1_000, 1_000].map((ms) => ({ value: `${ms}`, timestamp: `${at + ms}` }));
      await producer.send({ topic, messages });
      const config = configOf(topic, { start: new Date(at).toISOString() });
      expect(text(await recordsOf(merged(source(config))))).toEqual(['1000']);
    });

    it('reads on at the oldest offset, with a notice, when retention took what came next', async () => {
      const topic = await topicOf();
      await send(
        topic,
        Array.from({ length: 20 }, (_, at) => `${at}`),
      );
      const partitions = [{ partition: 0, offset: '15' }];
      // Asked for its offsets first, the admin client knows who leads the topic.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions });
      const position = { shard: 'k/0', sequence: '4', item: 1 };
      const committed = new Map<string, Progress>([['k/0', { position, done: '' }]]);
      notices.length = 0;
      const records = await recordsOf(merged(source(configOf(topic))), committed);
      expect(text(records)).toEqual(['15', '16', '17', '18', '19']);
      expect(notices.join()).toMatch(/5 to 14 of partition 0 are past retention/);
    });

    it('reads behind the marks that transactions leave', async () => {
      const topic = await topicOf();
      const transactional = kafka.producer({
        transactionalId: `tx-${topic}`,
        maxInFlightRequests: 1,
        idempotent: true,
      });
      await transactional.connect();
      for (const [value, isKept] of [
        ['a', true],
        ['gone', false],
        ['b', true],
      ] as const) {
        const transaction = await transactional.transaction();
        await transaction.send({ topic, messages: [{ value }] });
        await (isKept ? transaction.commit() : transaction.abort());
      }
      await transactional.disconnect();
      const committed = new Map<string, Progress>();
      expect(
        (await itemsOf(merged(source(configOf(topic))), committed)).map((one) => one.at(-1)),
      ).toEqual(['a', 'b']);
      // Behind the last message stands a mark, so nothing more is there.
      expect(await itemsOf(merged(source(configOf(topic))), committed)).toEqual([]);
    });

    it('reads on when the broker was killed and started again in the middle', async () => {
      const topic = await topicOf(2);
      await send(topic, ['a0', 'a1', 'a2'], 0);
      await send(topic, ['b0', 'b1'], 1);
      const reading = merged(source(configOf(topic)));
      const stop = new AbortController();
      const got: string[] = [];
      let isRestarted = false;
      for await (const one of reading.read(async () => new Map(), stop.signal)) {
        if (!('isLull' in one)) got.push(Buffer.from(one.bytes).toString());
        else if (isEnd(one) && !isRestarted) {
          isRestarted = true;
          await server.stop(0);
          await wait(1_000);
          await server.start(0);
          await send(topic, ['a3'], 0);
          await send(topic, ['b2', 'b3'], 1);
        }
        if (got.length >= 8) break;
      }
      expect(got.sort()).toEqual(['a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'b2', 'b3']);
      await reading.close();
    });

    it('stays in the group while nobody takes what it read, and holds no more than its buffer', async () => {
      const topic = await topicOf();
      const value = 'x'.repeat(100_000);
      for (let at = 0; at < 10; at++)
        await send(
          topic,
          Array.from({ length: 6 }, () => value),
        );
      const config = configOf(topic, { bufferBytesMax: 300_000, sessionTimeout: 6_000 });
      const reading = source(config);
      const stop = new AbortController();
      const drawn = reading.assignments(stop.signal)[Symbol.asyncIterator]();
      const assignment: Assignment = (await drawn.next()).value;
      const [reader] = await assignment.open(async () => new Map());
      await wait(9_000);
      expect(assignment.taken.aborted).toBe(false);
      let count = 0;
      while (count < 60) count += (await reader?.next(stop.signal))?.records.length ?? 0;
      expect(count).toBe(60);
      stop.abort();
      await drawn.return?.();
    });
  });

  describe('a group of kafka sources', () => {
    /** A member that holds what it is given until it is taken. */
    function member(config: KafkaConfig, notes = memoryStore()) {
      const stop = new AbortController();
      const held = new Set<string>();
      const of = source(config, notes);
      const ended = (async () => {
        for await (const { shards, taken, open, release } of of.assignments(stop.signal)) {
          await open(async () => new Map());
          for (const one of shards) held.add(one);
          await new Promise<void>((resolve) => {
            for (const signal of [taken, stop.signal]) {
              if (signal.aborted) resolve();
              signal.addEventListener('abort', () => resolve(), { once: true });
            }
          });
          held.clear();
          await release();
        }
      })();
      return {
        held,
        ended,
        async leave() {
          stop.abort();
          await ended;
          await of.close();
        },
      };
    }

    it('shares a keyed topic out, and takes over when one leaves', async () => {
      const topic = await topicOf(4);
      const config = configOf(topic, { keyed: true });
      const one = member(config);
      await until('one has all', () => one.held.size === 4);
      const two = member(config);
      await until('shared', () => one.held.size === 2 && two.held.size === 2);
      expect(new Set([...one.held, ...two.held]).size).toBe(4);
      await one.leave();
      await until('taken over', () => two.held.size === 4);
      await two.leave();
    });

    it('lets one member read all of an unkeyed topic; the other stands by and takes over', async () => {
      const topic = await topicOf(4);
      const config = configOf(topic);
      const one = member(config);
      await until('one has all', () => one.held.size === 4);
      const two = member(config);
      await wait(5_000);
      await until('one has all again', () => one.held.size === 4);
      expect(two.held.size).toBe(0);
      await one.leave();
      await until('taken over', () => two.held.size === 4);
      await two.leave();
    });

    it('refuses a keyed topic that grew, and says how to re-key', async () => {
      const topic = await topicOf(2);
      const notes = memoryStore();
      const config = configOf(topic, { keyed: true });
      const one = member(config, notes);
      await until('one has all', () => one.held.size === 2);
      await one.leave();
      await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
      const two = member(config, notes);
      await expect(two.ended).rejects.toThrow(/3 partitions and had 2.*sentrail rekey/s);
    });
  });

  it('is written by key, each key to one partition and in order', async () => {
    const topic = await topicOf(4);
    const to = kafkaTopic({
      kafka: kafkaOf(configOf(topic), { secrets: () => '', onNotice: () => {} }),
      topic,
    });
    expect(await to.partitions()).toBe(4);
    const keys = ['111122223333', '222233334444', '333344445555'];
    const messages = Array.from({ length: 30 }, (_, at) => ({
      key: keys[at % 3] ?? '',
      value: Buffer.from(`${keys[at % 3]} ${at}`),
    }));
    await to.write(messages.slice(0, 20));
    await to.write(messages.slice(20));
    await to.close();
    const records = await recordsOf(merged(source(configOf(topic))));
    for (const key of keys) {
      const mine = records.filter((one) => Buffer.from(one.bytes).toString().startsWith(key));
      expect(new Set(mine.map((one) => one.shard)).size).toBe(1);
      expect(text(mine)).toEqual(
        messages.filter((one) => one.key === key).map((one) => one.value.toString()),
      );
    }
  });
});
