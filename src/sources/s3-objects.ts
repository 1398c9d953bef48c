// Objects of S3 as records read them: small ones whole, large ones in ranges that may be asked for again.
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { SentrailError } from '../core/errors.ts';
import {
  causeOf,
  isPassing,
  nameOf,
  type Patience,
  patiently,
  statusOf,
  waitAfter,
} from './aws-retry.ts';
import { isTooLargeUnpacked } from './files.ts';
import { oneAhead, type Part, partsOf, Unreadable } from './inflate.ts';

/** An object to read; with `etag` only while it is the one that was listed. */
export interface S3Object {
  readonly bucket: string;
  readonly key: string;
  readonly etag?: string;
  readonly size?: number;
}

/** An object whose beginning is here, or why it cannot be read. */
export interface OpenedObject {
  readonly object: S3Object;
  /** The first range; all of it where it is no longer than that. */
  readonly head: Uint8Array;
  readonly size: number;
  readonly etag: string | undefined;
  readonly trouble?: string;
}

/** What reading objects takes. */
export interface S3ObjectsOptions {
  readonly client: S3Client;
  readonly inflatedBytesMax: number;
  readonly patience: Patience;
}

/** Objects up to this size are held whole; larger ones come in ranges of it. */
export const rangeBytes = 8 * 1024 * 1024;
const partBytesMin = 1024 * 1024;
/** Largest size an object may unpack to, where the configuration does not say. */
export const defaultInflatedBytesMax = 8 * 1024 ** 3;
/** How often an object is asked for that is not there or not ours: policies take seconds to spread. */
const refusedTriesMax = 4;
/** What says that this object cannot be had, and not that S3 cannot. */
const refusals = ['NoSuchKey', 'NoSuchBucket', 'NotFound', 'AccessDenied', 'InvalidObjectState'];

/** Reads objects with one client. */
export class S3Objects {
  readonly #options: S3ObjectsOptions;

  constructor(options: S3ObjectsOptions) {
    this.#options = options;
  }

  /**
   * Takes an object; gives it with its first range. One that is gone, refused or replaced is told of
   * as `trouble`, after bounded tries. Throws `SentrailError` (source) when S3 itself fails for long.
   */
  async open(object: S3Object, signal: AbortSignal): Promise<OpenedObject> {
    try {
      const { bytes, size, etag } = await this.#range(object, 0, object.etag, signal);
      return { object, head: bytes, size, etag: object.etag ?? etag };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      const { message: trouble } = error;
      return { object, head: new Uint8Array(0), size: 0, etag: object.etag, trouble };
    }
  }

  /**
   * Takes an opened object; gives its parts, the last marked. `onRead` is told how many of its bytes
   * were read. Throws as `open` does.
   */
  async *parts(
    opened: OpenedObject,
    signal: AbortSignal,
    onRead: (bytes: number) => void = () => {},
  ): AsyncGenerator<Part> {
    const { head, size, trouble } = opened;
    if (trouble !== undefined) {
      yield { bytes: head, isLast: true, broken: { reason: 'unreadable', detail: trouble } };
    } else if (head.length >= size && !isTooLargeUnpacked(head)) {
      yield { bytes: head, isLast: true };
    } else {
      const { inflatedBytesMax } = this.#options;
      const limits = { inflatedBytesMax, partBytesMin };
      yield* oneAhead(partsOf(() => this.#ranges(opened, signal, onRead), limits));
    }
  }

  async *#ranges(
    opened: OpenedObject,
    signal: AbortSignal,
    onRead: (bytes: number) => void,
  ): AsyncGenerator<Uint8Array> {
    const { object, head, size, etag } = opened;
    onRead(head.length);
    yield head;
    for (let at = head.length; at < size; ) {
      const { bytes } = await this.#range(object, at, etag, signal);
      if (bytes.length === 0) throw new Unreadable('it ended before its size');
      at += bytes.length;
      onRead(at);
      yield bytes;
    }
  }

  async #range(object: S3Object, from: number, etag: string | undefined, signal: AbortSignal) {
    const { patience } = this.#options;
    for (let tries = 1; ; tries++) {
      try {
        return await patiently(
          `reading ${nameOfObject(object)}`,
          (inTime) => this.#get(object, from, etag, inTime),
          patience,
          signal,
        );
      } catch (error) {
        if (signal.aborted || error instanceof SentrailError) throw error;
        if (!isRefusal(error)) throw failure(object, error);
        if (statusOf(error) === 412) throw new Unreadable('it was replaced while it was read');
        if (tries >= refusedTriesMax)
          throw new Unreadable(`it cannot be read (${nameOf(error)})`, { cause: causeOf(error) });
        await patience.wait(waitAfter(tries, patience.random), signal);
        if (signal.aborted) throw error;
      }
    }
  }

  async #get(object: S3Object, from: number, etag: string | undefined, signal: AbortSignal) {
    const { bucket: Bucket, key: Key } = object;
    const Range = `bytes=${from}-${from + rangeBytes - 1}`;
    const ifMatch = etag === undefined ? {} : { IfMatch: `"${etag}"` };
    const command = new GetObjectCommand({ Bucket, Key, Range, ...ifMatch });
    try {
      const { Body, ContentRange, ETag } = await this.#options.client.send(command, {
        abortSignal: signal,
      });
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0);
      const total = Number(/\/(\d+)$/.exec(ContentRange ?? '')?.[1] ?? bytes.length);
      return { bytes, size: total, etag: unquoted(ETag) };
    } catch (error) {
      // An empty object has no first byte, so there is no range of it.
      if (statusOf(error) !== 416 || from > 0) throw error;
      return { bytes: new Uint8Array(0), size: 0, etag };
    }
  }
}

/** Takes an object; gives how it is named everywhere. */
export function nameOfObject({ bucket, key }: Pick<S3Object, 'bucket' | 'key'>): string {
  return `s3://${bucket}/${key}`;
}

/** Takes an ETag as S3 sends it; gives it without its quotes. */
export function unquoted(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', '');
}

function isRefusal(error: unknown): boolean {
  return statusOf(error) === 412 || (!isPassing(error) && refusals.includes(nameOf(error)));
}

function failure(object: S3Object, error: unknown): SentrailError {
  const what = `reading ${nameOfObject(object)}: ${nameOf(error)}`;
  return new SentrailError('source', `${what}; check credentials, region and role`, {
    cause: causeOf(error),
  });
}
