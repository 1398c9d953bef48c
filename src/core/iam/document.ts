// Decodes a policy document from any of the forms CloudTrail keeps it in. What cannot be read is
// said to be unjudged, with the reason; it is never taken to be harmless.
import { type Fields, fieldsOf, listOf, textsOf, valueAt } from './shape.ts';

/** One test of a condition block: operator and key in lower case, values as written. */
export interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** Who a statement speaks of; `everyone` is `*` in either spelling. */
export interface PrincipalElement {
  readonly everyone: boolean;
  readonly aws: readonly string[];
  readonly federated: readonly string[];
  readonly service: readonly string[];
  readonly canonical: readonly string[];
}

/** A statement with every scalar made a list; actions are in lower case. */
export interface Statement {
  readonly effect: 'allow' | 'deny';
  readonly actions: readonly string[];
  /** The same as written, for sentences. */
  readonly actionsShown: readonly string[];
  readonly notActions: readonly string[] | undefined;
  readonly resources: readonly string[];
  readonly notResources: readonly string[] | undefined;
  /** Undefined where the statement has no Principal, as in every identity policy. */
  readonly principals: PrincipalElement | undefined;
  readonly notPrincipals: PrincipalElement | undefined;
  readonly conditions: readonly Condition[];
}

/** A document that was understood. */
export interface Judgeable {
  readonly statements: readonly Statement[];
}

/** A document that was not, and why: a phrase that follows "the document". */
export interface Unjudged {
  readonly unjudged: string;
}

// The largest policy AWS stores is 32 KB (KMS); CloudTrail cuts a field at about 100 KB.
const charactersMax = 131_072;
// The 32 KB above hold fewer than this; more is an attempt to keep the reader busy.
const entriesMax = 4_000;
const hidden = /^(HIDDEN_DUE_TO_SECURITY_REASONS|<?sensitiveDataRemoved>?|\*{3,})$/i;

/**
 * Takes a policy document as object, JSON text, or JSON text URL-encoded once or twice, with or
 * without a byte order mark; gives its statements, or why it could not be judged. Never throws.
 */
export function decodeDocument(value: unknown): Judgeable | Unjudged {
  if (value === undefined || value === null || value === '')
    return { unjudged: 'is not in the record' };
  if (typeof value === 'object') return statementsOf(value);
  if (typeof value !== 'string') return { unjudged: 'is neither text nor an object' };
  if (value.length > charactersMax) return { unjudged: 'is too big to judge' };
  const text = unescaped(value.replace(/^\ufeff/, '').trim())
    .replace(/^\ufeff/, '')
    .trim();
  if (hidden.test(text)) return { unjudged: 'was hidden by CloudTrail' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    const wasCut = /^[[{]/.test(text) && !/[\]}]$/.test(text);
    return { unjudged: wasCut || /^%7b/i.test(text) ? 'was cut short' : 'is not JSON' };
  }
  // A document quoted once more, as JSON text inside JSON, occurs in exports.
  return typeof parsed === 'string' ? statementsOf(parsedOnce(parsed)) : statementsOf(parsed);
}

/** Takes the result of `decodeDocument`; gives whether its statements may be read. */
export function isJudgeable(decoded: Judgeable | Unjudged): decoded is Judgeable {
  return 'statements' in decoded;
}

function unescaped(text: string): string {
  let plain = text;
  for (let round = 0; round < 2 && /^%(25)*(7b|ef|0[9ad]|20)/i.test(plain); round += 1) {
    try {
      plain = decodeURIComponent(plain);
    } catch {
      // A cut in the middle of `%7B` spoils only the last character; the rest may still say more.
      return plain;
    }
  }
  return plain;
}

function parsedOnce(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function statementsOf(value: unknown): Judgeable | Unjudged {
  const document = fieldsOf(value);
  if (valueAt(document, 'omitted') !== undefined) return { unjudged: 'was left out by CloudTrail' };
  const listed = Array.isArray(value) ? value : listOf(valueAt(document, 'Statement'));
  if (listed.length === 0) return { unjudged: 'holds no statement' };
  if (listed.length > entriesMax) return { unjudged: 'is too big to judge' };
  const statements: Statement[] = [];
  let entries = 0;
  for (const one of listed) {
    const statement = statementOf(fieldsOf(one));
    if (statement === undefined) return { unjudged: 'holds a statement that could not be read' };
    entries += entriesOf(statement);
    if (entries > entriesMax) return { unjudged: 'is too big to judge' };
    statements.push(statement);
  }
  return { statements };
}

function statementOf(fields: Fields): Statement | undefined {
  const effect = String(valueAt(fields, 'Effect')).trim().toLowerCase();
  if (effect !== 'allow' && effect !== 'deny') return undefined;
  const notActions = valueAt(fields, 'NotAction');
  const notResources = valueAt(fields, 'NotResource');
  return {
    effect,
    actions: lower(valueAt(fields, 'Action')),
    actionsShown: textsOf(valueAt(fields, 'Action')),
    notActions: notActions === undefined ? undefined : lower(notActions),
    resources: textsOf(valueAt(fields, 'Resource')),
    notResources: notResources === undefined ? undefined : textsOf(notResources),
    principals: principalElement(valueAt(fields, 'Principal')),
    notPrincipals: principalElement(valueAt(fields, 'NotPrincipal')),
    conditions: conditionsOf(valueAt(fields, 'Condition')),
  };
}

function lower(value: unknown): readonly string[] {
  return textsOf(value).map((text) => text.trim().toLowerCase());
}

function principalElement(value: unknown): PrincipalElement | undefined {
  if (value === undefined || value === null) return undefined;
  const bare = typeof value === 'string' || Array.isArray(value) ? textsOf(value) : [];
  const fields = fieldsOf(value);
  const aws = [...bare, ...textsOf(valueAt(fields, 'AWS'))].map((text) => text.trim());
  const service = textsOf(valueAt(fields, 'Service'));
  const federated = textsOf(valueAt(fields, 'Federated'));
  return {
    everyone: [...aws, ...federated].includes('*'),
    aws: aws.filter((one) => one !== '*'),
    federated: federated.filter((one) => one !== '*'),
    service,
    canonical: textsOf(valueAt(fields, 'CanonicalUser')),
  };
}

function conditionsOf(value: unknown): readonly Condition[] {
  const conditions: Condition[] = [];
  for (const [operator, keys] of Object.entries(fieldsOf(value))) {
    for (const [key, values] of Object.entries(fieldsOf(keys))) {
      conditions.push({
        operator: operator.toLowerCase(),
        key: key.toLowerCase(),
        values: textsOf(values),
      });
    }
  }
  return conditions;
}

function entriesOf(statement: Statement): number {
  const { principals } = statement;
  const conditionValues = statement.conditions.reduce((sum, one) => sum + one.values.length + 1, 1);
  const who = (principals?.aws.length ?? 0) + (principals?.federated.length ?? 0);
  return (
    statement.actions.length +
    (statement.notActions?.length ?? 0) +
    statement.resources.length +
    (statement.notResources?.length ?? 0) +
    conditionValues +
    who
  );
}
