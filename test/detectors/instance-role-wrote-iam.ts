// Cases of instance-role-wrote-iam.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, iamUser, refusal } from '../support/records.ts';

const web = assumedRole('web', 'i-0123456789abcdef0');

function iam(name: string, request: unknown, more: Partial<Call> = {}) {
  return apiCall({ source: 'iam', name, request, by: web, ...more });
}

const denied = refusal('arn:aws:sts::111122223333:assumed-role/web/i-0', 'iam:CreateUser', '*');

export const cases: DetectorCases = {
  detector: 'instance-role-wrote-iam',
  cases: [
    {
      name: 'fires high when an instance makes a user',
      given: [iam('CreateUser', { userName: 'backup' })],
      expect: [
        {
          severity: 'high',
          title: /^Instance i-0123456789abcdef0 \(role web\) called iam:CreateUser for backup$/,
        },
      ],
    },
    {
      name: 'fires high when an instance gives its own role more rights',
      given: [iam('AttachRolePolicy', { roleName: 'web', policyArn: 'arn:aws:iam::aws:policy/x' })],
      expect: [{ severity: 'high', reason: /changed its own role/ }],
    },
    {
      name: 'is medium where a user got rights, low where a runner made a role',
      given: [
        iam('AttachUserPolicy', { userName: 'bob', policyArn: 'arn:aws:iam::aws:policy/x' }),
        iam('CreateRole', { roleName: 'service' }),
      ],
      expect: [{ severity: 'medium' }, { severity: 'low' }],
    },
    {
      name: 'is medium where making a user was refused, low where making a role was',
      given: [
        iam('CreateUser', null, { error: denied }),
        iam('CreateRole', null, { error: denied }),
      ],
      expect: [
        { severity: 'medium', title: /tried iam:CreateUser$/, reason: /AccessDenied/ },
        { severity: 'low' },
      ],
    },
    {
      // Modelled on stratus-detonations-2024 b379479b-05c9-4c3c-af4b-cbd43acf29e1: ids in mixed case.
      name: 'knows an instance by an id in mixed case',
      given: [
        iam('CreateUser', { userName: 'x' }, { by: assumedRole('web', 'i-0a3A8B5C0d92eF4') }),
      ],
      expect: [{ severity: 'high' }],
    },
    {
      name: 'stays quiet for people, pipelines, and session names that only begin like an instance',
      given: [
        iam('CreateUser', { userName: 'x' }, { by: iamUser('alice') }),
        iam('CreateUser', { userName: 'y' }, { by: assumedRole('deploy', 'ci') }),
        iam('CreateUser', { userName: 'z' }, { by: assumedRole('deploy', 'i-am-alice') }),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        iam('CreateAccessKey', { userName: 7 }),
        iam('CreateUser', null, { by: { type: 'AssumedRole', principalId: null } }),
      ],
      expect: [{ severity: 'high', title: /iam:CreateAccessKey$/ }],
    },
  ],
};
