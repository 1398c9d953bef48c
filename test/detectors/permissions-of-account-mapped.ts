// Cases of permissions-of-account-mapped.
import type { DetectorCases } from '../support/cases.ts';
import {
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  refusal,
  serviceLinkedRole,
} from '../support/records.ts';

const bob = iamUser('bob');
const instance = assumedRole('app', 'i-0123456789abcdef0');
const ten = [
  'GetAccountSummary',
  'ListUsers',
  'ListRoles',
  'ListGroups',
  'ListPolicies',
  'ListAccessKeys',
  'ListAttachedUserPolicies',
  'ListUserPolicies',
  'ListGroupsForUser',
  'GetPolicyVersion',
];

function reads(by: RawRecord, names: readonly string[], hour = '10'): RawRecord[] {
  return names.map((name, n) =>
    apiCall({ source: 'iam', name, by, at: `2026-03-04T${hour}:${10 + n}:00Z` }),
  );
}

const dump = ['GetAccountAuthorizationDetails'];

export const cases: DetectorCases = {
  detector: 'permissions-of-account-mapped',
  cases: [
    {
      name: 'fires low when a long-term key takes the whole of IAM',
      given: reads(bob, dump),
      expect: [
        {
          severity: 'low',
          title: /^IAM user bob mapped the permissions of the account$/,
          reason: /GetAccountAuthorizationDetails.*a long-term key/,
        },
      ],
    },
    {
      name: 'fires low when the credentials of an instance have permissions simulated',
      given: reads(instance, ['SimulatePrincipalPolicy']),
      expect: [{ severity: 'low', reason: /instance i-0123456789abcdef0/ }],
    },
    {
      name: 'is info for the role of a scanner, and once a day',
      given: [
        ...reads(assumedRole('scanner'), dump),
        ...reads(assumedRole('scanner'), dump, '11'),
        ...reads(assumedRole('scanner'), ten),
      ],
      expect: [{ severity: 'info', title: /^Role scanner mapped/ }],
    },
    {
      name: 'tells an attempt that was refused as one',
      given: [
        apiCall({
          source: 'iam',
          name: 'GetAccountAuthorizationDetails',
          by: bob,
          error: refusal(
            'arn:aws:iam::111122223333:user/bob',
            'iam:GetAccountAuthorizationDetails',
            '*',
          ),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to map/ }],
    },
    {
      // Modelled on flaws-cloud-excerpt-2020: a user lists all of IAM with Boto3.
      name: 'fires low when a long-term key reads IAM with ten different calls',
      given: reads(bob, ten),
      expect: [{ severity: 'low', title: /read IAM with 10 different calls/ }],
    },
    {
      name: 'stays quiet on nine, and on reads by a role of a tool',
      given: [...reads(bob, ten.slice(1)), ...reads(assumedRole('terraform'), ten)],
      expect: [],
    },
    {
      name: 'stays quiet when a service of AWS makes the credential report',
      given: reads(serviceLinkedRole('AWSServiceRoleForSecurityHub', 'securityhub'), [
        'GenerateCredentialReport',
      ]),
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'GetAccountAuthorizationDetails',
          eventTime: '2026-03-04T10:00:00Z',
          userIdentity: null,
        },
      ],
      expect: [],
    },
  ],
};
