// Cases of console-login-without-mfa.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  rootUser,
} from '../support/records.ts';

function login(
  by: RawRecord,
  additional: RawRecord | undefined,
  more: RawRecord = {},
  result = 'Success',
): RawRecord {
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    by,
    response: { ConsoleLogin: result },
    with: {
      eventType: 'AwsConsoleSignIn',
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
      additionalEventData: additional && {
        LoginTo: 'https://console.aws.amazon.com/console/home',
        MobileVersion: 'No',
        ...additional,
      },
      ...more,
    },
  });
}

const bob = iamUser('bob');
const { accessKeyId: _key, ...bobAtLogin } = bob;
const { accessKeyId: _rootKey, sessionContext: _session, ...rootAtLogin } = rootUser();

export const cases: DetectorCases = {
  detector: 'console-login-without-mfa',
  cases: [
    {
      name: 'fires when an IAM user signs in with a password alone',
      given: [login(bobAtLogin, { MFAUsed: 'No' })],
      expect: [{ severity: 'medium', title: /IAM user bob signed in .* without MFA/ }],
    },
    {
      name: 'fires when root signs in with a password alone',
      given: [login(rootAtLogin, { MFAUsed: 'No' })],
      expect: [{ severity: 'critical', title: /^Root of account 111122223333/ }],
    },
    {
      // Modelled on aws-docs-examples 4217cc13-7328-4820-a90c-EXAMPLE8002e6: root, empty access key.
      name: 'fires for root whose record carries an empty access key id',
      given: [login({ ...rootAtLogin, accessKeyId: '' }, { MFAUsed: 'No' })],
      expect: [{ severity: 'critical' }],
    },
    {
      name: 'compares the flag in any case',
      given: [login(bobAtLogin, { MFAUsed: 'NO' })],
      expect: [{ severity: 'medium' }],
    },
    {
      name: 'stays quiet when MFA was used',
      given: [
        login(bobAtLogin, { MFAUsed: 'Yes', MFAIdentifier: `arn:aws:iam::${account}:mfa/bob` }),
      ],
      expect: [],
    },
    {
      // Modelled on aws-docs-examples deb1e1f9-c99b-4612-8e9f-21f93b5d79c0: the flag reads YES.
      name: 'stays quiet when the flag reads YES',
      given: [login(rootAtLogin, { MFAUsed: 'YES' })],
      expect: [],
    },
    {
      name: 'stays quiet on a failed login, whose record has no errorCode',
      given: [
        login(bobAtLogin, { MFAUsed: 'No' }, { errorMessage: 'Failed authentication' }, 'Failure'),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on a name that nobody has',
      given: [
        login(
          {
            type: 'IAMUser',
            accountId: account,
            accessKeyId: '',
            userName: 'HIDDEN_DUE_TO_SECURITY_REASONS',
          },
          { MFAUsed: 'No' },
          { errorMessage: 'No username found in supplied account' },
          'Failure',
        ),
      ],
      expect: [],
    },
    {
      // Modelled on aws-docs-examples 654ccbc0-ba0d-486a-9076-dbf7274677a7.
      name: 'stays quiet for Identity Center, where the provider asks for the second factor',
      given: [
        login(assumedRole('AWSReservedSSO_Admin_0123456789abcdef', 'bob'), { MFAUsed: 'No' }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet for SAML',
      given: [
        login(assumedRole('Federated', 'bob@example.com'), {
          MFAUsed: 'No',
          SamlProviderArn: `arn:aws:iam::${account}:saml-provider/Okta`,
        }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet for a federated session',
      given: [
        login(
          { type: 'FederatedUser', principalId: `${account}:bob`, accountId: account },
          { MFAUsed: 'No' },
        ),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when the session the login was made from had passed MFA',
      given: [
        login(
          { ...bobAtLogin, sessionContext: { attributes: { mfaAuthenticated: 'true' } } },
          { MFAUsed: 'No' },
        ),
      ],
      expect: [],
    },
    {
      name: 'takes a missing flag for unknown, not for No',
      given: [login(bobAtLogin, {}), login(bobAtLogin, undefined, { eventID: 'no-data' })],
      expect: [],
    },
    {
      name: 'stays quiet when the result is missing',
      given: [login(bobAtLogin, { MFAUsed: 'No' }, { responseElements: null })],
      expect: [],
    },
    {
      name: 'does not break on fields of other types',
      given: [login(bobAtLogin, { MFAUsed: 1 }, { userAgent: null, sourceIPAddress: null })],
      expect: [],
    },
    {
      name: 'defuses a user name that was chosen to break lines',
      given: [
        login({ ...bobAtLogin, userName: 'bob\u001b[31m\r\nCRITICAL root' }, { MFAUsed: 'No' }),
      ],
      expect: [{ severity: 'medium', title: /^IAM user bob \[31m CRITICAL root signed in/ }],
    },
  ],
};
