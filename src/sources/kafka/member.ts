// A member of a consumer group over kafkajs: joins, learns what it is given, fetches, and leaves.
import type { Admin, Consumer, Kafka } from 'kafkajs';
import { SentrailError } from '../../core/errors.ts';
import type { Wait } from '../aws-retry.ts';
import { oneReader } from './assign.ts';
import { fatalOf, kafkaOf, reasonOf } from './cluster.ts';
import { FetchAnswers } from './fetches.ts';
import { type FetchedBatch, type PartitionClient, PartitionReader } from './partition.ts';
import type { KafkaOptions } from './source.ts';

/** What a member is made of. */
export type MemberParts = KafkaOptions & {
  readonly wait: Wait;
  readonly onNotice: (text: string) => void;
};

/** One generation of the group, as this member has it. */
interface Generation {
  readonly partitions: readonly number[];
  readonly taken: AbortSignal;
}

const heartbeatShare = 10;
/** How long a fetch waits at the broker for something to come. */
const fetchWaitMs = 250;
const fetchBytesMax = 8 * 1024 * 1024;
const partitionBytesMax = 1024 * 1024;
const retryMs = 2_000;
/** kafkajs may wait for ever for the answer of a broker that died under the question. */
const adminMs = 20_000;
/** A leader that answers nothing for so long may not be the leader any more. */
const leaderMs = 5_000;

/**
 * What is relied on in kafkajs 2.2.4, read in its source: GROUP_JOIN is emitted synchronously behind the
 * assignment and before anything is fetched, so that pausing there means nothing is fetched before we
 * sought; a seek takes effect with the next fetch, and what an earlier fetch brings of a partition that
 * is paused or sought is dropped; fetches of one broker follow one another, each handled before the
 * next begins. Where one of these failed, `PartitionReader` drops what does not continue.
 */
export class KafkaMember {
  readonly #parts: MemberParts;
  readonly #kafka: Kafka;
  readonly #readers = new Map<number, PartitionReader>();
  readonly #fetches = new FetchAnswers();
  readonly #leaders = new Map<number, string>();
  #consumer: Consumer | undefined;
  #current: (Generation & { readonly end: AbortController }) | undefined;
  #isDrawn = false;
  #failure: SentrailError | undefined;
  #showing: Promise<void> | undefined;
  #wake: () => void = () => {};

  constructor(parts: MemberParts) {
    this.#parts = parts;
    this.#kafka = kafkaOf(parts.config, parts);
  }

  /** Joins the group. Throws `SentrailError` (source) for what no waiting mends. */
  async join(signal: AbortSignal): Promise<void> {
    const { config } = this.#parts;
    await this.partitions(signal);
    const consumer = this.#kafka.consumer({
      groupId: config.group,
      sessionTimeout: config.sessionTimeout,
      rebalanceTimeout: Math.max(config.sessionTimeout, 10_000),
      heartbeatInterval: Math.max(500, Math.floor(config.sessionTimeout / heartbeatShare)),
      maxWaitTimeInMs: fetchWaitMs,
      maxBytes: fetchBytesMax,
      maxBytesPerPartition: partitionBytesMax,
      allowAutoTopicCreation: false,
      ...(config.keyed ? {} : { partitionAssigners: [oneReader(() => this.#readers.size > 0)] }),
      retry: { retries: 8, initialRetryTime: 200, maxRetryTime: 5_000 },
    });
    this.#consumer = consumer;
    this.#listen(consumer);
    await this.#patiently('joining the group', signal, async () => {
      await consumer.connect();
      await consumer.subscribe({ topics: [config.topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch, heartbeat }) => {
          // The types of kafkajs leave out `fetchedOffset`, which its batches have.
          await this.#readers.get(batch.partition)?.take(batch as typeof batch & FetchedBatch);
          await heartbeat();
        },
      });
    });
  }

  /** Waits for a generation in which this member is given partitions; undefined after an abort. */
  async generation(signal: AbortSignal): Promise<Generation | undefined> {
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        if (signal.aborted) return undefined;
        if (this.#failure !== undefined) throw this.#failure;
        const current = this.#current;
        if (current !== undefined && !this.#isDrawn && current.partitions.length > 0) {
          this.#isDrawn = true;
          return current;
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Begins to read a partition at an offset, as long as the generation lasts. */
  reader(partition: number, from: bigint, taken: AbortSignal): PartitionReader {
    const { name, config } = this.#parts;
    const isOurs = () => !taken.aborted && this.#consumer !== undefined;
    const at = [{ topic: config.topic, partitions: [partition] }];
    const client: PartitionClient = {
      seek: (offset) => {
        const to = { topic: config.topic, partition, offset: String(offset) };
        if (isOurs()) this.#consumer?.seek(to);
      },
      pause: () => isOurs() && this.#consumer?.pause(at),
      resume: () => isOurs() && this.#consumer?.resume(at),
      bounds: async () => {
        const offsets = await this.asAdmin(
          'asking for the offsets of the topic',
          (admin) => admin.fetchTopicOffsets(config.topic),
          taken,
        );
        const found = offsets.find((one) => one.partition === partition);
        return { oldest: BigInt(found?.low ?? 0), end: BigInt(found?.high ?? 0) };
      },
      fetched: (signal) => this.#fetched(partition, signal),
      onNotice: this.#parts.onNotice,
    };
    const reader = new PartitionReader(`${name}/${partition}`, from, config.bufferBytesMax, client);
    this.#readers.set(partition, reader);
    return reader;
  }

  /** Ends the readers of a generation. */
  async release(partitions: readonly number[]): Promise<void> {
    for (const one of partitions) {
      await this.#readers.get(one)?.close();
      this.#readers.delete(one);
    }
  }

  /** How many partitions the topic has. */
  async partitions(signal: AbortSignal): Promise<number> {
    const { topic } = this.#parts.config;
    const { topics } = await this.asAdmin(
      `asking for the topic ${topic}`,
      (admin) => admin.fetchTopicMetadata({ topics: [topic] }),
      signal,
    );
    return topics[0]?.partitions.length ?? 0;
  }

  /** One piece of work with an admin client, with patience. */
  async asAdmin<T>(
    doing: string,
    work: (admin: Admin) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#patiently(doing, signal, async () => {
      const admin = this.#kafka.admin({ retry: { retries: 3 } });
      const timer = new AbortController();
      const late = this.#parts.wait(adminMs, timer.signal).then(() => {
        throw new Error(`no answer within ${adminMs / 1000} s`);
      });
      try {
        const asked = admin.connect().then(() => work(admin));
        return await Promise.race([asked, late]);
      } finally {
        late.catch(() => {});
        timer.abort();
        void admin.disconnect().catch(() => {});
      }
    });
  }

  /** Writes offsets to the group for other tools to see; one at a time, and never an error. */
  show(offsets: readonly { readonly partition: number; readonly offset: string }[]): void {
    if (this.#showing !== undefined || offsets.length === 0) return;
    const { topic } = this.#parts.config;
    const all = offsets.map((one) => ({ ...one, topic }));
    this.#showing = (async () => this.#consumer?.commitOffsets(all))()
      .catch(() => {})
      .finally(() => {
        this.#showing = undefined;
      });
  }

  /** Leaves the group, so that others need not wait for the session to end. */
  async leave(): Promise<void> {
    const consumer = this.#consumer;
    if (consumer === undefined) return;
    this.#consumer = undefined;
    this.#end();
    await this.#showing;
    await consumer.disconnect().catch(() => {});
  }

  #listen(consumer: Consumer): void {
    const { topic } = this.#parts.config;
    const { GROUP_JOIN, REBALANCING, CRASH, REQUEST } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => {
      const partitions = [...(payload.memberAssignment[topic] ?? [])].sort((a, b) => a - b);
      if (partitions.length > 0) consumer.pause([{ topic, partitions }]);
      this.#end();
      const end = new AbortController();
      this.#current = { partitions, taken: end.signal, end };
      this.#isDrawn = false;
      this.#wake();
    });
    consumer.on(REBALANCING, () => this.#end());
    consumer.on(CRASH, ({ payload }) => {
      this.#end();
      if (payload.restart) return;
      const doing = `reading the topic ${topic}`;
      this.#failure =
        fatalOf(payload.error, doing) ??
        new SentrailError('source', `${doing}: ${reasonOf(payload.error)}; start again`, {
          cause: payload.error,
        });
      for (const one of this.#readers.values()) one.fail(this.#failure);
      this.#wake();
    });
    // Emitted for answers only: a fetch that failed is none.
    consumer.on(REQUEST, ({ payload }) => {
      if (payload.apiName === 'Fetch') this.#fetches.answered(payload.broker);
    });
  }

  /** Until all that a partition holds was fetched. Its leader may change meanwhile. */
  async #fetched(partition: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const leader = this.#leaders.get(partition);
      if (leader !== undefined) {
        const timer = new AbortController();
        const onAbort = () => timer.abort();
        signal.addEventListener('abort', onAbort, { once: true });
        const late = setTimeout(onAbort, leaderMs);
        const isAnswered = await this.#fetches.all(leader, timer.signal);
        clearTimeout(late);
        signal.removeEventListener('abort', onAbort);
        if (isAnswered) return;
      }
      if (!signal.aborted) await this.#findLeaders(signal);
    }
  }

  async #findLeaders(signal: AbortSignal): Promise<void> {
    const { topic } = this.#parts.config;
    const doing = 'asking for the leaders of partitions';
    const work = async (admin: Admin) => {
      const { brokers } = await admin.describeCluster();
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const address = new Map(brokers.map((one) => [one.nodeId, `${one.host}:${one.port}`]));
      for (const { partitionId, leader } of topics[0]?.partitions ?? []) {
        this.#leaders.set(partitionId, address.get(leader) ?? '');
      }
    };
    await this.asAdmin(doing, work, signal).catch((error: unknown) => {
      // Who stops does not care, and what is wrong for good is found by the consumer as well.
      if (!signal.aborted) this.#parts.onNotice(reasonOf(error));
    });
  }

  /** The generation is over: whoever reads must stop, and may find that it cannot commit any more. */
  #end(): void {
    this.#current?.end.abort();
    this.#current = undefined;
  }

  async #patiently<T>(doing: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { clock, wait, onNotice } = this.#parts;
    const since = clock();
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const fatal = fatalOf(error, doing);
        if (fatal !== undefined) throw fatal;
        if (signal.aborted) throw stopped(doing, error);
        const seconds = Math.round((clock() - since) / 1000);
        onNotice(`${doing}: ${reasonOf(error)}; trying again (${seconds} s so far)`);
        await wait(retryMs, signal);
        if (signal.aborted) throw stopped(doing, error);
      }
    }
  }
}

function stopped(doing: string, cause: unknown): SentrailError {
  return new SentrailError('source', `${doing}: stopped while it failed`, { cause });
}
