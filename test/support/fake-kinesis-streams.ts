// The streams of a fake Kinesis: shards that take records, split, merge, lose their oldest and end.
import { createHash } from 'node:crypto';

/** A record as it is kept; `data` is base64, `at` milliseconds. */
export interface StoredRecord {
  readonly sequence: bigint;
  readonly key: string;
  readonly data: string;
  readonly at: number;
}

/** A shard; it is open while `last` is undefined. Hash keys include both ends. */
export interface Shard {
  readonly id: string;
  readonly parents: readonly string[];
  readonly hashFrom: bigint;
  readonly hashTo: bigint;
  readonly first: bigint;
  last: bigint | undefined;
  records: StoredRecord[];
  readonly children: Shard[];
}

/** A stream; `next` is the sequence number that is given next, `made` how many shards it ever had. */
export interface Stream {
  readonly name: string;
  readonly createdAt: number;
  shards: Shard[];
  next: bigint;
  made: number;
}

/** Where a reading starts: the type of a shard iterator with what belongs to it, time in ms. */
export interface Start {
  readonly type: string;
  readonly sequence?: string | undefined;
  readonly timestamp?: number | undefined;
}

/** What a reading gives: `from` of the next one unless the shard ended, and the oldest not read. */
export interface Reading {
  readonly records: readonly StoredRecord[];
  readonly from: bigint | undefined;
  readonly waiting: StoredRecord | undefined;
}

/** An error that is answered, by the name that AWS gives it. */
export class Refusal extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

const hashCount = 2n ** 128n;
/** As long as those of AWS: no number of JavaScript holds them. */
const firstSequence = 49590338271490256608559692538361571095921575989136588800n;
/** AWS leaves gaps; a reader must not count on the next being one more. */
const sequenceStep = 16n;
/** What one GetRecords gives at most, as in AWS. */
const answerBytesMax = 10 * 1_024 * 1_024;

/** Takes a name, how many shards share the hash keys evenly, and the time; gives an open stream. */
export function newStream(name: string, shardCount: number, at: number): Stream {
  const stream: Stream = { name, createdAt: at, shards: [], next: firstSequence, made: 0 };
  const share = hashCount / BigInt(shardCount);
  for (let index = 0; index < shardCount; index++) {
    const hashFrom = BigInt(index) * share;
    const hashTo = index === shardCount - 1 ? hashCount - 1n : hashFrom + share - 1n;
    addShard(stream, [], hashFrom, hashTo);
  }
  return stream;
}

/** Gives the shard of that id; throws ResourceNotFoundException where there is none. */
export function shardOf(stream: Stream, id: string): Shard {
  const shard = stream.shards.find((one) => one.id === id);
  if (shard === undefined) {
    throw new Refusal('ResourceNotFoundException', `no shard ${id} in stream ${stream.name}`);
  }
  return shard;
}

/** Puts a record at a time into the open shard of its hash key; gives both. */
export function put(
  stream: Stream,
  record: { readonly key: string; readonly data: string; readonly hash?: string | undefined },
  at: number,
): { readonly shard: Shard; readonly record: StoredRecord } {
  const { key, data, hash: given } = record;
  const md5 = createHash('md5').update(key).digest('hex');
  const hash = given === undefined ? BigInt(`0x${md5}`) : BigInt(given);
  const shard = stream.shards.find(
    (one) => one.last === undefined && one.hashFrom <= hash && hash <= one.hashTo,
  );
  if (shard === undefined) throw new Refusal('InvalidArgumentException', 'no shard has that key');
  const stored = { sequence: sequence(stream), key, data, at };
  shard.records.push(stored);
  return { shard, record: stored };
}

/** Closes an open shard and opens two in its place; the second begins at `hash`. */
export function split(stream: Stream, id: string, hash: bigint): void {
  const parent = openShard(stream, id);
  if (hash <= parent.hashFrom || hash > parent.hashTo) {
    throw new Refusal('InvalidArgumentException', `the new hash key is not within shard ${id}`);
  }
  parent.last = sequence(stream);
  parent.children.push(
    addShard(stream, [id], parent.hashFrom, hash - 1n),
    addShard(stream, [id], hash, parent.hashTo),
  );
}

/** Closes two open neighbours and opens one in their place. */
export function merge(stream: Stream, id: string, adjacent: string): void {
  const parents = [openShard(stream, id), openShard(stream, adjacent)] as const;
  const [low, high] = parents[0].hashFrom < parents[1].hashFrom ? parents : parents.toReversed();
  if (low === undefined || high === undefined || low.hashTo + 1n !== high.hashFrom) {
    throw new Refusal('InvalidArgumentException', `shards ${id} and ${adjacent} do not adjoin`);
  }
  for (const parent of parents) parent.last = sequence(stream);
  const child = addShard(stream, [id, adjacent], low.hashFrom, high.hashTo);
  for (const parent of parents) parent.children.push(child);
}

/**
 * Takes a shard of a stream, where to start and the time; gives the lowest sequence number to read.
 * Throws InvalidArgumentException for a number that this shard never gave and for a time to come.
 */
export function startOf(stream: Stream, shard: Shard, start: Start, now: number): bigint {
  switch (start.type) {
    case 'TRIM_HORIZON':
      return shard.first;
    case 'LATEST':
      return stream.next;
    case 'AT_SEQUENCE_NUMBER':
      return given(stream, shard, start.sequence);
    case 'AFTER_SEQUENCE_NUMBER':
      return given(stream, shard, start.sequence) + 1n;
    case 'AT_TIMESTAMP': {
      const { timestamp } = start;
      if (timestamp === undefined || timestamp > now) {
        throw new Refusal('InvalidArgumentException', 'the timestamp is missing or in the future');
      }
      return shard.records.find(({ at }) => at >= timestamp)?.sequence ?? stream.next;
    }
    default:
      throw new Refusal('ValidationException', 'that is no type of shard iterator');
  }
}

/** Gives up to `limit` records from a sequence number on, and no more bytes than AWS does. */
export function read(shard: Shard, from: bigint, limit: number): Reading {
  const left = shard.records.filter((one) => one.sequence >= from);
  const records: StoredRecord[] = [];
  let bytes = 0;
  for (const record of left.slice(0, limit)) {
    bytes += Buffer.byteLength(record.data, 'base64') + Buffer.byteLength(record.key);
    if (bytes > answerBytesMax && records.length > 0) break;
    records.push(record);
  }
  const waiting = left[records.length];
  const newest = records.at(-1);
  const isEnd = waiting === undefined && shard.last !== undefined;
  const next = newest === undefined ? from : newest.sequence + 1n;
  return { records, from: isEnd ? undefined : next, waiting };
}

/** Removes the oldest records of a shard, as its retention does. */
export function trim(shard: Shard, count: number): void {
  shard.records = shard.records.slice(count);
}

/** Removes a closed shard, as AWS does when all its records are past their retention. */
export function forget(stream: Stream, id: string): void {
  if (shardOf(stream, id).last === undefined) throw new Error(`shard ${id} is open`);
  stream.shards = stream.shards.filter((one) => one.id !== id);
}

function openShard(stream: Stream, id: string): Shard {
  const shard = shardOf(stream, id);
  if (shard.last === undefined) return shard;
  throw new Refusal('InvalidArgumentException', `shard ${id} is closed`);
}

function addShard(
  stream: Stream,
  parents: readonly string[],
  hashFrom: bigint,
  hashTo: bigint,
): Shard {
  const id = `shardId-${String(stream.made++).padStart(12, '0')}`;
  const first = sequence(stream);
  const range = { hashFrom, hashTo };
  const shard: Shard = { id, parents, ...range, first, last: undefined, records: [], children: [] };
  stream.shards.push(shard);
  return shard;
}

function sequence(stream: Stream): bigint {
  const given = stream.next;
  stream.next += sequenceStep;
  return given;
}

/** A number from the asker; a trimmed one is good, and reading then starts at the oldest left. */
function given(stream: Stream, shard: Shard, text: string | undefined): bigint {
  const number = /^\d{1,129}$/.test(text ?? '') ? BigInt(text ?? '') : -1n;
  const end = shard.last ?? stream.next - 1n;
  if (number >= shard.first && number <= end) return number;
  throw new Refusal('InvalidArgumentException', `no sequence number of shard ${shard.id}`);
}
