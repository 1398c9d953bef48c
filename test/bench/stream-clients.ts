// How fast clients of Kafka read a topic when they do nothing with it: kafkajs, and kcat where it is there.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { clientOf } from './stream-feeds.ts';

/** Gives seconds that kafkajs takes for so many records, from when its group is joined. */
export async function readByKafkajs(
  brokers: readonly string[],
  topic: string,
  group: string,
  records: number,
): Promise<number> {
  const consumer = clientOf(brokers).consumer({ groupId: group });
  let started = 0;
  let read = 0;
  consumer.on('consumer.group_join', () => {
    started = performance.now();
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const ended = new Promise<number>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    const eachBatch = async ({ batch }: { batch: { messages: readonly unknown[] } }) => {
      read += batch.messages.length;
      if (read >= records) resolve(performance.now());
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(reject);
  });
  const end = await ended;
  await consumer.disconnect();
  return (end - started) / 1e3;
}

/** Tells whether kcat is installed. */
export function hasKcat(): boolean {
  try {
    execFileSync('kcat', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Gives seconds that kcat takes for so many records, its start within. It is told their number: left to
 * find the end itself (`-e`) it waits there for a second, which is more than it reads for.
 */
export async function readByKcat(
  brokers: readonly string[],
  topic: string,
  records: number,
): Promise<number> {
  const nowhere = openSync('/dev/null', 'w');
  const started = performance.now();
  const args = ['-C', '-b', brokers.join(','), '-t', topic, '-o', 'beginning', '-q'];
  const child = spawn('kcat', [...args, '-c', String(records)], {
    stdio: ['ignore', nowhere, 'inherit'],
  });
  const [code] = await once(child, 'exit');
  closeSync(nowhere);
  if (code !== 0) throw new Error(`kcat ended with ${code}`);
  return (performance.now() - started) / 1e3;
}
