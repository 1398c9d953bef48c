// AWS quarantined a user for a leaked key, and the user's keys went on being used or were enabled again.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  evidenceOf,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { isQuarantine } from '../src/core/iam/managed-policies.ts';
import { firstsSchema, inOrder, noted } from '../src/core/instances.ts';
import { isLongTerm, ownerIn, userKeyOf } from '../src/core/keys.ts';
import type { Evidence } from '../src/core/signal.ts';
import { evidenceSchema } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, hourMs, minuteMs, windowStart } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'quarantined-key-still-used',
  title: 'Quarantined access key still used',
  severity: 'high',
  practice: 'access-keys',
  what: 'AWS attached its quarantine policy to an IAM user because an access key was found in public, and keys of that user signed calls afterwards, or a key was set to active again.',
  why: 'The quarantine stops only some calls. Until the key is deactivated, whoever found it can read data and use all that the policy leaves open.',
  innocent: [
    'The workload that the key belongs to goes on using it until the key is replaced: the thief may do so too.',
    'A new key of the same user, made to replace the leaked one.',
  ],
  firstSteps: [
    'Deactivate the leaked key now (aws iam update-access-key --status Inactive); the support case and the e-mail from AWS name it.',
    'Tell calls of the workload from those of strangers in the timeline: by address, by what is called.',
    'Look for users, keys, roles, instances and models made or used since the leak, in all Regions.',
    'Give the workload a role or a new key, remove the leaked one from where it was found, and only then detach the policy.',
  ],
  attack: attack({
    'T1552.001': 'Unsecured Credentials: Credentials In Files',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'The call that attaches the policy does not say which key leaked: all keys of the user are watched.',
    'The policy itself, attached or detached, is told by iam-policy-changed.',
    'The watch ends 30 days after the quarantine, or when the policy is detached.',
  ],
};

const config = z.strictObject({
  graceMinutes: z
    .int()
    .min(0)
    .max(1440)
    .default(60)
    .describe('Minutes after the quarantine in which use of a key is not told yet.'),
});
type Config = z.infer<typeof config>;

const stateSchema = z.object({
  account: z.string(),
  user: z.string(),
  /** The first of each: `quarantined`, and `woken KEY` for keys set to active. */
  firsts: firstsSchema,
  /** The last of each hour that policies were detached. */
  freedAt: z.number(),
  /** By key, the first use of the last hour of the day in which it was used. */
  uses: z.record(z.string(), evidenceSchema),
});
type State = z.infer<typeof stateSchema>;

const watchDays = 30;
/** IAM allows two keys a user; a few more may be made and deleted in a day. */
const keysMax = 10;

export default folding<Config, State>({
  meta,
  on: [
    'key:long-term',
    'iam.amazonaws.com:AttachUserPolicy',
    'iam.amazonaws.com:PutUserPolicy',
    'iam.amazonaws.com:DetachUserPolicy',
    'iam.amazonaws.com:DeleteUserPolicy',
    'iam.amazonaws.com:UpdateAccessKey',
  ],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: (watchDays + 1) * dayMs,
    reachMs: watchDays * dayMs,
    key(event) {
      const told = toldOf(event);
      if (told === undefined) return 'neither a quarantine nor the use of a key of a user';
      return { key: `${plain(told.user)} in ${plain(event.account)}` };
    },
    empty: () => ({ account: '', user: '', firsts: {}, freedAt: 0, uses: {} }),
  },
  isKnown(event, state) {
    const told = toldOf(event);
    return told?.kind === 'used' && !isUseNews(state, told.key, event);
  },
  fold(event, state) {
    const told = toldOf(event);
    if (told === undefined) return false;
    state.account = plain(event.account);
    state.user = plain(told.user);
    if (told.kind === 'quarantined') return noted(state.firsts, 'quarantined', event, 20);
    if (told.kind === 'woken') return noted(state.firsts, `woken ${told.key}`, event, 20);
    if (told.kind === 'freed') {
      if (event.time <= state.freedAt) return false;
      state.freedAt = event.time;
      return true;
    }
    if (!isUseNews(state, told.key, event)) return false;
    state.uses[plain(told.key)] = evidenceOf(event);
    for (const extra of Object.keys(state.uses).sort().slice(keysMax)) delete state.uses[extra];
    return true;
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket, at) => judgeDay(bucket, buckets.slice(0, at + 1), settings));
  },
});

type Told =
  | { readonly kind: 'quarantined' | 'freed'; readonly user: string; readonly key: '' }
  | { readonly kind: 'woken' | 'used'; readonly user: string; readonly key: string };

function toldOf(event: Event): Told | undefined {
  const ofPolicy = event.source === 'iam.amazonaws.com' ? policyTold(event) : undefined;
  if (ofPolicy !== undefined) return ofPolicy;
  const key = userKeyOf(event);
  if (key === undefined || event.principal.kind !== 'user') return undefined;
  return { kind: 'used', user: event.principal.name, key };
}

function policyTold(event: Event): Told | undefined {
  if (event.outcome !== 'success') return undefined;
  const user = ownerIn(event);
  if (user === undefined) return undefined;
  const isLeak =
    isQuarantine(event.text('requestParameters.policyArn') ?? '') ||
    event.text('requestParameters.policyName') === 'AWSExposedCredentialPolicy_DO_NOT_REMOVE';
  if (/^(Attach|Put)UserPolicy$/.test(event.name) && isLeak)
    return { kind: 'quarantined', user, key: '' };
  if (/^(Detach|Delete)UserPolicy$/.test(event.name) && isLeak)
    return { kind: 'freed', user, key: '' };
  const key = event.text('requestParameters.accessKeyId');
  const isActive = event.text('requestParameters.status') === 'Active';
  if (event.name === 'UpdateAccessKey' && isActive && isLongTerm(key))
    return { kind: 'woken', user, key };
  return undefined;
}

/** A busy key changes state once an hour: the last hour stands, and in it the first use. */
function isUseNews(state: State, key: string, event: Event): boolean {
  const old = state.uses[plain(key)];
  if (old === undefined) {
    const names = Object.keys(state.uses);
    return names.length < keysMax || names.some((one) => one > plain(key));
  }
  const hours = windowStart(event.time, hourMs) - windowStart(old.time, hourMs);
  return hours > 0 || (hours === 0 && inOrder(evidenceOf(event), old) < 0);
}

function judgeDay(
  { start, state }: Bucket<State>,
  days: readonly Bucket<State>[],
  settings: Config,
): readonly JudgedSignal[] {
  const near = days.filter((one) => one.start >= start - watchDays * dayMs);
  const proofs = near.flatMap((one) => one.state.firsts['quarantined'] ?? []);
  const quarantine = proofs.at(-1);
  if (quarantine === undefined) return [];
  const freedAt = Math.max(...near.map((one) => one.state.freedAt));
  const isWatched = (time: number) => freedAt <= quarantine.time || time < freedAt;
  const after = quarantine.time + settings.graceMinutes * minuteMs;
  const used = Object.entries(state.uses)
    .filter(([, use]) => use.time > after && isWatched(use.time))
    .map(([key, use]) => signalFor(state, quarantine, use, { key, isWoken: false }));
  const woken = Object.entries(state.firsts)
    .filter(([name, at]) => name.startsWith('woken ') && at.time > quarantine.time)
    .map(([name, at]) =>
      signalFor(state, quarantine, at, { key: name.slice('woken '.length), isWoken: true }),
    );
  return [...woken, ...used];
}

function signalFor(
  state: State,
  quarantine: Evidence,
  proof: Evidence,
  { key, isWoken }: { key: string; isWoken: boolean },
): JudgedSignal {
  const day = formatTime(proof.time).slice(0, 10);
  const since = formatTime(quarantine.time);
  const arn = `arn:aws:iam::${state.account}:user/${state.user}`;
  const name = `Access key ${key} of quarantined user ${state.user}`;
  return {
    key: `${isWoken ? 'woken' : 'used'} ${key} ${day}`,
    time: proof.time,
    account: state.account,
    // The key of a user is the user's; who woke it is in the evidence.
    principal: proof.caller?.principal ?? {
      key: `user/${state.account}/${arn}`,
      kind: 'user',
      account: state.account,
      name: state.user,
      arn,
    },
    evidence: [quarantine, proof],
    count: 2,
    severity: 'high',
    title: isWoken ? `${name} was set to active again` : `${name} was still used on ${day}`,
    reason: isWoken
      ? `AWS had quarantined the user at ${since} for a key found in public; ${proof.who} enabled this key from ${proof.from}.`
      : `AWS had quarantined the user at ${since} for a key found in public. Last hour of use that day: ${proof.what} from ${proof.from}, ${proof.outcome}.`,
    facts: { from: proof.from, accessKey: key, quarantined: since },
  };
}
