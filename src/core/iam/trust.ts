// Judges the trust policy of a role: who, outside of the account, may become it.
import { plain } from '../text.ts';
import { callerConditions, isLimiting, limitingConditions } from './conditions.ts';
import type { Condition, Statement } from './document.ts';
import { judgeFederated } from './federated.ts';
import { type Finding, ordered } from './finding.ts';
import { anyGlobMatches } from './glob.ts';
import { awsPrincipal, type Ground, isForEveryone, outsiders } from './principals.ts';

const assumeActions = ['sts:assumerole', 'sts:assumerolewithsaml', 'sts:assumerolewithwebidentity'];

// Services on which many customers' resources act; without SourceAccount or SourceArn a stranger's
// resource can make them use the role.
const confusable =
  /^(sns|sqs|events|scheduler|s3|logs|config|cloudtrail|apigateway|ses|backup|dms|firehose)\./;

/** Takes the statements of a trust policy and the ground; gives what they let in, worst first. */
export function judgeTrust(statements: readonly Statement[], ground: Ground): readonly Finding[] {
  return ordered(statements.flatMap((one) => judgeStatement(one, ground)));
}

function judgeStatement(statement: Statement, ground: Ground): readonly Finding[] {
  if (statement.effect !== 'allow') return [];
  if (!assumeActions.some((action) => covers(statement, action))) return [];
  const findings: Finding[] = [];
  if (isForEveryone(statement, ground)) findings.push(everyone(statement));
  findings.push(...fromOutside(statement, ground));
  for (const federated of statement.principals?.federated ?? []) {
    findings.push(...judgeFederated(federated, statement));
  }
  for (const text of statement.principals?.aws ?? []) {
    const one = awsPrincipal(text, ground);
    if (one.kind === 'deleted') {
      findings.push({ severity: 'info', what: `still names ${plain(one.id)}, which was deleted` });
    }
    if (ground.self !== undefined && text === ground.self) {
      const what = 'lets the role assume itself, so that a stolen session can be renewed for ever';
      findings.push({ severity: 'medium', what });
    }
  }
  findings.push(...services(statement));
  return findings;
}

function covers(statement: Statement, action: string): boolean {
  if (statement.notActions !== undefined) return !anyGlobMatches(statement.notActions, action);
  return anyGlobMatches(statement.actions, action);
}

function everyone(statement: Statement): Finding {
  const limits = callerConditions(statement.conditions);
  const words = statement.notPrincipals === undefined ? 'everybody' : 'everybody it does not name';
  if (limits.length > 0) {
    const keys = limits.map((one) => plain(one.key, 60)).join(', ');
    return {
      severity: 'medium',
      what: `lets ${words} who meets a condition on ${keys} assume the role`,
    };
  }
  if (hasExternalId(statement.conditions)) {
    const what = `lets ${words} who knows the external id assume the role`;
    return { severity: 'high', what };
  }
  return { severity: 'critical', what: `lets ${words}, in any AWS account, assume the role` };
}

function fromOutside(statement: Statement, ground: Ground): readonly Finding[] {
  const limits = callerConditions(statement.conditions).map((one) => plain(one.key, 60));
  const withId = hasExternalId(statement.conditions);
  return outsiders(statement.principals, ground).flatMap(({ account, whole, text }) => {
    const who = whole
      ? `every principal of account ${account} to which it grants this`
      : plain(text);
    const what = `lets ${who} assume the role`;
    if (limits.some((key) => key.startsWith('aws:principalorg'))) {
      return [{ severity: 'low', what: `${what}, within the organisation` }];
    }
    const first: Finding = withId
      ? { severity: 'medium', what: `${what} with an external id; the account is not known` }
      : { severity: 'high', what: `${what} without an external id; the account is not known` };
    const tags = ['sts:tagsession', 'sts:setsourceidentity'].filter((one) =>
      covers(statement, one),
    );
    if (tags.length === 0) return [first];
    return [
      first,
      { severity: 'medium', what: `lets account ${account} choose session tags or names` },
    ];
  });
}

function services(statement: Statement): readonly Finding[] {
  const isBound = limitingConditions(statement.conditions).some((one) =>
    /^aws:source(account|arn|orgid|orgpaths)$/.test(one.key),
  );
  if (isBound) return [];
  return (statement.principals?.service ?? [])
    .filter((one) => confusable.test(one))
    .map((one) => ({
      severity: 'low',
      what: `trusts ${plain(one)} for any customer's resource: no condition on the source account`,
    }));
}

function hasExternalId(conditions: readonly Condition[]): boolean {
  return conditions.some(
    (one) =>
      one.key === 'sts:externalid' &&
      isLimiting(one) &&
      !(one.operator.includes('like') && one.values.some((value) => /[*?]/.test(value))),
  );
}
