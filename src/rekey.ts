// Rekeying: events of any source written to a Kafka topic by account, so that many workers can judge them.
import type { Config } from '../schemas/config.ts';
import { SentrailError } from './core/errors.ts';
import { type LiveOptions, working } from './live.ts';
import { ForwardLane } from './pipeline/forward.ts';
import { Outbox } from './pipeline/outbox.ts';
import { kafkaTopic } from './sinks/kafka-topic.ts';
import { kafkaOf } from './sources/kafka/cluster.ts';
import { readSecret, waitFor } from './wiring.ts';

/**
 * Reads the sources of the config and writes what they bring to the topic of `rekey`, until `stop`
 * aborts or all of them have ended. Messages are acknowledged by every replica before positions are
 * committed, so nothing is lost; a crash in between writes some of them again, which the lanes that
 * judge them remove as duplicates. Throws `SentrailError`.
 */
export async function rekey(options: Omit<LiveOptions, 'stdout'>): Promise<void> {
  const target = targetOf(options.config);
  const onNotice = (text: string) => options.log.warn({}, text);
  const kafka = kafkaOf(target, { secrets: readSecret, onNotice });
  const topic = kafkaTopic({ kafka, topic: target.topic });
  try {
    const partitions = await topic.partitions();
    options.log.info({ topic: target.topic, partitions }, 'writing');
    await working(options, (worker) => (name, claim) => {
      const lane = new ForwardLane(claim.checkpoint?.counters, target.sessions !== undefined);
      const retry = { waitsMs: [], wait: waitFor };
      return {
        ...worker.laneRun(name, claim, lane),
        fingerprint: 'rekey',
        outbox: new Outbox({ lane: name, store: worker.store, sinks: [], retry }),
        async beforeCommit() {
          const messages = lane.taken().map(({ key, value, isSession }) => {
            const elsewhere = isSession && target.sessions !== undefined;
            return { key, value, ...(elsewhere ? { topic: target.sessions } : {}) };
          });
          if (messages.length > 0) await topic.write(messages);
        },
        close: async () => {},
      };
    });
  } finally {
    await topic.close();
  }
}

function targetOf(config: Config): NonNullable<Config['rekey']> {
  if (config.rekey !== undefined) return config.rekey;
  const hint = 'name brokers and topic under `rekey:`';
  throw new SentrailError('config', `the configuration does not say where to write; ${hint}`);
}
