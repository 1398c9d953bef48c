// How far each shard was read: what the store knows, what was reached since, and where to read on.
import type { Item, RejectReason } from '../core/item.ts';
import type { SourceRecord } from '../core/ports.ts';
import type { Progress } from '../core/position.ts';

/** Rejects that stand for what was cut off at the end of a record. */
const cutReasons: ReadonlySet<RejectReason> = new Set([
  'json-cut-short',
  'gzip-broken',
  'gzip-bomb',
  'unreadable',
]);
/** A source asks ahead of its reading, a batch of shards at a time; older answers were used. */
const answersKept = 3;

/** The positions of a run. Its memory is bounded by what a source asks about at once. */
export class Positions {
  readonly #answers: ReadonlyMap<string, Progress>[] = [];
  readonly #begun = new Map<string, Progress>();
  readonly #reached = new Map<string, Progress>();
  #last: Item | undefined;

  /** Takes what the store answered a source. */
  answered(found: ReadonlyMap<string, Progress>): void {
    this.#answers.push(found);
    if (this.#answers.length > answersKept) this.#answers.shift();
  }

  /** Takes a record; gives how many of its items were committed. */
  itemsDone(record: SourceRecord): number {
    const known = this.#known(record.shard);
    if (known?.position.sequence !== record.sequence) return 0;
    // It was read to its end and comes again, so it grew: what was cut off may be whole now.
    const isWholeNow = known.done !== undefined && known.isCut === true;
    return isWholeNow ? known.position.item - 1 : known.position.item;
  }

  /** Notes that an item was judged. Only the last of a shard counts, so that each costs nothing. */
  reached(item: Item): void {
    const last = this.#last;
    if (last !== undefined && last.position.shard !== item.position.shard) this.#keepLast();
    this.#last = item;
  }

  #keepLast(): void {
    const last = this.#last;
    if (last === undefined) return;
    this.#last = undefined;
    const { shard, sequence, item: at } = last.position;
    const isCut = last.kind === 'rejected' && cutReasons.has(last.reason);
    const position = { shard, sequence, item: at + 1 };
    this.#reached.set(shard, isCut ? { position, isCut } : { position });
  }

  /** Notes the end of a record. One that could not be read is ended too; its source tries it again. */
  finished(record: SourceRecord): void {
    if (!record.isLast) return;
    this.#keepLast();
    const { shard, sequence, done = '', turn } = record;
    const merged = turn === undefined ? {} : { turn };
    const reached = this.#reached.get(shard) ?? this.#known(shard);
    const isSame = reached?.position.sequence === sequence;
    const position = { shard, sequence, item: isSame ? reached.position.item : 0 };
    const isCut = isSame && reached.isCut === true;
    this.#reached.set(shard, { position, done, ...(isCut ? { isCut } : {}), ...merged });
  }

  /** Gives what the next commit writes. */
  get changed(): readonly Progress[] {
    this.#keepLast();
    return [...this.#reached.values()];
  }

  /** Notes that what was reached is committed. */
  committed(): void {
    for (const [shard, one] of this.#reached) {
      if (one.done === undefined) this.#begun.set(shard, one);
      else this.#begun.delete(shard);
    }
    this.#reached.clear();
  }

  #known(shard: string): Progress | undefined {
    const begun = this.#begun.get(shard);
    if (begun !== undefined) return begun;
    return this.#answers.findLast((one) => one.has(shard))?.get(shard);
  }
}
