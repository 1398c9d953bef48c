// Calls of Organizations and Identity Center: rights given and limits set from above.
import type { Severity } from '../../severity.ts';
import { plain } from '../../text.ts';
import { decodeDocument, isJudgeable, type Statement } from '../document.ts';
import type { Finding } from '../finding.ts';
import { coversEveryAction } from '../judge.ts';
import { managedPolicy, policyArn } from '../managed-policies.ts';
import { judgeResourcePolicy } from '../resource-policy.ts';
import {
  type Asked,
  type Change,
  judged,
  judgedPolicy,
  named,
  nameIn,
  policyShown,
  quietly,
  type Reader,
  type Readers,
} from './change.ts';

function writeOrganisationPolicy(verb: Change['verb']): Reader {
  return (asked) => {
    const name = nameIn(asked, 'name', 'policyId');
    const type = nameIn(asked, 'type').toLowerCase().replaceAll('_', ' ');
    const content = asked.request['content'];
    return {
      verb,
      object: `${named(type === '' ? 'organisation policy' : plain(type), name)}`,
      subject: 'The policy',
      findings: content === undefined ? [] : judgeLimit(content),
      base: 'low',
      grants: false,
      ...(name === '' ? {} : { policy: name }),
    };
  };
}

// A service control policy gives nothing; what matters is that it has stopped to forbid.
function judgeLimit(content: unknown): readonly Finding[] {
  const decoded = decodeDocument(content);
  // Tag, backup and other policies of Organizations have no statements and no bearing on rights.
  if (!isJudgeable(decoded)) {
    const isOther = /no statement/.test(decoded.unjudged);
    const what = `could not be judged: the document ${decoded.unjudged}`;
    return isOther ? [] : [{ severity: 'medium', what }];
  }
  return isIdle(decoded.statements) ? [{ severity: 'medium', what: 'forbids nothing' }] : [];
}

function isIdle(statements: readonly Statement[]): boolean {
  if (statements.some((one) => one.effect === 'deny')) return false;
  return statements.some((one) => one.actions.some(coversEveryAction));
}

function row(
  verb: readonly [string, string],
  kind: string,
  keys: readonly string[],
  base: Severity,
  note?: string,
): Reader {
  return (asked) => {
    const name = nameIn(asked, ...keys);
    return {
      ...quietly(...verb),
      object: named(kind, name),
      base,
      ...(note === undefined ? {} : { note }),
      ...(name === '' ? {} : { target: { kind, name } }),
    };
  };
}

function linkPolicy(
  verb: readonly [string, string],
  link: string,
  base: Severity,
  note: string,
): Reader {
  return (asked) => {
    const policy = nameIn(asked, 'policyId');
    const target = nameIn(asked, 'targetId');
    return {
      ...quietly(...verb),
      object: `${named('organisation policy', policy)} ${link} ${plain(target) || 'a target'}`,
      base,
      note,
      ...(policy === '' ? {} : { policy }),
      ...(target === '' ? {} : { target: { kind: 'target', name: target } }),
    };
  };
}

const organisationResourcePolicy: Reader = (asked) => ({
  verb: ['write', 'wrote'],
  object: 'the resource policy of the organisation',
  subject: 'The policy',
  findings: judged(asked, asked.request['content'], (all) =>
    judgeResourcePolicy(all, asked.ground),
  ),
  base: 'medium',
  note: 'It delegates administration of policies to member accounts.',
  grants: true,
});

const registerAdministrator: Reader = (asked) => {
  const account = plain(nameIn(asked, 'accountId')) || 'an account';
  const service = plain(nameIn(asked, 'servicePrincipal')) || 'a service';
  const isStrong = /^(sso|iam|cloudformation|member\.org\.stacksets)\b/.test(service);
  return {
    verb: ['make', 'made'],
    object: `${account} administrator of ${service} for the organisation`,
    subject: 'The delegation',
    findings: isStrong
      ? [{ severity: 'high', what: 'reaches the rights of people in every account' }]
      : [],
    base: 'medium',
    grants: false,
    target: { kind: 'account', name: account },
  };
};

/** The calls of AWS Organizations on policies and on what they apply to. */
export const organisationReaders: Readers = {
  CreatePolicy: writeOrganisationPolicy(['create', 'created']),
  UpdatePolicy: writeOrganisationPolicy(['change', 'changed']),
  DeletePolicy: row(['delete', 'deleted'], 'organisation policy', ['policyId'], 'low'),
  AttachPolicy: linkPolicy(
    ['attach', 'attached'],
    'to',
    'low',
    'It sets limits for what is below.',
  ),
  DetachPolicy: linkPolicy(
    ['detach', 'detached'],
    'from',
    'medium',
    'What the policy forbade there is allowed again; its content is not in this event.',
  ),
  EnablePolicyType: row(['enable', 'enabled'], 'policy type', ['policyType'], 'low'),
  DisablePolicyType: row(
    ['disable', 'disabled'],
    'policy type',
    ['policyType'],
    'high',
    'All policies of this type stop to limit anything below.',
  ),
  PutResourcePolicy: organisationResourcePolicy,
  DeleteResourcePolicy: row(['delete', 'deleted'], 'organisation resource policy', [], 'low'),
  RegisterDelegatedAdministrator: registerAdministrator,
  DeregisterDelegatedAdministrator: row(
    ['take administration from', 'took administration from'],
    'account',
    ['accountId'],
    'low',
  ),
  MoveAccount: row(
    ['move', 'moved'],
    'account',
    ['accountId'],
    'medium',
    'It inherits other limits in its new place.',
  ),
};

const everybodyAssigned =
  'Everybody who is assigned the permission set gets it when it is provisioned.';

const attachManaged: Reader = (asked) => {
  const arn = nameIn(asked, 'managedPolicyArn');
  const known = managedPolicy(arn);
  const isOther = known === undefined && policyArn(arn) !== undefined;
  return {
    ...permissionSetChange(
      asked,
      ['attach', 'attached'],
      `${arn === '' ? 'a policy' : policyShown(arn)} to `,
    ),
    findings: known === undefined ? [] : [known],
    note: isOther ? `It is a policy of limited reach. ${everybodyAssigned}` : everybodyAssigned,
    ...(arn === '' ? {} : { policy: arn }),
  };
};

const attachCustomer: Reader = (asked) => ({
  ...permissionSetChange(asked, ['attach', 'attached'], 'a customer-managed policy to '),
  note: `The content of the policy is not in this event. ${everybodyAssigned}`,
});

const putInline: Reader = (asked) => {
  const { findings, note } = judgedPolicy(asked, asked.request['inlinePolicy']);
  return {
    ...permissionSetChange(asked, ['write', 'wrote'], 'the inline policy of '),
    findings,
    note: note === undefined ? everybodyAssigned : `${note} ${everybodyAssigned}`,
  };
};

function permissionSetChange(asked: Asked, verb: Change['verb'], what: string): Change {
  const arn = nameIn(asked, 'permissionSetArn', 'name');
  return {
    verb,
    object: `${what}${named('permission set', arn.slice(arn.lastIndexOf('/') + 1))}`,
    subject: 'The policy',
    findings: [],
    base: 'low',
    grants: true,
    ...(arn === '' ? {} : { target: { kind: 'permission set', name: arn } }),
  };
}

function permissionSet(verb: Change['verb'], what: string, base: Severity, note?: string): Reader {
  return (asked) => ({
    ...permissionSetChange(asked, verb, what),
    base,
    grants: false,
    ...(note === undefined ? {} : { note }),
  });
}

const assign: Reader = (asked) => {
  const set = nameIn(asked, 'permissionSetArn');
  const what = named('permission set', set.slice(set.lastIndexOf('/') + 1));
  const kind = nameIn(asked, 'principalType').toLowerCase() || 'principal';
  const who = nameIn(asked, 'principalId');
  const account = nameIn(asked, 'targetId');
  return {
    verb: ['assign', 'assigned'],
    object: `${what} in ${plain(account) || 'an account'} to ${named(plain(kind), who)}`,
    subject: 'It',
    findings: [],
    base: 'low',
    note: 'What the permission set allows is not in this event.',
    grants: true,
    ...(who === '' ? {} : { target: { kind: 'principal', name: who } }),
  };
};

const assignmentKeys = ['principalId'];
const applicationKeys = ['applicationArn'];
const setKeys = ['groupId'];
const membership = 'The rights of the group are not in this event.';

/** The calls of IAM Identity Center on permission sets, assignments and grants. */
export const identityCenterReaders: Readers = {
  CreateAccountAssignment: assign,
  DeleteAccountAssignment: row(
    ['take an assignment from', 'took an assignment from'],
    'principal',
    assignmentKeys,
    'low',
  ),
  CreatePermissionSet: permissionSet(['create', 'created'], '', 'low'),
  UpdatePermissionSet: permissionSet(['change', 'changed'], '', 'low', 'It can lengthen sessions.'),
  DeletePermissionSet: permissionSet(['delete', 'deleted'], '', 'low'),
  ProvisionPermissionSet: permissionSet(['provision', 'provisioned'], '', 'info'),
  AttachManagedPolicyToPermissionSet: attachManaged,
  DetachManagedPolicyFromPermissionSet: permissionSet(
    ['detach', 'detached'],
    'a policy from ',
    'low',
  ),
  AttachCustomerManagedPolicyReferenceToPermissionSet: attachCustomer,
  DetachCustomerManagedPolicyReferenceFromPermissionSet: permissionSet(
    ['detach', 'detached'],
    'a policy from ',
    'low',
  ),
  PutInlinePolicyToPermissionSet: putInline,
  DeleteInlinePolicyFromPermissionSet: permissionSet(
    ['delete', 'deleted'],
    'the inline policy of ',
    'low',
  ),
  PutPermissionsBoundaryToPermissionSet: permissionSet(['set', 'set'], 'the boundary of ', 'low'),
  DeletePermissionsBoundaryFromPermissionSet: permissionSet(
    ['remove', 'removed'],
    'the boundary of ',
    'high',
    `All that the permission set allows takes effect. ${everybodyAssigned}`,
  ),
  CreateApplicationAssignment: row(
    ['assign an application to', 'assigned an application to'],
    'principal',
    assignmentKeys,
    'low',
  ),
  PutApplicationGrant: row(
    ['write a grant of', 'wrote a grant of'],
    'application',
    applicationKeys,
    'low',
  ),
  PutApplicationAccessScope: row(
    ['write an access scope of', 'wrote an access scope of'],
    'application',
    applicationKeys,
    'low',
  ),
  PutApplicationAuthenticationMethod: row(
    ['write the sign-in of', 'wrote the sign-in of'],
    'application',
    applicationKeys,
    'low',
  ),
  CreateTrustedTokenIssuer: row(
    ['create', 'created'],
    'trusted token issuer',
    ['name'],
    'medium',
    'Tokens of this issuer are then taken for users of Identity Center.',
  ),
  UpdateTrustedTokenIssuer: row(
    ['change', 'changed'],
    'trusted token issuer',
    ['trustedTokenIssuerArn', 'name'],
    'medium',
  ),
};

/** The calls of the identity store and the directory on who is in a group. */
export const membershipReaders: Readers = {
  CreateGroupMembership: row(
    ['add a member to', 'added a member to'],
    'group',
    setKeys,
    'low',
    membership,
  ),
  DeleteGroupMembership: row(['remove', 'removed'], 'membership', ['membershipId'], 'low'),
  AddMemberToGroup: row(
    ['add a member to', 'added a member to'],
    'group',
    setKeys,
    'low',
    membership,
  ),
  RemoveMemberFromGroup: row(
    ['remove a member from', 'removed a member from'],
    'group',
    setKeys,
    'low',
  ),
};
