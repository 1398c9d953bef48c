// One thing a document or a call makes possible, in words for the analyst.
import { type Severity, severityRank, worst } from '../severity.ts';

/** `what` is a predicate: it follows a subject such as "The policy". */
export interface Finding {
  readonly severity: Severity;
  readonly what: string;
  /** Id of an escalation path, where the finding is one. */
  readonly path?: string;
}

/** Takes findings; gives them worst first, each sentence once. */
export function ordered(findings: readonly Finding[]): readonly Finding[] {
  const once = new Map<string, Finding>();
  for (const one of findings) {
    const known = once.get(one.what);
    if (known === undefined || severityRank(known.severity) < severityRank(one.severity)) {
      once.set(one.what, one);
    }
  }
  return [...once.values()].sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

/** Takes findings and a subject; gives one sentence of the worst few, '' for none. */
export function sentenceOf(subject: string, findings: readonly Finding[], shownMax = 4): string {
  const all = ordered(findings);
  if (all.length === 0) return '';
  const shown = all.slice(0, shownMax).map((one) => one.what);
  const rest = all.length - shown.length;
  if (rest > 0) shown.push(`and ${rest} more`);
  return `${subject} ${shown.join('; ')}.`;
}

/** Takes findings; gives the worst severity, undefined for none. */
export function worstOf(findings: readonly Finding[]): Severity | undefined {
  return findings.length === 0 ? undefined : worst(findings.map((one) => one.severity));
}
