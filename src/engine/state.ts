// Detector state: tumbling buckets of event time by key, kept while they stand, within limits.
import type { Bucket, FoldDetector } from '../core/detector.ts';
import { contentId } from '../core/hash.ts';
import type { BucketRow } from '../core/ports.ts';
import { windowStart } from '../core/time.ts';

type Buckets = Map<number, unknown>;

/** The state of all detectors of a lane. */
export class DetectorState {
  readonly #states = new Map<string, Map<string, Buckets>>();
  readonly #dirty = new Map<string, { detector: string; key: string; start: number }>();
  readonly #sorted = new Map<string, string[]>();
  readonly #keysMax: number;
  #bucketBytes = 0;
  /** How often the limit of keys was reached. */
  limitsReached = 0;

  /**
   * Takes the rows of a checkpoint and the detectors they belong to. A row of a detector that is
   * gone, of another version or of another shape is left out: its state is rebuilt from here on.
   */
  constructor(
    rows: Iterable<BucketRow>,
    detectors: ReadonlyMap<string, FoldDetector>,
    keysMax: number,
  ) {
    this.#keysMax = keysMax;
    for (const row of rows) {
      const detector = detectors.get(row.detector);
      if (detector === undefined || detector.state.version !== row.version) continue;
      const parsed = detector.state.schema.safeParse(row.state);
      if (parsed.success) this.#keyed(row.detector, row.key).set(row.start, parsed.data);
    }
  }

  /** Gives the buckets of one key that stand and are within reach of an event, oldest first. */
  buckets(
    detector: FoldDetector,
    key: string,
    time: number,
    watermark: number,
  ): readonly Bucket<unknown>[] {
    const all = this.#states.get(detector.meta.id)?.get(key);
    if (all === undefined) return [];
    const { bucketMs, reachMs = Number.POSITIVE_INFINITY } = detector.state;
    const at = windowStart(time, bucketMs);
    const near = [...all].filter(
      ([start]) => Math.abs(start - at) <= reachMs && stands(detector, start, watermark),
    );
    return near.sort(([a], [b]) => a - b).map(([start, state]) => ({ key, start, state }));
  }

  /** Takes a key and a time; gives the state of the bucket that holds it, undefined when there is none. */
  peek(detector: FoldDetector, key: string, time: number): unknown {
    const buckets = this.#states.get(detector.meta.id)?.get(key);
    return buckets?.get(windowStart(time, detector.state.bucketMs));
  }

  /**
   * Takes a settled detector and two watermarks; gives each bucket whose time to speak lies after the
   * first and not after the second, with those within reach of it, ordered by key and start.
   */
  ripe(
    detector: FoldDetector,
    after: number,
    upTo: number,
    watermark: number,
  ): { readonly start: number; readonly end: number; readonly near: readonly Bucket<unknown>[] }[] {
    const { bucketMs, settleMs = 0 } = detector.state;
    const keys = [...(this.#states.get(detector.meta.id) ?? [])].sort(([a], [b]) =>
      a < b ? -1 : 1,
    );
    return keys.flatMap(([key, buckets]) =>
      [...buckets.keys()]
        .filter(
          (start) => start + bucketMs + settleMs > after && start + bucketMs + settleMs <= upTo,
        )
        .sort((a, b) => a - b)
        .map((start) => ({
          start,
          end: start + bucketMs,
          near: this.buckets(detector, key, start, watermark),
        })),
    );
  }

  /** Takes an event's time; gives whether its bucket stands at this watermark. */
  stands(detector: FoldDetector, time: number, watermark: number): boolean {
    return stands(detector, windowStart(time, detector.state.bucketMs), watermark);
  }

  /**
   * Takes an event's time and key; gives the bucket's state to fold into, made when absent. Undefined
   * when the bucket no longer stands, or when the limit of keys leaves no room for this one.
   */
  open(detector: FoldDetector, key: string, time: number, watermark: number): unknown {
    const start = windowStart(time, detector.state.bucketMs);
    if (!stands(detector, start, watermark)) return undefined;
    const id = detector.meta.id;
    if (this.#states.get(id)?.has(key) !== true && !this.#makeRoom(id, key)) return undefined;
    const buckets = this.#keyed(id, key);
    let state = buckets.get(start);
    if (state === undefined) {
      state = detector.state.empty();
      buckets.set(start, state);
    }
    return state;
  }

  /** Marks the bucket that holds `time` as changed, so that the next commit writes it. */
  touch(detector: FoldDetector, key: string, time: number): void {
    const start = windowStart(time, detector.state.bucketMs);
    this.#mark(detector.meta.id, key, start);
  }

  /** Drops what no longer stands at this watermark. */
  expire(detectors: ReadonlyMap<string, FoldDetector>, watermark: number): void {
    for (const [id, keys] of this.#states) {
      const detector = detectors.get(id);
      for (const [key, buckets] of keys) {
        for (const start of buckets.keys()) {
          if (detector !== undefined && stands(detector, start, watermark)) continue;
          buckets.delete(start);
          this.#mark(id, key, start);
        }
        if (buckets.size > 0) continue;
        keys.delete(key);
        this.#sorted.delete(id);
      }
    }
  }

  /** Gives what changed since the last call. */
  changes(detectors: ReadonlyMap<string, FoldDetector>): {
    readonly buckets: BucketRow[];
    readonly bucketsGone: Pick<BucketRow, 'detector' | 'key' | 'start'>[];
  } {
    const buckets: BucketRow[] = [];
    const bucketsGone: Pick<BucketRow, 'detector' | 'key' | 'start'>[] = [];
    for (const { detector, key, start } of this.#dirty.values()) {
      const state = this.#states.get(detector)?.get(key)?.get(start);
      const version = detectors.get(detector)?.state.version;
      if (state === undefined || version === undefined) bucketsGone.push({ detector, key, start });
      else buckets.push({ detector, version, key, start, state });
    }
    this.#dirty.clear();
    const sample = buckets.at(-1);
    if (sample !== undefined) {
      const size = JSON.stringify(sample.state).length + sample.key.length;
      this.#bucketBytes = this.#bucketBytes === 0 ? size : this.#bucketBytes * 0.9 + size * 0.1;
    }
    return { buckets, bucketsGone };
  }

  /** About how many bytes the buckets hold, by a sample of those that changed; for metrics. */
  get bytes(): number {
    let buckets = 0;
    for (const keys of this.#states.values()) for (const one of keys.values()) buckets += one.size;
    return Math.round(buckets * this.#bucketBytes);
  }

  /** How many keys are held, for metrics. */
  get keys(): number {
    let keys = 0;
    for (const one of this.#states.values()) keys += one.size;
    return keys;
  }

  #keyed(detector: string, key: string): Buckets {
    const keys = this.#states.get(detector) ?? new Map<string, Buckets>();
    this.#states.set(detector, keys);
    const buckets = keys.get(key) ?? new Map<number, unknown>();
    keys.set(key, buckets);
    return buckets;
  }

  /**
   * Keys are kept by smallest hash, so that which ones are kept does not depend on order. The sorted
   * list is made when the limit is first reached, and again after keys expired.
   */
  #makeRoom(detector: string, key: string): boolean {
    const keys = this.#states.get(detector);
    if (keys === undefined || keys.size < this.#keysMax) return true;
    this.limitsReached++;
    const sorted = this.#sorted.get(detector) ?? [...keys.keys()].map(hashed).sort();
    this.#sorted.set(detector, sorted);
    const mine = hashed(key);
    const largest = sorted.at(-1);
    if (largest === undefined || mine >= largest) return false;
    sorted.pop();
    const victim = largest.slice(hashDigits);
    for (const start of keys.get(victim)?.keys() ?? []) this.#mark(detector, victim, start);
    keys.delete(victim);
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < mine) low = middle + 1;
      else high = middle;
    }
    sorted.splice(low, 0, mine);
    return true;
  }

  #mark(detector: string, key: string, start: number): void {
    this.#dirty.set(`${detector}\u0000${key}\u0000${start}`, { detector, key, start });
  }
}

const hashDigits = 20;

function hashed(key: string): string {
  return contentId(key) + key;
}

function stands(detector: FoldDetector, start: number, watermark: number): boolean {
  return start + detector.state.bucketMs + detector.state.lifetimeMs >= watermark;
}
