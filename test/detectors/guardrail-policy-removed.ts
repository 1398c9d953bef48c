// Cases of guardrail-policy-removed.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  awsService,
  iamUser,
  type RawRecord,
  refusal,
} from '../support/records.ts';

const bob = iamUser('bob');
const own = (name: string) => `arn:aws:iam::${account}:policy/${name}`;

function detach(by: RawRecord, policyArn: string, target: RawRecord): RawRecord {
  const kind = 'roleName' in target ? 'Role' : 'User';
  return apiCall({
    source: 'iam',
    name: `Detach${kind}Policy`,
    by,
    request: { policyArn, ...target },
  });
}

export const cases: DetectorCases = {
  detector: 'guardrail-policy-removed',
  cases: [
    {
      name: 'fires high when a user takes a limit off itself',
      given: [detach(bob, own('Deny-Outside-EU'), { userName: 'bob' })],
      expect: [
        {
          severity: 'high',
          title: /^IAM user bob detached guardrail policy Deny-Outside-EU from itself$/,
        },
      ],
    },
    {
      name: 'fires medium when a user takes a limit off a role',
      given: [detach(bob, own('org/Guard-Rail-Network'), { roleName: 'ops' })],
      expect: [{ severity: 'medium', title: /Guard-Rail-Network from role ops$/ }],
    },
    {
      name: 'fires medium when a person of Identity Center deletes one',
      given: [
        apiCall({
          source: 'iam',
          name: 'DeletePolicy',
          by: assumedRole('AWSReservedSSO_Ops_0123456789abcdef', 'ann@example.com'),
          request: { policyArn: own('force_mfa') },
        }),
      ],
      expect: [{ severity: 'medium', title: /deleted guardrail policy force_mfa$/ }],
    },
    {
      name: 'keeps the role of a tool low',
      given: [
        apiCall({
          source: 'iam',
          name: 'DeleteRolePolicy',
          by: assumedRole('terraform'),
          request: { roleName: 'app', policyName: 'RestrictRegions' },
        }),
      ],
      expect: [
        { severity: 'low', title: /deleted guardrail policy RestrictRegions from role app/ },
      ],
    },
    {
      // Modelled on traildiscover-events: the refused call has no request, the message names the
      // policy.
      name: 'is low when it was refused',
      given: [
        apiCall({
          source: 'iam',
          name: 'DeletePolicy',
          by: bob,
          error: refusal(
            `arn:aws:iam::${account}:user/bob`,
            'iam:DeletePolicy',
            `policy ${own('deny-iam')}`,
          ),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to delete guardrail policy deny-iam$/ }],
    },
    {
      name: 'stays quiet on plain policies, AWS itself, and the quarantine',
      given: [
        detach(bob, own('reports-read'), { roleName: 'ops' }),
        detach(awsService('sso'), own('Deny-Outside-EU'), { roleName: 'ops' }),
        detach(bob, 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3', { userName: 'x' }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'DetachUserPolicy',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: null,
        },
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'DeletePolicy',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: { policyArn: ['deny'] },
        },
      ],
      expect: [],
    },
  ],
};
