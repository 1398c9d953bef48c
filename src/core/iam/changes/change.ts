// A call that alters permissions, read: what it does, to what, and what that makes possible.
import type { Event } from '../../event.ts';
import type { Severity } from '../../severity.ts';
import { plain } from '../../text.ts';
import { type Denial, parseDenial, type Target, targetOf } from '../denial.ts';
import { decodeDocument, isJudgeable, type Statement } from '../document.ts';
import type { Finding } from '../finding.ts';
import { isDenyOnly, judgePolicy } from '../judge.ts';
import { policyArn } from '../managed-policies.ts';
import type { Ground } from '../principals.ts';
import { type Fields, fieldsOf, valueAt } from '../shape.ts';

/** One change. `verb` is the infinitive and the past; with `object` it makes the sentence. */
export interface Change {
  readonly verb: readonly [now: string, past: string];
  readonly object: string;
  /** What the findings speak of: "The policy". */
  readonly subject: string;
  readonly findings: readonly Finding[];
  /** The severity where nothing was found. */
  readonly base: Severity;
  /** A sentence that explains `base`, or adds to the findings. */
  readonly note?: string;
  /** Whether it can give rights: only such a change counts as granting oneself something. */
  readonly grants: boolean;
  readonly target?: Target;
  /** ARN or name of the policy. */
  readonly policy?: string;
  /** Even AWS itself doing it is news. */
  readonly evenByAws?: boolean;
}

/** What a reader is given: the event, its request as an object, and who counts as an outsider. */
export interface Asked {
  readonly event: Event;
  readonly request: Fields;
  readonly ground: Ground;
  readonly denial: Denial | undefined;
}

/** Takes a call; gives the change it makes, or a sentence on why it makes none. */
export type Reader = (asked: Asked) => Change | string;

/** Readers by `source:Name`. */
export type Readers = Readonly<Record<string, Reader>>;

/** Takes an event and the accounts of the same owner; gives what a reader needs. */
export function askedBy(event: Event, knownAccounts: readonly string[]): Asked {
  const message = event.errorMessage ?? event.text('responseElements.message');
  return {
    event,
    request: fieldsOf(event.field('requestParameters')),
    ground: { account: event.account, knownAccounts },
    denial: event.outcome === 'success' ? undefined : parseDenial(message),
  };
}

/** Takes a call and the keys a name may stand under; gives the first that is there, else ''. */
export function nameIn(asked: Asked, ...keys: readonly string[]): string {
  for (const key of keys) {
    const value = valueAt(asked.request, key);
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
}

/** As `nameIn`, but a refusal without request parameters may still name a target of this kind. */
export function targetIn(asked: Asked, kind: string, key: string): Target | undefined {
  const name = nameIn(asked, key);
  if (name !== '') return { kind, name };
  const refused = targetOf(asked.denial?.resource);
  return refused?.kind === kind ? refused : undefined;
}

/** Takes a kind and a name from a trail; gives "user alice", or "a user" where no name is known. */
export function named(kind: string, name: string | undefined): string {
  const shown = plain(name);
  if (shown !== '') return `${kind} ${shown}`;
  return /^[aeio]/i.test(kind) ? `an ${kind}` : `a ${kind}`;
}

/** Takes a policy ARN or name; gives what a person calls the policy. */
export function policyShown(arn: string): string {
  return plain(policyArn(arn)?.name ?? arn);
}

/**
 * Takes a document and how to judge its statements; gives the findings. A document that cannot be
 * judged is a finding by itself; of a refused call nothing is expected.
 */
export function judged(
  asked: Asked,
  document: unknown,
  judge: (statements: readonly Statement[]) => readonly Finding[],
): readonly Finding[] {
  const decoded = decodeDocument(document);
  if (isJudgeable(decoded)) return judge(decoded.statements);
  const isRefused = asked.event.outcome !== 'success' && Object.keys(asked.request).length === 0;
  if (isRefused) return [];
  return [{ severity: 'medium', what: `could not be judged: the document ${decoded.unjudged}` }];
}

/** As `judged`, for an identity policy; the note says what a quiet document is. */
export function judgedPolicy(
  asked: Asked,
  document: unknown,
): { readonly findings: readonly Finding[]; readonly note?: string } {
  const findings = judged(asked, document, judgePolicy);
  const decoded = decodeDocument(document);
  if (!isJudgeable(decoded)) return { findings };
  if (isDenyOnly(decoded.statements)) return { findings, note: 'The policy only denies.' };
  if (findings.length > 0) return { findings };
  return { findings, note: 'What the policy allows is narrow.' };
}

/**
 * Takes the name of a policy that goes; gives a sentence where the name tells that it was a limit.
 * Its content is not in the event.
 */
export function limitHint(name: string): string {
  const isLimit = /deny|quarantine|guardrail|boundary|restrict|lockdown/i.test(policyShown(name));
  return isLimit ? ' Its name suggests that it denied something, which is then allowed again.' : '';
}

/**
 * Takes a verb; gives the parts of a change that gives nobody anything and has nothing to judge.
 */
export function quietly(
  now: string,
  past: string,
): Pick<Change, 'verb' | 'subject' | 'findings' | 'grants'> {
  return { verb: [now, past], subject: 'It', findings: [], grants: false };
}

/** Takes names for a sentence; gives them with commas, cut after a few. */
export function listed(names: readonly string[], shownMax = 4): string {
  const shown = names.slice(0, shownMax).map((one) => plain(one));
  if (names.length > shownMax) shown.push(`${names.length - shownMax} more`);
  return shown.join(', ');
}
