// Cases of kubernetes-admin-granted.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  type Call,
  iamUser,
  type RawRecord,
  stranger,
} from '../support/records.ts';

const admin = 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy';
const view = 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy';
const deploy = assumedRole('deploy', 'ci');

function associate(principalArn: unknown, more: Partial<Call> = {}, policyArn = admin): RawRecord {
  const request = { name: 'prod', principalArn, policyArn, accessScope: { type: 'cluster' } };
  return apiCall({ source: 'eks', name: 'AssociateAccessPolicy', request, ...more });
}

function entry(request: unknown, more: Partial<Call> = {}): RawRecord {
  return apiCall({ source: 'eks', name: 'CreateAccessEntry', request, ...more });
}

export const cases: DetectorCases = {
  detector: 'kubernetes-admin-granted',
  cases: [
    {
      name: 'fires high for a principal of another account, even by a pipeline',
      given: [associate(`arn:aws:iam::${stranger}:role/x`, { by: deploy })],
      expect: [{ severity: 'high', reason: /belongs to account 444455556666/ }],
    },
    {
      name: 'fires medium when a user gives it to itself, or to a user',
      given: [
        associate(`arn:aws:iam::${account}:user/alice`),
        entry({
          name: 'prod',
          principalArn: `arn:aws:iam::${account}:user/eve`,
          kubernetesGroups: ['system:masters'],
        }),
      ],
      expect: [
        {
          severity: 'medium',
          title: /^IAM user alice made .*user\/alice administrator of .*prod$/,
        },
        { severity: 'medium', reason: /system:masters/ },
      ],
    },
    {
      name: 'is low for a pipeline, and for a role that somebody adds',
      given: [
        associate(`arn:aws:iam::${account}:role/admins`, { by: deploy }),
        associate(`arn:aws:iam::${account}:role/admins`, { by: iamUser('bob') }),
      ],
      expect: [{ severity: 'low' }, { severity: 'low' }],
    },
    {
      // Modelled on traildiscover-events fbc1714d-f896-4a9f-826d-1311530cf793: no group is asked for.
      name: 'stays quiet on plain entries, on views, and on namespaces',
      given: [
        entry(
          { name: 'prod', principalArn: `arn:aws:iam::${account}:role/x` },
          { error: ['AccessDenied', 'no'] },
        ),
        associate(`arn:aws:iam::${account}:user/bob`, {}, view),
        associate('x', {
          request: { policyArn: admin, accessScope: { type: 'namespace', namespaces: ['a'] } },
        }),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        associate(7, { error: ['AccessDenied', 'no'] }),
        entry(null),
        entry({ kubernetesGroups: 'system:masters' }),
      ],
      expect: [{ severity: 'low', title: /tried to make a principal administrator/ }],
    },
  ],
};
