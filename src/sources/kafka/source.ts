// A Kafka topic read as a member of a group, from the positions of our own store.
import type { KafkaConfig, SecretConfig } from '../../../schemas/sources.ts';
import type { ProgressLookup, Store } from '../../core/ports.ts';
import type { Progress } from '../../core/position.ts';
import type { Assignment, ShardedSource, ShardReader } from '../../core/shards.ts';
import { realWait, type Wait } from '../aws-retry.ts';
import { KafkaMember } from './member.ts';
import { checkPartitions, startOffsets } from './start.ts';

/** What the source takes. `clock` is asked only for how long troubles last. */
export interface KafkaOptions {
  readonly name: string;
  readonly config: KafkaConfig;
  readonly secrets: (secret: SecretConfig) => string;
  readonly notes: Pick<Store, 'note' | 'setNote'>;
  readonly clock: () => number;
  readonly wait?: Wait;
  readonly onNotice?: (text: string) => void;
}

/**
 * Takes a topic's config; gives the source. Shards are `name/partition`, the sequence is the offset. A
 * position lives in our store: when partitions are given to this member it seeks there, and what the
 * broker holds of the group's offsets is written after commits for other tools to see, and never read.
 * Each generation of the group is one assignment. Unkeyed, one member reads every partition and the
 * others stand by; keyed, partitions are shared out, and a topic whose number of partitions changed is
 * refused, because keys lead elsewhere then. Throws `SentrailError` (source) for what no waiting mends.
 */
export function kafkaSource(options: KafkaOptions): ShardedSource {
  const { name, config } = options;
  const member = new KafkaMember({
    ...options,
    wait: options.wait ?? realWait,
    onNotice: options.onNotice ?? (() => {}),
  });
  const partitionOf = (shard: string) => Number(shard.slice(name.length + 1));
  return {
    name,
    isKeyed: config.keyed,
    async *assignments(signal) {
      await member.join(signal);
      try {
        for (;;) {
          const generation = await member.generation(signal);
          if (generation === undefined) return;
          const { partitions, taken } = generation;
          if (config.keyed) await checkPartitions(options, await member.partitions(signal));
          const assignment: Assignment = {
            shards: partitions.map((one) => `${name}/${one}`),
            taken,
            open: (progress, shards) => {
              const wanted = shards?.map(partitionOf) ?? partitions;
              return open(options, member, { progress, partitions: wanted, taken, signal });
            },
            release: () => member.release(partitions),
          };
          yield assignment;
        }
      } finally {
        await member.leave();
      }
    },
    async acknowledge(progress) {
      member.show(progress.filter(isOurs).map(shown));
    },
    close: () => member.leave(),
  };

  function isOurs({ position }: Progress): boolean {
    return position.shard.startsWith(`${name}/`);
  }

  /** As brokers count it: the offset to read next. */
  function shown({ position, done }: Progress): { partition: number; offset: string } {
    const at = BigInt(position.sequence) + (done === undefined ? 0n : 1n);
    return { partition: partitionOf(position.shard), offset: String(at) };
  }
}

interface Opening {
  readonly progress: ProgressLookup;
  readonly partitions: readonly number[];
  readonly taken: AbortSignal;
  readonly signal: AbortSignal;
}

async function open(
  options: KafkaOptions,
  member: KafkaMember,
  { progress, partitions, taken, signal }: Opening,
): Promise<readonly ShardReader[]> {
  const { name } = options;
  const known = await progress(partitions.map((one) => `${name}/${one}`));
  const starts = await startOffsets(options, (work) =>
    member.asAdmin('finding the start', work, signal),
  );
  return partitions.map((partition) => {
    const at = known.get(`${name}/${partition}`);
    // A record that was begun comes again from its start.
    const next = at && BigInt(at.position.sequence) + (at.done === undefined ? 0n : 1n);
    const oldest = starts.oldest(partition);
    if (next !== undefined && next < oldest) {
      const lost = `offsets ${next} to ${oldest - 1n} of partition ${partition}`;
      options.onNotice?.(`${lost} are past retention and lost; reading on at ${oldest}`);
      return member.reader(partition, oldest, taken);
    }
    return member.reader(partition, next ?? starts.start(partition), taken);
  });
}
