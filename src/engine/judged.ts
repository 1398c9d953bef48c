// What fold detectors last said of a key, so that the same buckets need not be judged twice in a row.
import type { Bucket, JudgedSignal } from '../core/detector.ts';

interface Said {
  readonly start: number;
  readonly buckets: string;
  readonly signals: readonly JudgedSignal[];
}

/** More keys than are busy at one time; when full it is emptied, which costs a second judgement. */
const keysMax = 10_000;

/** Remembers one judgement a key: the last. It is a saving and nothing else, so no checkpoint has it. */
export class LastSaid {
  readonly #said = new Map<string, Said>();

  /** Takes a key, the bucket of an event and what stands; gives what was said of just that, if it was. */
  recall(
    key: string,
    start: number,
    buckets: readonly Bucket<unknown>[],
  ): readonly JudgedSignal[] | undefined {
    const said = this.#said.get(key);
    return said?.start === start && said.buckets === startsOf(buckets) ? said.signals : undefined;
  }

  keep(
    key: string,
    start: number,
    buckets: readonly Bucket<unknown>[],
    signals: readonly JudgedSignal[],
  ): void {
    if (this.#said.size >= keysMax) this.#said.clear();
    this.#said.set(key, { start, buckets: startsOf(buckets), signals });
  }

  /** Before a fold: what was said holds no more, even if the fold throws. */
  forget(key: string): void {
    this.#said.delete(key);
  }
}

function startsOf(buckets: readonly Bucket<unknown>[]): string {
  return buckets.length === 1 ? String(buckets[0]?.start) : buckets.map((one) => one.start).join();
}
