// An instance got another role, and perhaps whoever gave it went in to use it.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  actorIn,
  type Diary,
  diaryOfDay,
  type Entry,
  isWritten,
  nameOf,
  namesIn,
  signalOf,
  textsAt,
  written,
} from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'instance-profile-swapped',
  title: 'An instance got another role',
  severity: 'low',
  practice: 'instance-roles',
  what: 'Somebody attached or replaced the instance profile of an existing instance, or put a role into an existing profile; and perhaps opened a shell or wrote a start-up script on that instance the same day.',
  why: 'Whoever may hand a role to an instance and go into it acts with that role, however mighty, without having it.',
  innocent: [
    'An instance that was made without a role gets one, so that Systems Manager can manage it.',
    'Terraform changes the role of an instance.',
  ],
  firstSteps: [
    'Read which role the profile holds, and what it may do; ask the principal why.',
    'If nobody answers for it: ec2 disassociate-iam-instance-profile, deny older sessions of the role by aws:TokenIssueTime, and close the shells on the instance.',
    'Limit iam:PassRole of the principal to the roles it needs.',
  ],
  attack: attack({
    'T1098.003': 'Account Manipulation: Additional Cloud Roles',
    T1548: 'Abuse Elevation Control Mechanism',
    T1651: 'Cloud Administration Command',
  }),
  cis: [
    { framework: 'CIS AWS Foundations', version: '3.0.0', control: '1.18' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '1.17' },
  ],
  gaps: [
    'What the role of the profile may do is not in the call.',
    'A shell that another principal opens, or on another UTC day, is not joined.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: [
    'ec2.amazonaws.com:AssociateIamInstanceProfile',
    'ec2.amazonaws.com:ReplaceIamInstanceProfileAssociation',
    'ec2.amazonaws.com:ModifyInstanceAttribute',
    'iam.amazonaws.com:CreateInstanceProfile',
    'iam.amazonaws.com:AddRoleToInstanceProfile',
    'iam.amazonaws.com:RemoveRoleFromInstanceProfile',
    'ssm.amazonaws.com:StartSession',
    'ssm.amazonaws.com:SendCommand',
    'ec2-instance-connect.amazonaws.com:SendSSHPublicKey',
    'ec2-instance-connect.amazonaws.com:SendSerialConsoleSSHPublicKey',
  ],
  config,
  state: {
    ...diaryOfDay,
    key(event) {
      if (isByAws(event) || isServiceLinked(event)) return 'an AWS service acted by itself';
      if (event.invokedBy === 'ssm.amazonaws.com') return 'Systems Manager sets instances up';
      if (entriesOf(event).length === 0) return 'it failed, or has nothing to do with a role';
      return { key: event.principal.key };
    },
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets) =>
    buckets.flatMap((bucket) => [...judgeInstances(bucket), ...judgeProfiles(bucket)]),
});

function entriesOf(event: Event): readonly Entry[] {
  if (event.outcome !== 'success') return [];
  const profile = plain(event.text('requestParameters.instanceProfileName'));
  const role = plain(event.text('requestParameters.roleName'));
  const instance = event.text('requestParameters.instanceId');
  switch (event.name) {
    case 'AssociateIamInstanceProfile':
    case 'ReplaceIamInstanceProfileAssociation':
      return [['given', givenTo(event)]];
    case 'CreateInstanceProfile':
      return [['made', profile]];
    case 'RemoveRoleFromInstanceProfile':
      return [['emptied', profile]];
    case 'AddRoleToInstanceProfile':
      return [['filled', `${profile} with role ${role}`]];
    case 'SendCommand':
      return textsAt(event, 'requestParameters.instanceIds')
        .slice(0, 20)
        .map((one) => ['entered', one]);
    case 'StartSession':
      return [['entered', event.text('requestParameters.target') ?? 'unnamed']];
    case 'ModifyInstanceAttribute':
      return event.field('requestParameters.userData') === undefined || instance === undefined
        ? []
        : [['entered', instance]];
    default:
      return instance === undefined ? [] : [['entered', instance]];
  }
}

/** The replacement names only the association; its answer names the instance. */
function givenTo(event: Event): string {
  const [request, response] = [`requestParameters.${event.name}Request`, `${event.name}Response`];
  const places = [
    'requestParameters.instanceId',
    'requestParameters.InstanceId',
    `${request}.InstanceId`,
    `${request}.instanceId`,
    'responseElements.iamInstanceProfileAssociation.instanceId',
    `responseElements.${response}.iamInstanceProfileAssociation.instanceId`,
  ];
  const found = places.map((one) => event.text(one)).find((one) => one !== undefined);
  return found ?? 'an instance';
}

function judgeInstances(bucket: Bucket<Diary>): JudgedSignal[] {
  const { state } = bucket;
  const entered = new Set(namesIn(state, 'entered'));
  const given = namesIn(state, 'given');
  const used = given.filter((one) => entered.has(one));
  if (given.length === 0) return [];
  const shown = listed(used.length > 0 ? used : given);
  return [
    {
      ...signalOf(bucket, 'given', used.length > 0 ? ['given', 'entered'] : ['given']),
      severity: used.length > 0 ? 'high' : 'low',
      title:
        used.length > 0
          ? `${nameOf(state)} gave ${shown} another role and went into it`
          : `${nameOf(state)} gave ${shown} another role`,
      reason:
        used.length > 0
          ? 'The same principal handed a role to an instance and opened a shell, ran a command or wrote a start-up script there on one day: it can act with that role.'
          : 'The programs of the instance act with the new role from now on; nobody was seen to go in.',
      facts: { instances: listed(given) },
    },
  ];
}

function judgeProfiles(bucket: Bucket<Diary>): JudgedSignal[] {
  const { state } = bucket;
  const made = new Set(namesIn(state, 'made'));
  const emptied = new Set(namesIn(state, 'emptied'));
  const filled = namesIn(state, 'filled').filter((one) => !made.has(one.split(' ')[0] ?? ''));
  if (filled.length === 0) return [];
  const swapped = filled.filter((one) => emptied.has(one.split(' ')[0] ?? ''));
  const isPerson = ['user', 'root'].includes(actorIn(state).kind);
  return [
    {
      ...signalOf(bucket, 'profiles', ['emptied', 'filled']),
      severity: swapped.length > 0 && isPerson ? 'medium' : 'low',
      title: `${nameOf(state)} put another role into an instance profile that was there`,
      reason: `${listed(filled)}. Every instance with the profile gets the role.${
        swapped.length > 0 ? ' The role that was in it before was taken out the same day.' : ''
      }`,
      facts: { profiles: listed(filled) },
    },
  ];
}
