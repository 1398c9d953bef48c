// Judges a policy written on a resource: whether the public or another account is let in.
import { plain } from '../text.ts';
import { callerConditions } from './conditions.ts';
import type { Statement } from './document.ts';
import { type Finding, ordered } from './finding.ts';
import { type Ground, isForEveryone, outsiders } from './principals.ts';

// Accounts in which AWS keeps the load balancers of each region (Elastic Load Balancing guide,
// access logs), and that of the billing reports: a bucket lets them put logs, which is how they are
// delivered.
const deliveryAccounts = new Set(
  (
    '127311923021 033677994240 027434742980 797873946194 098369216593 985666609251 054676820928 ' +
    '156460612806 652711504416 635631232127 009996457667 897822967062 754344448648 582318560864 ' +
    '600734575887 383597477331 114774131450 783225319266 589379963580 718504428378 076674570225 ' +
    '507241528517 386209384616'
  ).split(' '),
);
const deliveryActions = /^s3:(putobject|getbucketacl|getbucketpolicy)$/;

const readOnly =
  /^[a-z0-9-]+:(get|list|describe|head|batchget|query|scan|view|check|select)\w*\*?$/;
// What is lost by one read of these cannot be taken back.
const secretServices = /^(secretsmanager|kms|ssm|glacier|backup):/;

/**
 * Takes the statements of a resource policy and the ground; gives whom they let in from outside,
 * worst first. Nothing for a policy that stays within the account and AWS services.
 */
export function judgeResourcePolicy(
  statements: readonly Statement[],
  ground: Ground,
): readonly Finding[] {
  return ordered(statements.flatMap((one) => judgeStatement(one, ground)));
}

function judgeStatement(statement: Statement, ground: Ground): readonly Finding[] {
  if (statement.effect !== 'allow') return [];
  const findings: Finding[] = [];
  const limits = callerConditions(statement.conditions).map((one) => plain(one.key, 60));
  const actions = actionsOf(statement);
  if (isForEveryone(statement, ground)) {
    findings.push(
      limits.length > 0
        ? {
            severity: 'low',
            what: `lets everybody who meets a condition on ${limits.join(', ')} ${actions}`,
          }
        : { severity: publicSeverity(statement), what: `lets everybody in the world ${actions}` },
    );
  }
  const isBound = limits.some((key) =>
    /^aws:(principalorg|source(account|orgid|arn))|^kms:calleraccount/.test(key),
  );
  for (const { account, whole, text } of outsiders(statement.principals, ground)) {
    if (deliveryAccounts.has(account) && isDelivery(statement)) continue;
    const who = whole ? `account ${account}` : plain(text);
    findings.push(
      isBound
        ? {
            severity: 'low',
            what: `lets ${who} ${actions}, under a condition on ${limits.join(', ')}`,
          }
        : { severity: 'high', what: `lets ${who} ${actions}; the account is not known` },
    );
  }
  for (const id of statement.principals?.canonical ?? []) {
    const what = `lets the canonical user ${plain(id, 20)} ${actions}`;
    findings.push({ severity: 'medium', what });
  }
  return findings;
}

function publicSeverity(statement: Statement): 'critical' | 'high' {
  if (statement.notActions !== undefined || statement.actions.length === 0) return 'critical';
  const harmless = statement.actions.every(
    (one) => readOnly.test(one) && !secretServices.test(one),
  );
  return harmless ? 'high' : 'critical';
}

function isDelivery(statement: Statement): boolean {
  return (
    statement.notActions === undefined &&
    statement.actions.every((one) => deliveryActions.test(one))
  );
}

function actionsOf(statement: Statement): string {
  if (statement.notActions !== undefined) return 'do everything but what it excepts';
  const { actions } = statement;
  if (actions.some((one) => /^\*+$|:\*+$/.test(one))) return 'do everything with it';
  const shown = statement.actionsShown.slice(0, 3).map((one) => plain(one, 60));
  if (actions.length > 3) shown.push(`${actions.length - 3} more actions`);
  return `do ${shown.join(', ') || 'what it says'}`;
}
