// One principal was refused several different changes of IAM within an hour: it looks for a way to
// more rights.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { parseDenial, targetOf } from '../src/core/iam/denial.ts';
import {
  actorIn,
  groupsOf,
  nameOf,
  type Spree,
  sizeOf,
  spreeAdd,
  spreeSignal,
  spreeState,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, cis, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'iam-changes-refused',
  title: 'IAM changes refused',
  severity: 'low',
  practice: 'least-privilege',
  what: 'Within an hour one principal was refused several different calls that make identities, credentials or rights: CreateUser, CreateAccessKey, AttachUserPolicy, PutRolePolicy, UpdateAssumeRolePolicy and their like.',
  why: 'Each of these calls is a way from few rights to many. Somebody who tries one after the other looks for the one that was left open.',
  innocent: [
    'A deployment role that lacks rights for a new stack: a few different calls, then silence until its policy is changed.',
    'An engineer who learns where the limits of the own role are.',
  ],
  firstSteps: [
    'Read the targets in the reason: calls that aim at the caller itself, or at many identities, are not a deployment.',
    'Look for IAM changes by the same principal that worked, before and after: one may have got through.',
    'If nobody answers for it: deactivate the key or revoke the sessions of the role.',
  ],
  attack: attack({
    T1098: 'Account Manipulation',
    T1078: 'Valid Accounts',
    T1580: 'Cloud Infrastructure Discovery',
  }),
  cis: [...cis('3.0.0', '4.1'), ...cis('5.0.0', '4.1')],
  gaps: [
    'One refused change of a policy is told by iam-policy-changed; this one counts different calls.',
    'An hour is a clock hour: trying slowly counts as less.',
    'Where a refusal names no resource, the target is not known.',
  ],
};

const count = z.int().min(2).max(20);
const config = z.strictObject({
  calls: count
    .default(3)
    .describe('Different IAM changes refused in an hour that make a signal; low.'),
  callsMedium: count.default(4).describe('As many by a user make it medium.'),
  callsMediumRole: count.default(6).describe('As many by a role make it medium.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Spree>({
  meta,
  on: [
    'iam.amazonaws.com:CreateUser',
    'iam.amazonaws.com:CreateRole',
    'iam.amazonaws.com:CreateGroup',
    'iam.amazonaws.com:CreatePolicy',
    'iam.amazonaws.com:CreatePolicyVersion',
    'iam.amazonaws.com:SetDefaultPolicyVersion',
    'iam.amazonaws.com:CreateAccessKey',
    'iam.amazonaws.com:UpdateAccessKey',
    'iam.amazonaws.com:CreateLoginProfile',
    'iam.amazonaws.com:UpdateLoginProfile',
    'iam.amazonaws.com:AttachUserPolicy',
    'iam.amazonaws.com:AttachRolePolicy',
    'iam.amazonaws.com:AttachGroupPolicy',
    'iam.amazonaws.com:PutUserPolicy',
    'iam.amazonaws.com:PutRolePolicy',
    'iam.amazonaws.com:PutGroupPolicy',
    'iam.amazonaws.com:AddUserToGroup',
    'iam.amazonaws.com:UpdateAssumeRolePolicy',
    'iam.amazonaws.com:DeleteUserPermissionsBoundary',
    'iam.amazonaws.com:DeleteRolePermissionsBoundary',
    'iam.amazonaws.com:DetachUserPolicy',
    'iam.amazonaws.com:DeleteUserPolicy',
    'iam.amazonaws.com:DeactivateMFADevice',
    'iam.amazonaws.com:EnableMFADevice',
    'iam.amazonaws.com:CreateServiceSpecificCredential',
    'iam.amazonaws.com:UploadSSHPublicKey',
    'iam.amazonaws.com:UploadSigningCertificate',
    'iam.amazonaws.com:AddRoleToInstanceProfile',
    'iam.amazonaws.com:CreateSAMLProvider',
    'iam.amazonaws.com:CreateOpenIDConnectProvider',
  ],
  config,
  state: spreeState(quiet),
  fold(event, state) {
    const target = targetIn(event);
    const isNew = spreeAdd(state, 'refused', [event.name], event);
    return (target !== undefined && spreeAdd(state, 'targets', [target], event)) || isNew;
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket) => judgeHour(bucket, settings));
  },
});

function quiet(event: Event): string | undefined {
  if (event.outcome !== 'denied') return 'the call was not refused';
  if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
  const { kind } = event.principal;
  if (kind === 'root') return 'root-account-used tells what root was refused';
  const id = event.text('userIdentity.principalId') ?? '';
  if (/^[^:]+:i-[0-9a-f]{8,17}$/.test(id)) return 'instance-role-wrote-iam tells each of these';
  return kind === 'unknown' ? 'the record names no principal' : undefined;
}

/** A refused request is often left out; the message then is all that names the target. */
function targetIn(event: Event): string | undefined {
  for (const kind of ['user', 'role', 'group', 'policy'] as const) {
    const name = event.text(`requestParameters.${kind}Name`);
    if (name !== undefined) return marked(event, kind, name);
  }
  const named = targetOf(parseDenial(event.errorMessage)?.resource);
  return named === undefined ? undefined : marked(event, named.kind, named.name);
}

function marked(event: Event, kind: string, name: string): string {
  const shown = plain(name.slice(name.lastIndexOf('/') + 1));
  const isOwn = event.principal.kind === kind && event.principal.name === shown;
  return isOwn ? 'itself' : `${plain(kind)} ${shown}`;
}

function judgeHour(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const group = groupsOf(bucket.state, 'refused');
  const calls = group.things.length;
  if (calls < settings.calls) return [];
  const who = actorIn(bucket.state);
  const isRole = who.kind === 'role';
  const enough = isRole ? settings.callsMediumRole : settings.callsMedium;
  const targets = groupsOf(bucket.state, 'targets').things;
  const aims = targets.length > 0 ? ` They aimed at ${listed(targets)}.` : '';
  const hand = isRole ? 'A role that deploys may lack rights.' : 'It is not a role that deploys.';
  return [
    {
      ...spreeSignal(bucket, 'refused', group),
      severity: calls >= enough ? 'medium' : 'low',
      title: `${nameOf(who)} was refused ${sizeOf(group)} different changes of IAM`,
      reason: `Refused: ${group.things.join(', ')}.${aims} ${hand}`,
    },
  ];
}
