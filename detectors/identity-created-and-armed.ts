// A new IAM user, or a new role, was given credentials or powerful rights within the hour of its
// creation.
import { z } from 'zod';
import { type DetectorMeta, evidenceOf, folding, type JudgedSignal } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { changeOf } from '../src/core/iam/changes/index.ts';
import { ordered, worstOf } from '../src/core/iam/finding.ts';
import type { Principal } from '../src/core/principal.ts';
import { severityRank } from '../src/core/severity.ts';
import { nameOf } from '../src/core/spree.ts';
import { evidenceSchema, listed, principalSchema } from '../src/core/tally.ts';
import { attack, cis, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, minuteMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'identity-created-and-armed',
  title: 'Identity created and armed',
  severity: 'low',
  practice: 'separation-of-duties',
  what: 'An IAM user was created; or a new user or role was, within an hour, given a key, a password, powerful rights, or a trust that lets outsiders in. The steps are told as one story.',
  why: 'A new administrator with credentials of its own is the classic way to stay: it outlives the stolen session that made it. Where duties are apart, nobody makes an identity and arms it alone.',
  innocent: [
    'A break-glass administrator, or the user of a build system, set up on purpose: there is a ticket.',
    'Terraform makes a user with a narrow policy and a key, or a role and its policy: shown as low.',
    'A new person in an account without federation.',
  ],
  firstSteps: [
    'Ask the person behind the creating principal for the ticket, over a channel outside of AWS.',
    'If there is none: deactivate the keys of the new user, delete its login profile, and detach its policies; for a role, empty its trust and revoke its sessions.',
    'Read what the new identity did since, in its own alert, then what else the creator made.',
  ],
  attack: attack({
    'T1136.003': 'Create Account: Cloud Account',
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
    'T1098.003': 'Account Manipulation: Additional Cloud Roles',
  }),
  cis: [...cis('3.0.0', '1.16', '4.4'), ...cis('5.0.0', '1.15', '4.4')],
  gaps: [
    'A customer-managed policy is known by name here; stored-policy-took-effect judges its content.',
    'A group is known by its name only.',
    'Arming an identity later than the window is told by the detectors of the single calls.',
  ],
};

const config = z.strictObject({
  windowMinutes: z
    .int()
    .min(1)
    .max(1_440)
    .default(60)
    .describe('Minutes from the creation in which rights and credentials count as one story.'),
});
type Config = z.infer<typeof config>;

const steps = ['made', 'rights', 'key', 'login', 'trust'] as const;
type Step = (typeof steps)[number];
const proofSchema = z.object({
  step: z.enum(steps),
  what: z.string(),
  actor: principalSchema,
  account: z.string(),
  evidence: evidenceSchema,
});
type Proof = z.infer<typeof proofSchema>;
const stateSchema = z.object({ proofs: z.array(proofSchema), limited: z.boolean() });
type State = z.infer<typeof stateSchema>;

const proofsMax = 24;

export default folding<Config, State>({
  meta,
  on: [
    'iam.amazonaws.com:CreateUser',
    'iam.amazonaws.com:CreateRole',
    'iam.amazonaws.com:CreateAccessKey',
    'iam.amazonaws.com:CreateLoginProfile',
    'iam.amazonaws.com:AttachUserPolicy',
    'iam.amazonaws.com:PutUserPolicy',
    'iam.amazonaws.com:AddUserToGroup',
    'iam.amazonaws.com:AttachRolePolicy',
    'iam.amazonaws.com:PutRolePolicy',
    'iam.amazonaws.com:UpdateAssumeRolePolicy',
  ],
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
      const name = targetOf(event);
      if (name === '') return 'the record names no user or role';
      return stepsOf(event).length === 0
        ? 'what was given is not powerful'
        : { key: name.toLowerCase() };
    },
    empty: () => ({ proofs: [], limited: false }),
  },
  fold(event, state) {
    const base = { actor: { ...event.principal }, account: event.account };
    const made = stepsOf(event).map((one) => ({ ...base, ...one, evidence: evidenceOf(event) }));
    const all = [...state.proofs, ...made].sort(inOrder);
    state.limited ||= all.length > proofsMax;
    state.proofs = all.slice(0, proofsMax);
    return true;
  },
  judge(buckets, settings) {
    const all = buckets.flatMap(({ state }) => state.proofs).sort(inOrder);
    return buckets.flatMap(({ state }) =>
      state.proofs
        .filter((one) => one.step === 'made')
        .flatMap((made) => judgeStory(made, all, settings, state.limited)),
    );
  },
});

function targetOf(event: Event): string {
  const user = event.text('requestParameters.userName');
  if (user !== undefined) return `user ${plain(user)}`;
  const role = event.text('requestParameters.roleName');
  return role === undefined ? '' : `role ${plain(role)}`;
}

function stepsOf(event: Event): readonly { readonly step: Step; readonly what: string }[] {
  const target = targetOf(event);
  switch (event.name) {
    case 'CreateUser':
      return [{ step: 'made', what: target }];
    case 'CreateRole':
      return [{ step: 'made', what: target }, ...grave(event, 'trust')];
    case 'CreateAccessKey':
      return [{ step: 'key', what: 'an access key' }];
    case 'CreateLoginProfile':
      return [{ step: 'login', what: 'a console password' }];
    case 'UpdateAssumeRolePolicy':
      return grave(event, 'trust');
    default:
      return grave(event, 'rights');
  }
}

/**
 * Gives the change as a step when it makes something grave possible; a group counts by its name.
 */
function grave(
  event: Event,
  step: Step,
): readonly { readonly step: Step; readonly what: string }[] {
  const read = changeOf(event, []);
  if (typeof read === 'string') return [];
  const { findings, subject } = read.change;
  const worst = worstOf(findings) ?? 'info';
  const enough = event.name === 'AddUserToGroup' ? 'medium' : 'high';
  if (severityRank(worst) < severityRank(enough)) return [];
  const group = event.text('requestParameters.groupName');
  if (group !== undefined) return [{ step, what: `a place in group ${plain(group)}` }];
  const name =
    event.text('requestParameters.policyArn') ?? event.text('requestParameters.policyName');
  const shown = name === undefined ? plain(subject) : plain(name.slice(name.lastIndexOf('/') + 1));
  return [{ step, what: `${shown}: ${ordered(findings)[0]?.what ?? 'powerful'}` }];
}

function judgeStory(
  made: Proof,
  all: readonly Proof[],
  { windowMinutes }: Config,
  limited: boolean,
): readonly JudgedSignal[] {
  const end = made.evidence.time + windowMinutes * minuteMs;
  const later = all.filter(
    ({ step, evidence: { time } }) => step !== 'made' && time >= made.evidence.time && time <= end,
  );
  const has = (step: Step) => later.some((one) => one.step === step);
  const isUser = made.what.startsWith('user ');
  if (!isUser && !has('rights')) return [];
  const isArmed = has('rights') && (has('key') || has('login') || has('trust'));
  const proofs = [made, ...later];
  const evidence = [...new Map(proofs.map((one) => [one.evidence.id, one.evidence])).values()];
  const hands = new Set(proofs.map((one) => one.actor.key)).size;
  const title = `${nameOf(ownerOf(made))} made ${made.what}${givenOf(later, has)}`;
  return [
    {
      key: `${made.what} ${made.evidence.id}`,
      time: made.evidence.time,
      account: made.account,
      principal: ownerOf(made),
      // One without the other is a day of Terraform, and the single calls have detectors of their
      // own.
      severity: isArmed ? 'high' : 'low',
      title,
      reason: reasonOf(later, { isArmed, hands, minutes: windowMinutes }),
      evidence,
      count: evidence.length,
      facts: { target: made.what, from: listed([...new Set(evidence.map((one) => one.from))]) },
      limited,
    },
  ];
}

function givenOf(later: readonly Proof[], has: (step: Step) => boolean): string {
  const given = [
    has('rights') ? 'powerful rights' : '',
    has('key') ? 'an access key' : '',
    has('login') ? 'a console password' : '',
    has('trust') ? 'a trust in outsiders' : '',
  ].filter((one) => one !== '');
  return later.length === 0 ? '' : ` and gave it ${given.join(' and ')}`;
}

function reasonOf(
  later: readonly Proof[],
  of: { readonly isArmed: boolean; readonly hands: number; readonly minutes: number },
): string {
  if (later.length === 0) {
    return 'People belong in federation, and workloads in roles: a new user is worth a look. Nothing was given to it within the window that is grave.';
  }
  const given = listed([...new Set(later.map((one) => one.what))]);
  const alone =
    of.hands === 1
      ? 'The same principal did all of it.'
      : `${of.hands} principals had a hand in it.`;
  const why = of.isArmed
    ? 'It is powerful, and somebody can act as it by now.'
    : 'By itself this is also what a deployment does.';
  return `Within ${of.minutes} minutes it got: ${given}. ${alone} ${why}`;
}

function ownerOf({ actor }: Proof): Principal {
  const { arn, ...rest } = actor;
  return arn === undefined ? rest : { ...rest, arn };
}

function inOrder(a: Proof, b: Proof): number {
  const time = a.evidence.time - b.evidence.time;
  if (time !== 0) return time;
  return `${a.evidence.id} ${a.step}` < `${b.evidence.id} ${b.step}` ? -1 : 1;
}
