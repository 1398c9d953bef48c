// Judging through Kafka and Kinesis beside a replay of the same events, in one run and in turns; the time
// to an alert; kafkajs beside kcat. Ratios are reported, never asserted: the machine is shared and noisy.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKafka } from '../integration/servers/kafka.ts';
import { testCredentials } from '../integration/worker.ts';
import { hasKcat, readByKafkajs, readByKcat } from './stream-clients.ts';
import {
  type BenchKinesis,
  clientOf,
  type EventText,
  eventsOf,
  fillTopic,
  messagesOf,
  payloadsOf,
  startBenchKinesis,
} from './stream-feeds.ts';
import { type Cost, judgeFolder, judgeStream } from './stream-judging.ts';
import { type Latency, latencyOf } from './stream-latency.ts';
import { type BenchTrail, makeBenchTrail } from './trail.ts';

const isShort = process.argv.includes('--short');
const rounds = isShort ? 1 : 5;
/** About 50,000 events of the sample trail. */
const trailBytes = isShort ? 3e6 : 64.7e6;
const steady = { eventsASecond: 50, seconds: isShort ? 5 : 30, warmSeconds: isShort ? 2 : 5 };
const shards = 4;
const eventsAPayload = 100;

/** A way to judge or to read all events, by what stands in the table. */
interface Contender {
  readonly name: string;
  readonly run: (round: number) => Promise<Cost>;
}
type Brokers = readonly string[];

async function main(): Promise<void> {
  Object.assign(process.env, testCredentials);
  const folder = mkdtempSync(join(tmpdir(), 'sentrail-streams-'));
  const kafka = await startKafka().catch((error: unknown) => ({ missing: String(error) }));
  const kinesis = await startBenchKinesis().catch((error: unknown) => ({ missing: String(error) }));
  try {
    const trail = makeBenchTrail(join(process.cwd(), 'examples', 'trail'), folder, trailBytes);
    conditions(trail);
    if ('missing' in kafka) console.log(`NO KAFKA, nothing of it is measured: ${kafka.missing}`);
    if ('missing' in kinesis) console.log(`NO KINESIS, left out: ${kinesis.missing}`);
    const brokers = 'missing' in kafka ? undefined : kafka.brokers;
    const stream = 'missing' in kinesis ? undefined : kinesis;
    const judging = await fill(trail, brokers, stream);
    await throughput(trail.events, judging);
    if (brokers !== undefined) await clients(brokers, trail.events);
    await latencies(brokers, stream);
  } finally {
    if (!('missing' in kafka)) await kafka.close();
    if (!('missing' in kinesis)) await kinesis.close();
    rmSync(folder, { recursive: true });
  }
}

function conditions({ events, bytes }: BenchTrail): void {
  const cores = `${availableParallelism()} cores (${cpus()[0]?.model.trim()})`;
  const load = loadavg()[0]?.toFixed(2);
  const size = `${events} events, ${Math.round(bytes / events)} bytes each`;
  const taken = `medians of ${rounds} rounds in turns`;
  console.log(`${size}; ${cores}, load ${load}, node ${process.version}; ${taken}`);
}

/** Fills topics and stream with the events; gives the ways to judge them, the replay first. */
async function fill(
  trail: BenchTrail,
  brokers: Brokers | undefined,
  kinesis: BenchKinesis | undefined,
): Promise<Contender[]> {
  const events = eventsOf(trail.folder);
  const accounts = new Set(events.map((one) => one.account)).size;
  console.log(
    `${accounts} accounts: no more partitions than that carry keyed messages, a lane each.`,
  );
  // A lane does not see the AssumeRoot of another account; `rekey` copies it where `sessions` is set.
  console.log(
    'Keyed lanes may give more alerts: root sessions begun in another account, not copied here.',
  );
  const ways: Contender[] = [{ name: 'replay of a folder', run: () => judgeFolder(trail.folder) }];
  for (const each of brokers === undefined ? [] : [1, eventsAPayload]) {
    const topic = `events-${each}`;
    await fillTopic(brokers ?? [], topic, shards, messagesOf(events, each));
    const source = { type: 'kafka', brokers, topic, keyed: true, start: 'earliest' };
    ways.push({
      name: `Kafka, ${each} ${each === 1 ? 'event' : 'events'} a message`,
      run: (round) => judgeStream({ ...source, group: `${topic}-${round}` }, events.length),
    });
  }
  if (kinesis !== undefined) {
    await fillStream(kinesis, events);
    const { endpoint } = kinesis;
    const region = 'eu-west-1';
    const source = { type: 'kinesis', stream: 'events', endpoint, region, start: 'earliest' };
    ways.push({
      name: `Kinesis, ${eventsAPayload} events a record, gzip`,
      run: () => judgeStream(source, events.length),
    });
  }
  return ways;
}

/** One put after the other, so that arrival stamps say the order. */
async function fillStream(kinesis: BenchKinesis, events: readonly EventText[]): Promise<void> {
  await kinesis.create('events', shards);
  for (const [at, payload] of payloadsOf(events, eventsAPayload).entries()) {
    await kinesis.put('events', `key-${at}`, payload);
  }
}

async function throughput(events: number, ways: readonly Contender[]): Promise<void> {
  const costs = ways.map((): Cost[] => []);
  // What is run first pays for compilation; that round is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const [at, one] of ways.entries()) {
      const cost = await one.run(round);
      if (round > 0) costs[at]?.push(cost);
    }
  }
  const base = costs[0] ?? [];
  console.log(`\nJudging ${events} events (${shards} partitions or shards, SQLite, one process)`);
  line(['', 'events/s/core', 'ratio', 'events/s', 'ratio', 'alerts']);
  for (const [at, { name }] of ways.entries()) {
    const mine = costs[at] ?? [];
    const rate = (of: (cost: Cost) => number) => median(mine.map((one) => events / of(one)));
    // Each round by its own replay: what slows the machine slows both.
    const ratio = (of: (cost: Cost) => number) =>
      median(mine.map((one, index) => of(base[index] ?? one) / of(one)));
    const [cpu, wall] = [(one: Cost) => one.cpu, (one: Cost) => one.wall];
    const figures = [whole(rate(cpu)), ratio(cpu).toFixed(2), whole(rate(wall))];
    line([name, ...figures, ratio(wall).toFixed(2), String(mine.at(-1)?.alerts)]);
  }
}

async function clients(brokers: Brokers, records: number): Promise<void> {
  const withKcat = hasKcat();
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await readByKafkajs(brokers, 'events-1', `kafkajs-${round}`, records));
    if (withKcat) theirs.push(await readByKcat(brokers, 'events-1', records));
  }
  console.log(`\nReading ${records} messages of one event and doing nothing with them`);
  line(['', 'records/s']);
  line(['kafkajs, once joined', whole(records / median(ours))]);
  if (!withKcat) {
    console.log('NO KCAT to compare with: apt-get install kcat');
    return;
  }
  line(['kcat, its start within', whole(records / median(theirs))]);
  const ratio = median(theirs.map((one, index) => one / (ours[index] ?? one)));
  console.log(`kafkajs reads ${ratio.toFixed(2)} times as much a second as kcat`);
}

async function latencies(brokers: Brokers | undefined, kinesis?: BenchKinesis): Promise<void> {
  console.log(
    `\nFrom producing to the alert in a file: ${steady.eventsASecond} events a second for ${steady.seconds} s (after ${steady.warmSeconds} s of start), one in ten an alert`,
  );
  console.log(
    '  (last: the alert after which nothing was sent, so that silence had to be made sure of)',
  );
  line(['', 'p50 ms', 'p99 ms', 'max ms', 'alerts', 'lost', 'max at start', 'last']);
  for (const partitions of brokers === undefined ? [] : [1, shards]) {
    const name = `Kafka, ${partitions} ${partitions === 1 ? 'partition' : 'partitions merged'}`;
    told(name, await kafkaLatency(brokers ?? [], partitions));
  }
  if (kinesis === undefined) return;
  await kinesis.create('steady', 2);
  const { endpoint } = kinesis;
  const source = { type: 'kinesis', stream: 'steady', endpoint, start: 'earliest' };
  const send = (count: number, text: string) =>
    kinesis.put('steady', `key-${count}`, Buffer.from(text));
  told('Kinesis, 2 shards merged, polled', await latencyOf({ source, send, ...steady }));
}

async function kafkaLatency(brokers: Brokers, partitions: number): Promise<Latency> {
  const topic = `steady-${partitions}`;
  await fillTopic(brokers, topic, partitions, []);
  const producer = clientOf(brokers).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const source = { type: 'kafka', brokers, topic, group: topic, start: 'earliest' };
  const send = (count: number, value: string) =>
    producer.send({ topic, messages: [{ partition: count % partitions, value }] });
  try {
    return await latencyOf({ source, send, ...steady });
  } finally {
    await producer.disconnect();
  }
}

function told(name: string, one: Latency): void {
  const { p50, p99, max, alerts, lost, maxAtStart, last } = one;
  line([name, ...[p50, p99, max, alerts, lost, maxAtStart, last].map(whole)]);
}

function line([name = '', ...cells]: readonly string[]): void {
  console.log(`  ${name.padEnd(38)}${cells.map((one) => one.padStart(13)).join('')}`);
}

const whole = (value: number) => String(Math.round(value));

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

await main();
