// Cases of user-joined-powerful-group.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  allow,
  apiCall,
  assumedRole,
  awsService,
  document,
  iamUser,
  type RawRecord,
} from '../support/records.ts';

const bob = iamUser('bob');
const admin = 'arn:aws:iam::aws:policy/AdministratorAccess';

function iam(by: RawRecord, name: string, day: number, request: RawRecord): RawRecord {
  const at = `2026-03-${String(day).padStart(2, '0')}T10:00:00Z`;
  return apiCall({ source: 'iam', name, by, at, request: { groupName: 'Ops', ...request } });
}

const arm = (by: RawRecord, day: number) => iam(by, 'AttachGroupPolicy', day, { policyArn: admin });
const join = (by: RawRecord, day: number, userName = 'eve') =>
  iam(by, 'AddUserToGroup', day, { userName });

export const cases: DetectorCases = {
  detector: 'user-joined-powerful-group',
  cases: [
    {
      name: 'fires high when a user joins a group that was armed a week before',
      given: [arm(iamUser('carol'), 1), join(bob, 8, 'bob')],
      expect: [
        {
          severity: 'high',
          title: /^IAM user bob put itself into powerful group ops$/,
          reason: /AdministratorAccess allows every action.*given by IAM user carol/,
        },
      ],
    },
    {
      name: 'fires medium when one person arms a group by inline policy and puts another into it',
      given: [
        iam(bob, 'PutGroupPolicy', 1, { policyName: 'all', policyDocument: document(allow('*')) }),
        join(bob, 1),
      ],
      expect: [{ severity: 'medium', reason: /The same principal gave the group its rights/ }],
    },
    {
      name: 'is low when another person armed it, and when a tool does both',
      given: [
        arm(iamUser('carol'), 1),
        join(bob, 2),
        iam(assumedRole('terraform'), 'AttachGroupPolicy', 3, { groupName: 'x', policyArn: admin }),
        iam(assumedRole('terraform'), 'AddUserToGroup', 3, { groupName: 'x', userName: 'ann' }),
      ],
      expect: [
        { severity: 'low', title: /put user eve into powerful group ops/ },
        { severity: 'low', title: /^Role terraform put user ann into powerful group x/ },
      ],
    },
    {
      name: 'stays quiet when the group was disarmed before, armed later, or long ago',
      given: [
        arm(bob, 1),
        iam(bob, 'DetachGroupPolicy', 2, { policyArn: admin }),
        join(bob, 3),
        iam(bob, 'AddUserToGroup', 4, { groupName: 'late', userName: 'eve' }),
        iam(bob, 'AttachGroupPolicy', 5, { groupName: 'late', policyArn: admin }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on groups with narrow policies, and on AWS itself',
      given: [
        iam(bob, 'AttachGroupPolicy', 1, {
          policyArn: 'arn:aws:iam::aws:policy/IAMUserChangePassword',
        }),
        join(bob, 2, 'bob'),
        iam(awsService('sso'), 'AttachGroupPolicy', 1, { groupName: 'y', policyArn: admin }),
        iam(bob, 'AddUserToGroup', 2, { groupName: 'y', userName: 'bob' }),
      ],
      expect: [],
    },
    {
      // Modelled on traildiscover-events 1f8b80aa-6716-4c78-a13f-4209bd6880dd: refused, no request.
      name: 'stays quiet on a refused joining',
      given: [
        arm(bob, 1),
        apiCall({
          source: 'iam',
          name: 'AddUserToGroup',
          by: bob,
          error: [
            'AccessDenied',
            `User: arn:aws:iam::${account}:user/bob is not authorized to perform: iam:AddUserToGroup on resource: group Ops because no identity-based policy allows the iam:AddUserToGroup action`,
          ],
        }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: ['AddUserToGroup', 'PutGroupPolicy'].map((eventName) => ({
        eventSource: 'iam.amazonaws.com',
        eventName,
        eventTime: '2026-03-04T10:00:00Z',
        requestParameters: { groupName: 'ops', policyDocument: 4 },
      })),
      expect: [],
    },
  ],
};
