// What kafkajs leaves out or gets wrong: three codecs, and a timer that never rests.
import { createRequire } from 'node:module';
import zstd from '@mongodb-js/zstd';
import kafkajs from 'kafkajs';
import lz4 from 'lz4-napi';
import snappy from 'snappy';

const { CompressionCodecs, CompressionTypes } = kafkajs;

/** A batch on its way out, as kafkajs hands it to a codec. */
interface Encoder {
  readonly buffer: Buffer;
}

/** Java's clients frame snappy: this mark, two versions of four bytes, then blocks with their length. */
const xerialMark = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const xerialHeaderBytes = 16;
const zstdLevel = 3;

let isPrepared = false;

/** Registers the codecs and mends the timer; once in a process, before the first client is made. */
export function prepareKafkajs(): void {
  if (isPrepared) return;
  isPrepared = true;
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: (encoder: Encoder) => snappy.compress(encoder.buffer),
    decompress: unframed,
  });
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: (encoder: Encoder) => lz4.compressFrame(encoder.buffer),
    decompress: (bytes: Buffer) => lz4.decompressFrame(bytes),
  });
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: Encoder) => zstd.compress(encoder.buffer, zstdLevel),
    decompress: (bytes: Buffer) => zstd.decompress(bytes),
  });
  mendTimer();
}

async function unframed(bytes: Buffer): Promise<Buffer> {
  if (!bytes.subarray(0, xerialMark.length).equals(xerialMark)) return whole(bytes);
  const blocks: Buffer[] = [];
  for (let at = xerialHeaderBytes; at + 4 <= bytes.length; ) {
    const size = bytes.readInt32BE(at);
    blocks.push(await whole(bytes.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return Buffer.concat(blocks);
}

async function whole(bytes: Buffer): Promise<Buffer> {
  return Buffer.from(await snappy.uncompress(bytes, { asBuffer: true }));
}

/** The parts of kafkajs's request queue that the mended timer works with. */
interface RequestQueue {
  throttledUntil: number;
  pending: readonly unknown[];
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  scheduleCheckPendingRequests(): void;
  checkPendingRequests(): void;
}

const recheckMs = 10;

/**
 * kafkajs 2.2.4 arms a timer of a millisecond or less for ever, also when nothing is pending (its issues
 * 1751 and 1768): an idle consumer costs CPU, and newer Nodes warn of negative timeouts.
 */
function mendTimer(): void {
  const load = createRequire(import.meta.url);
  // The module exports the class; only these members are touched.
  const queue = load('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue };
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId) return;
    const left = this.throttledUntil - Date.now();
    if (left <= 0 && this.pending.length === 0) return;
    const timer = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      left > 0 ? left : recheckMs,
    );
    this.throttleCheckTimeoutId = timer;
  };
}
