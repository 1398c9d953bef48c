// The hand-kept file of reasons: why a scenario raises nothing above info, and what was found when a
// benign set raised something above low.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const file = z.strictObject({
  misses: z.array(
    z.strictObject({
      set: z.string(),
      why: z.string().describe('Why the trail cannot show it, or why not yet.'),
      scenarios: z.array(z.string()),
    }),
  ),
  verdicts: z.array(
    z.strictObject({
      set: z.string(),
      scenario: z.string(),
      detector: z.string(),
      verdict: z.string().describe('What was found: rightly raised, or to be corrected.'),
    }),
  ),
});

/** One verdict on a detector that was loud on benign records. */
export type Verdict = z.infer<typeof file>['verdicts'][number];

/** What the file says. */
export interface Reasons {
  /** By `set/scenario`. */
  readonly misses: ReadonlyMap<string, string>;
  readonly verdicts: readonly Verdict[];
}

/** Reads `misses.json`; throws when a scenario is listed twice. */
export function readReasons(): Reasons {
  const text = readFileSync(join(import.meta.dirname, 'misses.json'), 'utf8');
  const { misses, verdicts } = file.parse(JSON.parse(text));
  const byScenario = new Map<string, string>();
  for (const { set, why, scenarios } of misses) {
    for (const one of scenarios) {
      const key = `${set}/${one}`;
      if (byScenario.has(key)) throw new Error(`misses.json lists ${key} twice`);
      byScenario.set(key, why);
    }
  }
  return { misses: byScenario, verdicts };
}
