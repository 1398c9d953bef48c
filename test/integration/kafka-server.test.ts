// Proves the Kafka of the tests itself: what tests of the source and the sink take for granted.
import { randomUUID } from 'node:crypto';
import { type Admin, Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { afterAll, expect, test } from 'vitest';
import { startKafka } from './servers/kafka.ts';
import { kafkaUsers } from './servers/kafka-broker.ts';
import { withServer } from './servers/missing.ts';
import { until } from './worker.ts';

const isGiven = process.env['SENTRAIL_TEST_KAFKA'] !== undefined;

function clientOf(brokers: readonly string[], sasl?: SASLOptions): Kafka {
  const retry = { retries: 8, initialRetryTime: 200, maxRetryTime: 2_000 };
  const signing = sasl === undefined ? {} : { sasl };
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry, ...signing });
}

async function withAdmin<Result>(client: Kafka, act: (admin: Admin) => Promise<Result>) {
  const admin = client.admin();
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Makes a topic of one partition; gives its name. */
async function freshTopic(client: Kafka, copies: number, configEntries = noEntries) {
  const topic = `topic-${randomUUID()}`;
  const shape = { topic, numPartitions: 1, replicationFactor: copies, configEntries };
  await withAdmin(client, (admin) => admin.createTopics({ topics: [shape], waitForLeaders: true }));
  return topic;
}
const noEntries: { name: string; value: string }[] = [];

async function produce(client: Kafka, topic: string, values: readonly string[]): Promise<void> {
  const producer = client.producer();
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, messages: values.map((value) => ({ value })) });
  } finally {
    await producer.disconnect();
  }
}

/** Reads a topic from its start in a new group, until there are as many values. */
async function consume(client: Kafka, topic: string, count: number): Promise<string[]> {
  // A consumer leaves when its last fetch is answered: a short one, not the 5 seconds of kafkajs.
  const groupId = `group-${randomUUID()}`;
  const consumer = client.consumer({ groupId, maxWaitTimeInMs: 200 });
  const values: string[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => void values.push(String(message.value)),
    });
    await until(`${count} values`, () => values.length >= count, 60_000);
  } finally {
    await consumer.disconnect();
  }
  return values;
}

withServer('one broker of Kafka', await startKafka(), (server) => {
  const client = clientOf(server.brokers);
  afterAll(() => server.close());

  test('gives back what was written', async () => {
    const topic = await freshTopic(client, 1);
    await produce(client, topic, ['a', 'b', 'c']);
    expect(await consume(client, topic, 3)).toEqual(['a', 'b', 'c']);
  });

  test('drops what is past its retention within seconds', async () => {
    const topic = await freshTopic(client, 1, [{ name: 'retention.ms', value: '1' }]);
    await produce(client, topic, ['old']);
    await until(
      'the low end of the log to move',
      async () => {
        const [end] = await withAdmin(client, (admin) => admin.fetchTopicOffsets(topic));
        return end?.low === '1' && end.high === '1';
      },
      15_000,
    );
  });

  test.skipIf(isGiven).each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'lets the user in by %s, and nobody with another password',
    async (mechanism) => {
      const topic = await freshTopic(client, 1);
      const signed = clientOf(server.sasl ?? [], saslOf(mechanism, kafkaUsers.reader));
      await produce(signed, topic, ['signed']);
      expect(await consume(signed, topic, 1)).toEqual(['signed']);
      const stranger = clientOf(server.sasl ?? [], saslOf(mechanism, 'wrong'));
      await expect(produce(stranger, topic, ['no'])).rejects.toThrow(/SASL/);
    },
  );

  test.skipIf(isGiven)('keeps what it took over a kill', async () => {
    const topic = await freshTopic(client, 1);
    await produce(client, topic, ['kept']);
    await server.stop(0);
    const hasty = new Kafka({
      brokers: [...server.brokers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    await expect(produce(hasty, topic, ['lost'])).rejects.toThrow();
    const began = performance.now();
    await server.start(0);
    console.info(`started again in ${Math.round(performance.now() - began)} ms`);
    await produce(client, topic, ['after']);
    expect(await consume(client, topic, 2)).toEqual(['kept', 'after']);
  });
});

withServer('three brokers of Kafka', await startKafka({ brokers: 3 }), (server) => {
  afterAll(() => server.close());

  test.skipIf(isGiven)(
    'take writes in sync while one is dead, which catches up later',
    async () => {
      const client = clientOf(server.brokers);
      const topic = await freshTopic(client, 3);
      const partition = () =>
        withAdmin(client, async (admin) => {
          const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
          return topics[0]?.partitions[0];
        });
      await produce(client, topic, ['three']);
      // The leader is the one whose death is felt; broker ids start at 1.
      const leader = (await partition())?.leader ?? 0;
      await server.stop(leader - 1);
      await produce(client, topic, ['two']);
      expect(await consume(client, topic, 2)).toEqual(['three', 'two']);
      expect((await partition())?.leader).not.toBe(leader);
      await server.start(leader - 1);
      const inSync = async () => (await partition())?.isr.length === 3;
      await until('the third to be in sync', inSync, 60_000);
    },
  );
});

function saslOf(mechanism: SASLOptions['mechanism'], password: string): SASLOptions {
  // The mechanisms of these tests all take a name and a password; the type's others do not.
  return { mechanism, username: 'reader', password } as SASLOptions;
}
