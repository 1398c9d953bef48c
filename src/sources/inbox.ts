// Input that cannot be read again: kept in the store's inbox first, which numbers it, then read from there.
import type {
  InboxRow,
  Lag,
  Lull,
  ProgressLookup,
  Source,
  SourceProgress,
  SourceRecord,
  Store,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { realWait, type Wait } from './aws-retry.ts';

/** The part of a store that keeps input. */
export type Inbox = Pick<Store, 'inboxPut' | 'inboxRead' | 'inboxDrop'>;

/** How input is taken in; made by `inboxSource` and handed to what brings the input. */
export interface Intake {
  /** True while as many rows wait as may; also until what an earlier run left was read. */
  readonly isFull: boolean;
  /** Commits bytes as the next row; only then may the sender be told. Throws what the inbox throws. */
  put(bytes: Uint8Array): Promise<number>;
  /** Waits until there is room or the signal aborts. */
  room(signal: AbortSignal): Promise<void>;
}

/** What an inbox source takes. */
export interface InboxOptions {
  /** Name of the source, of its one shard, and of its rows in the inbox. */
  readonly name: string;
  readonly inbox: Inbox;
  readonly clock: () => number;
  /** Rows that may wait to be read; then the intake waits or refuses. */
  readonly unreadMax: number;
  readonly wait?: Wait | undefined;
  /**
   * Brings input until the signal aborts. When it ends before, the source ends behind the last row;
   * when it throws, reading throws the same behind what was kept. Default: nothing is brought.
   */
  readonly bring?: (intake: Intake, signal: AbortSignal) => Promise<void>;
  /**
   * Opens a row into records, behind the one of sequence `after` where there is one. The last has
   * `done` '', those before it `more`. Default: one whole record, its sequence the row's number.
   */
  readonly open?: OpenRow;
  readonly progress?: () => SourceProgress;
}

/** Opens a row; see `InboxOptions`. */
export type OpenRow = (
  row: InboxRow,
  after: string | undefined,
  signal: AbortSignal,
) => AsyncIterable<SourceRecord>;

/** The mark of a record behind which the same row has more. */
export const moreOfRow = 'more';
/** The mark of the record that ends a row. */
export const endOfRow = '';
/** How long to wait for a row before telling again that there is none, so that others have their turn. */
const lullMs = 1_000;

/**
 * Takes an inbox and what brings input; gives the source. Its one shard is `name`. Rows are read in
 * the order in which they were kept. A record that was begun comes again, and one that is done does
 * not. Rows go when `acknowledge` is told that they are done. Where nothing waits it gives a lull at
 * once and then each second; a row that comes in ends the wait.
 */
export function inboxSource(options: InboxOptions): Source {
  return new InboxSource(options);
}

class InboxSource implements Source {
  readonly name: string;
  readonly #options: InboxOptions;
  readonly #wait: Wait;
  #rows: Rows | undefined;
  #doneRecords = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.name = options.name;
    this.#wait = options.wait ?? realWait;
  }

  async *read(progress: ProgressLookup, stop: AbortSignal): AsyncIterable<SourceRecord | Lull> {
    const known = (await progress([this.name])).get(this.name);
    const end = endOf(known);
    if (end > 0) await this.#options.inbox.inboxDrop(this.name, end);
    const rows = new Rows(this.#options);
    this.#rows = rows;
    const ending = new AbortController();
    const onStop = () => {
      ending.abort();
      rows.changed();
    };
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const bringing = this.#bring(rows, ending.signal);
    try {
      yield* this.#records(rows, known, stop);
    } finally {
      stop.removeEventListener('abort', onStop);
      onStop();
      await bringing;
    }
  }

  async acknowledge(progress: readonly Progress[]): Promise<void> {
    const mine = progress.find(({ position }) => position.shard === this.name);
    const end = endOf(mine);
    if (end > 0) await this.#options.inbox.inboxDrop(this.name, end);
  }

  progress(): SourceProgress {
    return this.#options.progress?.() ?? { done: this.#doneRecords, total: 0, unit: 'records' };
  }

  lag(): ReadonlyMap<string, Lag> {
    return this.#rows === undefined ? new Map() : new Map([[this.name, this.#rows.lag()]]);
  }

  async close(): Promise<void> {}

  async #bring(rows: Rows, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.bring?.(rows, signal);
      // Without anything to bring input, what is kept is all there is.
      rows.end(undefined);
    } catch (error) {
      rows.end({ error });
    }
  }

  async *#records(
    rows: Rows,
    known: Progress | undefined,
    stop: AbortSignal,
  ): AsyncGenerator<SourceRecord | Lull> {
    const open = this.#options.open ?? openWhole(this.name);
    let after = endOf(known);
    let within = known?.done === moreOfRow ? known.position.sequence : before(known);
    while (!stop.aborted) {
      const hasEnded = rows.hasEnded;
      const row = await this.#options.inbox.inboxRead(this.name, after);
      if (row === undefined) {
        rows.wereRead();
        if (hasEnded) return rows.failWhereBroken();
        yield { isLull: true };
        await rows.next(after, this.#wait, stop);
        continue;
      }
      rows.begins(row);
      for await (const record of open(row, rowOf(within) === row.row ? within : undefined, stop)) {
        if (stop.aborted) return;
        yield record;
        if (record.isLast) this.#doneRecords++;
      }
      if (stop.aborted) return;
      within = undefined;
      after = row.row;
      rows.wasRead(after);
    }
  }
}

/** A row as one whole record. */
function openWhole(shard: string): OpenRow {
  return async function* ({ row, bytes, arrival }) {
    const sequence = String(row);
    yield { shard, sequence, arrival, bytes, isFirst: true, isLast: true, done: endOfRow };
  };
}

/** The row a sequence belongs to: `7` or, for the second record of it, `7.1`. */
function rowOf(sequence: string | undefined): number {
  return Number.parseInt(sequence ?? '0', 10);
}

/** The last row that is done. */
function endOf(known: Progress | undefined): number {
  if (known === undefined) return 0;
  const row = rowOf(known.position.sequence);
  return known.done === endOfRow ? row : row - 1;
}

/** For a record that was begun and not done: the sequence of the one before it in its row. */
function before(known: Progress | undefined): string | undefined {
  if (known === undefined || known.done !== undefined) return undefined;
  const [row, part = '0'] = known.position.sequence.split('.');
  return Number(part) === 0 ? undefined : `${row}.${Number(part) - 1}`;
}

/** The rows that wait: how many, which is the newest, and who wants to know. */
class Rows implements Intake {
  hasEnded = false;
  readonly #options: InboxOptions;
  #failure: { readonly error: unknown } | undefined;
  #unread: number[] = [];
  #coming = 0;
  #newest = 0;
  /** Until the reader came to an end of the rows, nobody knows how many an earlier run left. */
  #hasOlder = true;
  #oldestArrival: number | undefined;
  #putting: Promise<unknown> = Promise.resolve();
  readonly #wakes = new Set<() => void>();

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#hasOlder || this.#unread.length + this.#coming >= this.#options.unreadMax;
  }

  /**
   * One after the other: a store that numbers rows before it commits them could show the later of
   * two first, and the reader would pass over the earlier.
   */
  put(bytes: Uint8Array): Promise<number> {
    this.#coming++;
    const putting = this.#putting.then(() => this.#put(bytes)).finally(() => this.#coming--);
    this.#putting = putting.catch(() => undefined);
    return putting;
  }

  async #put(bytes: Uint8Array): Promise<number> {
    const { name, inbox, clock } = this.#options;
    const row = await inbox.inboxPut(name, { bytes, isLast: true, arrival: clock() });
    this.#newest = row;
    this.#unread.push(row);
    this.changed();
    return row;
  }

  async room(signal: AbortSignal): Promise<void> {
    while (this.isFull && !signal.aborted) await this.#change();
  }

  /** Waits for a row behind `after`, an end, a stop, or a second. */
  async next(after: number, wait: Wait, stop: AbortSignal): Promise<void> {
    if (this.#newest > after || this.hasEnded || stop.aborted) return;
    const waking = new AbortController();
    const onChange = () => waking.abort();
    this.#wakes.add(onChange);
    await wait(lullMs, waking.signal);
    this.#wakes.delete(onChange);
  }

  begins(row: InboxRow): void {
    this.#oldestArrival = row.arrival;
  }

  wasRead(row: number): void {
    while ((this.#unread[0] ?? row + 1) <= row) this.#unread.shift();
    this.changed();
  }

  /** Everything was read for now. */
  wereRead(): void {
    this.#oldestArrival = undefined;
    if (!this.#hasOlder) return;
    this.#hasOlder = false;
    this.changed();
  }

  end(failure: { readonly error: unknown } | undefined): void {
    this.#failure = failure;
    this.hasEnded = true;
    this.changed();
  }

  failWhereBroken(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  lag(): Lag {
    const since = this.#oldestArrival;
    const milliseconds = since === undefined ? 0 : Math.max(0, this.#options.clock() - since);
    return { milliseconds, records: this.#unread.length };
  }

  changed(): void {
    const wakes = [...this.#wakes];
    this.#wakes.clear();
    for (const wake of wakes) wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakes.add(resolve));
  }
}
