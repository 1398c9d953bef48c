// Standard input cannot be read again, so its bytes are kept in the inbox first and read from
// there.
import type { Readable } from 'node:stream';
import type {
  Lag,
  ProgressLookup,
  Source,
  SourceProgress,
  SourceRecord,
  Store,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { partsOf, Unreadable } from './inflate.ts';

/** The inbox of a store, and how far the lane has read. */
export interface StdinInbox extends Pick<Store, 'inboxPut' | 'inboxRead' | 'inboxDrop'> {
  readonly progress: ProgressLookup;
}

/** What the source takes. */
export interface StdinOptions {
  readonly stream: Readable;
  readonly inbox: StdinInbox;
  /** Largest size compressed input may unpack to. */
  readonly inflatedBytesMax?: number;
}

const shard = 'stdin';
const defaultInflatedBytesMax = 8 * 1024 ** 3;
/** Bytes are kept in rows of about this size, */
const rowBytes = 1024 * 1024;
/** or sooner when input is slow, so that what a person pipes in live is judged live. */
const rowWaitMs = 200;
/** Rows kept but not yet read; then the stream is left waiting, and the sender with it. */
const unreadRowsMax = 8;

/**
 * Takes a stream and an inbox; gives the source. All of the stream is one record, in parts, without
 * arrival; gzip is unpacked. Records of one store count up: the first has sequence 0. What an
 * earlier run kept and did not finish is read first, from its first part, and ends with
 * `unreadable` where that run ended before its input.
 *
 * Limits: bytes are kept as they came, and all rows of a record stay until it is done, so the disk
 * must hold the whole of it. Done rows are dropped on `close` and by the next run. What the sender
 * had written and nobody had taken when a run ended is lost. `read` may be called once.
 */
export function stdinSource(options: StdinOptions): Source {
  return new StdinSource(options);
}

class StdinSource implements Source {
  readonly name = 'stdin';
  readonly #options: StdinOptions;
  #doneBytes = 0;

  constructor(options: StdinOptions) {
    this.#options = options;
  }

  async *read(progress: ProgressLookup, stop: AbortSignal): AsyncIterable<SourceRecord> {
    const { inbox, stream } = this.#options;
    let sequence = await this.#begin((await progress([shard])).get(shard));
    while ((await inbox.inboxRead(rowsOf(sequence), 0)) !== undefined) {
      yield* this.#records(sequence, undefined, stop);
      if (stop.aborted) return;
      sequence++;
    }
    const intake = new Intake(stream, inbox, rowsOf(sequence), stop);
    try {
      yield* this.#records(sequence, intake, stop);
    } finally {
      await intake.end();
    }
  }

  /** Rows are dropped when all of a record is done, on close and by the next run. */
  async acknowledge(): Promise<void> {}

  lag(): ReadonlyMap<string, Lag> {
    return new Map();
  }

  progress(): SourceProgress {
    return { done: this.#doneBytes, total: 0, unit: 'bytes' };
  }

  async close(): Promise<void> {
    await this.#begin((await this.#options.inbox.progress([shard])).get(shard));
  }

  /** Drops the rows of records that are done; gives the sequence to go on with. */
  async #begin(known: Progress | undefined): Promise<number> {
    if (known === undefined) return 0;
    const { inbox } = this.#options;
    const at = Number(known.position.sequence);
    const isOpen = known.done === undefined;
    for (let old = isOpen ? at - 1 : at; old >= 0; old--) {
      if ((await inbox.inboxRead(rowsOf(old), 0)) === undefined) break;
      await inbox.inboxDrop(rowsOf(old), Number.MAX_SAFE_INTEGER);
    }
    // Without its rows a begun record cannot be gone on with, and new input must not be taken for
    // it.
    return isOpen && (await inbox.inboxRead(rowsOf(at), 0)) !== undefined ? at : at + 1;
  }

  async *#records(
    sequence: number,
    intake: Intake | undefined,
    stop: AbortSignal,
  ): AsyncGenerator<SourceRecord> {
    const inflatedBytesMax = this.#options.inflatedBytesMax ?? defaultInflatedBytesMax;
    const limits = { inflatedBytesMax, partBytesMin: 1 };
    let isFirst = true;
    for await (const part of partsOf(() => this.#rows(sequence, intake, stop), limits)) {
      // What was cut off by the stop is not the record's end; the next run tells of it.
      if (stop.aborted) return;
      this.#doneBytes += part.bytes.length;
      const done = part.isLast ? { done: 'ended' } : {};
      yield { shard, sequence: String(sequence), arrival: undefined, ...part, isFirst, ...done };
      if (stop.aborted) return;
      isFirst = false;
    }
  }

  /** The bytes of a record from its first row on; waits for rows while its stream is open. */
  async *#rows(
    sequence: number,
    intake: Intake | undefined,
    stop: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    let after = 0;
    while (!stop.aborted) {
      const row = await this.#options.inbox.inboxRead(rowsOf(sequence), after);
      if (row === undefined) {
        if (intake !== undefined && (await intake.more(after))) continue;
        if (stop.aborted) return;
        throw new Unreadable('the run that took it in ended before the input did; feed it again');
      }
      after = row.row;
      intake?.wasRead(after);
      if (row.bytes.length > 0) yield row.bytes;
      if (row.isLast) return;
    }
  }
}

/** The inbox's name for the rows of one record. */
function rowsOf(sequence: number): string {
  return `${shard}/${sequence}`;
}

/** Takes the stream into the inbox, row by row, never more than some rows ahead of the reader. */
class Intake {
  readonly #stream: Readable;
  readonly #inbox: StdinInbox;
  readonly #name: string;
  readonly #work: Promise<void>;
  readonly #onStop: () => void;
  readonly #stop: AbortSignal;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #waitingSince = 0;
  #newestRow = 0;
  #unread: number[] = [];
  #isOver = false;
  #isEnding = false;
  #failure: unknown;
  #wakes: (() => void)[] = [];

  constructor(stream: Readable, inbox: StdinInbox, name: string, stop: AbortSignal) {
    this.#stream = stream;
    this.#inbox = inbox;
    this.#name = name;
    this.#stop = stop;
    this.#onStop = () => {
      this.#isEnding = true;
      stream.destroy();
      this.#changed();
    };
    stop.addEventListener('abort', this.#onStop, { once: true });
    if (stop.aborted) this.#onStop();
    this.#work = this.#take();
  }

  /** Waits for a row behind `after`; false when none will come. Throws what the inbox threw. */
  async more(after: number): Promise<boolean> {
    while (this.#newestRow <= after && !this.#isOver) await this.#change();
    if (this.#newestRow <= after && this.#failure !== undefined) throw this.#failure;
    return this.#newestRow > after;
  }

  wasRead(row: number): void {
    this.#unread = this.#unread.filter((one) => one > row);
    this.#changed();
  }

  /** Keeps what was taken from the stream, and takes no more. */
  async end(): Promise<void> {
    this.#stop.removeEventListener('abort', this.#onStop);
    this.#onStop();
    await this.#work;
  }

  async #take(): Promise<void> {
    try {
      const isWhole = await this.#takeAll();
      if (isWhole || this.#waitingBytes > 0) await this.#put(isWhole);
    } catch (error) {
      this.#failure = error;
    }
    this.#isOver = true;
    this.#changed();
  }

  /** Gives whether the stream came to its own end. */
  async #takeAll(): Promise<boolean> {
    const chunks = this.#stream[Symbol.asyncIterator]();
    let coming = nextOf(chunks);
    for (;;) {
      const isSlow =
        this.#waitingBytes > 0 && (await isLate(coming, this.#waitingSince + rowWaitMs));
      if (isSlow || this.#waitingBytes >= rowBytes) {
        await this.#put(false);
        while (this.#unread.length >= unreadRowsMax && !this.#isEnding) await this.#change();
      }
      const next = await coming;
      if (next === 'broken') return false;
      if (next === 'end') return this.#stream.readableEnded;
      if (this.#waitingBytes === 0) this.#waitingSince = performance.now();
      this.#waiting.push(next);
      this.#waitingBytes += next.length;
      coming = nextOf(chunks);
    }
  }

  async #put(isLast: boolean): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#newestRow = await this.#inbox.inboxPut(this.#name, { bytes, isLast });
    this.#unread.push(this.#newestRow);
    this.#changed();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve));
  }

  #changed(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }
}

/** The next chunk. A stream that fails has lost its end, which is told of as a record cut short. */
async function nextOf(chunks: AsyncIterator<unknown>): Promise<Uint8Array | 'end' | 'broken'> {
  try {
    const { value, done } = await chunks.next();
    if (done === true) return 'end';
    return value instanceof Uint8Array ? value : Buffer.from(String(value));
  } catch {
    return 'broken';
  }
}

/** True when the promise has not settled by then. */
async function isLate(coming: Promise<unknown>, until: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), Math.max(0, until - performance.now()));
  });
  const inTime = coming.then(() => false);
  const isLateNow = await Promise.race([inTime, late]);
  clearTimeout(timer);
  return isLateNow;
}
