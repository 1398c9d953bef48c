// Cases of api-credentials-opened-console.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, type RawRecord } from '../support/records.ts';

const consoler: RawRecord = {
  type: 'FederatedUser',
  principalId: `${account}:aws_consoler`,
  arn: `arn:aws:sts::${account}:federated-user/aws_consoler`,
  accountId: account,
  accessKeyId: 'ASIAFEDERATEDEXAMPLE',
  sessionContext: {
    sessionIssuer: {
      type: 'IAMUser',
      principalId: 'AIDABOBBOBBOBEXAMPLE',
      arn: `arn:aws:iam::${account}:user/bob`,
      accountId: account,
      userName: 'bob',
    },
    attributes: { creationDate: '2026-03-04T09:59:00Z', mfaAuthenticated: 'false' },
  },
};

function token(by: RawRecord, more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'signin',
    name: 'GetSigninToken',
    at: '2026-03-04T10:00:00Z',
    by,
    response: { credentials: { accessKeyId: 'ASIACONSOLEOFEXAMPLE' }, GetSigninToken: 'Success' },
    with: {
      eventType: 'AwsConsoleSignIn',
      userAgent: 'python-requests/2.31.0',
      readOnly: false,
      additionalEventData: { MobileVersion: 'No', MFAUsed: 'No' },
      ...more,
    },
  });
}

function login(by: RawRecord, from: string, more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    at: '2026-03-04T10:03:00Z',
    by,
    response: { ConsoleLogin: 'Success' },
    with: {
      eventType: 'AwsConsoleSignIn',
      sourceIPAddress: from,
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
      additionalEventData: { MobileVersion: 'No', MFAUsed: 'No' },
      ...more,
    },
  });
}

const sso = assumedRole(
  'AWSReservedSSO_AdministratorAccess_0123456789abcdef',
  'carol',
  '/aws-reserved/sso.amazonaws.com/eu-central-1/',
);
const portal = `Jersey/\${project.version} (HttpUrlConnection 17.0.12)`;

export const cases: DetectorCases = {
  detector: 'api-credentials-opened-console',
  cases: [
    {
      name: 'fires medium when a federated session opens the console from another network',
      given: [token(consoler), login(consoler, '198.51.100.7')],
      expect: [
        {
          severity: 'medium',
          title: /^Federated user aws_consoler turned API credentials into a console session/,
          reason: /aws_consoler 198\.51\.0\.0\/16.*asked for from 203\.0\.113\.10/,
        },
      ],
    },
    {
      name: 'is low for a federated session that stays in its network',
      given: [token(consoler), login(consoler, '203.0.113.99')],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'fires medium for the credentials of a function',
      given: [
        token({
          ...assumedRole('orders-function', 'orders'),
          inScopeOf: {
            issuerType: 'AWS::Lambda::Function',
            credentialsIssuedTo: `arn:aws:lambda:eu-central-1:${account}:function:orders`,
          },
        }),
      ],
      expect: [{ severity: 'medium', reason: /those of a workload/ }],
    },
    {
      name: 'is low for a broker that opens the console for people elsewhere',
      given: [
        token(assumedRole('Broker', 'alice')),
        login(assumedRole('Broker', 'alice'), '198.51.100.7'),
      ],
      expect: [{ severity: 'low', title: /^Role Broker .*\(alice\)$/ }],
    },
    {
      // Modelled on traildiscover-events 56678442-08db-4d88-af47-f994dd706a15
      name: 'stays quiet when Identity Center opens the console for a person',
      given: [token(sso, { userAgent: portal, eventVersion: '1.08' }), login(sso, '198.51.100.7')],
      expect: [],
    },
    {
      name: 'is not fooled by a role that only bears the name of Identity Center',
      given: [token(assumedRole('AWSReservedSSO_Fake', 'x'), { userAgent: portal })],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'shows a tool that opens the console with the credentials of an Identity Center role',
      given: [token(sso)],
      expect: [{ severity: 'low', title: /AWSReservedSSO_AdministratorAccess/ }],
    },
    {
      name: 'stays quiet on a login alone, a failed one, and a SAML one',
      given: [
        login(consoler, '198.51.100.7'),
        login(assumedRole('Admin'), '198.51.100.7', {
          additionalEventData: { SamlProviderArn: `arn:aws:iam::${account}:saml-provider/x` },
        }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        { ...token({ type: 'AssumedRole' }), responseElements: null, sourceIPAddress: undefined },
      ],
      expect: [{ severity: 'low', title: /nameless/ }],
    },
  ],
};
