// The same events as a topic of Kafka and as a stream of Kinesis, filled before anything is measured.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CreateStreamCommand, KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaTopic, type TopicMessage } from '../../src/sinks/kafka-topic.ts';
import { awsClient } from '../../src/sources/aws.ts';

/** An event as its JSON, with the account it is keyed by. */
export interface EventText {
  readonly text: string;
  readonly account: string;
}

/** Takes a trail's folder; gives its events in order of the files. */
export function eventsOf(folder: string): EventText[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));
  return files.sort().flatMap((path) => {
    const parsed: { Records: { recipientAccountId: string }[] } = JSON.parse(
      gunzipSync(readFileSync(path)).toString(),
    );
    return parsed.Records.map((one) => ({
      text: JSON.stringify(one),
      account: one.recipientAccountId,
    }));
  });
}

/** Takes events and how many a message holds; gives messages keyed by account, lines of JSON each. */
export function messagesOf(events: readonly EventText[], eventsEach: number): TopicMessage[] {
  const messages: TopicMessage[] = [];
  const begun = new Map<string, string[]>();
  const end = (key: string, lines: readonly string[]) =>
    messages.push({ key, value: Buffer.from(lines.join('\n')) });
  for (const { text, account } of events) {
    const lines = begun.get(account) ?? [];
    lines.push(text);
    begun.set(account, lines);
    if (lines.length < eventsEach) continue;
    end(account, lines);
    begun.delete(account);
  }
  for (const [key, lines] of begun) end(key, lines);
  return messages;
}

/** Takes events and how many a payload holds; gives them as CloudWatch Logs sends them: gzip of JSON. */
export function payloadsOf(events: readonly EventText[], eventsEach: number): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 0; at < events.length; at += eventsEach) {
    const logEvents = events.slice(at, at + eventsEach).map(({ text }, index) => ({
      id: String(at + index),
      timestamp: Date.now(),
      message: text,
    }));
    const subscription = { owner: '111122223333', logGroup: 'trail', logStream: 'trail' };
    const whole = {
      messageType: 'DATA_MESSAGE',
      ...subscription,
      subscriptionFilters: ['bench'],
      logEvents,
    };
    payloads.push(gzipSync(JSON.stringify(whole)));
  }
  return payloads;
}

/** A client of a cluster that says nothing. */
export function clientOf(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
}

/** Makes a topic and writes messages to it. */
export async function fillTopic(
  brokers: readonly string[],
  name: string,
  partitions: number,
  messages: readonly TopicMessage[],
): Promise<void> {
  const kafka = clientOf(brokers);
  const admin = kafka.admin();
  await admin.connect();
  const topics = [{ topic: name, numPartitions: partitions }];
  await admin.createTopics({ topics, waitForLeaders: true });
  await admin.disconnect();
  const topic = kafkaTopic({ kafka, topic: name });
  const atOnce = 1_000;
  for (let at = 0; at < messages.length; at += atOnce) {
    await topic.write(messages.slice(at, at + atOnce));
  }
  await topic.close();
}

/** A Kinesis in another process. */
export interface BenchKinesis {
  readonly endpoint: string;
  readonly client: KinesisClient;
  /** Makes a stream. */
  create(stream: string, shards: number): Promise<void>;
  /** Puts one record to the shard that its key falls to. */
  put(stream: string, key: string, data: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Starts a Kinesis without streams. */
export async function startBenchKinesis(): Promise<BenchKinesis> {
  const child: ChildProcess = fork(fileURLToPath(new URL('./stream-kinesis.js', import.meta.url)));
  const [endpoint] = await once(child, 'message');
  const client = new KinesisClient(awsClient({ region: 'eu-west-1', endpoint: String(endpoint) }));
  return {
    endpoint: String(endpoint),
    client,
    async create(StreamName, ShardCount) {
      await client.send(new CreateStreamCommand({ StreamName, ShardCount }));
    },
    async put(StreamName, PartitionKey, Data) {
      await client.send(new PutRecordCommand({ StreamName, PartitionKey, Data }));
    },
    async close() {
      client.destroy();
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}
