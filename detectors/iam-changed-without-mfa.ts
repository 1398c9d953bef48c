// An IAM user changed identities, rights or the watch over them in a session that had not passed MFA.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Principal } from '../src/core/principal.ts';
import type { Severity } from '../src/core/severity.ts';
import { listed, principalSchema, tallied, tallySchema } from '../src/core/tally.ts';
import { attack, cis, isSelf } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'iam-changed-without-mfa',
  title: 'Identities or rights changed without MFA',
  severity: 'medium',
  practice: 'mfa',
  what: 'An IAM user created or changed identities, credentials, policies, the organisation, trails or keys in a session that had not passed MFA: in the console, with a temporary token, or with a long-term key. One signal for each way, user and day (UTC).',
  why: 'A password or a key alone was enough to change who may do what. Whoever finds one of them can do the same.',
  innocent: [
    'A build system that deploys with the key of an IAM user: shown as low; a role would be better.',
    'A person who has the rights but no device yet.',
  ],
  firstSteps: [
    'For a console session: ask the user, over a channel outside of AWS, whether they made these changes; if not, delete the login profile and undo them.',
    'Have a device registered, and deny these calls where aws:MultiFactorAuthPresent is false.',
    'For a key of a machine: plan its replacement by a role (OIDC, instance or task role).',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    T1098: 'Account Manipulation',
  }),
  cis: [...cis('3.0.0', '1.10'), ...cis('5.0.0', '1.9')],
  gaps: [
    'Roles: whether a person passed MFA before the role was assumed is known only from the chain of the session.',
    'Calls that a service carried out for the user (CloudFormation) are not counted.',
    'Records of console sessions before version 1.08 carry no mark of the console and count as token.',
  ],
};

const config = z.strictObject({
  calls: z.int().min(1).default(1).describe('Changes a day, of one way, that make a signal.'),
});
type Config = z.infer<typeof config>;

const ways = ['console', 'token', 'key'] as const;
type Way = (typeof ways)[number];
const stateSchema = z.object({
  account: z.string(),
  actor: principalSchema.optional(),
  tallies: z.partialRecord(z.enum(ways), tallySchema),
});
type State = z.infer<typeof stateSchema>;

const graveCalls: Readonly<Record<string, string>> = {
  iam:
    'CreateUser DeleteUser CreateAccessKey CreateLoginProfile UpdateLoginProfile CreateRole AddUserToGroup ' +
    'AttachUserPolicy AttachRolePolicy AttachGroupPolicy PutUserPolicy PutRolePolicy PutGroupPolicy ' +
    'CreatePolicyVersion SetDefaultPolicyVersion UpdateAssumeRolePolicy DeactivateMFADevice ' +
    'DeleteUserPermissionsBoundary DeleteRolePermissionsBoundary DetachUserPolicy DeleteUserPolicy ' +
    'CreateSAMLProvider UpdateSAMLProvider CreateOpenIDConnectProvider UpdateAccountPasswordPolicy',
  organizations:
    'LeaveOrganization RemoveAccountFromOrganization AttachPolicy DetachPolicy UpdatePolicy DeletePolicy ' +
    'RegisterDelegatedAdministrator EnableAWSServiceAccess CreateAccount',
  cloudtrail: 'StopLogging DeleteTrail UpdateTrail PutEventSelectors',
  kms: 'ScheduleKeyDeletion DisableKey PutKeyPolicy',
};

export default folding<Config, State>({
  meta,
  // A source, a colon and a name each.
  on: Object.entries(graveCalls).flatMap(([source, names]) =>
    names.split(' ').map((name) => `${source}.amazonaws.com:${name}` as const),
  ),
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: dayMs,
    reachMs: 0,
    key(event) {
      const way = wayOf(event);
      return typeof way === 'string' ? way : { key: `${event.principal.key} in ${event.account}` };
    },
    empty: () => ({ account: '', tallies: {} }),
  },
  fold(event, state) {
    const found = wayOf(event);
    if (typeof found === 'string') return false;
    state.account = plain(event.account);
    const actor = { ...event.principal };
    if (state.actor === undefined || JSON.stringify(actor) < JSON.stringify(state.actor)) {
      state.actor = actor;
    }
    state.tallies[found.way] = tallied(state.tallies[found.way], event);
    return true;
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket) => ways.flatMap((way) => judgeWay(bucket, way, settings)));
  },
});

function wayOf(event: Event): { readonly way: Way } | string {
  if (event.identityType !== 'IAMUser') return 'not an IAM user';
  if (event.invokedBy !== '' && event.invokedBy !== 'signin.amazonaws.com') {
    return `${plain(event.invokedBy)} carried it out for the user`;
  }
  if (event.outcome !== 'success') return 'the call failed and changed nothing';
  const mfa = event.text('userIdentity.sessionContext.attributes.mfaAuthenticated');
  if (mfa?.toLowerCase() === 'true') return 'the session had passed MFA';
  if (isOwnRotation(event)) return 'the user made a key of their own';
  if (event.accessKeyId.startsWith('AKIA')) return { way: 'key' };
  if (mfa?.toLowerCase() !== 'false') return 'the record does not say whether MFA was passed';
  const flag = event.field('sessionCredentialFromConsole');
  const isConsole = flag === true || flag === 'true' || event.invokedBy !== '';
  return { way: isConsole ? 'console' : 'token' };
}

/** Rotation of one's own key needs no right over others. */
function isOwnRotation(event: Event): boolean {
  if (event.name !== 'CreateAccessKey') return false;
  const user = event.text('requestParameters.userName');
  return user === undefined || isSelf(event, user);
}

const told: Readonly<Record<Way, { severity: Severity; how: string; why: string }>> = {
  console: {
    severity: 'medium',
    how: 'in a console session without MFA',
    why: 'A person did this by hand, with a password alone behind it (mfaAuthenticated false).',
  },
  token: {
    severity: 'low',
    how: 'with a temporary token made without MFA',
    why: 'The token came from a long-term key and no code was asked for (mfaAuthenticated false).',
  },
  key: {
    severity: 'low',
    how: 'with a long-term key',
    why: 'The key never expires and asks for no MFA; a deployment by such a key looks the same.',
  },
};

function judgeWay(
  { key, start, state }: Bucket<State>,
  way: Way,
  settings: Config,
): readonly JudgedSignal[] {
  const sum = state.tallies[way];
  if (sum === undefined || state.actor === undefined || sum.count < settings.calls) return [];
  const { arn, ...rest } = state.actor;
  const principal: Principal = arn === undefined ? rest : { ...rest, arn };
  const { severity, how, why } = told[way];
  const changes = sum.count === 1 ? 'change' : 'changes';
  return [
    {
      key: `${way} ${key} ${formatTime(start).slice(0, 10)}`,
      time: sum.evidence[0]?.time ?? start,
      account: state.account,
      principal,
      evidence: sum.evidence,
      count: sum.count,
      facts: { from: listed(sum.from) },
      limited: sum.count > sum.evidence.length,
      severity,
      title: `IAM user ${plain(principal.name)} made ${sum.count} ${changes} to identities or rights ${how}`,
      reason: `${why} Calls: ${listed(sum.names)}. From ${listed(sum.from)}.`,
    },
  ];
}
