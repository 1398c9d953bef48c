// The parts of the Kafka source that need no broker: who reads, what continues, what passes, signing in.
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { kafkaConfig } from '../../schemas/sources.ts';
import { ownerOf } from '../../src/sources/kafka/assign.ts';
import { fatalOf, kafkaOf } from '../../src/sources/kafka/cluster.ts';
import { type FetchedBatch, PartitionReader } from '../../src/sources/kafka/partition.ts';
import { checkPartitions, startOffsets } from '../../src/sources/kafka/start.ts';
import { memoryStore } from '../../src/stores/memory.ts';

const config = (more: object = {}) =>
  kafkaConfig.parse({ type: 'kafka', brokers: ['192.0.2.1:9092'], topic: 'trail', ...more });

it.each([
  [['b', 'a', 'c'], undefined, 'a'],
  [['b', 'a', 'c'], 'c', 'c'],
  [['b', 'a'], 'gone', 'a'],
])('of %j, of whom %s reads, gives the topic to %s', (members, present, owner) => {
  expect(ownerOf(members, present)).toBe(owner);
});

/** A reader at an offset, over a log with these bounds; what it asked of the client is kept. */
function readerAt(from: bigint, bounds = { oldest: 0n, end: 100n }) {
  const asked: string[] = [];
  const notices: string[] = [];
  const reader = new PartitionReader('k/0', from, 1_000, {
    seek: (offset) => asked.push(`seek ${offset}`),
    pause: () => asked.push('pause'),
    resume: () => asked.push('resume'),
    bounds: async () => {
      asked.push('bounds');
      return bounds;
    },
    fetched: async () => {},
    onNotice: (text) => notices.push(text),
  });
  asked.length = 0;
  const given = async () =>
    (await reader.next(new AbortController().signal)).records.map((one) => Number(one.sequence));
  return { reader, asked, notices, given };
}

/** What a fetch brought that was asked for at an offset: messages from `first` up to `last`. */
function batch(fetched: number, first: number, last: number, more: Partial<Batch> = {}) {
  const { high = 100, bytes = 1 } = more;
  const offsets = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  return {
    partition: 0,
    fetchedOffset: String(fetched),
    highWatermark: String(high),
    messages: offsets.map((offset) => ({
      offset: String(offset),
      timestamp: '-1',
      value: Buffer.alloc(bytes),
    })),
    lastOffset: () => String(last),
  } satisfies FetchedBatch;
}
interface Batch {
  readonly high: number;
  readonly bytes: number;
}

it('takes what continues, in order, and nothing of it twice', async () => {
  const { reader, asked, given } = readerAt(5n);
  expect(await reader.take(batch(5, 5, 7))).toBe('taken');
  expect(await reader.take(batch(5, 5, 9))).toBe('taken');
  expect(await given()).toEqual([5, 6, 7, 8, 9]);
  expect(asked).toEqual([]);
});

it('drops what was fetched for another place, and seeks its own again', async () => {
  const { reader, asked } = readerAt(5n);
  expect(await reader.take(batch(8, 8, 9))).toBe('moved');
  expect(await reader.take(batch(0, 0, 9))).toBe('moved');
  expect(asked).toEqual(['bounds', 'seek 5', 'bounds', 'seek 5']);
});

it('believes in a gap behind a seek when it is answered alike twice', async () => {
  const { reader, given } = readerAt(5n);
  expect(await reader.take(batch(8, 8, 9))).toBe('moved');
  expect(await reader.take(batch(8, 8, 9))).toBe('taken');
  expect(await given()).toEqual([8, 9]);
});

it('steps over the mark of a transaction without asking', async () => {
  const { reader, asked, given } = readerAt(5n);
  await reader.take(batch(5, 5, 5, { high: 6 }));
  expect(await reader.take(batch(7, 7, 8, { high: 9 }))).toBe('taken');
  expect(await given()).toEqual([5, 7, 8]);
  expect(asked).toEqual([]);
});

it('says what was lost when the log begins behind the next offset, while reading too', async () => {
  const { reader, notices, given } = readerAt(5n, { oldest: 50n, end: 100n });
  await reader.take(batch(5, 5, 7));
  expect(await reader.take(batch(50, 50, 51))).toBe('taken');
  expect(await given()).toEqual([5, 6, 7, 50, 51]);
  expect(notices).toEqual(['k/0: offsets 8 to 49 are past retention and lost; reading on at 50']);
});

it('begins at the oldest offset when the log ends before the next one', async () => {
  const { reader, notices, given } = readerAt(500n, { oldest: 0n, end: 3n });
  expect(await reader.take(batch(0, 0, 2, { high: 3 }))).toBe('taken');
  expect(await given()).toEqual([0, 1, 2]);
  expect(notices.join()).toMatch(/ends at 3, before 500/);
});

it('pauses when its buffer is full, and resumes when half of it was taken', async () => {
  const { reader, asked, given } = readerAt(0n);
  await reader.take(batch(0, 0, 1, { bytes: 600 }));
  expect(asked).toEqual(['pause']);
  await given();
  expect(asked).toEqual(['pause', 'resume']);
});

it('takes nothing any more once it is closed', async () => {
  const { reader } = readerAt(0n);
  await reader.close();
  expect(await reader.take(batch(0, 0, 1))).toBe('stale');
});

it('decides once where a topic is begun, and begins partitions that came later at their start', async () => {
  const notes = memoryStore();
  let ends = ['7', '9'];
  const admin = {
    fetchTopicOffsets: async () =>
      ends.map((high, partition) => ({ partition, low: '2', high, offset: high })),
  };
  // Only this one call is made of an admin client.
  const asAdmin = <T>(work: (one: never) => Promise<T>) => work(admin as never);
  const starts = () => startOffsets({ name: 'k', config: config(), notes }, asAdmin);
  await starts();
  ends = ['20', '21', '30'];
  const { start } = await starts();
  expect([0, 1, 2].map(start)).toEqual([7n, 9n, 2n]);
});

it('refuses a keyed topic whose partitions changed in number, and says how to re-key', async () => {
  const parts = { name: 'k', config: config({ keyed: true }), notes: memoryStore() };
  await checkPartitions(parts, 4);
  await checkPartitions(parts, 4);
  await expect(checkPartitions(parts, 6)).rejects.toMatchObject({
    code: 'source',
    message: expect.stringMatching(/6 partitions and had 4.*sentrail rekey/),
  });
});

const { KafkaJSProtocolError, KafkaJSConnectionError } = kafkajs;
/** As kafkajs throws it; its types know no way to make one. */
const refusal = (message: string) =>
  Object.assign(new Error(message), { name: 'KafkaJSSASLAuthenticationError', retriable: false });
const protocol = (type: string) =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 1, retriable: false }));

it.each([
  ['a sign-in', refusal('Authentication failed'), /check username/],
  ['a topic', protocol('TOPIC_AUTHORIZATION_FAILED'), /grant this user/],
  ['a group', protocol('GROUP_AUTHORIZATION_FAILED'), /grant this user/],
  ['another way to share', protocol('INCONSISTENT_GROUP_PROTOCOL'), /same `keyed`/],
  ['a session timeout', protocol('INVALID_SESSION_TIMEOUT'), /sessionTimeout/],
  [
    'a certificate',
    new KafkaJSConnectionError('Connection error', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
    /files under tls/,
  ],
])('ends, and says what to try, when %s is refused', (_, error, hint) => {
  expect(fatalOf(error, 'reading')).toMatchObject({ code: 'source', isRetryable: false });
  expect(fatalOf(error, 'reading')?.message).toMatch(hint);
});

it.each([
  new KafkaJSConnectionError('Connection error', { code: 'ECONNREFUSED' }),
  refusal('SASL PLAIN authentication failed: Closed connection'),
  protocol('NOT_LEADER_FOR_PARTITION'),
])('tries again after %s', (error) => {
  expect(fatalOf(error, 'reading')).toBeUndefined();
});

it('names the certificate that cannot be read, before anything is tried', () => {
  const tls = { ca: 'no/such/file.pem' };
  const parts = { secrets: () => '', onNotice: () => {} };
  expect(() => kafkaOf(config({ tls }), parts)).toThrow(/no\/such\/file\.pem/);
});
