// Where a topic is begun that was never read, and whether its keys still lead where they led.
import type { Admin } from 'kafkajs';
import type { KafkaConfig } from '../../../schemas/sources.ts';
import { SentrailError } from '../../core/errors.ts';
import type { Store } from '../../core/ports.ts';
import { parseTime } from '../../core/time.ts';

interface StartParts {
  readonly name: string;
  readonly config: KafkaConfig;
  readonly notes: Pick<Store, 'note' | 'setNote'>;
}

/** Runs work with an admin client that is connected, with patience. */
export type AsAdmin = <T>(work: (admin: Admin) => Promise<T>) => Promise<T>;

/** Where partitions begin: those without a position, and the oldest offset there is. */
export interface Starts {
  start(partition: number): bigint;
  oldest(partition: number): bigint;
}

/**
 * Gives where partitions without a position begin. It is decided once for the topic and noted: a restart
 * before the first commit skips nothing. Partitions that come later begin at their oldest offset.
 */
export async function startOffsets(
  { name, config, notes }: StartParts,
  asAdmin: AsAdmin,
): Promise<Starts> {
  const key = `${name}/start`;
  const noted = await notes.note(key);
  const starts = noted === undefined ? await decided(config, asAdmin) : parsed(noted);
  if (noted === undefined) await notes.setNote(key, JSON.stringify(Object.fromEntries(starts)));
  const now = await asAdmin((admin) => admin.fetchTopicOffsets(config.topic));
  const lows = new Map(now.map((one) => [one.partition, BigInt(one.low)]));
  const oldest = (partition: number) => lows.get(partition) ?? 0n;
  return {
    oldest,
    start(partition) {
      const start = BigInt(starts.get(partition) ?? 0);
      return start > oldest(partition) ? start : oldest(partition);
    },
  };
}

async function decided(config: KafkaConfig, asAdmin: AsAdmin): Promise<Map<number, string>> {
  const { start, topic } = config;
  if (start === 'earliest') return new Map();
  const time = start === 'latest' ? undefined : parseTime(start);
  const offsets = await asAdmin((admin) =>
    time === undefined
      ? admin.fetchTopicOffsets(topic)
      : admin.fetchTopicOffsetsByTimestamp(topic, time),
  );
  return new Map(offsets.map((one) => [one.partition, one.offset]));
}

function parsed(noted: string): Map<number, string> {
  const starts: unknown = JSON.parse(noted);
  const entries = typeof starts === 'object' && starts !== null ? Object.entries(starts) : [];
  return new Map(entries.map(([partition, offset]) => [Number(partition), String(offset)]));
}

/** Throws `SentrailError` (source) when a keyed topic has not as many partitions as when it was first read. */
export async function checkPartitions(
  { name, config, notes }: StartParts,
  partitions: number,
): Promise<void> {
  const key = `${name}/partitions`;
  const noted = await notes.note(key);
  if (noted === undefined) return notes.setNote(key, String(partitions));
  if (Number(noted) === partitions) return;
  throw new SentrailError(
    'source',
    `the keyed topic ${config.topic} has ${partitions} partitions and had ${noted}: accounts now lead to ` +
      'other partitions than those whose lanes know them. Make a topic with the number you want, fill it ' +
      'with `sentrail rekey`, and point the source at it under another name and group',
  );
}
