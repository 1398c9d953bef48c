// A user was put into a group that is known, from its own policies, to be powerful.
import { z } from 'zod';
import { type DetectorMeta, evidenceOf, folding, type JudgedSignal } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { changeOf } from '../src/core/iam/changes/index.ts';
import { ordered, worstOf } from '../src/core/iam/finding.ts';
import type { Principal } from '../src/core/principal.ts';
import { type Severity, severityRank } from '../src/core/severity.ts';
import { nameOf } from '../src/core/spree.ts';
import { evidenceSchema, listed, principalSchema } from '../src/core/tally.ts';
import { attack, cis, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'user-joined-powerful-group',
  title: 'User joined a powerful group',
  severity: 'medium',
  practice: 'separation-of-duties',
  what: 'An IAM user was added to a group that had been given powerful rights in the month before, as the trail shows; the call that adds names neither the rights nor the policy.',
  why: 'Arming a group and joining it are two harmless-looking calls that together make an administrator. Done by one person they also go around whoever should agree.',
  innocent: [
    'A new administrator, set up by the person in charge: there is a ticket.',
    'Terraform makes the group, its policy and its members: shown as low.',
  ],
  firstSteps: [
    'Read both halves: who armed the group, who added the user, and is that user the one who acted?',
    'Ask for the ticket. If there is none: remove the user from the group and detach the policy.',
    'Read what the user did since it joined.',
  ],
  attack: attack({
    'T1098.003': 'Account Manipulation: Additional Cloud Roles',
    T1098: 'Account Manipulation',
  }),
  cis: [...cis('3.0.0', '4.4', '1.16'), ...cis('5.0.0', '4.4', '1.15')],
  gaps: [
    'A group that was armed before the trail, or over a month ago, is not known to be powerful.',
    'A customer-managed policy is known by its name only.',
  ],
};

const config = z.strictObject({});

const proofSchema = z.object({
  kind: z.enum(['armed', 'disarmed', 'joined']),
  /** The policy, or the user that joined. */
  name: z.string(),
  what: z.string(),
  actor: principalSchema,
  account: z.string(),
  evidence: evidenceSchema,
});
type Proof = z.infer<typeof proofSchema>;
const stateSchema = z.object({ proofs: z.array(proofSchema), limited: z.boolean() });
type State = z.infer<typeof stateSchema>;

const proofsMax = 60;

export default folding<z.infer<typeof config>, State>({
  meta,
  on: [
    'iam.amazonaws.com:AttachGroupPolicy',
    'iam.amazonaws.com:PutGroupPolicy',
    'iam.amazonaws.com:DetachGroupPolicy',
    'iam.amazonaws.com:DeleteGroupPolicy',
    'iam.amazonaws.com:AddUserToGroup',
  ],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 31 * dayMs,
    reachMs: 30 * dayMs,
    key(event) {
      if (event.outcome !== 'success') return 'the call did not succeed';
      if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
      const group = event.text('requestParameters.groupName');
      if (group === undefined) return 'the record names no group';
      if (proofOf(event) === undefined) return 'the policy is not known to be powerful';
      return { key: plain(group).toLowerCase() };
    },
    empty: () => ({ proofs: [], limited: false }),
  },
  fold(event, state) {
    const made = proofOf(event);
    if (made === undefined) return false;
    const all = [...state.proofs, made].sort(inOrder);
    state.limited ||= all.length > proofsMax;
    state.proofs = all.slice(0, proofsMax);
    return true;
  },
  judge(buckets) {
    const all = buckets.flatMap(({ state }) => state.proofs).sort(inOrder);
    return buckets.flatMap(({ key, state }) =>
      state.proofs
        .filter((one) => one.kind === 'joined')
        .flatMap((joined) => judgeJoining(key, joined, all, state.limited)),
    );
  },
});

function proofOf(event: Event): Proof | undefined {
  const base = {
    actor: { ...event.principal },
    account: event.account,
    evidence: evidenceOf(event),
  };
  if (event.name === 'AddUserToGroup') {
    const user = event.text('requestParameters.userName');
    return user === undefined
      ? undefined
      : { ...base, kind: 'joined', name: plain(user), what: '' };
  }
  const policy =
    event.text('requestParameters.policyArn') ?? event.text('requestParameters.policyName') ?? '';
  const name = plain(policy);
  if (/^De(tach|lete)/.test(event.name)) return { ...base, kind: 'disarmed', name, what: '' };
  const read = changeOf(event, []);
  const findings = typeof read === 'string' ? [] : read.change.findings;
  if (severityRank(worstOf(findings) ?? 'info') < severityRank('high')) return undefined;
  return { ...base, kind: 'armed', name, what: ordered(findings)[0]?.what ?? 'is powerful' };
}

function judgeJoining(
  group: string,
  joined: Proof,
  all: readonly Proof[],
  limited: boolean,
): readonly JudgedSignal[] {
  const since = joined.evidence.time - 30 * dayMs;
  const before = all.filter(
    ({ evidence: { time } }) => time >= since && time <= joined.evidence.time,
  );
  const arms = before.filter((one) => one.kind === 'armed' && !isUndone(one, before));
  if (arms.length === 0) return [];
  const proofs = [...arms, joined];
  const isOneHand = arms.some((one) => one.actor.key === joined.actor.key);
  const isSelf = joined.actor.kind === 'user' && joined.actor.name === joined.name;
  const what = arms.map((one) => `${one.name.slice(one.name.lastIndexOf('/') + 1)} ${one.what}`);
  const hands = isOneHand
    ? 'The same principal gave the group its rights.'
    : `The rights were given by ${listed([...new Set(arms.map((one) => nameOf(ownerOf(one))))])}.`;
  return [
    {
      key: `${group} ${joined.evidence.id}`,
      time: joined.evidence.time,
      account: joined.account,
      principal: ownerOf(joined),
      severity: severityOf(joined, isSelf, isOneHand),
      title: `${nameOf(ownerOf(joined))} put ${isSelf ? 'itself' : `user ${joined.name}`} into powerful group ${group}`,
      reason: `The group was armed before: ${listed(what)}. ${hands}`,
      evidence: proofs.map((one) => one.evidence),
      count: proofs.length,
      facts: { group, target: joined.name, from: joined.evidence.from },
      limited,
    },
  ];
}

function severityOf({ actor }: Proof, isSelf: boolean, isOneHand: boolean): Severity {
  if (isSelf) return 'high';
  const isTool = actor.kind === 'role' && !actor.name.startsWith('AWSReservedSSO_');
  if (isTool) return 'low';
  return isOneHand ? 'medium' : 'low';
}

function isUndone(armed: Proof, among: readonly Proof[]): boolean {
  return among.some(
    (one) =>
      one.kind === 'disarmed' &&
      one.name === armed.name &&
      one.evidence.time >= armed.evidence.time,
  );
}

function ownerOf({ actor }: Proof): Principal {
  const { arn, ...rest } = actor;
  return arn === undefined ? rest : { ...rest, arn };
}

function inOrder(a: Proof, b: Proof): number {
  return a.evidence.time - b.evidence.time || (a.evidence.id < b.evidence.id ? -1 : 1);
}
