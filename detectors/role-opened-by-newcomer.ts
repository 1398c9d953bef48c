// Somebody from outside opened a role for the first time: an account, an identity provider, a subject.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { firstsSchema, isNews, noted } from '../src/core/instances.ts';
import type { Evidence } from '../src/core/signal.ts';

import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime } from '../src/core/time.ts';

const memoryDays = 30;

const meta: DetectorMeta = {
  id: 'role-opened-by-newcomer',
  title: 'Role opened by a newcomer',
  severity: 'low',
  practice: 'temporary-credentials',
  what: `Another account, an identity provider (SAML or OIDC), or a subject of an OIDC provider opened a role of this account that it had not opened in the ${memoryDays} days before. A provider that is new to the account is medium. The first days of an account are for learning.`,
  why: 'Trust given once, by mistake or by an intruder, shows when it is first used: an unknown account, a provider nobody set up, a repository that is not yours.',
  innocent: [
    'A new partner, pipeline, repository or cluster.',
    'A yearly or quarterly job.',
    'A member account of your organisation that begins to use a shared role.',
  ],
  firstSteps: [
    'Find whom the account, provider or repository belongs to: a partner list, the organisation, the trust policy of the role and who wrote it last.',
    'If nobody knows it: remove it from the trust policy, and put a deny on older tokens on the role (aws:TokenIssueTime).',
    'Read what the session did after it was opened.',
  ],
  attack: attack({
    T1199: 'Trusted Relationship',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    'T1606.002': 'Forge Web Credentials: SAML Tokens',
  }),
  cis: [],
  gaps: [
    'Of SAML the provider is compared, not each person; of GitHub the repository, not the branch.',
    'Cognito identities are without number; of them the audience is not compared, only the provider.',
    'Sixty ways in are kept a day and account, the smallest by name.',
    'A member of the organisation counts as a stranger.',
  ],
};

const config = z.strictObject({
  learningDays: z
    .int()
    .min(1)
    .max(memoryDays)
    .default(7)
    .describe('Days an account must have been seen before anything is new.'),
});
type Config = z.infer<typeof config>;

const stateSchema = z.object({
  account: z.string(),
  ways: firstsSchema,
});
type State = z.infer<typeof stateSchema>;

const waysMax = 60;

export default folding<Config, State>({
  meta,
  on: [
    'sts.amazonaws.com:AssumeRole',
    'sts.amazonaws.com:AssumeRoleWithWebIdentity',
    'sts.amazonaws.com:AssumeRoleWithSAML',
  ],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: (memoryDays + 1) * dayMs,
    reachMs: memoryDays * dayMs,
    key(event) {
      const ways = waysOf(event);
      return typeof ways === 'string' ? ways : { key: plain(event.account) };
    },
    empty: () => ({ account: '', ways: {} }),
  },
  isKnown(event, state) {
    const ways = waysOf(event);
    if (typeof ways === 'string') return true;
    return !ways.some((way) => isNews(state.ways, way, event, waysMax));
  },
  fold(event, state) {
    const ways = waysOf(event);
    if (typeof ways === 'string') return false;
    state.account = plain(event.account);
    const changes = ways.map((way) => noted(state.ways, way, event, waysMax));
    return changes.includes(true);
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket, at) => judgeDay(bucket, buckets.slice(0, at), settings));
  },
});

/** A way in is a kind, who came, and the role, `|` between them; a provider is one by itself as well. */
function waysOf(event: Event): readonly string[] | string {
  if (event.outcome !== 'success') return 'it did not succeed';
  const arn = event.text('requestParameters.roleArn');
  const match = /^arn:[^:]+:iam::(\d{12}):role\/(.+)$/.exec(arn ?? '');
  if (match === null) return 'the record does not name the role';
  const [, owner = '', path = ''] = match;
  if (owner !== event.account) return 'a role of another account';
  const role = plain(path.slice(path.lastIndexOf('/') + 1), 64);
  const provider = plain(providerOf(event), 60);
  switch (event.identityType) {
    case 'AWSAccount':
      return accountWays(event, role);
    case 'WebIdentityUser':
      return [`provider|${provider}`, `subject|${subjectOf(event, provider)}|${role}`];
    case 'SAMLUser':
      return [`provider|${provider}`, `provider at role|${provider}|${role}`];
    default:
      return 'the caller is not from outside';
  }
}

function accountWays(event: Event, role: string): readonly string[] | string {
  const caller = event.text('userIdentity.accountId');
  if (caller === undefined || caller === event.account) return 'not another account';
  return [`account|${plain(caller, 20)}|${role}`];
}

/** An OIDC provider is its host, or the ARN of the provider. SAML writes issuer or ARN. */
function providerOf(event: Event): string {
  const name =
    event.text('userIdentity.identityProvider') ??
    event.text('requestParameters.providerId') ??
    event.text('requestParameters.principalArn') ??
    'a provider not in the record';
  return name.replace(/^arn:[^:]+:iam::\d*:(oidc-provider|saml-provider)\//, '');
}

function subjectOf(event: Event, provider: string): string {
  if (/cognito-identity/.test(provider)) return provider;
  const subject = event.text('userIdentity.userName') ?? '';
  const repository = /^repo:[^:]+/.exec(subject)?.[0] ?? /^project_path:[^:]+/.exec(subject)?.[0];
  return plain(repository ?? subject, 60) || provider;
}

function judgeDay(
  { start, state }: Bucket<State>,
  earlier: readonly Bucket<State>[],
  settings: Config,
): readonly JudgedSignal[] {
  const before = earlier.filter((one) => one.start >= start - memoryDays * dayMs);
  const first = before[0]?.start;
  if (first === undefined || start - first < settings.learningDays * dayMs) return [];
  const known = new Set(before.flatMap((one) => Object.keys(one.state.ways)));
  const fresh = Object.keys(state.ways).filter((way) => !known.has(way));
  const providers = fresh.filter((way) => way.startsWith('provider|'));
  // What a new provider opened is told with the provider.
  const newEvents = new Set(providers.flatMap((way) => state.ways[way]?.id ?? []));
  return fresh
    .filter((way) => providers.includes(way) || !newEvents.has(state.ways[way]?.id ?? ''))
    .sort()
    .flatMap((way) => {
      const proof = state.ways[way];
      return proof === undefined ? [] : [tell(state, start, way, proof)];
    });
}

function tell(state: State, start: number, way: string, proof: Evidence): JudgedSignal {
  const [kind = '', who = '', role = ''] = way.split('|');
  const isProvider = kind === 'provider';
  // Every cluster of EKS brings a provider of its own.
  const isCluster = /^oidc\.eks\./.test(who);
  const principal = proof.caller?.principal;
  const opened = isProvider
    ? `Identity provider ${who} opened a role for the first time`
    : `${titleOf[kind] ?? 'Subject'} ${who} opened role ${role} for the first time`;
  return {
    key: `${way} ${state.account} ${start}`,
    time: proof.time,
    account: state.account,
    principal: principal ?? {
      key: `external/${who}`,
      kind: 'external',
      account: state.account,
      name: who,
    },
    evidence: [proof],
    count: 1,
    severity: isProvider && !isCluster ? 'medium' : 'low',
    title: opened,
    reason: `In the ${memoryDays} days before ${formatTime(start).slice(0, 10)} it had not. From ${proof.from}.${isProvider && !isCluster ? ' New providers are rare, and whoever holds its keys can become every role that trusts it.' : ''}`,
    facts: { from: proof.from, ...(role === '' ? {} : { role }) },
    limited: Object.keys(state.ways).length >= waysMax,
  };
}

const titleOf: Readonly<Record<string, string>> = {
  account: 'Account',
  subject: 'Subject',
  'provider at role': 'Identity provider',
};
