// When everything a partition held has been fetched: answers of its leader are counted, not timed.

/**
 * Fetches of one broker follow one another, and what one brought is handled before the next is sent. Of
 * three answers since the question, the first may have been asked for before it, the second brought all
 * there was, and the third says that the second was handled.
 */
const answersNeeded = 3;

interface Question {
  readonly broker: string;
  left: number;
  readonly wake: (isAnswered: boolean) => void;
}

/** Counts answers to fetches, by the broker's address. */
export class FetchAnswers {
  #questions: Question[] = [];

  /** Notes that a broker answered a fetch. A fetch that failed is no answer. */
  answered(broker: string): void {
    let hasDone = false;
    for (const one of this.#questions) {
      if (one.broker !== broker) continue;
      one.left--;
      hasDone ||= one.left <= 0;
    }
    if (!hasDone) return;
    const done = this.#questions.filter((one) => one.left <= 0);
    this.#questions = this.#questions.filter((one) => one.left > 0);
    for (const one of done) one.wake(true);
  }

  /** Gives true when all that the broker's partitions held was fetched, false when the signal aborts first. */
  all(broker: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onAbort = () => {
        this.#questions = this.#questions.filter((one) => one !== question);
        resolve(false);
      };
      const wake = (isAnswered: boolean) => {
        signal.removeEventListener('abort', onAbort);
        resolve(isAnswered);
      };
      const question: Question = { broker, left: answersNeeded, wake };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#questions.push(question);
    });
  }
}
