// Appends alerts to a file, one JSON line a revision; cut back to its noted length after a crash.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SentrailError } from '../core/errors.ts';
import type { Delivery, Sink } from '../core/ports.ts';

/**
 * Takes a name and a path; gives the sink. It promises `reconcile`: the memo is the file's length
 * after the last noted delivery, and what stands behind that was sent by a run that crashed before
 * noting it. A file that is shorter than noted (rotated, emptied) is taken as it is.
 */
export function fileSink(name: string, path: string): Sink {
  return new FileSink(name, path);
}

class FileSink implements Sink {
  readonly promise = 'reconcile';
  readonly name: string;
  readonly #path: string;
  #handle: FileHandle | undefined;
  #length = 0;

  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
  }

  async reconcile(memo: string | undefined): Promise<string> {
    return this.#doing('opening', async () => {
      const handle = await this.#open();
      const { size } = await handle.stat();
      this.#length = memo === undefined ? size : Math.min(size, Number(memo));
      if (size > this.#length) await handle.truncate(this.#length);
      return String(this.#length);
    });
  }

  async send(deliveries: readonly Delivery[]): Promise<string> {
    return this.#doing('writing to', async () => {
      const handle = await this.#open();
      const bytes = Buffer.from(deliveries.map((one) => `${one.body}\n`).join(''));
      let written = 0;
      while (written < bytes.length) {
        const at = this.#length + written;
        written += (await handle.write(bytes, written, bytes.length - written, at)).bytesWritten;
      }
      await handle.sync();
      this.#length += bytes.length;
      return String(this.#length);
    });
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #open(): Promise<FileHandle> {
    if (this.#handle !== undefined) return this.#handle;
    await mkdir(dirname(this.#path), { recursive: true });
    await (await open(this.#path, 'a')).close();
    // Not opened for appending: writing at a position of our own is what makes a torn line harmless.
    const handle = await open(this.#path, 'r+');
    this.#handle = handle;
    return handle;
  }

  async #doing<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const isRetryable = /EAGAIN|EBUSY|EMFILE|ENOSPC/.test(why);
      throw new SentrailError('sink', `${what} ${this.#path}: ${why}`, { cause, isRetryable });
    }
  }
}
