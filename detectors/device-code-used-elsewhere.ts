// A person approved a device code in the browser, and the token went to a machine in another network.
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

const memoryDays = 30;

const meta: DetectorMeta = {
  id: 'device-code-used-elsewhere',
  title: 'Device code used elsewhere',
  severity: 'medium',
  practice: 'temporary-credentials',
  what: `A token of Identity Center was fetched by device code (CreateToken) from a network from which the person had neither signed in nor fetched tokens in ${memoryDays} days, on a day on which the person signed in from another.`,
  why: 'An intruder sends a person a link with a device code; the person signs in with MFA as on every day, and the token goes to the intruder. With it, credentials of every role of the person can be fetched for hours.',
  innocent: [
    'The person works on a remote machine (a cloud workstation, a jump host) and signs in with the browser at home.',
    'The command line goes through a VPN and the browser does not.',
  ],
  firstSteps: [
    'Ask the person whether they began a sign-in on a machine in that network, or followed a link somebody sent.',
    'If they followed a link: end their sessions in Identity Center (delete active sessions), and put a deny on older tokens on the roles that were fetched (aws:TokenIssueTime).',
    'Read GetRoleCredentials from that network, and what those sessions did in each account.',
  ],
  attack: attack({
    T1528: 'Steal Application Access Token',
    'T1566.002': 'Phishing: Spearphishing Link',
    'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
  }),
  cis: [],
  gaps: [
    'Records that do not name the Identity Center user are not judged.',
    'In the first days of a person it is low: what is usual is not known yet.',
    'Networks are compared as /16 (IPv6: /32) within one UTC day.',
  ],
};

const config = z.strictObject({
  learningDays: z
    .int()
    .min(1)
    .max(memoryDays)
    .default(7)
    .describe('Days a person must have been seen before a new network is medium.'),
});
type Config = z.infer<typeof config>;

const networksMax = 20;

export default folding<Config, Diary>({
  meta,
  on: [
    'signin.amazonaws.com:UserAuthentication',
    'sso.amazonaws.com:Authenticate',
    'sso.amazonaws.com:Federate',
    'sso.amazonaws.com:CreateToken',
    'sso-oauth.amazonaws.com:CreateToken',
    'sso-oidc.amazonaws.com:CreateToken',
    'sso.amazonaws.com:GetRoleCredentials',
  ],
  config,
  state: {
    version: 1,
    schema: diarySchema,
    scope: 'organisation',
    bucketMs: dayMs,
    lifetimeMs: (memoryDays + 1) * dayMs,
    reachMs: memoryDays * dayMs,
    key(event) {
      if (event.principal.kind !== 'identity-center') return 'no Identity Center user is named';
      if (event.outcome !== 'success') return 'it did not succeed';
      if (publicAddressOf(event) === undefined) return 'not from a public address';
      return entriesOf(event).length === 0
        ? 'neither a sign-in nor a token by device code'
        : { key: event.principal.key };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event), networksMax),
  fold: (event, state) => written(state, event, entriesOf(event), networksMax),
  judge: (buckets, settings) =>
    buckets.flatMap((bucket, at) => judgeDay(bucket, buckets.slice(0, at), settings)),
});

function entriesOf(event: Event): readonly Entry[] {
  const network = networkOf(publicAddressOf(event) ?? '');
  if (event.name === 'GetRoleCredentials') {
    const role = plain(event.text('requestParameters.role_name') ?? roleIn(event), 60);
    return [[`roles ${network}`, role]];
  }
  if (event.name !== 'CreateToken') {
    const result = event.text('serviceEventDetails.UserAuthentication');
    return result !== undefined && result !== 'Success' ? [] : [['signed in', network]];
  }
  const grant = event.text('requestParameters.grantType') ?? '';
  return grant.endsWith('device_code') ? [['tokens', network]] : [];
}

function roleIn(event: Event): string {
  return event.text('requestParameters.roleName') ?? 'a role not in the record';
}

function judgeDay(
  bucket: Bucket<Diary>,
  earlier: readonly Bucket<Diary>[],
  settings: Config,
): readonly JudgedSignal[] {
  const { state, start } = bucket;
  const here = namesIn(state, 'signed in');
  if (here.length === 0) return [];
  const before = earlier.filter((one) => one.start >= start - memoryDays * dayMs);
  const usual = new Set(
    before.flatMap((one) => [...namesIn(one.state, 'tokens'), ...namesIn(one.state, 'signed in')]),
  );
  const isLearned =
    before[0] !== undefined && start - before[0].start >= settings.learningDays * dayMs;
  return namesIn(state, 'tokens')
    .filter((network) => !here.includes(network) && !usual.has(network))
    .filter((network) => here.some((one) => one.includes(':') === network.includes(':')))
    .map((network) => tell(bucket, network, here, isLearned));
}

function tell(
  bucket: Bucket<Diary>,
  network: string,
  here: readonly string[],
  isLearned: boolean,
): JudgedSignal {
  const { state } = bucket;
  const roles = namesIn(state, `roles ${network}`);
  const token = state.sections['tokens']?.[network];
  const signal = signalOf(bucket, `token ${network}`, ['signed in', `roles ${network}`]);
  const evidence = [...(token === undefined ? [] : [token]), ...signal.evidence].slice(0, 20);
  const fetched =
    roles.length > 0
      ? `From there credentials were fetched: ${listed(roles)}.`
      : 'No credentials were fetched from there that day.';
  return {
    ...signal,
    evidence,
    count: evidence.length,
    time: token?.time ?? signal.time,
    severity: isLearned ? 'medium' : 'low',
    title: `A token of Identity Center user ${nameOf(state)} went by device code to another network, ${network}`,
    reason: `That day the person signed in from ${listed(here)} only. ${fetched}${isLearned ? '' : ' The person has not been seen long enough to know what is usual.'}`,
    facts: { from: token?.from ?? network, signedInFrom: listed(here) },
  };
}
