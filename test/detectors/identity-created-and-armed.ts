// Cases of identity-created-and-armed.
import type { DetectorCases } from '../support/cases.ts';
import {
  allow,
  apiCall,
  assumedRole,
  awsService,
  document,
  iamUser,
  type RawRecord,
  stranger,
  trusts,
} from '../support/records.ts';

const bob = iamUser('bob');
const terraform = assumedRole('terraform', 'run-17');
const admin = 'arn:aws:iam::aws:policy/AdministratorAccess';

function iam(by: RawRecord, name: string, minute: number, request: RawRecord): RawRecord {
  const at = `2026-03-04T1${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}:00Z`;
  return apiCall({ source: 'iam', name, by, at, request });
}

const user = { userName: 'svc-sync' };
const role = { roleName: 'ops' };
const toLambda = document(trusts({ Service: 'lambda.amazonaws.com' }));
const narrow = document(allow('s3:GetObject', 'arn:aws:s3:::reports/*'));

export const cases: DetectorCases = {
  detector: 'identity-created-and-armed',
  cases: [
    {
      // Modelled on stratus-detonations-2024 3346344c-5a3e-429e-8405-420f98f75d6e and those beside
      // it:
      // the user, its rights and its key within the same second.
      name: 'fires high when a user is made administrator and given a key in one second',
      given: [
        iam(bob, 'CreateAccessKey', 5, user),
        iam(bob, 'AttachUserPolicy', 5, { ...user, policyArn: admin }),
        apiCall({
          source: 'iam',
          name: 'CreateUser',
          by: bob,
          at: '2026-03-04T10:05:00Z',
          request: { ...user, tags: [{ key: 'team', value: 'ops' }] },
          response: {
            user: {
              arn: 'arn:aws:iam::111122223333:user/svc-sync',
              createDate: 'Mar 4, 2026 10:05:00 AM',
              path: '/',
              userId: 'AIDAEXAMPLE1234567890',
              userName: 'svc-sync',
            },
          },
        }),
      ],
      expect: [
        {
          severity: 'high',
          title: /^IAM user bob made user svc-sync and gave it powerful rights and an access key$/,
          reason: /AdministratorAccess: allows every action.*The same principal did all of it/,
        },
      ],
    },
    {
      name: 'fires high when two hands arm a user over a group and a password',
      given: [
        iam(bob, 'CreateUser', 0, user),
        iam(bob, 'CreateLoginProfile', 2, user),
        iam(iamUser('eve'), 'AddUserToGroup', 30, { ...user, groupName: 'Administrators' }),
      ],
      expect: [{ severity: 'high', title: /console password$/, reason: /2 principals had a hand/ }],
    },
    {
      name: 'fires high when a role is made for another account and made administrator',
      given: [
        iam(bob, 'CreateRole', 0, {
          ...role,
          assumeRolePolicyDocument: document(trusts({ AWS: `arn:aws:iam::${stranger}:root` })),
        }),
        iam(bob, 'AttachRolePolicy', 1, { ...role, policyArn: admin }),
      ],
      expect: [
        { severity: 'high', title: /made role ops and gave it powerful rights and a trust/ },
      ],
    },
    {
      name: 'keeps a role for Lambda with powerful rights low: a deployment makes these',
      given: [
        iam(terraform, 'CreateRole', 0, { ...role, assumeRolePolicyDocument: toLambda }),
        iam(terraform, 'AttachRolePolicy', 1, { ...role, policyArn: admin }),
      ],
      expect: [{ severity: 'low', title: /^Role terraform made role ops/ }],
    },
    {
      name: 'keeps a user with a key and a narrow policy low: Terraform does this',
      given: [
        iam(terraform, 'CreateUser', 0, user),
        iam(terraform, 'PutUserPolicy', 1, { ...user, policyName: 'x', policyDocument: narrow }),
        iam(terraform, 'CreateAccessKey', 2, user),
      ],
      expect: [{ severity: 'low', title: /gave it an access key$/ }],
    },
    {
      name: 'tells a user alone, and does not count what came after an hour',
      given: [
        iam(bob, 'CreateUser', 0, user),
        iam(bob, 'AttachUserPolicy', 61, { ...user, policyArn: admin }),
      ],
      expect: [{ severity: 'low', title: /^IAM user bob made user svc-sync$/ }],
    },
    {
      name: 'stays quiet on an ordinary role with a narrow policy',
      given: [
        iam(terraform, 'CreateRole', 0, { ...role, assumeRolePolicyDocument: toLambda }),
        iam(terraform, 'PutRolePolicy', 1, { ...role, policyName: 'x', policyDocument: narrow }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on arming what was not made in the window, and on another target',
      given: [
        iam(bob, 'AttachUserPolicy', 1, { ...user, policyArn: admin }),
        iam(bob, 'CreateAccessKey', 2, { userName: 'other' }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when AWS makes a user for itself',
      given: [iam(awsService('bedrock'), 'CreateUser', 0, user)],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'CreateUser',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: null,
        },
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'CreateRole',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: { roleName: 7 },
        },
      ],
      expect: [],
    },
  ],
};
