// A worker on a Kinesis that throttles, lets iterators expire and reshards under it, killed in the middle.
// Afterwards everything is as one calm worker leaves it, and nothing was sent twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '../../src/core/ports.ts';
import { openSqlite } from '../../src/stores/sqlite.ts';
import { mainLane } from '../../src/wiring.ts';
import { Chance } from '../simulation/chance.ts';
import { type FakeKinesis, startFakeKinesis } from '../support/fake-kinesis.ts';
import { makeStream, type TestStream } from './kinesis-stream.ts';
import { leftBy, runFolder, trafficOf } from './traffic.ts';
import { startWorker, until, type WorkerProcess } from './worker.ts';

const seed = 11;
const messages = trafficOf(seed, 300).map(({ value }) => value);
const parent = mkdtempSync(join(tmpdir(), 'sentrail-kinesis-chaos-'));
let fake: FakeKinesis;
let stream: TestStream;

beforeAll(async () => {
  let last = 0;
  fake = await startFakeKinesis({
    // No two records have one stamp, so that the order of the log is that of the traffic.
    clock: () => {
      last = Math.max(last + 1, Date.now());
      return last;
    },
    readsPerSecond: 5,
  });
  stream = await makeStream(fake.endpoint, 'trail', 2);
});
afterAll(async () => {
  stream?.close();
  await fake?.close();
  rmSync(parent, { recursive: true, force: true });
});

/** A run in a folder of its own: its worker may be killed and started again. */
function runOf(name: string) {
  const folder = runFolder(parent, name);
  const path = join(folder, 'live.sqlite');
  const workers: WorkerProcess[] = [];
  const reading = async <T>(task: (store: Store) => Promise<T>): Promise<T> => {
    const store = openSqlite({ path, retentionMs: 1e12, clock: Date.now, isWriter: false });
    try {
      return await task(store);
    } finally {
      await store.close();
    }
  };
  const items = () => reading(async (store) => (await store.load(mainLane))?.counters.items ?? 0);
  const isDone = async () =>
    (await items()) === messages.length &&
    (await reading(async (store) => (await store.depth()).outbox)) === 0;
  return {
    items,
    workers,
    async start() {
      const config = {
        sources: { trail: stream.source },
        store: { path },
        sinks: { soc: { type: 'file', path: join(folder, 'alerts.ndjson') } },
        // Small batches: a kill then meets many commits.
        limits: { batchEventsMax: 10 },
        // A shard that is throttled for long after it was idle would be passed over, and what it then
        // brings come out of order. A new store knows nothing of that, so equality to the byte could
        // not be asked for. With this bound no shard is passed over, which the test makes sure of.
        streams: { idle: '120s' },
      };
      const started = await startWorker('run', folder, `w${workers.length}`, config);
      workers.push(started);
      // From then on its store is there to be read.
      const isRunning = () => started.logs.some((one) => one.state === 'running');
      await until('the worker judges', isRunning, 60_000);
    },
    /** Waits until all is judged and sent, stops the last worker, and gives what was left. */
    async end() {
      await until('all is judged and sent', isDone, 180_000);
      // Whatever would be judged or sent once more has time to come.
      await wait(2_000);
      const code = await workers.at(-1)?.stop();
      return { code, left: await reading((store) => leftBy(store, folder)) };
    },
    passedOver: () =>
      workers.flatMap((one) => one.logs).filter((one) => /passed over/.test(one.msg)).length,
  };
}
type Run = ReturnType<typeof runOf>;

/** Puts messages all over the key space, some dozens a second; beside each share of them comes trouble. */
async function produce(troubles: readonly (() => Promise<void>)[]): Promise<void> {
  const chance = new Chance(seed);
  const share = Math.ceil(messages.length / troubles.length);
  for (const [at, trouble] of troubles.entries()) {
    const putting = async () => {
      for (const message of messages.slice(at * share, (at + 1) * share)) {
        await stream.put(message, chance.next());
        await wait(20);
      }
    };
    await Promise.all([putting(), trouble()]);
  }
}

async function kill(run: Run): Promise<void> {
  const before = await run.items();
  await until('some more is judged', async () => (await run.items()) > before, 60_000);
  const worker = run.workers.at(-1);
  worker?.signal('SIGKILL');
  expect(await worker?.ended()).toBe(undefined);
}

it('leaves what a calm worker leaves, after throttling, resharding, expired iterators and kills', async () => {
  const stormy = runOf('stormy');
  const calm = runOf('calm');
  try {
    await stormy.start();
    await until('it reads', () => fake.callsOf('GetRecords').length > 0, 60_000);
    await produce([
      async () => {},
      async () => {
        // Each failure in a row doubles the wait: a shard that was refused eight times was out for long,
        // and held the others back.
        for (const id of await stream.open()) fake.faults.next('GetRecords', 'throttle', 8, id);
      },
      async () => {
        await stream.split((await stream.open())[0] ?? '');
        await kill(stormy);
      },
      async () => {
        await stormy.start();
        fake.faults.next('GetRecords', 'expired', 6);
      },
      async () => {
        const [first = '', second = ''] = await stream.open();
        await stream.merge(first, second);
      },
      async () => {
        await kill(stormy);
        await stormy.start();
        fake.faults.next('GetShardIterator', 'throttle', 4);
        fake.faults.next('GetRecords', 'drop', 3);
      },
    ]);
    const storm = await stormy.end();
    const outcomes = new Set(fake.calls.map((one) => one.outcome));
    expect([...outcomes]).toContain('ProvisionedThroughputExceededException');
    expect([...outcomes]).toContain('ExpiredIteratorException');
    expect([...outcomes]).toContain('drop');
    for (const shard of [0, 1, 2, 3, 4]) {
      // The merged child is read as well as its parents, and theirs.
      const id = `shardId-${String(shard).padStart(12, '0')}`;
      expect(fake.callsOf('GetRecords', id).length).toBeGreaterThan(0);
    }
    fake.faults.clear();
    await calm.start();
    const quiet = await calm.end();
    expect([storm.code, quiet.code]).toEqual([0, 0]);
    expect([stormy.passedOver(), calm.passedOver()]).toEqual([0, 0]);
    expect(quiet.left.alerts.length).toBeGreaterThan(10);
    expect(quiet.left.sent.length).toBeGreaterThan(10);
    expect(storm.left.alerts).toEqual(quiet.left.alerts);
    expect(storm.left.counters).toEqual(quiet.left.counters);
    // Equal as lists: a message that was sent twice would stand twice.
    expect(storm.left.sent).toEqual(quiet.left.sent);
    expect(new Set(storm.left.sent).size).toBe(storm.left.sent.length);
  } finally {
    for (const one of [...stormy.workers, ...calm.workers]) one.signal('SIGKILL');
  }
});
