// Judges trust in an identity provider: whether the conditions pin it to this owner's workloads.
import { plain } from '../text.ts';
import { isLimiting } from './conditions.ts';
import type { Condition, Statement } from './document.ts';
import type { Finding } from './finding.ts';

// Providers that serve everybody: without a claim of one's own, every customer of theirs is let in.
const shared: readonly (readonly [host: RegExp, name: string])[] = [
  [/^gitlab\.com$/, 'GitLab.com'],
  [/^app\.terraform\.io$/, 'HCP Terraform'],
  [/^api\.bitbucket\.org\//, 'Bitbucket'],
  [/^accounts\.google\.com$/, 'Google'],
  [/^(graph\.facebook\.com|www\.amazon\.com)$/, 'a public sign-in'],
  [/^agent\.buildkite\.com$/, 'Buildkite'],
  [/^oidc\.(codefresh\.io|vercel\.com)/, 'a shared build service'],
  [
    /^(api\.pulumi\.com\/oidc|api\.spacelift\.io|[\w-]+\.app\.spacelift\.io)$/,
    'a shared build service',
  ],
  [/^oidc\.circleci\.com\//, 'CircleCI'],
];

const github = 'token.actions.githubusercontent.com';
const cognito = 'cognito-identity.amazonaws.com';

/** Takes a federated principal and its statement; gives what is wrong with the trust in it. */
export function judgeFederated(principal: string, statement: Statement): readonly Finding[] {
  if (principal === cognito) return judgeCognito(statement.conditions);
  if (/:saml-provider\//.test(principal)) return judgeSaml(statement.conditions);
  const host = (principal.split(':oidc-provider/')[1] ?? principal).toLowerCase();
  const claims = claimsOf(host, statement.conditions);
  if (host === github || host.startsWith(`${github}/`)) return judgeGithub(claims);
  return judgeShared(host, claims);
}

// Conditions on the provider's own claims, by claim: `sub`, `aud`, `repository_id`.
function claimsOf(
  host: string,
  conditions: readonly Condition[],
): ReadonlyMap<string, Condition[]> {
  const claims = new Map<string, Condition[]>();
  for (const one of conditions) {
    if (!one.key.startsWith(`${host}:`)) continue;
    const claim = one.key.slice(host.length + 1);
    claims.set(claim, [...(claims.get(claim) ?? []), one]);
  }
  return claims;
}

function judgeGithub(claims: ReadonlyMap<string, Condition[]>): readonly Finding[] {
  const findings: Finding[] = [];
  if (!pins(claims.get('aud'))) {
    findings.push({ severity: 'medium', what: 'does not test the audience of GitHub tokens' });
  }
  const pinnedOtherwise = ['repository', 'repository_id', 'repository_owner_id', 'job_workflow_ref']
    .map((claim) => claims.get(claim))
    .some((conditions) => pins(conditions));
  const subs = positiveValues(claims.get('sub'));
  if (pinnedOtherwise) return findings;
  if (subs === undefined) {
    const what = 'lets every repository on GitHub assume the role: no condition tests the subject';
    return [{ severity: 'critical', what }, ...findings];
  }
  // Values of one condition are alternatives: the widest decides.
  const widest = subs.map(githubSubject).sort((a, b) => b.rank - a.rank)[0];
  if (widest?.finding !== undefined) findings.unshift(widest.finding);
  return findings;
}

function githubSubject(sub: string): { readonly rank: number; readonly finding?: Finding } {
  const shown = plain(sub);
  const [owner = '', repository] = sub.replace(/^repo:/i, '').split('/', 2);
  if (/^[*?]*$/.test(sub) || !/^repo:/i.test(sub) || /^[*?]/.test(owner)) {
    if (/^[\w-]+:/.test(sub) && !/[*?]/.test(sub)) return { rank: 0 };
    const what = `lets every repository on GitHub assume the role: the subject may be ${shown}`;
    return { rank: 3, finding: { severity: 'critical', what } };
  }
  if (/[*?]/.test(owner)) {
    const what = `lets every owner on GitHub whose name fits ${shown} assume the role`;
    return { rank: 2, finding: { severity: 'high', what } };
  }
  if (repository === undefined || /^[*?]/.test(repository)) {
    const what = `lets every repository of ${plain(owner)} on GitHub assume the role`;
    return { rank: 1, finding: { severity: 'medium', what } };
  }
  return { rank: 0 };
}

function judgeShared(host: string, claims: ReadonlyMap<string, Condition[]>): readonly Finding[] {
  const shown = plain(host);
  const name = shared.find(([pattern]) => pattern.test(host))?.[1];
  const subs = positiveValues(claims.get('sub'));
  const isTenantBound = [...claims].some(
    ([claim, conditions]) => claim !== 'aud' && claim !== 'amr' && pins(conditions),
  );
  if (name === undefined) {
    if (isTenantBound) return [];
    const what = `lets every subject of ${shown} assume the role: no condition tests the subject`;
    return [{ severity: 'medium', what }];
  }
  // Google and the public sign-ins give every customer an audience of his own: it is the tenant.
  const isByAudience = /google|facebook|amazon\.com|circleci/.test(host);
  if (isByAudience && (pins(claims.get('aud')) || pins(claims.get('app_id')))) return [];
  if (isTenantBound && subs?.every((sub) => !startsWild(sub)) !== false) return [];
  const what = `lets every customer of ${name} (${shown}) assume the role: no condition names one`;
  return [{ severity: 'high', what }];
}

function judgeCognito(conditions: readonly Condition[]): readonly Finding[] {
  const claims = claimsOf(cognito, conditions);
  const findings: Finding[] = [];
  if (!pins(claims.get('aud'))) {
    const what = 'lets every Cognito identity pool of the world assume the role';
    findings.push({ severity: 'high', what });
  }
  const amr = (claims.get('amr') ?? []).flatMap((one) => one.values);
  if (amr.some((value) => value.toLowerCase() === 'unauthenticated')) {
    findings.push({ severity: 'high', what: 'lets visitors who did not sign in assume the role' });
  } else if (amr.length === 0) {
    const what = 'does not test whether a Cognito visitor has signed in';
    findings.push({ severity: 'medium', what });
  }
  return findings;
}

function judgeSaml(conditions: readonly Condition[]): readonly Finding[] {
  const audience = conditions.filter((one) => one.key === 'saml:aud');
  if (pins(audience)) return [];
  return [{ severity: 'medium', what: 'trusts a SAML provider without testing SAML:aud' }];
}

function pins(conditions: readonly Condition[] | undefined): boolean {
  return (
    conditions?.some((one) => isLimiting(one) && one.values.every((v) => !startsWild(v))) === true
  );
}

// Undefined where no positive test of the claim exists at all.
function positiveValues(
  conditions: readonly Condition[] | undefined,
): readonly string[] | undefined {
  const positive = (conditions ?? []).filter(
    (one) => !one.operator.includes('not') && !one.operator.endsWith('ifexists'),
  );
  const tests = positive.filter(
    (one) => /^(foranyvalue:)?(string|arn)/.test(one.operator) && one.values.length > 0,
  );
  // Several tests must all hold: the narrowest is the one with limits.
  return (tests.find((one) => isLimiting(one)) ?? tests[0])?.values;
}

function startsWild(value: string): boolean {
  return /^([\w-]+:)?[*?]/.test(value);
}
