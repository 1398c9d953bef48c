// Access was given and taken back within the hour: long enough to use it, too short to be noticed.
import { z } from 'zod';
import {
  type CallPattern,
  type DetectorMeta,
  evidenceOf,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { changeOf } from '../src/core/iam/changes/index.ts';
import { worstOf } from '../src/core/iam/finding.ts';
import type { Principal } from '../src/core/principal.ts';
import { severityRank } from '../src/core/severity.ts';
import { nameOf } from '../src/core/spree.ts';
import { evidenceSchema, listed, principalSchema } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, minuteMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'access-lent-for-minutes',
  title: 'Access lent for minutes',
  severity: 'low',
  practice: 'least-privilege',
  what: 'A powerful policy was attached and detached again, or a user, access key, console password or group membership was made and removed again, by the same principal within an hour.',
  why: 'Whoever looks at the account later sees nothing: the rights were there while they were needed and are gone. Intruders clean up like this.',
  innocent: [
    'A test of infrastructure code that builds and removes its own users and roles: shown as low.',
    'An administrator who lends a right for one task, or corrects a mistake at once.',
  ],
  firstSteps: [
    'Read what the holder of the access did between the two events: the timeline of its own alert.',
    'Ask the person who gave it what it was for.',
    'If nobody answers for it: the harm is what was done in between, so look for identities, keys and copies of data made then.',
  ],
  attack: attack({
    T1098: 'Account Manipulation',
    'T1548.005': 'Abuse Elevation Control Mechanism: Temporary Elevated Cloud Access',
    T1070: 'Indicator Removal',
  }),
  cis: [],
  gaps: [
    'Access taken back by another principal, or after the window, is not joined.',
    'A trust policy that is changed and changed back is told by iam-policy-changed, twice.',
  ],
};

const config = z.strictObject({
  windowMinutes: z
    .int()
    .min(1)
    .max(1_440)
    .default(60)
    .describe('Minutes within which giving and taking back make a signal.'),
});
type Config = z.infer<typeof config>;

// What gives, and what takes the same thing back.
const pairs: Readonly<Record<string, string>> = {
  AttachUserPolicy: 'DetachUserPolicy',
  AttachRolePolicy: 'DetachRolePolicy',
  AttachGroupPolicy: 'DetachGroupPolicy',
  PutUserPolicy: 'DeleteUserPolicy',
  PutRolePolicy: 'DeleteRolePolicy',
  PutGroupPolicy: 'DeleteGroupPolicy',
  CreateUser: 'DeleteUser',
  CreateAccessKey: 'DeleteAccessKey',
  CreateLoginProfile: 'DeleteLoginProfile',
  AddUserToGroup: 'RemoveUserFromGroup',
};
const gives = Object.keys(pairs);
const calls = [...gives, ...Object.values(pairs)];

const proofSchema = z.object({
  name: z.string(),
  actor: principalSchema,
  account: z.string(),
  evidence: evidenceSchema,
});
type Proof = z.infer<typeof proofSchema>;
const stateSchema = z.object({ proofs: z.array(proofSchema), limited: z.boolean() });
type State = z.infer<typeof stateSchema>;

const proofsMax = 40;

export default folding<Config, State>({
  meta,
  on: calls.map((name): CallPattern => `iam.amazonaws.com:${name}`),
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 2 * dayMs,
    // The window may run over midnight.
    reachMs: dayMs,
    key(event) {
      if (event.outcome !== 'success') return 'the call did not succeed';
      if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
      const thing = thingOf(event);
      if (thing === '') return 'the record does not say what was given';
      return isSmall(event)
        ? 'the policy is not known to be powerful'
        : { key: `${event.principal.key} ${thing}` };
    },
    empty: () => ({ proofs: [], limited: false }),
  },
  fold(event, state) {
    const made: Proof = {
      name: event.name,
      actor: { ...event.principal },
      account: event.account,
      evidence: evidenceOf(event),
    };
    const all = [...state.proofs, made].sort(inOrder);
    state.limited ||= all.length > proofsMax;
    state.proofs = all.slice(0, proofsMax);
    return true;
  },
  judge(buckets, settings) {
    const all = buckets.flatMap(({ state }) => state.proofs).sort(inOrder);
    return buckets.flatMap(({ key, start, state }) =>
      judgeDay({ key, start, state, all }, settings),
    );
  },
});

/** Gives what was given, named alike by both calls; '' when the record does not say. */
function thingOf(event: Event): string {
  const at = (name: string) => plain(event.text(`requestParameters.${name}`));
  const holder = at('userName') || at('roleName') || at('groupName');
  const policy = at('policyArn') || at('policyName');
  const kind = /User|Role|Group/.exec(event.name)?.[0].toLowerCase() ?? '';
  switch (event.name) {
    case 'CreateUser':
    case 'DeleteUser':
      return holder && `user ${holder}`;
    case 'CreateLoginProfile':
    case 'DeleteLoginProfile':
      return holder && `a console password for user ${holder}`;
    case 'AddUserToGroup':
    case 'RemoveUserFromGroup':
      return at('groupName') && `a place in group ${at('groupName')} for user ${at('userName')}`;
    case 'CreateAccessKey':
    case 'DeleteAccessKey': {
      const id = plain(event.text('responseElements.accessKey.accessKeyId')) || at('accessKeyId');
      return id && `access key ${id}`;
    }
    default:
      return (
        holder &&
        policy &&
        `policy ${policy.slice(policy.lastIndexOf('/') + 1)} for ${kind} ${holder}`
      );
  }
}

function isSmall(event: Event): boolean {
  if (!/^(Attach|Put)/.test(event.name)) return false;
  const read = changeOf(event, []);
  const found = typeof read === 'string' ? undefined : worstOf(read.change.findings);
  return severityRank(found ?? 'info') < severityRank('high');
}

interface Day {
  readonly key: string;
  readonly start: number;
  readonly state: State;
  readonly all: readonly Proof[];
}

/**
 * One signal for a thing and day: of the first time it was given and taken back, with the number.
 */
function judgeDay({ key, start, state, all }: Day, { windowMinutes }: Config): JudgedSignal[] {
  const loans = state.proofs
    .filter((one) => gives.includes(one.name))
    .flatMap((given) => {
      const back = all.find(({ name, evidence: { time } }) => {
        const after = time - given.evidence.time;
        return name === pairs[given.name] && after >= 0 && after <= windowMinutes * minuteMs;
      });
      return back === undefined ? [] : [{ given, back }];
    });
  const first = loans[0];
  if (first === undefined) return [];
  const { given, back } = first;
  const actor = ownerOf(given);
  const isTool = actor.kind === 'role' && !actor.name.startsWith('AWSReservedSSO_');
  const isPolicy = /^(Attach|Put)/.test(given.name);
  const thing = key.slice(given.actor.key.length + 1);
  const minutes = Math.max(1, Math.round((back.evidence.time - given.evidence.time) / minuteMs));
  const often = loans.length > 1 ? ` It happened ${loans.length} times that day.` : '';
  const evidence = loans.flatMap((one) => [one.given.evidence, one.back.evidence]);
  const proofs = [...new Map(evidence.map((one) => [one.id, one])).values()];
  return [
    {
      key: `${key} ${start}`,
      time: given.evidence.time,
      account: given.account,
      principal: actor,
      severity: isTool || !isPolicy ? 'low' : 'medium',
      title: `${nameOf(actor)} gave ${thing} and took it back`,
      reason: `It stood for about ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.${often} ${
        isTool ? 'Tests of a deployment do so too.' : 'What was done meanwhile is what matters.'
      }`,
      evidence: proofs,
      count: proofs.length,
      facts: { thing, from: listed([...new Set(proofs.map((one) => one.from))].sort()) },
      limited: state.limited,
    },
  ];
}

function ownerOf({ actor }: Proof): Principal {
  const { arn, ...rest } = actor;
  return arn === undefined ? rest : { ...rest, arn };
}

function inOrder(a: Proof, b: Proof): number {
  return a.evidence.time - b.evidence.time || (a.evidence.id < b.evidence.id ? -1 : 1);
}
