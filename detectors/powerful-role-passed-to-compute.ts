// A role with a powerful name was passed to code or machines, or roles were tried until one could
// be passed.
import { z } from 'zod';
import {
  type Bucket,
  type CallPattern,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { parseDenial } from '../src/core/iam/denial.ts';
import {
  actorIn,
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  sizeOf,
  spreeAdd,
  spreeSignal,
  spreeState,
  thingsMax,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'powerful-role-passed-to-compute',
  title: 'Powerful role passed to compute',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'A principal started an instance, function, stack, build, task, notebook or job with a role whose name promises administration; or it was refused iam:PassRole for several roles within an hour, and perhaps then got one through.',
  why: 'Whoever runs code with a role holds the rights of that role. Passing an administrator role to a machine of one’s own is the way from few rights to all that needs no change of any policy.',
  innocent: [
    'A build server or a provisioning function that runs as administrator on purpose: shown as low when a role deploys it.',
    'A new deployment role that lacks iam:PassRole for its stacks.',
  ],
  firstSteps: [
    'Look at what was started with the role: who chose its code, user data or template, and is it still running?',
    'Ask the person behind the principal. If it was not meant: stop the machine, function or stack, and revoke the sessions of the passed role (deny tokens older than now).',
    'Read what the passed role did since, in its own alert.',
    'Then narrow iam:PassRole of the principal to named roles, with iam:PassedToService.',
  ],
  attack: attack({
    'T1548.005': 'Abuse Elevation Control Mechanism: Temporary Elevated Cloud Access',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    T1648: 'Serverless Execution',
    'T1578.002': 'Modify Cloud Compute Infrastructure: Create Cloud Instance',
  }),
  cis: [],
  gaps: [
    'A role is known by its name only; an administrator role with a plain name passes unseen.',
    'A role in a launch template, or one a stack gives to what it makes, is in other calls.',
    'That a principal passes a role for the first time is not told: each deployment does.',
  ],
};

const config = z.strictObject({
  refusedRoles: z
    .int()
    .min(2)
    .max(thingsMax)
    .default(3)
    .describe('Different roles refused to be passed in an hour that make a signal.'),
});
type Config = z.infer<typeof config>;

// The calls that take a role, with the id of the path at pathfinding.cloud where it has one.
const paths: Readonly<Record<string, string>> = {
  'ec2:RunInstances': 'ec2-001',
  'ec2:RequestSpotInstances': 'ec2-003',
  'ec2:AssociateIamInstanceProfile': '',
  'ec2:ReplaceIamInstanceProfileAssociation': '',
  'lambda:CreateFunction': 'lambda-001',
  'lambda:UpdateFunctionConfiguration': '',
  'cloudformation:CreateStack': 'cloudformation-001',
  'cloudformation:UpdateStack': 'cloudformation-002',
  'cloudformation:CreateStackSet': 'cloudformation-003',
  'cloudformation:CreateChangeSet': 'cloudformation-005',
  'glue:CreateDevEndpoint': 'glue-001',
  'glue:CreateJob': 'glue-003',
  'glue:UpdateJob': 'glue-005',
  'codebuild:CreateProject': 'codebuild-001',
  'codebuild:UpdateProject': '',
  'ecs:RegisterTaskDefinition': 'ecs-003',
  'ecs:RunTask': 'ecs-004',
  'sagemaker:CreateNotebookInstance': 'sagemaker-001',
  'sagemaker:CreateTrainingJob': 'sagemaker-002',
  'sagemaker:CreateProcessingJob': 'sagemaker-003',
  'states:CreateStateMachine': '',
  'states:UpdateStateMachine': '',
  'apprunner:CreateService': 'apprunner-001',
  'ssm:StartAutomationExecution': '',
};
const roleFields = [
  'iamInstanceProfile.arn',
  'iamInstanceProfile.name',
  'launchSpecification.iamInstanceProfile.arn',
  'launchSpecification.iamInstanceProfile.name',
  // Calls of the request style of EC2 wrap what they are given.
  'AssociateIamInstanceProfileRequest.IamInstanceProfile.Arn',
  'AssociateIamInstanceProfileRequest.IamInstanceProfile.Name',
  'ReplaceIamInstanceProfileAssociationRequest.IamInstanceProfile.Arn',
  'ReplaceIamInstanceProfileAssociationRequest.IamInstanceProfile.Name',
  'role',
  'roleArn',
  'roleARN',
  'serviceRole',
  'taskRoleArn',
  'overrides.taskRoleArn',
  'instanceConfiguration.instanceRoleArn',
  'parameters.AutomationAssumeRole.0',
];
const powerful = /admin|power[-_]?user|root|super[-_]?user|full[-_]?access|break[-_]?glass|owner/i;

export default folding<Config, Spree>({
  meta,
  // Every key is a service, a colon and a name.
  on: Object.keys(paths).map((call) => call.replace(':', '.amazonaws.com:') as CallPattern),
  config,
  state: spreeState(quiet),
  isKnown: (event, state) =>
    thingsOf(event).every(([group, thing]) => isInSpree(state, group, [thing], event)),
  fold: (event, state) =>
    thingsOf(event)
      .map(([group, thing]) => spreeAdd(state, group, [thing], event))
      .some(Boolean),
  judge: (buckets, settings) =>
    buckets.flatMap((bucket) => [...judgePowerful(bucket), ...judgeTried(bucket, settings)]),
});

function quiet(event: Event): string | undefined {
  if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
  if (event.principal.kind === 'unknown') return 'the record names no principal';
  return thingsOf(event).length === 0 ? 'the call passes no role' : undefined;
}

function thingsOf(event: Event): readonly (readonly [group: string, thing: string])[] {
  const hand = handOf(event);
  const by = hand === undefined ? [] : ([['hand', hand]] as const);
  if (event.outcome === 'denied') {
    const denial = parseDenial(event.errorMessage);
    if (denial?.action?.toLowerCase() !== 'iam:passrole') return [];
    // EC2 puts a sentence of its own before the one that names the role.
    const resource = denial.resource ?? /on resource: (\S+)/i.exec(event.errorMessage ?? '')?.[1];
    return [['refused', nameIn(resource ?? '') || 'a role'], ...by];
  }
  if (event.outcome !== 'success') return [];
  const role = passedIn(event);
  if (role === undefined) return [];
  const call = `${event.source.replace('.amazonaws.com', '')}:${event.name}`;
  const path = paths[call] ? ` (path ${paths[call]})` : '';
  const thing = `${role} by ${call}${path}`;
  const marks = powerful.test(role) ? ([['powerful', thing]] as const) : [];
  return [['passed', thing], ...marks, ...by];
}

function passedIn(event: Event): string | undefined {
  for (const path of roleFields) {
    const role = event.text(`requestParameters.${path}`);
    if (role !== undefined) return nameIn(role);
  }
  return undefined;
}

function nameIn(arnOrName: string): string {
  return plain(arnOrName.slice(arnOrName.lastIndexOf('/') + 1));
}

/** Gives why the hand is not a deployment's; undefined for the role of one. */
function handOf(event: Event): string | undefined {
  const { kind, name } = event.principal;
  if (kind !== 'role') return 'A person or a long-term key did it, not a role that deploys.';
  const session = event.text('userIdentity.principalId')?.split(':')[1];
  if (session !== undefined && /^i-[0-9a-f]{8,17}$/.test(session)) {
    return `It was done with the credentials of instance ${session}.`;
  }
  return name.startsWith('AWSReservedSSO_')
    ? 'A person did it, signed in through Identity Center.'
    : undefined;
}

function judgePowerful(bucket: Bucket<Spree>): readonly JudgedSignal[] {
  const group = groupsOf(bucket.state, 'powerful');
  if (group.things.length === 0) return [];
  const hand = groupsOf(bucket.state, 'hand').things[0];
  const role = group.things[0]?.split(' by ')[0] ?? 'a role';
  const more = group.things.length > 1 ? ` (${sizeOf(group)} ways)` : '';
  return [
    {
      ...spreeSignal(bucket, 'powerful', group),
      severity: hand === undefined ? 'low' : 'medium',
      title: `${nameOf(actorIn(bucket.state))} passed role ${role} to compute${more}`,
      reason: `Passed: ${listed(group.things)}. The name promises many rights, and what runs with the role has them. ${hand ?? 'A role that deploys may well do so.'}`,
    },
  ];
}

function judgeTried(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const refused = groupsOf(bucket.state, 'refused');
  if (refused.things.length < settings.refusedRoles) return [];
  const passed = groupsOf(bucket.state, 'passed').things;
  const got =
    passed.length === 0
      ? 'None got through within the hour.'
      : `Within the hour it passed ${listed(passed)}.`;
  const all = groupsOf(bucket.state, 'refused', ...(passed.length > 0 ? ['passed'] : []));
  return [
    {
      ...spreeSignal(bucket, 'tried', all),
      severity: passed.length === 0 ? 'low' : 'medium',
      title: `${nameOf(actorIn(bucket.state))} was refused to pass ${sizeOf(refused)} different roles`,
      reason: `Refused: ${listed(refused.things)}. ${got} Trying role after role looks for one that is left open.`,
    },
  ];
}
