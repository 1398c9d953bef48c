// Judges records through the real pipeline, from bytes to alerts, with a store in memory.
import { detectors } from '../../detectors/index.ts';
import { type AlertJson, alertSchema } from '../../schemas/alert.ts';
import { configSchema } from '../../schemas/config.ts';
import { alertJson } from '../../src/core/alert-json.ts';
import type { Detector } from '../../src/core/detector.ts';
import type { Counters, Source, Store } from '../../src/core/ports.ts';
import { createDecoder } from '../../src/decode/decoder.ts';
import { makeCatalogue } from '../../src/engine/catalogue.ts';
import { Lane } from '../../src/engine/lane.ts';
import { Outbox } from '../../src/pipeline/outbox.ts';
import { run } from '../../src/pipeline/run.ts';
import { memoryStore } from '../../src/stores/memory.ts';

/** What a test may set; `config` is as the user writes it. */
export interface JudgeOptions {
  readonly only?: readonly string[];
  readonly config?: unknown;
  readonly catalogue?: readonly Detector[];
  readonly arrival?: number;
}

/** What came of it. `standing` holds the alerts that stand, as they leave. */
export interface Judged {
  readonly standing: readonly AlertJson[];
  readonly all: readonly AlertJson[];
  readonly counters: Readonly<Counters>;
  readonly store: Store;
}

/** Takes records; gives what stands after they were judged in this order. */
export async function judge(
  records: readonly unknown[],
  options: JudgeOptions = {},
): Promise<Judged> {
  const text = records.map((one) => `${JSON.stringify(one)}\n`).join('');
  return judgeBytes(Buffer.from(text), options);
}

/** As `judge`, from the bytes of one file. */
export async function judgeBytes(bytes: Uint8Array, options: JudgeOptions = {}): Promise<Judged> {
  const config = configSchema.parse(options.config ?? {});
  const store = memoryStore();
  const lane = new Lane({
    catalogue: makeCatalogue(options.catalogue ?? detectors, config, options.only),
    config,
    checkpoint: undefined,
  });
  await run({
    laneName: 'main',
    version: (await store.claim('main')).version,
    clock: () => 0,
    fingerprint: 'test',
    config,
    lane,
    source: oneRecord(bytes, options.arrival),
    decoder: createDecoder(config.limits),
    store,
    outbox: new Outbox({
      lane: 'main',
      store,
      sinks: [],
      retry: { waitsMs: [], wait: async () => {} },
    }),
    stop: new AbortController().signal,
  });
  const all: AlertJson[] = [];
  for await (const alert of store.listAlerts({})) all.push(alertSchema.parse(alertJson(alert)));
  const standing = all.filter((one) => one.status === 'open');
  return { standing, all, counters: lane.counters, store };
}

function oneRecord(bytes: Uint8Array, arrival: number | undefined): Source {
  return {
    name: 'test',
    async *read() {
      const place = { shard: 'test', sequence: '0', arrival };
      yield { ...place, bytes, isFirst: true, isLast: true, done: '1' };
    },
    acknowledge: async () => {},
    lag: () => new Map(),
    progress: () => ({ done: 0, total: 0, unit: 'bytes' }),
    close: async () => {},
  };
}
