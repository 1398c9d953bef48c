// Who a statement of a trust or resource policy lets in, each by its own kind.
import type { PrincipalElement, Statement } from './document.ts';

/** What a judgement of outsiders has to know. */
export interface Ground {
  /** The account the resource is in. */
  readonly account: string;
  /** Accounts of the same owner: letting them in is no news. */
  readonly knownAccounts: readonly string[];
  /** ARN of the role whose trust is judged, where known. */
  readonly self?: string;
}

/** One `AWS` principal, understood. */
export type AwsPrincipal =
  | { readonly kind: 'own' | 'known' }
  | { readonly kind: 'outside'; readonly account: string; readonly whole: boolean }
  | { readonly kind: 'deleted'; readonly id: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'origin-access' | 'unknown' };

const deletedId = /^A(ROA|IDA|GPA|IPA)[A-Z0-9]+$/;

/** Takes an entry under `AWS` and the ground; gives what it is. */
export function awsPrincipal(text: string, ground: Ground): AwsPrincipal {
  if (deletedId.test(text)) return { kind: 'deleted', id: text };
  if (/^\d{12}$/.test(text)) return ofAccount(text, true, ground);
  const arn = /^arn:[^:]+:(iam|sts)::([^:]*):(.+)$/.exec(text);
  if (arn === null) return /^[*?]/.test(text) ? { kind: 'wildcard' } : { kind: 'unknown' };
  const [, , account = '', resource = ''] = arn;
  if (account === 'cloudfront') return { kind: 'origin-access' };
  if (/[*?]/.test(account)) return { kind: 'wildcard' };
  if (!/^\d{12}$/.test(account)) return { kind: 'unknown' };
  return ofAccount(account, resource === 'root', ground);
}

/** Takes a statement; gives whether it lets everybody in before conditions are looked at. */
export function isForEveryone(statement: Statement, ground: Ground): boolean {
  if (statement.notPrincipals !== undefined) return true;
  const { principals } = statement;
  if (principals === undefined) return false;
  return principals.everyone || principals.aws.some((one) => isWildcard(one, ground));
}

/** Takes a principal element and the ground; gives the accounts it lets in that are not known. */
export function outsiders(
  principals: PrincipalElement | undefined,
  ground: Ground,
): readonly { readonly account: string; readonly whole: boolean; readonly text: string }[] {
  const found: { account: string; whole: boolean; text: string }[] = [];
  for (const text of principals?.aws ?? []) {
    const one = awsPrincipal(text, ground);
    if (one.kind === 'outside') found.push({ account: one.account, whole: one.whole, text });
  }
  return found;
}

function isWildcard(text: string, ground: Ground): boolean {
  return awsPrincipal(text, ground).kind === 'wildcard';
}

function ofAccount(account: string, whole: boolean, ground: Ground): AwsPrincipal {
  // An event without a recipient account leaves the owner unknown; every account is then an
  // outsider.
  if (account === ground.account) return { kind: 'own' };
  if (ground.knownAccounts.includes(account)) return { kind: 'known' };
  return { kind: 'outside', account, whole };
}
