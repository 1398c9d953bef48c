// Cases of mfa-enforcement-removed.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  allow,
  apiCall,
  assumedRole,
  document,
  iamUser,
  refusal,
} from '../support/records.ts';

const arn = `arn:aws:iam::${account}:policy/security/Force-MFA`;
const guard = {
  Effect: 'Deny',
  NotAction: ['iam:EnableMFADevice', 'sts:GetSessionToken'],
  Resource: '*',
  Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } },
};

function iam(name: string, request: unknown, by = assumedRole('Admin')) {
  return apiCall({ source: 'iam', name, by, request });
}

export const cases: DetectorCases = {
  detector: 'mfa-enforcement-removed',
  cases: [
    {
      // Modelled on stratus-detonations-2024 (DetachUserPolicy), with a policy that enforces MFA.
      name: 'fires medium when the policy is detached from a group',
      given: [iam('DetachGroupPolicy', { groupName: 'staff', policyArn: arn })],
      expect: [
        {
          severity: 'medium',
          title: /^Role Admin detached Force-MFA, which enforces MFA, from staff$/,
        },
      ],
    },
    {
      name: 'fires high when a user frees itself from it',
      given: [
        iam('DeleteUserPolicy', { userName: 'bob', policyName: 'DenyAllIfNoMFA' }, iamUser('bob')),
        iam('RemoveUserFromGroup', { userName: 'bob', groupName: 'mfa_required' }, iamUser('bob')),
      ],
      expect: [
        { severity: 'high', title: /deleted DenyAllIfNoMFA/ },
        { severity: 'high', title: /took a user out of group mfa_required, .*: bob$/ },
      ],
    },
    {
      name: 'fires when the policy is rewritten without a condition on MFA',
      given: [
        iam('CreatePolicyVersion', {
          policyArn: arn,
          setAsDefault: true,
          policyDocument: document(allow('s3:*')),
        }),
      ],
      expect: [{ severity: 'medium', reason: /no condition on MFA any more/ }],
    },
    {
      name: 'fires when a service control policy loses it',
      given: [
        apiCall({
          source: 'organizations',
          name: 'UpdatePolicy',
          by: assumedRole('Admin'),
          request: { policyId: 'p-0123456789', content: document(allow('*')) },
          response: { policy: { policySummary: { name: 'RequireMFA', type: 'SERVICE_CONTROL' } } },
        }),
      ],
      expect: [{ severity: 'medium', title: /rewrote RequireMFA/ }],
    },
    {
      name: 'gives low to a policy that nobody held any more, and to a refused attempt',
      given: [
        iam('DeletePolicy', { policyArn: arn }),
        apiCall({
          source: 'iam',
          name: 'DetachUserPolicy',
          by: iamUser('bob'),
          request: { userName: 'bob', policyArn: arn },
          error: refusal(`arn:aws:iam::${account}:user/bob`, 'iam:DetachUserPolicy', '*'),
        }),
      ],
      expect: [
        { severity: 'low', title: /^Role Admin deleted/ },
        { severity: 'low', title: /was refused$/ },
      ],
    },
    {
      name: 'stays quiet when the new document still asks for MFA, or is not in force',
      given: [
        iam('PutGroupPolicy', {
          groupName: 'staff',
          policyName: 'require-mfa',
          policyDocument: document(guard),
        }),
        iam('CreatePolicyVersion', {
          policyArn: arn,
          setAsDefault: false,
          policyDocument: document(allow('s3:*')),
        }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on policies that let users manage devices, on others, and on odd input',
      given: [
        iam('DetachUserPolicy', {
          userName: 'bob',
          policyArn: `arn:aws:iam::${account}:policy/SelfManageMFA`,
        }),
        iam('DeleteRolePolicy', { roleName: 'Deploy', policyName: 'require-tags' }),
        iam('DetachUserPolicy', null),
        iam('PutUserPolicy', { userName: 3, policyName: 'ForceMFA', policyDocument: '{"Vers' }),
      ],
      expect: [],
    },
  ],
};
