// Cases of iam-policy-changed. A comment names the public record that a case was modelled on.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  allow,
  assumedRole,
  awsService,
  document,
  refusal,
  rootUser,
  serviceLinkedRole,
  stranger,
  through,
  trusts,
} from '../support/records.ts';
import { admin, attachUser, iam, known, putRole, trust } from './iam-policy-changed/calls.ts';
import { sharing } from './iam-policy-changed/sharing.ts';
import { trusting } from './iam-policy-changed/trusting.ts';

const alice = `arn:aws:iam::${account}:user/alice`;

const identities: DetectorCases['cases'] = [
  {
    // stratus-detonations-2024, 083dc4ad-e264-46bc-a407-d0dd31b58bdc
    name: 'is critical on AdministratorAccess for a user',
    given: [attachUser(admin)],
    expect: [
      {
        severity: 'critical',
        title: /^alice attached AdministratorAccess to user bob$/,
        reason: /allows every action on every resource/,
      },
    ],
  },
  {
    name: 'knows AdministratorAccess in other partitions',
    given: [attachUser('arn:aws-cn:iam::aws:policy/AdministratorAccess')],
    expect: [{ severity: 'critical' }],
  },
  {
    name:
      'is low on a policy named AdministratorAccess that is not of AWS, and says it ' +
      'was not seen',
    given: [attachUser(`arn:aws:iam::${account}:policy/AdministratorAccess`)],
    expect: [{ severity: 'low', reason: /not in this event/ }],
  },
  {
    name: 'is critical when AWS quarantines a leaked key, and when somebody lifts it',
    given: [
      attachUser('arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3', 'bob', {
        at: '2026-03-04T10:00:00Z',
        by: awsService('iam'),
      }),
      iam(
        'DetachUserPolicy',
        { policyArn: 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2', userName: 'bob' },
        { at: '2026-03-04T10:05:00Z' },
      ),
    ],
    expect: [
      { severity: 'critical', reason: /treat the key as stolen/ },
      { severity: 'critical', title: /detached/ },
    ],
  },
  {
    name: 'raises what a user attaches to itself and says so',
    given: [attachUser('arn:aws:iam::aws:policy/PowerUserAccess', 'ALICE')],
    expect: [{ severity: 'critical', reason: /caller itself/ }],
  },
  {
    name: 'raises what a session writes into its own role',
    given: [
      putRole(document(allow('s3:GetObject', 'arn:aws:s3:::b/*')), { by: assumedRole('app') }),
    ],
    expect: [{ severity: 'medium', reason: /the role the caller acts as/ }],
  },
  {
    name: 'does not take the same name of another account for itself',
    given: [
      putRole(document(allow('s3:GetObject', 'arn:aws:s3:::b/*')), {
        by: assumedRole('app', 's', '/', stranger),
      }),
    ],
    expect: [{ severity: 'low' }],
  },
  {
    name: 'is critical on NotAction without IAM (fixture 13)',
    given: [putRole(document({ Effect: 'Allow', NotAction: ['s3:*'], Resource: '*' }))],
    expect: [{ severity: 'critical', reason: /every action except s3:\*/ }],
  },
  {
    name: 'matches iam:PASSROLE in any case (fixture 14)',
    given: [putRole(document(allow('iam:PASSROLE')))],
    expect: [{ severity: 'high', reason: /PassRole of every role/ }],
  },
  {
    name: 'flags a document that was cut short (fixture 15)',
    given: [putRole(document(allow('*')).slice(0, 60))],
    expect: [{ severity: 'medium', reason: /was cut short/ }],
  },
  {
    name: 'flags a call whose request is missing',
    given: [iam('AttachUserPolicy', null)],
    expect: [{ severity: 'medium', reason: /not in the record/ }],
  },
  {
    name: 'is high on the removal of a boundary (fixture 18)',
    given: [iam('DeleteUserPermissionsBoundary', { userName: 'bob' })],
    expect: [{ severity: 'high', reason: /no longer limits/ }],
  },
  {
    name: 'is one step lower on a policy that is only written, not attached',
    given: [iam('CreatePolicy', { policyName: 'p', policyDocument: document(allow('*')) })],
    expect: [{ severity: 'high', reason: /until it is attached/ }],
  },
  {
    name: 'is critical on an administrator version made default at once',
    given: [
      iam('CreatePolicyVersion', {
        policyArn: `arn:aws:iam::${account}:policy/p`,
        policyDocument: document(allow('*')),
        setAsDefault: true,
      }),
    ],
    expect: [{ severity: 'critical', title: /new default version of policy p/ }],
  },
  {
    name: 'is low on narrow content, on a deny, and on what takes rights away',
    given: [
      putRole(document(allow('s3:GetObject', 'arn:aws:s3:::b/*')), { at: '2026-03-04T10:00:00Z' }),
      putRole(document({ Effect: 'Deny', Action: '*', Resource: '*' }), {
        at: '2026-03-04T10:01:00Z',
      }),
      iam(
        'DetachRolePolicy',
        { policyArn: admin, roleName: 'app' },
        { at: '2026-03-04T10:02:00Z' },
      ),
    ],
    expect: [
      { severity: 'low', reason: /narrow/ },
      { severity: 'low', reason: /only denies/ },
      { severity: 'low', reason: /takes away/ },
    ],
  },
  {
    // aws-docs-examples, AddUserToGroup of Bob to admin: eventVersion 1.0, no eventID.
    name: 'is medium on a group whose name promises rights, in a record of version 1.0',
    given: [
      iam(
        'AddUserToGroup',
        { userName: 'bob', groupName: 'admin' },
        {
          with: {
            eventVersion: '1.0',
            eventCategory: undefined,
            managementEvent: undefined,
            readOnly: undefined,
            recipientAccountId: undefined,
          },
        },
      ),
    ],
    expect: [{ severity: 'medium', title: /added user bob to group admin/ }],
  },
  {
    name: 'is info on tags and service-linked roles',
    given: [
      iam('TagRole', { roleName: 'app', tags: [] }, { at: '2026-03-04T10:00:00Z' }),
      iam(
        'CreateServiceLinkedRole',
        { aWSServiceName: 'ecs.amazonaws.com' },
        { at: '2026-03-04T10:01:00Z', by: rootUser() },
      ),
    ],
    expect: [{ severity: 'info' }, { severity: 'info' }],
  },
  {
    name: 'cleans and cuts hostile names',
    given: [attachUser(admin, `bob\u0007\u202e\r\n${'x'.repeat(400)}`)],
    expect: [
      {
        severity: 'critical',
        title: /^alice attached AdministratorAccess to user bob x{100,123}…$/,
      },
    ],
  },
];

const refused: DetectorCases['cases'] = [
  {
    // traildiscover-events, 37bd1355-17f1-4e7e-8775-1b67b63cefe6
    name: 'is medium on a refused attachment to oneself, named only in the message (fixture 10)',
    given: [
      iam('AttachUserPolicy', null, {
        error: refusal(alice, 'iam:AttachUserPolicy', 'user alice'),
      }),
    ],
    expect: [
      {
        severity: 'medium',
        title: /tried to attach a policy to user alice and was denied/,
        reason: /caller itself/,
      },
    ],
  },
  {
    // traildiscover-events, 579e28fd-c33a-4aa9-b78d-e9c18a285877
    name: 'is low on a refused change of another role',
    given: [
      iam('UpdateAssumeRolePolicy', null, {
        error: refusal(alice, 'iam:UpdateAssumeRolePolicy', 'role other'),
      }),
    ],
    expect: [{ severity: 'low', title: /trust policy of role other and was denied/ }],
  },
  {
    // traildiscover-events, d0b94f39-24bf-4fe8-8154-46d08e6b8b1e
    name: 'is medium on a refused removal of a boundary',
    given: [
      iam('DeleteRolePermissionsBoundary', null, {
        error: refusal(alice, 'iam:DeleteRolePermissionsBoundary', 'role other'),
      }),
    ],
    expect: [{ severity: 'medium' }],
  },
  {
    name: 'is medium where the refused request shows administrator rights',
    given: [
      attachUser(admin, 'bob', { error: refusal(alice, 'iam:AttachUserPolicy', 'user bob') }),
    ],
    expect: [{ severity: 'medium', reason: /Had it worked: The policy allows every action/ }],
  },
  {
    name: 'is low or info on other failures',
    given: [
      trust(document(trusts({ AWS: `arn:aws:iam::${stranger}:user/guess` })), {
        at: '2026-03-04T10:00:00Z',
        error: ['MalformedPolicyDocumentException', 'Invalid principal in policy'],
      }),
      iam(
        'CreateGroup',
        { groupName: 'g' },
        { at: '2026-03-04T10:01:00Z', error: ['EntityAlreadyExistsException', 'exists'] },
      ),
    ],
    expect: [{ severity: 'low', reason: /which principals exist/ }, { severity: 'info' }],
  },
];

const automated: DetectorCases['cases'] = [
  {
    name: 'keeps what is grave through CloudFormation and says so',
    given: [putRole(document(allow('*')), through(assumedRole('deployer'), 'cloudformation'))],
    expect: [{ severity: 'critical', reason: /CloudFormation/ }],
  },
  {
    name: 'lowers what is routine through CloudFormation, but never for a user agent',
    given: [
      putRole(document(allow('s3:ListAllMyBuckets')), {
        at: '2026-03-04T10:00:00Z',
        ...through(assumedRole('deployer'), 'cloudformation'),
      }),
      putRole(document(allow('s3:ListAllMyBuckets')), {
        at: '2026-03-04T10:01:00Z',
        with: { userAgent: 'cloudformation.amazonaws.com' },
      }),
    ],
    expect: [{ severity: 'info' }, { severity: 'low' }],
  },
  {
    name: 'is info where a service-linked role or Identity Center keeps order',
    given: [
      putRole(document(allow('*')), {
        at: '2026-03-04T10:00:00Z',
        by: serviceLinkedRole('AWSServiceRoleForSSO', 'sso'),
      }),
      iam(
        'AttachRolePolicy',
        { roleName: 'AWSReservedSSO_Admin_0123456789abcdef', policyArn: admin },
        { at: '2026-03-04T10:01:00Z', ...through(assumedRole('anything'), 'sso') },
      ),
    ],
    expect: [{ severity: 'info' }, { severity: 'info' }],
  },
  {
    name: 'does not believe the name of a service-linked role outside of its path',
    given: [putRole(document(allow('*')), { by: assumedRole('AWSServiceRoleForEvil') })],
    expect: [{ severity: 'critical' }],
  },
  {
    name: 'stays quiet when AWS updates a managed policy of its own',
    given: [
      iam(
        'CreatePolicyVersion',
        {
          policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess',
          policyDocument: document(allow('*')),
        },
        { by: awsService('iam') },
      ),
    ],
    expect: [],
  },
];

export const cases: DetectorCases = {
  detector: 'iam-policy-changed',
  config: { knownAccounts: [known] },
  cases: [...identities, ...trusting, ...refused, ...automated, ...sharing],
};
