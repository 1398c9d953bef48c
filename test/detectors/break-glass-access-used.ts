// Cases of break-glass-access-used.
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

function assume(by: RawRecord, role: string, name = 'AssumeRole'): RawRecord {
  return apiCall({
    source: 'sts',
    name,
    by,
    request: { roleArn: `arn:aws:iam::${account}:role/${role}`, roleSessionName: 'bob' },
    response: { credentials: { accessKeyId: 'ASIAEXAMPLE000000001' } },
  });
}

function login(user: string, outcome: string): RawRecord {
  const { accessKeyId: _, ...by } = iamUser(user);
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    by,
    response: { ConsoleLogin: outcome },
    with: {
      eventType: 'AwsConsoleSignIn',
      additionalEventData: { MFAUsed: 'Yes' },
      ...(outcome === 'Failure' ? { errorMessage: 'Failed authentication' } : {}),
    },
  });
}

export const cases: DetectorCases = {
  detector: 'break-glass-access-used',
  config: { roles: ['FullControl'] },
  cases: [
    {
      name: 'fires medium when a user takes a role whose name says break-glass',
      given: [assume(bob, 'ops/Break-Glass-Admin')],
      expect: [
        { severity: 'medium', title: /^IAM user bob took emergency role Break-Glass-Admin$/ },
      ],
    },
    {
      name: 'fires high when the configuration names the role',
      given: [assume(assumedRole('dev'), 'FullControl')],
      expect: [{ severity: 'high', title: /^Role dev took emergency role FullControl$/ }],
    },
    {
      name: 'fires when it is taken through SAML',
      given: [
        assume({ type: 'SAMLUser', userName: 'ann' }, 'Emergency-Access', 'AssumeRoleWithSAML'),
      ],
      expect: [{ severity: 'medium', title: /emergency role Emergency-Access/ }],
    },
    {
      name: 'fires medium when an emergency user signs in, low when that fails',
      given: [login('breakglass-1', 'Success'), login('breakglass-2', 'Failure')],
      expect: [
        { severity: 'medium', title: /^Emergency user breakglass-1 signed in/ },
        { severity: 'low', title: /breakglass-2 failed$/ },
      ],
    },
    {
      name: 'is low when it was refused',
      given: [
        apiCall({
          source: 'sts',
          name: 'AssumeRole',
          by: bob,
          request: { roleArn: `arn:aws:iam::${account}:role/breakglass`, roleSessionName: 'x' },
          error: refusal(
            `arn:aws:iam::${account}:user/bob`,
            'sts:AssumeRole',
            `arn:aws:iam::${account}:role/breakglass`,
          ),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to take emergency role breakglass$/ }],
    },
    {
      // Modelled on the AssumeRole of a service for an instance: userIdentity has two fields.
      name: 'stays quiet on ordinary roles and users, and on AWS itself',
      given: [
        assume(bob, 'developer'),
        login('bob', 'Success'),
        assume(awsService('ec2'), 'breakglass'),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'sts.amazonaws.com',
          eventName: 'AssumeRole',
          eventTime: '2026-03-04T10:00:00Z',
          requestParameters: { roleArn: 12 },
        },
        {
          eventSource: 'signin.amazonaws.com',
          eventName: 'ConsoleLogin',
          eventTime: '2026-03-04T10:00:00Z',
          userIdentity: { type: 'IAMUser' },
        },
      ],
      expect: [],
    },
  ],
};
