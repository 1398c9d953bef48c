// One principal used, or tried, many of the known ways to more rights within a day.
import { z } from 'zod';
import {
  type Bucket,
  type CallPattern,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  actorIn,
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  spreeAdd,
  spreeSignal,
  spreeState,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'many-ways-to-more-rights',
  title: 'Many ways to more rights used',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Within a day (UTC) one principal made, or was refused, many different ones of the calls that are known to lead from few rights to many, and several of these gave rights or credentials to people.',
  why: 'A person needs two or three of these calls for one task. Tools of attack try them all, one after the other, and a deployment has no business with passwords and MFA devices.',
  innocent: [
    'The first day of a new account, set up by hand.',
    'A wide Terraform run that also manages users: shown as low for roles of tools.',
    'A penetration test: ask who ordered it.',
  ],
  firstSteps: [
    'Read the list in the reason and the timeline: do the calls serve one purpose, or are they every way there is?',
    'If nobody answers for it: deactivate the key or revoke the sessions of the principal at once.',
    'Undo what succeeded: keys, passwords, policies, memberships, functions and stacks made that day.',
  ],
  attack: attack({
    T1098: 'Account Manipulation',
    'T1548.005': 'Abuse Elevation Control Mechanism: Temporary Elevated Cloud Access',
    'T1136.003': 'Create Account: Cloud Account',
  }),
  cis: [],
  gaps: [
    'Only calls of the list count; iam:PassRole is a permission and no call.',
    'The days are those of UTC: work over midnight is split.',
  ],
};

// Ways that give rights or credentials to people: deployments seldom take them.
const ofPeople = [
  'iam:AddUserToGroup',
  'iam:AttachGroupPolicy',
  'iam:AttachUserPolicy',
  'iam:CreateAccessKey',
  'iam:CreateLoginProfile',
  'iam:CreateServiceSpecificCredential',
  'iam:DeactivateMFADevice',
  'iam:DeleteRolePermissionsBoundary',
  'iam:DeleteUserPermissionsBoundary',
  'iam:DeleteUserPolicy',
  'iam:DetachUserPolicy',
  'iam:PutGroupPolicy',
  'iam:PutUserPolicy',
  'iam:SetDefaultPolicyVersion',
  'iam:UpdateAccessKey',
  'iam:UpdateLoginProfile',
  'sso:CreateAccountAssignment',
  'sts:GetFederationToken',
];
const ofMachines = [
  'apprunner:CreateService',
  'cloudformation:CreateStack',
  'cloudformation:UpdateStack',
  'codebuild:CreateProject',
  'codebuild:UpdateProject',
  'ec2:AssociateIamInstanceProfile',
  'ec2:ModifyInstanceAttribute',
  'ec2:ReplaceIamInstanceProfileAssociation',
  'ec2:RunInstances',
  'ecs:RegisterTaskDefinition',
  'glue:CreateDevEndpoint',
  'glue:CreateJob',
  'glue:UpdateDevEndpoint',
  'glue:UpdateJob',
  'iam:AttachRolePolicy',
  'iam:CreatePolicyVersion',
  'iam:CreateRole',
  'iam:PutRolePolicy',
  'iam:UpdateAssumeRolePolicy',
  'lambda:AddPermission',
  'lambda:CreateEventSourceMapping',
  'lambda:CreateFunction',
  'lambda:UpdateFunctionCode',
  'lambda:UpdateFunctionConfiguration',
  'sagemaker:CreateNotebookInstance',
  'sagemaker:CreatePresignedNotebookInstanceUrl',
  'sagemaker:CreateTrainingJob',
  'ssm:SendCommand',
  'ssm:StartSession',
];
const total = ofPeople.length + ofMachines.length;

const config = z.strictObject({
  ways: z
    .int()
    .min(2)
    .max(total)
    .default(10)
    .describe('Different ways within a day that make a signal.'),
  waysOfPeople: z
    .int()
    .min(0)
    .max(ofPeople.length)
    .default(4)
    .describe('As many of these must give rights or credentials to people.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Spree>({
  meta,
  // Every one is a service, a colon and a name.
  on: [...ofPeople, ...ofMachines].map(
    (call) => call.replace(':', '.amazonaws.com:') as CallPattern,
  ),
  config,
  state: { ...spreeState(quiet), bucketMs: dayMs, lifetimeMs: 2 * dayMs },
  isKnown: (event, state) => isInSpree(state, groupOf(event), [callOf(event)], event),
  fold: (event, state) => spreeAdd(state, groupOf(event), [callOf(event)], event),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeDay(bucket, settings)),
});

function quiet(event: Event): string | undefined {
  if (event.outcome === 'failure') return 'the call failed for another reason than rights';
  if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
  if (event.principal.kind === 'root') return 'root-account-used tells what root did';
  return event.principal.kind === 'unknown' ? 'the record names no principal' : undefined;
}

function callOf(event: Event): string {
  return `${event.source.replace('.amazonaws.com', '')}:${event.name}`;
}

function groupOf(event: Event): string {
  return event.outcome === 'denied' ? 'refused' : 'done';
}

function judgeDay(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const both = groupsOf(bucket.state, 'done', 'refused');
  const people = both.things.filter((one) => ofPeople.includes(one)).length;
  if (both.things.length < settings.ways || people < settings.waysOfPeople) return [];
  const done = groupsOf(bucket.state, 'done').things;
  const refused = groupsOf(bucket.state, 'refused').things;
  const who = actorIn(bucket.state);
  const isTool = who.kind === 'role' && !who.name.startsWith('AWSReservedSSO_');
  const denied = refused.length > 0 ? ` Refused: ${listed(refused)}.` : '';
  return [
    {
      ...spreeSignal(bucket, 'ways', both),
      severity: isTool && refused.length < 3 ? 'low' : 'medium',
      title: `${nameOf(who)} took ${both.things.length} of ${total} known ways to more rights in a day`,
      reason: `${people} of them give rights or credentials to people. Done: ${listed(done) || 'none'}.${denied}`,
    },
  ];
}
