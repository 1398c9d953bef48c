// What Sessions holds, within its limit, and as rows of the checkpoint.
import { contentId } from '../core/hash.ts';
import type { BucketRow } from '../core/ports.ts';
import { type Link, timed } from './links.ts';

/** Under which name the rows stand among those of detectors; no detector's id begins so. */
export const sessionsRow = '@sessions';
const version = 1;

type Kind = 'link' | 'shared' | 'pin';

export class SessionRows {
  /** By issued access key. */
  readonly links = new Map<string, readonly Link[]>();
  /** By sharedEventID: the caller's side of a call that two accounts have. */
  readonly shared = new Map<string, Link>();
  /** Issued keys by session name and begin: more than one where sessions share both. */
  readonly #timed = new Map<string, Set<string>>();
  readonly #pins = new Map<string, number>();
  readonly #dirty = new Set<string>();
  readonly #max: number;
  #linkBytes = 0;
  limitsReached = 0;

  constructor(rows: Iterable<BucketRow>, sessionsMax: number) {
    this.#max = sessionsMax;
    for (const row of rows) {
      if (row.detector !== sessionsRow || row.version !== version) continue;
      const [kind, key] = split(row.key);
      // Rows are written by `changes` below and by nothing else, under this version.
      if (kind === 'pin') this.#pins.set(key, row.state as number);
      else if (kind === 'shared') this.shared.set(key, row.state as Link);
      else this.#index(key, row.state as Link[]);
    }
  }

  /** Keeps a link unless one is kept already that says as much; gives whether it was kept. */
  keepLink(key: string, link: Link): boolean {
    const old = this.links.get(key) ?? [];
    const all = [...old, link].sort((a, b) => (isBetter(a, b) ? -1 : 1)).slice(0, linksMax);
    if (!all.includes(link) || old.some((one) => one.event === link.event)) return false;
    this.#index(key, all);
    this.#mark('link', key);
    if (this.links.size > this.#max) this.#evict('link', this.links);
    return this.links.has(key);
  }

  keepShared(id: string, link: Link): boolean {
    const old = this.shared.get(id);
    if (old !== undefined && !isBetter(link, old)) return false;
    this.shared.set(id, link);
    this.#mark('shared', id);
    if (this.shared.size > this.#max) this.#evict('shared', this.shared);
    return true;
  }

  /** Takes a session's name and begin; gives its issued key, undefined unless there is just one. */
  keyAt(name: string): string | undefined {
    const [key, other] = this.#timed.get(name) ?? [];
    return other === undefined ? key : undefined;
  }

  pin(key: string, until: number): void {
    if ((this.#pins.get(key) ?? 0) >= until) return;
    this.#pins.set(key, until);
    this.#mark('pin', key);
  }

  /** Drops what ended before the watermark, but what a live session came from. */
  expire(watermark: number): void {
    const needed = new Set<string>();
    const keep = (key: string): void => {
      for (let at = this.links.get(key)?.[0]; at !== undefined; ) {
        const parent = at.by.key;
        if (at.by.shared !== undefined) needed.add(`shared ${at.by.shared}`);
        const side = at.by.shared === undefined ? undefined : this.shared.get(at.by.shared);
        const next = side?.by.key ?? parent;
        if (next === '' || needed.has(next)) return;
        needed.add(next);
        at = this.links.get(next)?.[0];
      }
    };
    for (const [key, until] of this.#pins) {
      if (until < watermark) this.#drop('pin', key);
      else keep(key);
    }
    for (const [key, all] of this.links) if (endOf(all) >= watermark) keep(key);
    for (const [key, all] of this.links) {
      if (endOf(all) < watermark && !needed.has(key) && !this.#pins.has(key))
        this.#drop('link', key);
    }
    for (const [id, { expires }] of this.shared) {
      if (expires < watermark && !needed.has(`shared ${id}`)) this.#drop('shared', id);
    }
  }

  changes(): {
    readonly buckets: BucketRow[];
    readonly bucketsGone: Pick<BucketRow, 'detector' | 'key' | 'start'>[];
  } {
    const buckets: BucketRow[] = [];
    const bucketsGone: Pick<BucketRow, 'detector' | 'key' | 'start'>[] = [];
    for (const key of this.#dirty) {
      const [kind, name] = split(key);
      const state = this.#at(kind, name);
      const place = { detector: sessionsRow, key, start: 0 };
      if (state === undefined) bucketsGone.push(place);
      else buckets.push({ ...place, version, state });
    }
    this.#dirty.clear();
    const sample = buckets.at(-1);
    if (sample !== undefined) {
      const size = JSON.stringify(sample.state).length + 2 * sample.key.length;
      this.#linkBytes = this.#linkBytes === 0 ? size : this.#linkBytes * 0.9 + size * 0.1;
    }
    return { buckets, bucketsGone };
  }

  /** By a sample of those that changed. */
  get bytes(): number {
    return Math.round((this.links.size + this.shared.size) * this.#linkBytes);
  }

  #at(kind: Kind, key: string): unknown {
    if (kind === 'pin') return this.#pins.get(key);
    return kind === 'shared' ? this.shared.get(key) : this.links.get(key);
  }

  #index(key: string, all: readonly Link[]): void {
    this.links.set(key, all);
    for (const link of all) {
      if (link.made === undefined) continue;
      const name = timed(link.made, link.time);
      this.#timed.set(name, (this.#timed.get(name) ?? new Set()).add(key));
    }
  }

  #drop(kind: Kind, key: string): void {
    this.#mark(kind, key);
    if (kind === 'pin') this.#pins.delete(key);
    else if (kind === 'shared') this.shared.delete(key);
    else {
      for (const { made, time } of this.links.get(key) ?? []) {
        if (made !== undefined) this.#untime(timed(made, time), key);
      }
      this.links.delete(key);
    }
  }

  /**
   * Keys of largest hash go first, a sixteenth at a time, so that the list is sorted rarely. Which are
   * kept depends on order a little: a limit that was reached is counted and excuses from law 3.
   */
  #evict(kind: Kind, from: ReadonlyMap<string, unknown>): void {
    this.limitsReached++;
    const hashed = [...from.keys()].map((key) => [contentId(key), key] as const);
    hashed.sort(([a], [b]) => (a < b ? 1 : -1));
    for (const [, key] of hashed.slice(0, Math.ceil(this.#max / 16))) this.#drop(kind, key);
  }

  #untime(name: string, key: string): void {
    const keys = this.#timed.get(name);
    keys?.delete(key);
    if (keys?.size === 0) this.#timed.delete(name);
  }

  #mark(kind: Kind, key: string): void {
    this.#dirty.add(`${kind} ${key}`);
  }
}

function split(key: string): [Kind, string] {
  const at = key.indexOf(' ');
  const kind = key.slice(0, at);
  return [kind === 'pin' || kind === 'shared' ? kind : 'link', key.slice(at + 1)];
}

/** A key is issued once, in at most two records; examples in documents reuse theirs for years. */
const linksMax = 4;

function endOf(links: readonly Link[]): number {
  return Math.max(...links.map((one) => one.expires));
}

/** The caller's own record says more than its copy in the role's account; else the earlier one stands. */
function isBetter(link: Link, old: Link): boolean {
  const isOwn = link.by.principal.kind !== 'external';
  const wasOwn = old.by.principal.kind !== 'external';
  if (isOwn !== wasOwn) return isOwn;
  return link.time < old.time || (link.time === old.time && link.event < old.event);
}
