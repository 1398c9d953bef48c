// Takes apart what the Kinesis Producer Library packs into one record: magic, protobuf, MD5.
//   AggregatedRecord { repeated string partition_keys = 1; repeated string hash_keys = 2;
//                      repeated Record records = 3 }      Record { …; bytes data = 3; … }
import { createHash } from 'node:crypto';

const magic = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);
const digestBytes = 16;
const recordsField = 3;
const dataField = 3;
const varint = 0;
const fixed64 = 1;
const delimited = 2;
const fixed32 = 5;
/** A varint of 64 bits has ten bytes; a longer one is no protobuf. */
const varintBytesMax = 10;

/** Where a user record's data begins and ends in the record. */
export interface UserRecord {
  readonly from: number;
  readonly to: number;
}

/** True for bytes that begin as an aggregate does. */
export function isAggregate(bytes: Uint8Array): boolean {
  // Nearly every record is told by its first byte.
  return bytes[0] === magic[0] && magic.equals(bytes.subarray(0, magic.length));
}

/**
 * Takes a record's bytes; gives its user records in order, found as they are drawn, or undefined
 * where it is no aggregate: no magic, a wrong checksum, or no such protobuf. Such bytes are a plain
 * record that happens to begin so. Never throws, and holds nothing, whatever the bytes claim.
 */
export function userRecords(bytes: Uint8Array): Iterable<UserRecord> | undefined {
  if (!isAggregate(bytes) || bytes.length < magic.length + digestBytes) return undefined;
  const end = bytes.length - digestBytes;
  const body = bytes.subarray(magic.length, end);
  if (!createHash('md5').update(body).digest().equals(bytes.subarray(end))) return undefined;
  // Wholly sound or not an aggregate: half of one would be lost without a trace.
  return isSound(bytes, magic.length, end) ? recordsIn(bytes, magic.length, end) : undefined;
}

function isSound(bytes: Uint8Array, from: number, end: number): boolean {
  const records = recordsIn(bytes, from, end);
  for (;;) {
    const step = records.next();
    if (step.done === true) return step.value;
  }
}

/** Yields the user records of a message up to its end or its break; returns whether it was sound. */
function* recordsIn(
  bytes: Uint8Array,
  from: number,
  end: number,
): Generator<UserRecord, boolean, undefined> {
  const walk = new Fields(bytes, from, end);
  while (walk.next()) {
    if (walk.field !== recordsField || walk.type !== delimited) continue;
    const data = dataIn(bytes, walk.from, walk.to);
    if (data === undefined) return false;
    yield data;
  }
  return !walk.isBroken;
}

/** The data of a user record; as protobuf has it, the last one where there are several. */
function dataIn(bytes: Uint8Array, from: number, end: number): UserRecord | undefined {
  const walk = new Fields(bytes, from, end);
  let data: UserRecord | undefined;
  while (walk.next()) {
    if (walk.field === dataField && walk.type === delimited) {
      data = { from: walk.from, to: walk.to };
    }
  }
  return walk.isBroken ? undefined : data;
}

/** Goes over the fields of one message. No length leads out of it, and every step goes forward. */
class Fields {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  field = 0;
  type = 0;
  /** Where the present field's content lies. */
  from = 0;
  to = 0;
  isBroken = false;

  constructor(bytes: Uint8Array, from: number, end: number) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  /** Goes to the next field; false at the end, and where the message is broken. */
  next(): boolean {
    if (this.isBroken || this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.type = tag % 8;
    const length = this.#length();
    this.from = this.#at;
    this.to = this.#at + length;
    // NaN, from a varint that is none, fails the comparison too.
    this.isBroken = !(this.field > 0 && this.to <= this.#end);
    this.#at = this.to;
    return !this.isBroken;
  }

  #length(): number {
    if (this.type === delimited) return this.#varint();
    if (this.type === fixed64) return 8;
    if (this.type === fixed32) return 4;
    if (this.type !== varint) return Number.NaN;
    return Number.isNaN(this.#varint()) ? Number.NaN : 0;
  }

  /** Beyond 53 bits the number is not exact, which no length within a record needs. */
  #varint(): number {
    let value = 0;
    let unit = 1;
    const end = Math.min(this.#end, this.#at + varintBytesMax);
    for (let at = this.#at; at < end; at++) {
      const byte = this.#bytes[at] ?? 0;
      value += (byte & 0x7f) * unit;
      unit *= 128;
      if (byte < 0x80) {
        this.#at = at + 1;
        return value;
      }
    }
    return Number.NaN;
  }
}
