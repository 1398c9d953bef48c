// Writes messages to a Kafka topic, by key, acknowledged by every replica in sync.
import { CompressionTypes, type Kafka, Partitioners, type Producer } from 'kafkajs';
import { SentrailError } from '../core/errors.ts';

/** A message; `topic` where it goes elsewhere than the others. */
export interface TopicMessage {
  readonly key: string;
  readonly value: Uint8Array;
  readonly topic?: string | undefined;
}

/** A topic to write to. */
export interface KafkaTopic {
  /** Gives how many partitions the topic has. Throws `SentrailError` (sink) where there is none. */
  partitions(): Promise<number>;
  /**
   * Comes back when every replica in sync has all of them; messages of one key keep their order. Throws
   * `SentrailError` (sink) when that could not be reached: some may be there, so they are written again.
   */
  write(messages: readonly TopicMessage[]): Promise<void>;
  close(): Promise<void>;
}

const allReplicas = -1;
/** The largest request brokers take by default is 1 MB; one message of ours is far smaller. */
const requestBytesMax = 700 * 1024;

/** Takes a client and a topic; gives the topic to write to. Keys map to partitions as Java's clients do it. */
export function kafkaTopic(options: { readonly kafka: Kafka; readonly topic: string }): KafkaTopic {
  const { kafka, topic } = options;
  let connected: Promise<Producer> | undefined;
  const producer = () => {
    connected ??= (async () => {
      const made = kafka.producer({
        createPartitioner: Partitioners.DefaultPartitioner,
        allowAutoTopicCreation: false,
        // One request at a time: a retry must not overtake what came after it.
        maxInFlightRequests: 1,
      });
      await made.connect();
      return made;
    })();
    return connected;
  };
  return {
    partitions: () =>
      doing(`asking for the topic ${topic}`, async () => {
        const admin = kafka.admin();
        await admin.connect();
        try {
          const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
          return topics[0]?.partitions.length ?? 0;
        } finally {
          await admin.disconnect();
        }
      }),
    write: (messages) =>
      doing(`writing to the topic ${topic}`, async () => {
        const to = await producer();
        for (const some of requests(messages)) {
          await to.sendBatch({
            acks: allReplicas,
            compression: CompressionTypes.GZIP,
            topicMessages: byTopic(some, topic),
          });
        }
      }),
    async close() {
      await (await connected?.catch(() => undefined))?.disconnect();
    },
  };
}

async function doing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'it gave no reason';
    const hint =
      'check that the topic is there and may be written; nothing is lost: it is written again';
    throw new SentrailError('sink', `${what}: ${why}; ${hint}`, { cause, isRetryable: true });
  }
}

function* requests(messages: readonly TopicMessage[]): Generator<TopicMessage[]> {
  let some: TopicMessage[] = [];
  let bytes = 0;
  for (const one of messages) {
    if (some.length > 0 && bytes + one.value.length > requestBytesMax) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(one);
    bytes += one.value.length;
  }
  if (some.length > 0) yield some;
}

function byTopic(messages: readonly TopicMessage[], topic: string) {
  const topics = new Map<string, { key: string; value: Buffer }[]>();
  for (const one of messages) {
    const to = one.topic ?? topic;
    const value = Buffer.from(one.value.buffer, one.value.byteOffset, one.value.byteLength);
    topics.set(to, [...(topics.get(to) ?? []), { key: one.key, value }]);
  }
  return [...topics].map(([name, all]) => ({ topic: name, messages: all }));
}
