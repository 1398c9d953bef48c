// A trail in a bucket: its history in the order of delivery, then what is delivered, early or late.
import { S3Client } from '@aws-sdk/client-s3';
import type { S3Config } from '../../schemas/sources.ts';
import type {
  Lag,
  Lull,
  ProgressLookup,
  Source,
  SourceProgress,
  SourceRecord,
  Store,
} from '../core/ports.ts';
import type { Progress } from '../core/position.ts';
import { awsClient } from './aws.ts';
import { realWait, type Wait } from './aws-retry.ts';
import { type Days, dayOf, type ListedObject, S3Listing } from './s3-listing.ts';
import {
  defaultInflatedBytesMax,
  nameOfObject,
  type OpenedObject,
  rangeBytes,
  S3Objects,
} from './s3-objects.ts';

/** What the source takes. `notes` remembers from when on to look, so that a restart lists less. */
export interface S3SourceOptions {
  readonly name: string;
  readonly config: S3Config;
  readonly notes?: Pick<Store, 'note' | 'setNote'>;
  readonly inflatedBytesMax?: number;
  /** True to end behind what is there; where `config.to` is given it ends anyway. */
  readonly isEnding?: boolean;
  readonly clock: () => number;
  readonly wait?: Wait;
  readonly random?: () => number;
  readonly onNotice?: (text: string) => void;
}

/** Objects downloaded while earlier ones are judged, and the bytes they may hold together. */
const aheadObjectsMax = 16;
const aheadBytesMax = 32 * 1024 * 1024;
/** Shards asked about at once. */
const lookupMax = 500;
/** The mark of a record that ended in `unreadable`; no ETag looks like it. */
const unreadableMark = 'unreadable';
/** While it waits for the next look it tells each second that there is nothing. */
const lullMs = 1_000;
const lastDay = '9999/12/31';

/**
 * Takes the config of a bucket; gives the source. A shard is an object, `s3://bucket/key`. All day
 * folders of a day (all accounts and regions, also digests and insights) are read together, in the
 * order of the delivery minute in the names, then of the key, as files of a folder are.
 *
 * Done objects are marked with ETag and size. One whose mark changed is read anew under the next
 * sequence, with a notice. One that cannot be read is a record with `broken`, tried again under the
 * next sequence by a run that lists its day again.
 *
 * Without `to` it looks again each `poll`, from `lookBack` before the look that was last completed:
 * what is delivered later than that into a folder of the past is not found. A restart goes on in the
 * same way where `notes` says that everything of a look was committed; else it lists all again.
 * Throws `SentrailError` (source) when the bucket cannot be listed or S3 fails for long.
 */
export function s3Source(options: S3SourceOptions): Source {
  return new S3Source(options);
}

interface Job {
  readonly object: ListedObject;
  readonly sequence: string;
}
/** An object whose turn is near; `opened` where there was room for its bytes. */
interface Ahead extends Job {
  readonly opened: Promise<OpenedObject> | undefined;
}

/** The mark and the sequence that an object was last read with; no mark where it was only begun. */
interface Given {
  readonly mark: string | undefined;
  readonly sequence: string;
}
/** What a look lists, and from which day on the next look will need to know what was given. */
interface Look extends Days {
  readonly keptFrom: string;
}

class S3Source implements Source {
  readonly name: string;
  readonly #options: S3SourceOptions;
  readonly #listing: S3Listing;
  readonly #objects: S3Objects;
  readonly #client: S3Client;
  readonly #wait: Wait;
  /** What this run gave or found done, since the look back: the mark and the sequence. */
  #given = new Map<string, Given>();
  readonly #uncommitted = new Set<string>();
  #lookedUntil: number | undefined;
  #aheadBytes = 0;
  #left = 0;
  #arrival: number | undefined;
  #doneBytes = 0;
  #presentBytes = 0;
  #totalBytes = 0;
  #measuring: AbortController | undefined;

  constructor(options: S3SourceOptions) {
    const { name, config, wait = realWait, random = Math.random } = options;
    this.name = name;
    this.#options = options;
    this.#wait = wait;
    const client = new S3Client({
      ...awsClient(config),
      followRegionRedirects: true,
      forcePathStyle: config.endpoint !== undefined,
    });
    this.#client = client;
    const patience = { wait, random };
    this.#listing = new S3Listing({ ...config, client, patience });
    const { inflatedBytesMax = defaultInflatedBytesMax } = options;
    this.#objects = new S3Objects({ client, inflatedBytesMax, patience });
  }

  async *read(progress: ProgressLookup, stop: AbortSignal): AsyncIterable<SourceRecord | Lull> {
    const { clock, config } = this.#options;
    this.#begin();
    let from = await this.#firstDay();
    while (!stop.aborted) {
      const began = clock();
      try {
        const keptFrom = this.#isEnding() ? lastDay : dayOf(began - config.lookBack);
        yield* this.#look({ from, to: this.#lastDay(), keptFrom }, progress, stop);
      } catch (error) {
        if (stop.aborted) return;
        throw error;
      }
      if (stop.aborted || this.#isEnding()) return;
      this.#lookedUntil = began;
      await this.#noteLook();
      from = later(this.#configuredDay(), dayOf(began - config.lookBack));
      const next = began + config.poll;
      while (clock() < next && !stop.aborted) {
        yield { isLull: true };
        if (!stop.aborted) await this.#wait(Math.min(lullMs, next - clock()), stop);
      }
    }
  }

  #begin(): void {
    this.#given = new Map();
    this.#uncommitted.clear();
    this.#lookedUntil = undefined;
    this.#aheadBytes = 0;
    this.#doneBytes = 0;
    this.#presentBytes = 0;
    this.#left = 0;
  }

  async acknowledge(progress: readonly Progress[]): Promise<void> {
    for (const { position, done } of progress)
      if (done !== undefined) this.#uncommitted.delete(position.shard);
    await this.#noteLook();
  }

  progress(): SourceProgress {
    // Only who shows a bar asks, so only then a second listing is worth its while.
    if (this.#measuring === undefined && this.#isEnding()) void this.#measure();
    return { done: this.#doneBytes + this.#presentBytes, total: this.#totalBytes, unit: 'bytes' };
  }

  /** One entry for the trail: its objects are too many to be told of each. */
  lag(): ReadonlyMap<string, Lag> {
    const { bucket, prefix: key } = this.#options.config;
    const age = this.#left === 0 ? 0 : this.#options.clock() - (this.#arrival ?? 0);
    const milliseconds = this.#arrival === undefined ? 0 : Math.max(0, age);
    return new Map([[nameOfObject({ bucket, key }), { records: this.#left, milliseconds }]]);
  }

  async close(): Promise<void> {
    this.#measuring?.abort();
    this.#client.destroy();
  }

  #isEnding(): boolean {
    return this.#options.isEnding === true || this.#options.config.to !== undefined;
  }

  #configuredDay(): string {
    return (this.#options.config.from ?? '').replaceAll('-', '/');
  }

  #lastDay(): string {
    return this.#options.config.to?.replaceAll('-', '/') ?? lastDay;
  }

  /** Where an earlier run had read and committed everything, a look back from there is enough. */
  async #firstDay(): Promise<string> {
    const { notes, config } = this.#options;
    const note = this.#isEnding() ? undefined : await notes?.note(this.#noteName());
    const [scope, until] = note === undefined ? [] : split(note);
    if (scope !== this.#scope()) return this.#configuredDay();
    return later(this.#configuredDay(), dayOf(Number(until) - config.lookBack));
  }

  async #noteLook(): Promise<void> {
    const { notes } = this.#options;
    const until = this.#lookedUntil;
    if (notes === undefined || until === undefined || this.#uncommitted.size > 0) return;
    this.#lookedUntil = undefined;
    await notes.setNote(this.#noteName(), `${until} ${this.#scope()}`);
  }

  #noteName(): string {
    return `${this.name}/looked`;
  }

  /** What a look covers; with another config everything has to be listed again. */
  #scope(): string {
    const { bucket, prefix, accounts, regions, from } = this.#options.config;
    return JSON.stringify([bucket, prefix, accounts ?? null, regions ?? null, from ?? null]);
  }

  async *#look(
    days: Look,
    progress: ProgressLookup,
    stop: AbortSignal,
  ): AsyncGenerator<SourceRecord> {
    const ending = new AbortController();
    const onStop = () => ending.abort();
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    try {
      const jobs = this.#jobs(days, progress, ending.signal);
      for await (const ahead of this.#ahead(jobs, ending)) {
        if (stop.aborted) return;
        yield* this.#records(ahead, ending.signal);
      }
    } finally {
      stop.removeEventListener('abort', onStop);
      ending.abort();
    }
  }

  /** Objects to read, in order; a day is listed when it is reached. */
  async *#jobs(look: Look, progress: ProgressLookup, signal: AbortSignal): AsyncGenerator<Job> {
    const given = new Map<string, Given>();
    const days = await this.#listing.days(look, signal);
    if (days.length === 0 && this.#isEnding()) this.#tellEmpty();
    for (const [day, folders] of days) {
      const objects = await this.#listing.objects(folders, signal);
      this.#left += objects.length;
      for (let at = 0; at < objects.length; at += lookupMax) {
        const batch = objects.slice(at, at + lookupMax);
        for await (const { object, sequence, isNew } of this.#judged(batch, progress)) {
          const { shard, size } = object;
          if (day >= look.keptFrom) given.set(shard, { mark: markOf(object), sequence });
          if (isNew) {
            yield { object, sequence };
            continue;
          }
          this.#left--;
          this.#doneBytes += size;
        }
      }
    }
    // Only a complete look may forget what it did not see.
    this.#given = given;
  }

  #tellEmpty(): void {
    const { bucket, prefix: key } = this.#options.config;
    const where = nameOfObject({ bucket, key });
    this.#options.onNotice?.(`${where} holds no day folders of CloudTrail; check prefix and days`);
  }

  /** What this run gave counts before what is committed: its commit may be yet to come. */
  async *#judged(batch: readonly ListedObject[], progress: ProgressLookup) {
    const unknown = batch.filter(({ shard }) => !this.#given.has(shard));
    const committed = await progress(unknown.map(({ shard }) => shard));
    for (const object of batch) {
      const known = committed.get(object.shard);
      const inStore = known && { mark: known.done, sequence: known.position.sequence };
      yield { object, ...this.#turn(object, this.#given.get(object.shard) ?? inStore) };
    }
  }

  #turn(object: ListedObject, known: Given | undefined): { sequence: string; isNew: boolean } {
    if (known === undefined) return { sequence: '0', isNew: true };
    const { mark, sequence } = known;
    if (mark === undefined) return { sequence, isNew: true };
    if (mark === markOf(object)) return { sequence, isNew: false };
    if (mark !== unreadableMark)
      this.#options.onNotice?.(
        `${object.shard} was replaced since it was read, so it is read anew`,
      );
    return { sequence: String(Number(sequence) + 1), isNew: true };
  }

  /** The next few are downloaded beside the judging, and handed on in order. */
  async *#ahead(jobs: AsyncGenerator<Job>, ending: AbortController): AsyncGenerator<Ahead> {
    const queue: Ahead[] = [];
    let hasMore = true;
    try {
      for (;;) {
        while (hasMore && queue.length < aheadObjectsMax) {
          const { value, done } = await jobs.next();
          if (done === true) hasMore = false;
          else queue.push(this.#download(value, ending.signal));
        }
        const next = queue.shift();
        if (next === undefined) return;
        yield next;
        if (next.opened !== undefined) this.#aheadBytes -= next.object.size;
      }
    } finally {
      ending.abort();
      await Promise.allSettled(queue.map(({ opened }) => opened));
      this.#aheadBytes = 0;
    }
  }

  #download(job: Job, signal: AbortSignal): Ahead {
    const { size } = job.object;
    if (size > rangeBytes || this.#aheadBytes + size > aheadBytesMax)
      return { ...job, opened: undefined };
    this.#aheadBytes += size;
    const opened = this.#objects.open(job.object, signal);
    // Awaited when its turn comes; until then a failure must not count as unhandled.
    opened.catch(() => undefined);
    return { ...job, opened };
  }

  async *#records(ahead: Ahead, signal: AbortSignal): AsyncGenerator<SourceRecord> {
    const { object, sequence } = ahead;
    const { shard, arrival } = object;
    this.#arrival = arrival;
    this.#left--;
    const opened = await (ahead.opened ?? this.#objects.open(object, signal));
    let isFirst = true;
    const onRead = (bytes: number) => {
      this.#presentBytes = Math.max(this.#presentBytes, bytes);
    };
    for await (const part of this.#objects.parts(opened, signal, onRead)) {
      if (signal.aborted) return;
      const isUnreadable = part.broken?.reason === 'unreadable';
      const done = isUnreadable ? unreadableMark : markOf(object);
      if (isUnreadable) this.#options.onNotice?.(`${shard}: ${part.broken?.detail}`);
      if (isFirst) this.#uncommitted.add(shard);
      yield { shard, sequence, arrival, ...part, isFirst, ...(part.isLast ? { done } : {}) };
      isFirst = false;
      if (signal.aborted) return;
    }
    this.#presentBytes = 0;
    this.#doneBytes += object.size;
  }

  async #measure(): Promise<void> {
    const measuring = new AbortController();
    this.#measuring = measuring;
    try {
      const days = { from: this.#configuredDay(), to: this.#lastDay() };
      let total = 0;
      for (const [, folders] of await this.#listing.days(days, measuring.signal))
        for (const { size } of await this.#listing.objects(folders, measuring.signal))
          total += size;
      this.#totalBytes = total;
    } catch {
      // Without a total there is no bar; reading itself tells of the trouble.
    }
  }
}

function markOf({ etag, size }: ListedObject): string {
  return `${etag}:${size}`;
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}

/** A note as its scope and its time. */
function split(note: string): [scope: string, until: string] {
  const at = note.indexOf(' ');
  return [note.slice(at + 1), note.slice(0, at)];
}
