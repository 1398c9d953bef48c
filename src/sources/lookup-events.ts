// CloudTrail's event history, for those who have no stream yet: 90 days back, then what is new, by the inbox.
import type { Event } from '@aws-sdk/client-cloudtrail';
import type { LookupConfig } from '../../schemas/sources.ts';
import { SentrailError } from '../core/errors.ts';
import type { Lag, Source, SourceProgress, Store } from '../core/ports.ts';
import { dayMs, hourMs, minuteMs, windowStart } from '../core/time.ts';
import { realWait, type Wait } from './aws-retry.ts';
import { type Inbox, type Intake, inboxSource } from './inbox.ts';
import { History, RegionRefused, type Slice } from './lookup-history.ts';

/** What the source takes. `notes` remembers how far each region was looked up. */
export interface LookupSourceOptions {
  readonly name: string;
  readonly config: LookupConfig;
  readonly inbox: Inbox;
  readonly notes: Pick<Store, 'note' | 'setNote'>;
  readonly clock: () => number;
  readonly wait?: Wait;
  readonly random?: () => number;
  readonly onNotice?: (text: string) => void;
}

const secondMs = 1_000;
/** Slices begin with this width, and double while they hold little, up to a day. */
const firstSliceMs = hourMs;
const longestSliceMs = dayMs;
/** Pages of a slice, of all regions: 10,000 events are held at once, some 40 MB. */
const slicePagesMax = 200;
/** Below this many pages the next slice may be twice as wide. */
const fewPages = slicePagesMax / 4;
/** AWS: an event is found typically within 15 minutes; so long is waited, */
const settledMs = 15 * minuteMs;
/** and so far back is looked once more, for those that took longer. */
const overlapMs = 15 * minuteMs;
const rowEventsMax = 500;
const rowBytesMax = 1024 * 1024;
/** Rows that wait to be judged; more would only be memory and disk, the history does not go away. */
const unreadMax = 32;

/**
 * Takes regions and days, an inbox and notes; gives the source. Of all regions together it looks up
 * one slice of time after the other, oldest first, and keeps each whole slice, sorted by event time,
 * in rows `{"Events":[…]}`; only then it notes how far it is. A crash in between makes it look up
 * the slice again; its events are duplicates then. A shard is `name`, a sequence a row, arrival the
 * time of looking up. Management events only: the history has no others.
 *
 * With `follow` it stays 15 minutes behind, and looks each `poll` at what is new and, once more, at
 * the 15 minutes before; else it ends at the time it began. A region that refuses is left out with a
 * notice until the next run. Throws `SentrailError` (source) when all refuse or AWS fails for long,
 * and what the inbox throws.
 */
export function lookupSource(options: LookupSourceOptions): Source {
  const { name, inbox, clock, wait = realWait } = options;
  const lookup = new Lookup(options, wait);
  const source = inboxSource({
    name,
    inbox,
    clock,
    unreadMax,
    wait,
    bring: (intake, signal) => lookup.bring(intake, signal),
    progress: () => lookup.progress(),
  });
  return {
    name,
    read: (progress, stop) => source.read(progress, stop),
    acknowledge: (progress) => source.acknowledge(progress),
    progress: () => source.progress(),
    lag: () => {
      const { records = 0 } = source.lag().get(name) ?? {};
      return new Map<string, Lag>([[name, { ...lookup.lag(), records }]]);
    },
    close: async () => {
      lookup.close();
      await source.close();
    },
  };
}

interface Region {
  readonly history: History;
  /** Where looking goes on, */
  at: number;
  /** and up to where everything was kept once. */
  until: number;
}

class Lookup {
  readonly #options: LookupSourceOptions;
  readonly #wait: Wait;
  readonly #histories: readonly History[];
  #regions: Region[] = [];
  #refused: RegionRefused | undefined;
  #sliceMs = firstSliceMs;
  /** Events of the overlap that were kept, with their times. */
  readonly #kept = new Map<string, number>();
  #begin = 0;
  #end = 0;

  constructor(options: LookupSourceOptions, wait: Wait) {
    this.#options = options;
    this.#wait = wait;
    const { config, clock, random = Math.random } = options;
    const { endpoint, role } = config;
    const shared = { endpoint, role, clock, patience: { wait, random } };
    this.#histories = [...new Set(config.regions)].map(
      (region) => new History({ ...shared, region }),
    );
  }

  async bring(intake: Intake, signal: AbortSignal): Promise<void> {
    const { config, clock } = this.#options;
    try {
      await this.#resume();
      const began = clock();
      while (!signal.aborted) {
        this.#end = windowStart(config.follow ? clock() - settledMs : began, secondMs);
        await this.#upTo(this.#end, intake, signal);
        if (!config.follow || signal.aborted) return;
        await this.#wait(config.poll, signal);
        for (const region of this.#regions) region.at = region.until - overlapMs;
      }
    } catch (error) {
      // What was kept is kept; the slice that was under way is looked up again.
      if (!signal.aborted) throw error;
    }
  }

  progress(): SourceProgress {
    const total = Math.max(0, Math.ceil((this.#end - this.#begin) / minuteMs));
    const done = Math.floor((this.#until() - this.#begin) / minuteMs);
    return { done: Math.min(total, Math.max(0, done)), total, unit: 'records' };
  }

  lag(): Lag {
    // Behind what the history can be asked for; that it trails the present is no lag of ours.
    if (this.#regions.length === 0) return {};
    return { milliseconds: Math.max(0, this.#end - this.#until()) };
  }

  close(): void {
    for (const history of this.#histories) history.close();
  }

  #until(): number {
    return Math.min(...this.#regions.map(({ until }) => until));
  }

  async #resume(): Promise<void> {
    const { config, clock, notes } = this.#options;
    const first = windowStart(clock() - config.days * dayMs, secondMs);
    this.#kept.clear();
    this.#regions = [];
    for (const history of this.#histories) {
      const note = await notes.note(this.#noteName(history));
      const until = note === undefined ? first : Math.max(first, Number(note));
      this.#regions.push({ history, until, at: Math.max(first, until - overlapMs) });
    }
    this.#begin = first;
  }

  #noteName({ region }: History): string {
    return `${this.#options.name}/${region}/until`;
  }

  async #upTo(end: number, intake: Intake, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#regions.length === 0) throw this.#allRefused();
      const from = Math.min(...this.#regions.map(({ at }) => at));
      if (from >= end || signal.aborted) return;
      await intake.room(signal);
      await this.#slice({ from, to: Math.min(end, from + this.#sliceMs) }, intake, signal);
    }
  }

  /** Looks up a slice and keeps it; where it is too large, the next try is half as wide. */
  async #slice(slice: Slice, intake: Intake, signal: AbortSignal): Promise<void> {
    let pages = 0;
    const isNarrow = slice.to - slice.from <= secondMs;
    const mayFetch = () => pages++ < slicePagesMax || isNarrow;
    const found = await this.#collect(slice, mayFetch, signal);
    if (found === 'too-many') {
      this.#sliceMs = Math.max(secondMs, windowStart((slice.to - slice.from) / 2, secondMs));
      return;
    }
    for (const row of rowsOf(found.filter((event) => this.#isNew(event)))) {
      await intake.room(signal);
      if (signal.aborted) return;
      await intake.put(row);
    }
    await this.#reached(slice.to, found);
    if (pages < fewPages) this.#sliceMs = Math.min(longestSliceMs, this.#sliceMs * 2);
  }

  /** The events of all regions in a slice, oldest first. */
  async #collect(
    slice: Slice,
    mayFetch: () => boolean,
    signal: AbortSignal,
  ): Promise<Event[] | 'too-many'> {
    const lagging = this.#regions.filter(({ at }) => at < slice.to);
    const results = await Promise.allSettled(
      lagging.map(({ history, at }) => {
        const own = { from: Math.max(slice.from, at), to: slice.to };
        return history.collect(own, mayFetch, signal);
      }),
    );
    const events: Event[] = [];
    let isTooMany = false;
    for (const result of results) {
      if (result.status === 'rejected') this.#leaveOut(result.reason);
      else if (result.value === 'too-many') isTooMany = true;
      else events.push(...result.value.events.toReversed());
    }
    if (isTooMany) return 'too-many';
    return events.sort((a, b) => timeOf(a) - timeOf(b));
  }

  #leaveOut(error: unknown): void {
    if (!(error instanceof RegionRefused)) throw error;
    const { name, onNotice } = this.#options;
    this.#refused = error;
    this.#regions = this.#regions.filter(({ history }) => history.region !== error.region);
    onNotice?.(`${name}: ${error.message}; the region is left out until the next run`);
  }

  #allRefused(): SentrailError {
    const why = this.#refused?.reason ?? 'no region is left';
    const message = `looking up events: ${why}; grant cloudtrail:LookupEvents, and check credentials`;
    return new SentrailError('source', message, { cause: this.#refused });
  }

  #isNew({ EventId }: Event): boolean {
    return EventId === undefined || !this.#kept.has(EventId);
  }

  /** Notes how far each region is, and which events the next look will see again. */
  async #reached(to: number, found: readonly Event[]): Promise<void> {
    for (const event of found)
      if (event.EventId !== undefined) this.#kept.set(event.EventId, timeOf(event));
    for (const [id, time] of this.#kept) if (time < to - overlapMs) this.#kept.delete(id);
    for (const region of this.#regions) {
      region.at = Math.max(region.at, to);
      if (region.until >= to) continue;
      region.until = to;
      await this.#options.notes.setNote(this.#noteName(region.history), String(to));
    }
  }
}

function timeOf({ EventTime }: Event): number {
  return EventTime?.getTime() ?? 0;
}

/** Events in rows as AWS answers, so that they are read like an export of the AWS CLI. */
function* rowsOf(events: readonly Event[]): Generator<Uint8Array> {
  let texts: string[] = [];
  let bytes = 0;
  const row = () => Buffer.from(`{"Events":[${texts.join(',')}]}`);
  for (const event of events) {
    const text = JSON.stringify(event);
    if (texts.length >= rowEventsMax || (bytes > 0 && bytes + text.length > rowBytesMax)) {
      yield row();
      texts = [];
      bytes = 0;
    }
    texts.push(text);
    bytes += text.length;
  }
  if (texts.length > 0) yield row();
}
