// Cases of iam-changed-without-mfa.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord, through } from '../support/records.ts';

function session(mfaAuthenticated: unknown): RawRecord {
  const attributes = { creationDate: '2026-03-04T09:30:00Z', mfaAuthenticated };
  const by = iamUser('alice');
  return { ...by, accessKeyId: 'ASIASESSIONEXAMPLE01', sessionContext: { attributes } };
}
const fromConsole = { sessionCredentialFromConsole: 'true' };
function call(name: string, by: RawRecord, request: RawRecord = {}, more: RawRecord = {}) {
  return apiCall({ source: 'iam', name, by, request: { userName: 'eve', ...request }, with: more });
}

export const cases: DetectorCases = {
  detector: 'iam-changed-without-mfa',
  cases: [
    {
      name: 'fires medium once a day for changes in a console session without MFA',
      given: [
        call('CreateUser', session('false'), {}, fromConsole),
        call('AttachUserPolicy', session('false'), { policyArn: 'x' }, fromConsole),
      ],
      expect: [
        {
          severity: 'medium',
          title: /^IAM user alice made 2 changes .* in a console session without MFA$/,
          reason: /iam:AttachUserPolicy, iam:CreateUser/,
        },
      ],
    },
    {
      // Modelled on stratus-detonations-2024 a46a1a42-9ef1-48d4-9c61-507eb6d4019f: a long-term key.
      name: 'gives low to a long-term key, which may be a deployment',
      given: [call('UpdateLoginProfile', iamUser('christine'))],
      expect: [{ severity: 'low', title: /made 1 change to .* with a long-term key$/ }],
    },
    {
      name: 'gives low to a temporary token made without MFA',
      given: [call('CreateRole', session('false'), { roleName: 'x' })],
      expect: [{ severity: 'low', title: /with a temporary token made without MFA$/ }],
    },
    {
      name: 'stays quiet when the session passed MFA, for roles, reads and refused calls',
      given: [
        call('CreateUser', session('true'), {}, fromConsole),
        call('CreateUser', assumedRole('Deploy')),
        call('ListUsers', session('false'), {}, fromConsole),
        call('CreateUser', session('false'), {}, { ...fromConsole, errorCode: 'AccessDenied' }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when a user rotates its own key, and for what CloudFormation carries out',
      given: [
        call('CreateAccessKey', iamUser('eve')),
        apiCall({
          source: 'iam',
          name: 'CreateRole',
          ...through(iamUser('alice'), 'cloudformation'),
        }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet where the record does not say whether MFA was passed',
      given: [
        call('CreateUser', session(undefined), {}, fromConsole),
        call('CreateUser', { ...session('false'), sessionContext: 'x' }, {}, fromConsole),
        apiCall({ source: 'iam', name: 'CreateUser', by: { type: 'IAMUser' }, request: null }),
      ],
      expect: [],
    },
  ],
};
