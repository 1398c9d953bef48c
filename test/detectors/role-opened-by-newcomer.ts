// Cases of role-opened-by-newcomer.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, type RawRecord, stranger } from '../support/records.ts';

function assumed(day: number, from: string, role = 'Shared', more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'sts',
    name: 'AssumeRole',
    at: `2026-03-${String(day).padStart(2, '0')}T10:00:00Z`,
    by: { type: 'AWSAccount', principalId: 'AROAPARTNEROFEXAMPLE:job', accountId: from },
    request: { roleArn: `arn:aws:iam::${account}:role/${role}`, roleSessionName: 'job' },
    response: { credentials: { accessKeyId: 'ASIAPARTNEROFEXAMPLE' } },
    with: { sharedEventID: `00000000-0000-4000-8000-0000000000${day}`, ...more },
  });
}

function web(day: number, provider: string, subject: string): RawRecord {
  const { eventID: _same, ...call } = assumed(day, stranger, 'Deploy');
  return {
    ...call,
    eventName: 'AssumeRoleWithWebIdentity',
    userIdentity: {
      type: 'WebIdentityUser',
      principalId: `${provider}:sts.amazonaws.com:${subject}`,
      userName: subject,
      identityProvider: provider,
    },
  };
}

const github = `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`;
const partner = '777788889999';
const learned = [1, 2, 3, 4, 5, 6, 7, 8].map((day) => assumed(day, partner));
const pushed = [1, 4, 8].map((day) => web(day, github, 'repo:example/shop:ref:refs/heads/main'));

export const cases: DetectorCases = {
  detector: 'role-opened-by-newcomer',
  cases: [
    {
      name: 'is low when another account opens a role for the first time',
      given: [...learned, assumed(9, stranger)],
      expect: [
        {
          severity: 'low',
          title: /^Account 444455556666 opened role Shared for the first time$/,
          reason: /30 days before 2026-03-09.*203\.0\.113\.10/,
        },
      ],
    },
    {
      name: 'stays quiet in the first days, and on a partner known before',
      given: [...learned, assumed(5, stranger), assumed(9, partner)],
      expect: [],
    },
    {
      name: 'is medium when a provider is new to the account, and tells it once',
      given: [...learned, web(9, 'idp.example.net', 'user-7')],
      expect: [{ severity: 'medium', title: /^Identity provider idp\.example\.net opened a role/ }],
    },
    {
      name: 'is low for the provider of a new cluster',
      given: [
        ...learned,
        web(9, 'oidc.eks.eu-central-1.amazonaws.com/id/ABC', 'system:serviceaccount:a:b'),
      ],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'compares repositories, not branches',
      given: [...pushed, web(9, github, 'repo:example/shop:pull_request')],
      expect: [],
    },
    {
      name: 'is low when another repository comes',
      given: [...pushed, web(9, github, 'repo:stranger/tool:ref:refs/heads/main')],
      expect: [{ severity: 'low', title: /^Subject repo:stranger\/tool opened role Deploy/ }],
    },
    {
      // Modelled on aws-docs-examples: the copy of AssumeRole in the account of the role.
      name: 'stays quiet on refusals, on roles elsewhere, and on the account itself',
      given: [
        ...learned,
        assumed(9, stranger, 'Shared', { errorCode: 'AccessDenied', errorMessage: 'no' }),
        assumed(10, stranger, 'Shared', {
          requestParameters: { roleArn: `arn:aws:iam::${stranger}:role/Other` },
        }),
        assumed(11, account),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        ...learned,
        assumed(9, stranger, 'Shared', { requestParameters: null }),
        { ...web(9, github, 'x'), userIdentity: { type: 'WebIdentityUser' } },
      ],
      expect: [{ severity: 'medium', title: /a provider not in the record/ }],
    },
  ],
};
