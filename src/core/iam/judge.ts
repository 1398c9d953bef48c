// Judges an identity policy: what it makes possible for whoever holds it.
import { plain } from '../text.ts';
import { isLimiting, limitingConditions } from './conditions.ts';
import type { Statement } from './document.ts';
import { type EscalationPath, escalationPaths, iamAdminActions } from './escalation-paths.ts';
import { type Finding, ordered } from './finding.ts';
import { anyGlobMatches, coversAll, globMatches } from './glob.ts';
import { iamKindOf, isBroad } from './resources.ts';

// Whole services whose full control is near to control of the account or of its data.
const strongServices = new Set(
  'cloudtrail dynamodb ec2 iam kms lambda organizations rds s3 secretsmanager sso ssm sts'.split(
    ' ',
  ),
);

// Reads that give away what the account holds, with the words for it.
const reads: readonly (readonly [action: string, severity: 'medium' | 'low', words: string])[] = [
  ['secretsmanager:getsecretvalue', 'medium', 'allows reading every secret'],
  ['s3:getobject', 'low', 'allows reading every object of every bucket'],
  ['kms:decrypt', 'low', 'allows decrypting with every key'],
  ['ssm:getparameter', 'low', 'allows reading every parameter'],
];

/**
 * Takes the statements of an identity policy; gives what they make possible, worst first. Nothing
 * for a policy that is narrow or only denies.
 */
export function judgePolicy(statements: readonly Statement[]): readonly Finding[] {
  const grants = new Grants(statements);
  const findings = [...adminFindings(grants), ...limitedAdmin(statements)];
  if (findings.some((one) => one.severity === 'critical')) return ordered(findings);
  const paths = pathFindings(grants);
  const everything = findings.length > 0 ? [] : serviceFindings(statements, grants);
  return ordered([...findings, ...passRole(grants), ...paths, ...everything, ...dataReads(grants)]);
}

/** Takes statements; gives whether all of them deny: such a policy only takes rights away. */
export function isDenyOnly(statements: readonly Statement[]): boolean {
  return statements.length > 0 && statements.every((one) => one.effect === 'deny');
}

/** What the allows of a document leave after its unconditional denies. */
class Grants {
  readonly #allows: readonly Statement[];
  readonly #denies: readonly Statement[];
  readonly #known = new Map<string, boolean>();

  constructor(statements: readonly Statement[]) {
    this.#allows = statements.filter((one) => one.effect === 'allow' && isUnlimited(one));
    this.#denies = statements.filter((one) => one.effect === 'deny' && one.conditions.length === 0);
  }

  /** The allows that no condition limits. */
  get allows(): readonly Statement[] {
    return this.#allows;
  }

  /**
   * Takes an action in lower case, and for PassRole the service; gives whether all is allowed it.
   */
  has(action: string, passedTo?: string): boolean {
    const key = passedTo === undefined ? action : `${action} ${passedTo}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const allowed = this.#allows.some(
      (one) => covers(one, action) && isBroad(one, action) && passes(one, action, passedTo),
    );
    const result = allowed && !this.isDenied(action);
    this.#known.set(key, result);
    return result;
  }

  isDenied(action: string): boolean {
    return this.#denies.some((one) => covers(one, action) && isBroad(one, action));
  }

  hasIamAdmin(): boolean {
    return iamAdminActions.every((action) => this.has(action));
  }
}

function isUnlimited(statement: Statement): boolean {
  return limitingConditions(statement.conditions).length === 0;
}

/** Gives whether a statement's actions, or what its NotAction leaves, hold an action. */
function covers(statement: Statement, action: string): boolean {
  if (statement.notActions !== undefined) return !anyGlobMatches(statement.notActions, action);
  return statement.actions.some((pattern) => pattern === '*' || globMatches(pattern, action));
}

// `iam:PassedToService` limits PassRole to the services it names, and nothing else.
function passes(statement: Statement, action: string, passedTo: string | undefined): boolean {
  if (action !== 'iam:passrole') return true;
  const tests = statement.conditions.filter((one) => one.key === 'iam:passedtoservice');
  const limiting = tests.filter((one) => isLimiting(one));
  if (limiting.length === 0) return true;
  if (passedTo === undefined) return false;
  return limiting.every((one) =>
    one.values.some((value) => globMatches(value.toLowerCase(), passedTo)),
  );
}

function isEveryAction(pattern: string): boolean {
  return /^\*+(:\*+)?$/.test(pattern);
}

function adminFindings(grants: Grants): readonly Finding[] {
  const findings: Finding[] = [];
  const hasIam = grants.hasIamAdmin();
  for (const one of grants.allows) {
    if (!isBroad(one, '*')) continue;
    const except = one.notResources === undefined ? '' : ' but those it excepts';
    if (one.notActions !== undefined) {
      const left = one.notActions
        .slice(0, 3)
        .map((action) => plain(action, 40))
        .join(', ');
      const words = `allows every action except ${left || 'none'} on every resource${except}`;
      findings.push(
        hasIam
          ? { severity: 'critical', what: `${words}, IAM included: this is administrator` }
          : { severity: 'high', what: words },
      );
    } else if (one.actions.some(isEveryAction)) {
      findings.push(
        hasIam
          ? { severity: 'critical', what: `allows every action on every resource${except}` }
          : { severity: 'high', what: 'allows every action on every resource but what it denies' },
      );
    }
  }
  if (hasIam && findings.length === 0) {
    const what = 'allows administration of IAM on every resource: the holder is administrator';
    findings.push({ severity: 'critical', what });
  }
  return findings;
}

// A condition on MFA or on an address does not make an administrator small, only less exposed.
function limitedAdmin(statements: readonly Statement[]): readonly Finding[] {
  const findings: Finding[] = [];
  for (const one of statements) {
    const limits = limitingConditions(one.conditions);
    if (one.effect !== 'allow' || limits.length === 0 || !isBroad(one, '*')) continue;
    const isAdmin =
      one.actions.some((action) => isEveryAction(action) || action === 'iam:*') ||
      (one.notActions !== undefined && covers(one, 'iam:attachuserpolicy'));
    if (!isAdmin) continue;
    const keys = [...new Set(limits.map((limit) => plain(limit.key, 60)))].slice(0, 3).join(', ');
    findings.push({
      severity: 'medium',
      what: `allows administration under a condition on ${keys}`,
    });
  }
  return findings;
}

function passRole(grants: Grants): readonly Finding[] {
  if (!grants.has('iam:passrole')) return [];
  const what = 'allows iam:PassRole of every role to every service';
  return [{ severity: 'high', what }];
}

function pathFindings(grants: Grants): readonly Finding[] {
  const matched: EscalationPath[] = [];
  for (const path of escalationPaths) {
    if (!path.actions.every((action) => grants.has(action, path.passedTo))) continue;
    // Paths come shortest first: one that holds a matched one whole adds nothing new.
    const adds = !matched.some((known) => known.actions.every((one) => path.actions.includes(one)));
    if (adds) matched.push(path);
  }
  return matched.map((path) => ({
    severity: 'high',
    what:
      `allows ${path.shown.join(' with ')} on every ${kindOf(path)}: ` +
      `holder can ${path.gain} (${path.id})`,
    path: path.id,
  }));
}

// IAM actions of one kind are named with it: "on every policy" says more than "on every resource".
function kindOf(path: EscalationPath): string {
  const kinds = new Set(path.actions.map((action) => iamKindOf(action) ?? 'resource'));
  const [kind = 'resource'] = kinds;
  return kinds.size === 1 ? kind : 'resource';
}

function serviceFindings(statements: readonly Statement[], grants: Grants): readonly Finding[] {
  const services = new Set<string>();
  for (const one of statements) {
    if (one.effect !== 'allow' || !isUnlimited(one)) continue;
    for (const action of one.actions) {
      const service = /^([a-z0-9-]+):\*+$/.exec(action)?.[1];
      if (service === undefined || !isBroad(one, action)) continue;
      if (!grants.isDenied(`${service}:*`)) services.add(service);
    }
  }
  const strong = [...services].filter((one) => strongServices.has(one)).sort();
  const other = [...services].filter((one) => !strongServices.has(one)).sort();
  const findings: Finding[] = [];
  if (strong.length > 0) findings.push({ severity: 'high', what: fullControl(strong) });
  if (other.length > 0) findings.push({ severity: 'low', what: fullControl(other) });
  return findings;
}

function fullControl(services: readonly string[]): string {
  const shown = services.slice(0, 6).map((one) => plain(`${one}:*`, 40));
  const rest = services.length - shown.length;
  const more = rest > 0 ? ` and ${rest} more services` : '';
  return `allows ${shown.join(', ')}${more} on every resource`;
}

function dataReads(grants: Grants): readonly Finding[] {
  return reads
    .filter(([action]) => grants.has(action))
    .map(([, severity, what]) => ({ severity, what }));
}

/** Takes a policy pattern; gives whether it covers every action of every service. */
export function coversEveryAction(pattern: string): boolean {
  return coversAll(pattern) || isEveryAction(pattern);
}
