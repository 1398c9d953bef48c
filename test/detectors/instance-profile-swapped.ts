// Cases of instance-profile-swapped.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, iamUser, type RawRecord } from '../support/records.ts';

const id = 'i-0123456789abcdef0';
const deploy = assumedRole('deploy', 'ci');

function associate(by: RawRecord, more: Partial<Call> = {}): RawRecord {
  const request = {
    AssociateIamInstanceProfileRequest: { InstanceId: id, IamInstanceProfile: { Name: 'admin' } },
  };
  return apiCall({ source: 'ec2', name: 'AssociateIamInstanceProfile', by, request, ...more });
}

function profile(name: string, by: RawRecord, roleName?: string): RawRecord {
  return apiCall({ source: 'iam', name, by, request: { instanceProfileName: 'web', roleName } });
}

export const cases: DetectorCases = {
  detector: 'instance-profile-swapped',
  cases: [
    {
      // Modelled on stratus-detonations-2024, StartSession of a user; the target is the instance.
      name: 'fires high when the same principal gives a role and goes in',
      given: [
        associate(iamUser('bob')),
        apiCall({
          source: 'ssm',
          name: 'StartSession',
          by: iamUser('bob'),
          request: { target: id },
        }),
      ],
      expect: [
        {
          severity: 'high',
          title: /^IAM user bob gave i-0123456789abcdef0 another role and went into it$/,
        },
      ],
    },
    {
      name: 'knows the instance of a replacement by its answer',
      given: [
        apiCall({
          source: 'ec2',
          name: 'ReplaceIamInstanceProfileAssociation',
          request: { ReplaceIamInstanceProfileAssociationRequest: { AssociationId: 'iip-1' } },
          response: {
            ReplaceIamInstanceProfileAssociationResponse: {
              iamInstanceProfileAssociation: { instanceId: id },
            },
          },
        }),
        apiCall({
          source: 'ec2',
          name: 'ModifyInstanceAttribute',
          request: { instanceId: id, userData: '<sensitiveDataRemoved>' },
        }),
      ],
      expect: [{ severity: 'high', title: /^IAM user alice/ }],
    },
    {
      name: 'is low when nobody goes in, or somebody else, or elsewhere',
      given: [
        associate(deploy),
        apiCall({ source: 'ssm', name: 'StartSession', request: { target: id } }),
        apiCall({ source: 'ssm', name: 'StartSession', by: deploy, request: { target: 'i-0f' } }),
      ],
      expect: [{ severity: 'low', title: /^Role deploy gave i-0123456789abcdef0 another role$/ }],
    },
    {
      name: 'fires medium when a user swaps the role in a profile, low when a pipeline does',
      given: [
        ...[iamUser('bob'), deploy].flatMap((by) => [
          profile('RemoveRoleFromInstanceProfile', by, 'web'),
          profile('AddRoleToInstanceProfile', by, 'admin'),
        ]),
      ],
      expect: [{ severity: 'medium', reason: /web with role admin/ }, { severity: 'low' }],
    },
    {
      name: 'stays quiet on a new profile with its role, and on failures and Systems Manager',
      given: [
        profile('CreateInstanceProfile', deploy),
        profile('AddRoleToInstanceProfile', deploy, 'web'),
        associate(iamUser('bob'), { error: ['AccessDenied', 'no'] }),
        associate({ ...iamUser('bob'), invokedBy: 'ssm.amazonaws.com' }),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        associate(iamUser('bob'), { request: null }),
        associate({}, { request: { AssociateIamInstanceProfileRequest: 'x' } }),
        apiCall({ source: 'ssm', name: 'SendCommand', request: { instanceIds: 7 } }),
        apiCall({ source: 'ssm', name: 'StartSession', request: null }),
      ],
      expect: [{ severity: 'low', title: /gave an instance/ }, { severity: 'low' }],
    },
  ],
};
