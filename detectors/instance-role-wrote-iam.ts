// An instance, with the role EC2 gives it, made or changed users, keys, roles or policies.
import { z } from 'zod';
import { type CallPattern, type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { instanceOf } from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { attack, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'instance-role-wrote-iam',
  title: 'An instance changed IAM',
  severity: 'high',
  practice: 'instance-roles',
  what: 'The role session of an EC2 instance made a user, a password, an access key, or a grant; or tried to.',
  why: 'Whoever controls the instance, or has copied its credentials, uses them to make an access that stays when the instance is cleaned up. Programs on instances rarely need IAM.',
  innocent: [
    'A build or deploy runner on EC2 that applies infrastructure with its own instance role.',
    'A program that rotates access keys.',
  ],
  firstSteps: [
    'Ask the owner of the instance which program makes this call; compare the address with that of the instance.',
    'If nobody knows: deactivate the key or delete the user that was made, deny older sessions of the role by aws:TokenIssueTime, and isolate the instance.',
    'Take the IAM rights from the instance role, or move the runner to a role of its own that it assumes.',
  ],
  attack: attack({
    'T1136.003': 'Create Account: Cloud Account',
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
    'T1098.003': 'Account Manipulation: Additional Cloud Roles',
    'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
  }),
  cis: [],
  gaps: [
    'What a role assumed by the instance does is not joined with the instance.',
    'Whether the grant itself is dangerous is judged by iam-policy-changed.',
  ],
};

const config = z.strictObject({});

/** An access for a person or a thief, which outlives the instance. */
const accesses = ['CreateUser', 'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile'];
const userGrants = ['AddUserToGroup', 'AttachUserPolicy', 'PutUserPolicy'];
const roleGrants = [
  'CreateRole',
  'AttachRolePolicy',
  'PutRolePolicy',
  'UpdateAssumeRolePolicy',
  'AttachGroupPolicy',
  'PutGroupPolicy',
  'CreatePolicyVersion',
];

export default stateless<z.infer<typeof config>>({
  meta,
  on: [...accesses, ...userGrants, ...roleGrants].map(
    (name): CallPattern => `iam.amazonaws.com:${name}`,
  ),
  config,
  detect(event) {
    const instance = instanceOf(event);
    if (instance === undefined) return 'not the session of an instance';
    const role = event.principal.name;
    const target =
      event.text('requestParameters.userName') ??
      event.text('requestParameters.roleName') ??
      event.text('requestParameters.groupName') ??
      event.text('requestParameters.policyArn');
    const isOwn = event.text('requestParameters.roleName') === role;
    const of = target === undefined ? '' : ` for ${plain(target)}`;
    const tried = event.outcome === 'success' ? 'called' : 'tried';
    return said(event, {
      severity: severityOf(event, isOwn),
      title: `Instance ${plain(instance)} (role ${role}) ${tried} iam:${plain(event.name)}${of}`,
      reason: [
        reasonOf(event.name),
        isOwn ? 'The instance changed its own role.' : '',
        event.outcome === 'success' ? '' : `The call failed: ${plain(event.errorCode)}.`,
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { instance: plain(instance), role, target: plain(target) },
    });
  },
});

function severityOf(event: Event, isOwn: boolean): Severity {
  const isAccess = accesses.includes(event.name);
  if (event.outcome === 'denied') return isAccess ? 'medium' : 'low';
  if (event.outcome === 'failure') return 'low';
  if (isAccess || isOwn) return 'high';
  return userGrants.includes(event.name) ? 'medium' : 'low';
}

function reasonOf(name: string): string {
  if (accesses.includes(name)) {
    return 'Users, passwords and keys outlive the instance; programs on instances rarely make them.';
  }
  if (userGrants.includes(name)) return 'A user got more rights from a program on an instance.';
  return 'A deploy runner does this daily; other programs on instances do not.';
}
