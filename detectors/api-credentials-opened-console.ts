// Temporary API credentials were turned into a console session by GetSigninToken.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  type Diary,
  diarySchema,
  type Entry,
  emptyDiary,
  instanceOf,
  isWritten,
  nameOf,
  namesIn,
  networkOf,
  publicAddressOf,
  signalOf,
  written,
} from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'api-credentials-opened-console',
  title: 'API credentials opened the console',
  severity: 'medium',
  practice: 'temporary-credentials',
  what: 'A federated user, or the session of a workload or another role, asked for a sign-in token (GetSigninToken), which turns its credentials into a console session. One signal a principal and day.',
  why: 'Thieves turn a stolen key into a console session: the console shows them more, and no password or MFA is asked. Workloads never need a console.',
  innocent: [
    'An identity broker of your own that gives people console links: then the login comes from another network each time, and the role deserves an exception.',
    'A tool such as aws-vault, granted or leapp that opens the console for a developer.',
  ],
  firstSteps: [
    'Ask the owner of the principal whether it was them; compare the address of the token with that of the console login.',
    'If not: find the key behind the session in the chain of this alert, deactivate it, and put a deny on older tokens on its user or role (aws:TokenIssueTime).',
    'Read what the console session did: its calls carry sessionCredentialFromConsole.',
  ],
  attack: attack({
    'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
    'T1021.007': 'Remote Services: Cloud Services',
  }),
  cis: [],
  gaps: [
    'Identity Center asks for such tokens for every person who opens the console; its roles are left out where the call has the shape of its portal.',
    'Sessions of instances are told by instance-role-signed-in-to-console.',
    'Networks are compared as /16 (IPv6: /32) within one UTC day.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: ['signin.amazonaws.com:GetSigninToken', 'signin.amazonaws.com:ConsoleLogin'],
  config,
  state: {
    version: 1,
    schema: diarySchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 2 * dayMs,
    reachMs: 0,
    key(event) {
      const reason = quietOn(event);
      return reason ?? { key: `${plain(event.account)} ${event.principal.key}` };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets) => buckets.flatMap(judgeDay),
});

function quietOn(event: Event): string | undefined {
  if (!/^(AssumedRole|FederatedUser)$/.test(event.identityType)) return 'not a temporary session';
  if (instanceOf(event) !== undefined) return 'instance-role-signed-in-to-console tells it';
  if (event.outcome !== 'success') return 'it did not succeed';
  if (event.name === 'ConsoleLogin') {
    if (event.text('responseElements.ConsoleLogin') !== 'Success') return 'the login failed';
    const provider = event.field('additionalEventData.SamlProviderArn');
    return provider === undefined ? undefined : 'a SAML login, without a sign-in token';
  }
  return isPortal(event) ? 'Identity Center opened the console for a person' : undefined;
}

/** The path is reserved to AWS; the program alone would prove nothing. */
function isPortal(event: Event): boolean {
  const issuer = event.text('userIdentity.sessionContext.sessionIssuer.arn') ?? '';
  const isReserved = issuer.includes(':role/aws-reserved/sso.amazonaws.com/');
  return isReserved && event.userAgent.startsWith('Jersey/');
}

function entriesOf(event: Event): readonly Entry[] {
  const address = publicAddressOf(event);
  const network = address === undefined ? [] : [networkOf(address)];
  const session = sessionOf(event);
  if (event.name === 'ConsoleLogin') {
    return network.map((one) => ['logins', `${session} ${one}`] as const);
  }
  const isWorkload = event.text('userIdentity.inScopeOf.credentialsIssuedTo') !== undefined;
  return [
    ['tokens', session],
    ...network.map((one) => ['networks', `${session} ${one}`] as const),
    ...(isWorkload ? ([['workloads', session]] as const) : []),
  ];
}

function sessionOf(event: Event): string {
  const { kind, name } = event.principal;
  const session = event.text('userIdentity.principalId')?.split(':')[1];
  return plain(kind === 'federated' ? name : session || 'nameless', 64).replaceAll(' ', '_');
}

function judgeDay(bucket: Bucket<Diary>): JudgedSignal[] {
  const { state } = bucket;
  const sessions = namesIn(state, 'tokens');
  if (sessions.length === 0) return [];
  const elsewhere = namesIn(state, 'logins').filter((login) => isElsewhere(state, login));
  const isFederated = state.actor?.kind === 'federated';
  const workloads = namesIn(state, 'workloads');
  const signal = signalOf(bucket, `console ${state.account}`, ['tokens', 'logins']);
  const isMedium = workloads.length > 0 || (isFederated && elsewhere.length > 0);
  const reasons = [
    workloads.length > 0 ? 'The credentials are those of a workload, which needs no console.' : '',
    isFederated ? 'A session of GetFederationToken opens the console with no password or MFA.' : '',
    elsewhere.length > 0
      ? `The console was opened from another network than the one that asked for the token: ${listed(elsewhere)}.`
      : 'No console login from another network was seen.',
    `The token was asked for from ${listed(originsOf(signal.evidence))}.`,
  ];
  return [
    {
      ...signal,
      severity: isMedium ? 'medium' : 'low',
      title: `${nameOf(state)} turned API credentials into a console session (${listed(sessions)})`,
      reason: reasons.filter((one) => one !== '').join(' '),
      facts: { sessions: listed(sessions), from: listed(originsOf(signal.evidence)) },
    },
  ];
}

/** A login counts where the same session asked for a token, and from other networks only. */
function isElsewhere(state: Diary, login: string): boolean {
  const [session = ''] = login.split(' ');
  const networks = namesIn(state, 'networks').filter((one) => one.startsWith(`${session} `));
  return networks.length > 0 && !networks.includes(login);
}

function originsOf(evidence: JudgedSignal['evidence']): string[] {
  const tokens = evidence.filter((one) => one.what.endsWith(':GetSigninToken'));
  return [...new Set(tokens.map((one) => one.from))].sort();
}
