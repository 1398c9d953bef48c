// Calls of IAM that alter what users, groups and roles may do.
import { plain } from '../../text.ts';
import type { Target } from '../denial.ts';
import { decodeDocument, isJudgeable } from '../document.ts';
import type { Finding } from '../finding.ts';
import { isDenyOnly } from '../judge.ts';
import { isQuarantine, managedPolicy, policyArn } from '../managed-policies.ts';
import { judgeTrust } from '../trust.ts';
import {
  type Asked,
  type Change,
  judged,
  judgedPolicy,
  limitHint,
  named,
  nameIn,
  policyShown,
  quietly,
  type Reader,
  type Readers,
  targetIn,
} from './change.ts';

const kinds = ['user', 'role', 'group'] as const;
type Kind = (typeof kinds)[number];

const quarantined =
  'AWS attaches this policy to a user whose access key it found in public: treat ' +
  'the key as stolen.';
const unseen = 'The content of this customer-managed policy is not in this event.';

function attach(kind: Kind): Reader {
  return (asked) => {
    const arn = nameIn(asked, 'policyArn');
    const target = targetIn(asked, kind, `${kind}Name`);
    const common = {
      verb: ['attach', 'attached'],
      object: `${arn === '' ? 'a policy' : policyShown(arn)} to ${named(kind, target?.name)}`,
      subject: 'The policy',
      ...aboutTarget(target, arn),
    } as const;
    if (isQuarantine(arn)) {
      const what = 'is the quarantine of AWS for a leaked access key';
      const findings: Finding[] = [{ severity: 'critical', what }];
      // The quarantine takes rights away, and it is AWS that attaches it.
      return {
        ...common,
        findings,
        base: 'critical',
        note: quarantined,
        grants: false,
        evenByAws: true,
      };
    }
    const known = managedPolicy(arn);
    const findings = known === undefined ? [] : [known];
    const note = known === undefined ? noteOnContent(arn) : undefined;
    const grants = known?.severity !== 'info';
    return { ...common, findings, base: 'low', grants, ...(note ? { note } : {}) };
  };
}

function noteOnContent(arn: string): string | undefined {
  const policy = policyArn(arn);
  if (policy === undefined) return undefined;
  return policy.isAwsManaged ? 'It is an AWS-managed policy of limited reach.' : unseen;
}

function detach(kind: Kind): Reader {
  return (asked) => {
    const arn = nameIn(asked, 'policyArn');
    const target = targetIn(asked, kind, `${kind}Name`);
    const isFreed = isQuarantine(arn);
    const what = 'was the quarantine of AWS for a leaked access key, which can be used again';
    return {
      verb: ['detach', 'detached'],
      object: `${arn === '' ? 'a policy' : policyShown(arn)} from ${named(kind, target?.name)}`,
      subject: 'The policy',
      findings: isFreed ? [{ severity: 'critical', what }] : [],
      base: 'low',
      ...(isFreed ? {} : { note: `It takes away what the policy gave.${limitHint(arn)}` }),
      grants: isFreed,
      evenByAws: isFreed,
      ...aboutTarget(target, arn),
    };
  };
}

function putInline(kind: Kind): Reader {
  return (asked) => {
    const target = targetIn(asked, kind, `${kind}Name`);
    const policy = nameIn(asked, 'policyName');
    const document = asked.request['policyDocument'];
    const decoded = decodeDocument(document);
    return {
      verb: ['write', 'wrote'],
      object: `${named('inline policy', policy)} of ${named(kind, target?.name)}`,
      subject: 'The policy',
      base: 'low',
      ...judgedPolicy(asked, document),
      grants: !(isJudgeable(decoded) && isDenyOnly(decoded.statements)),
      ...aboutTarget(target, policy),
    };
  };
}

function deleteInline(kind: Kind): Reader {
  return (asked) => {
    const target = targetIn(asked, kind, `${kind}Name`);
    const policy = nameIn(asked, 'policyName');
    return {
      ...quietly('delete', 'deleted'),
      object: `${named('inline policy', policy)} of ${named(kind, target?.name)}`,
      base: 'low',
      note: `It takes away what the policy gave.${limitHint(policy)}`,
      ...aboutTarget(target, policy),
    };
  };
}

function putBoundary(kind: Kind): Reader {
  return (asked) => {
    const arn = nameIn(asked, 'permissionsBoundary');
    const policy = arn === '' ? 'a policy' : policyShown(arn);
    const target = targetIn(asked, kind, `${kind}Name`);
    const known = managedPolicy(arn);
    const isIdle = known?.severity === 'critical' || known?.severity === 'high';
    const what = `is ${policyShown(arn)}, which limits next to nothing`;
    const findings: Finding[] = isIdle ? [{ severity: 'high', what }] : [];
    const note = known === undefined ? noteOnContent(arn) : undefined;
    return {
      verb: ['set', 'set'],
      object: `the permissions boundary of ${named(kind, target?.name)} to ${policy}`,
      subject: 'The boundary',
      findings,
      base: 'low',
      ...(note ? { note } : {}),
      // A boundary gives nothing by itself, but changing one's own can take a limit away.
      grants: policyArn(arn)?.name !== 'AWSDenyAll',
      ...aboutTarget(target, arn),
    };
  };
}

function deleteBoundary(kind: Kind): Reader {
  return (asked) => {
    const target = targetIn(asked, kind, `${kind}Name`);
    const what = 'no longer limits it: all that its policies allow takes effect';
    return {
      verb: ['remove', 'removed'],
      object: `the permissions boundary of ${named(kind, target?.name)}`,
      subject: 'The boundary',
      findings: [{ severity: 'high', what }],
      base: 'high',
      grants: true,
      ...aboutTarget(target, ''),
    };
  };
}

const createRole: Reader = (asked) => {
  const target = targetIn(asked, 'role', 'roleName');
  if (/^\/aws-service-role\//.test(nameIn(asked, 'path'))) return serviceLinked(asked);
  const boundary = nameIn(asked, 'permissionsBoundary');
  const note =
    boundary === '' ? undefined : `It is made within the boundary ${policyShown(boundary)}.`;
  return trustChange(asked, ['create', 'created'], target, 'assumeRolePolicyDocument', note);
};

const updateTrust: Reader = (asked) =>
  trustChange(asked, ['change', 'changed'], targetIn(asked, 'role', 'roleName'), 'policyDocument');

function trustChange(
  asked: Asked,
  verb: Change['verb'],
  target: Target | undefined,
  key: string,
  note?: string,
): Change {
  const made = asked.event.text('responseElements.role.arn');
  const self = made ?? `arn:aws:iam::${asked.ground.account}:role/${target?.name ?? ''}`;
  const ground = { ...asked.ground, self };
  const request = asked.request[key];
  const document = request ?? asked.event.field('responseElements.role.assumeRolePolicyDocument');
  const findings = judged(asked, document, (statements) => judgeTrust(statements, ground));
  const inner =
    findings.length > 0 ? undefined : 'Nobody outside of the account can assume the role.';
  const isKnown = isJudgeable(decodeDocument(document));
  const sentences = [isKnown ? inner : undefined, note].filter((one) => one !== undefined);
  return {
    verb,
    object: `${verb[0] === 'change' ? 'the trust policy of ' : ''}${named('role', target?.name)}`,
    subject: 'The trust policy',
    findings,
    base: 'low',
    ...(sentences.length > 0 ? { note: sentences.join(' ') } : {}),
    grants: true,
    ...aboutTarget(target, ''),
  };
}

function serviceLinked(asked: Asked): Change {
  const service = nameIn(asked, 'awsServiceName', 'aWSServiceName');
  const owner = service === '' ? '' : ` for ${plain(service)}`;
  const role = nameIn(asked, 'roleName') || asked.event.text('responseElements.role.roleName');
  return {
    ...quietly('create', 'created'),
    object: `${named('service-linked role', role)}${owner}`,
    base: 'info',
    note: 'Only the AWS service can assume such a role.',
  };
}

function addToGroup(asked: Asked): Change {
  const group = nameIn(asked, 'groupName') || targetIn(asked, 'group', 'groupName')?.name;
  const name = nameIn(asked, 'userName');
  const isTelling = /admin|power|root|super|owner|security|breakglass|break-glass/i.test(
    group ?? '',
  );
  return {
    verb: ['add', 'added'],
    object: `${named('user', name)} to ${named('group', group)}`,
    subject: 'The group',
    findings: isTelling
      ? [{ severity: 'medium', what: 'has a name that promises many rights' }]
      : [],
    base: 'low',
    note: 'What the group may do is not in this event.',
    grants: true,
    ...(name === '' ? {} : { target: { kind: 'user', name } }),
  };
}

function removeFromGroup(asked: Asked): Change {
  const name = nameIn(asked, 'userName');
  return {
    ...quietly('remove', 'removed'),
    object: `${named('user', name)} from ${named('group', nameIn(asked, 'groupName'))}`,
    base: 'low',
    note: 'It takes away what the group gave.',
    ...aboutTarget(name === '' ? undefined : { kind: 'user', name }, ''),
  };
}

function aboutTarget(target: Target | undefined, policy: string) {
  return { ...(target ? { target } : {}), ...(policy === '' ? {} : { policy }) };
}

function small(
  verb: readonly [string, string],
  kind: string,
  key: string,
  base: Change['base'],
  note?: string,
): Reader {
  return (asked) => {
    const target = targetIn(asked, kind, key);
    return {
      ...quietly(...verb),
      object: named(kind, target?.name),
      base,
      ...(note ? { note } : {}),
      ...aboutTarget(target, ''),
    };
  };
}

const tagged = 'Tags give rights where policies test them.';

/** The calls of IAM on users, groups and roles. */
export const identityReaders: Readers = {
  AttachUserPolicy: attach('user'),
  AttachRolePolicy: attach('role'),
  AttachGroupPolicy: attach('group'),
  DetachUserPolicy: detach('user'),
  DetachRolePolicy: detach('role'),
  DetachGroupPolicy: detach('group'),
  PutUserPolicy: putInline('user'),
  PutRolePolicy: putInline('role'),
  PutGroupPolicy: putInline('group'),
  DeleteUserPolicy: deleteInline('user'),
  DeleteRolePolicy: deleteInline('role'),
  DeleteGroupPolicy: deleteInline('group'),
  PutUserPermissionsBoundary: putBoundary('user'),
  PutRolePermissionsBoundary: putBoundary('role'),
  DeleteUserPermissionsBoundary: deleteBoundary('user'),
  DeleteRolePermissionsBoundary: deleteBoundary('role'),
  CreateRole: createRole,
  UpdateAssumeRolePolicy: updateTrust,
  CreateServiceLinkedRole: serviceLinked,
  DeleteServiceLinkedRole: small(['delete', 'deleted'], 'role', 'roleName', 'info'),
  UpdateRole: small(['change', 'changed'], 'role', 'roleName', 'low', 'It can lengthen sessions.'),
  DeleteRole: small(['delete', 'deleted'], 'role', 'roleName', 'low'),
  CreateGroup: small(['create', 'created'], 'group', 'groupName', 'info'),
  UpdateGroup: small(['change', 'changed'], 'group', 'groupName', 'low'),
  DeleteGroup: small(['delete', 'deleted'], 'group', 'groupName', 'low'),
  AddUserToGroup: addToGroup,
  RemoveUserFromGroup: removeFromGroup,
  TagUser: small(['tag', 'tagged'], 'user', 'userName', 'info', tagged),
  TagRole: small(['tag', 'tagged'], 'role', 'roleName', 'info', tagged),
  UntagUser: small(['untag', 'untagged'], 'user', 'userName', 'info', tagged),
  UntagRole: small(['untag', 'untagged'], 'role', 'roleName', 'info', tagged),
};
