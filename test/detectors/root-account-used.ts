// Cases of root-account-used.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  type RawRecord,
  rootUser,
  uuidOf,
} from '../support/records.ts';

const management = '999988887777';
const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0';
const loginAt = '2026-03-04T09:00:00Z';
const { accessKeyId: _key, sessionContext: _session, ...rootAtLogin } = rootUser();

function login(mfa: string | undefined, more: RawRecord = {}, at = loginAt): RawRecord {
  const additionalEventData = mfa === undefined ? {} : { MFAUsed: mfa, MobileVersion: 'No' };
  return apiCall({
    source: 'signin',
    name: 'ConsoleLogin',
    at,
    by: rootAtLogin,
    response: { ConsoleLogin: 'Success' },
    with: { eventType: 'AwsConsoleSignIn', userAgent: browser, additionalEventData, ...more },
  });
}

function failed(number: number, mfa = 'No'): RawRecord {
  const at = `2026-03-04T09:0${number}:00Z`;
  const response = { ConsoleLogin: 'Failure' };
  const more = { errorMessage: 'Failed authentication', responseElements: response };
  return login(mfa, { ...more, eventID: uuidOf('failed', mfa, String(number)) }, at);
}

/** A call of the console session that began with the login. */
function inSession(source: string, name: string, more: RawRecord = {}): RawRecord {
  const by = {
    ...rootAtLogin,
    accessKeyId: 'ASIAROOTSESSIONEXAMP',
    sessionContext: { attributes: { creationDate: loginAt, mfaAuthenticated: 'false' } },
  };
  const at = '2026-03-04T09:05:00Z';
  return apiCall({ source, name, by, at, with: { sessionCredentialFromConsole: 'true', ...more } });
}

function byKey(source: string, name: string): RawRecord {
  return apiCall({ source, name, by: { ...rootAtLogin, accessKeyId: 'AKIAROOTKEYEXAMPLE01' } });
}

const assumeRoot = apiCall({
  source: 'sts',
  name: 'AssumeRoot',
  at: '2026-03-04T11:00:00Z',
  by: assumedRole('SecurityAudit', 'carol', '/', management),
  request: {
    targetPrincipal: account,
    taskPolicyArn: { arn: 'arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials' },
  },
  response: { credentials: { accessKeyId: 'ASIAASSUMEROOTEXAMPL', expiration: 'x' } },
  with: { recipientAccountId: management },
});

function central(name: string, context: RawRecord = {}): RawRecord {
  const attributes = { creationDate: '2026-03-04T11:00:00Z', mfaAuthenticated: 'false' };
  const sessionContext = { attributes, ...context };
  const by = { ...rootAtLogin, accessKeyId: 'ASIAASSUMEROOTEXAMPL', sessionContext };
  return apiCall({ source: 'iam', name, by, at: '2026-03-04T11:02:00Z' });
}

export const cases: DetectorCases = {
  detector: 'root-account-used',
  cases: [
    {
      name: 'fires critical when root signs in without MFA',
      given: [login('No')],
      expect: [
        { severity: 'critical', title: /^Root of account 111122223333 signed in .* without MFA/ },
      ],
    },
    {
      name: 'fires high when root signs in with MFA, however the flag is written',
      given: [login('YES')],
      expect: [{ severity: 'high', title: /with MFA/ }],
    },
    {
      name: 'fires high when the record does not say whether MFA was used',
      given: [login(undefined)],
      expect: [{ severity: 'high', title: /MFA not recorded/ }],
    },
    {
      // Modelled on panther-scenarios: a session that signs in, reads, and changes things.
      name: 'tells a session as one story: sign-in, changes, reads',
      given: [
        login('Yes'),
        inSession('iam', 'ListUsers'),
        inSession('s3', 'ListBuckets', { eventName: 'ListBuckets' }),
        inSession('iam', 'CreateUser', { requestParameters: { userName: 'x' } }),
      ],
      expect: [
        { severity: 'high', title: /with MFA/ },
        { severity: 'high', title: /made 1 change$/, reason: /iam:CreateUser/ },
        { severity: 'medium', title: /looked around in 2 read calls/ },
      ],
    },
    {
      name: 'fires critical when an access key is made for root: the request names nobody',
      given: [inSession('iam', 'CreateAccessKey', { requestParameters: null })],
      expect: [{ severity: 'critical', title: /^Root credentials of account/ }],
    },
    {
      name: 'takes an access key that root makes for a user for a change',
      given: [inSession('iam', 'CreateAccessKey', { requestParameters: { userName: 'bob' } })],
      expect: [{ severity: 'high', title: /made 1 change$/ }],
    },
    {
      name: 'fires critical when MFA of root is deactivated',
      given: [
        inSession('iam', 'DeactivateMFADevice', {
          requestParameters: {
            userName: 'AWS ROOT USER',
            serialNumber: `arn:aws:iam::${account}:mfa/root-account-mfa-device`,
          },
        }),
      ],
      expect: [{ severity: 'critical', title: /credentials/ }],
    },
    {
      // Modelled on cloud-custodian-cwe: root with a long-term key.
      name: 'fires critical when a root access key is used, even to read',
      given: [byKey('ec2', 'DescribeInstances')],
      expect: [{ severity: 'critical', title: /root access key .* was used for 1 call$/ }],
    },
    {
      name: 'tells calls that failed apart',
      given: [
        apiCall({
          source: 'cloudtrail',
          name: 'StopLogging',
          by: { ...rootAtLogin, accessKeyId: 'ASIAROOTSESSIONEXAMP' },
          error: ['AccessDenied', 'explicit deny in a service control policy'],
        }),
      ],
      expect: [
        { severity: 'medium', title: /made 1 call that failed/, reason: /cloudtrail:StopLogging/ },
      ],
    },
    {
      name: 'stays quiet on a service event',
      given: [
        apiCall({
          source: 'kms',
          name: 'RotateKey',
          by: rootAtLogin,
          with: { eventType: 'AwsServiceEvent' },
        }),
      ],
      expect: [],
    },
    {
      // Modelled on cloud-custodian-cwe 6da8b953-741f-4273-be3f-289b92b4d1fc: autoscaling for root.
      name: 'stays quiet when a service acted by itself',
      given: [
        apiCall({
          source: 'ec2',
          name: 'RunInstances',
          by: { ...rootAtLogin, invokedBy: 'autoscaling.amazonaws.com' },
          with: {
            sourceIPAddress: 'autoscaling.amazonaws.com',
            userAgent: 'autoscaling.amazonaws.com',
          },
        }),
      ],
      expect: [],
    },
    {
      name: 'does not ignore calls that AWS forwarded for a console session (fixture 2)',
      given: [
        inSession('s3', 'GetBucketAcl', {
          userIdentity: {
            ...rootAtLogin,
            accessKeyId: 'ASIAROOTSESSIONEXAMP',
            invokedBy: 'AWS Internal',
            sessionContext: { attributes: { creationDate: loginAt } },
          },
        }),
      ],
      expect: [
        { severity: 'info', title: /AWS services made 1 call for a console session of root/ },
      ],
    },
    {
      name: 'stays quiet when AWS sets up a new account',
      given: [apiCall({ source: 'iam', name: 'CreateServiceLinkedRole', by: rootAtLogin })],
      expect: [],
    },
    {
      name: 'is not fooled by a record without a type (fixture 1)',
      given: [
        apiCall({
          source: 'kms',
          name: 'RotateKey',
          by: { accountId: account, invokedBy: 'AWS Internal' },
          with: { eventType: 'AwsServiceEvent' },
        }),
      ],
      expect: [],
    },
    {
      name: 'knows central root access by its access key, without the mark (fixture 4)',
      given: [assumeRoot, central('ListAccessKeys'), central('GetLoginProfile')],
      expect: [
        {
          severity: 'medium',
          title: /^Central root access to account 111122223333 taken by SecurityAudit$/,
          reason: /IAMAuditRootUserCredentials.*iam:GetLoginProfile, iam:ListAccessKeys/,
        },
      ],
    },
    {
      name: 'knows central root access by the mark, where the management account is not in the trail',
      given: [central('DeleteLoginProfile', { assumedRoot: 'true' })],
      expect: [{ severity: 'medium', title: /taken by somebody in the management account/ }],
    },
    {
      name: 'tells a refused AssumeRoot',
      given: [{ ...assumeRoot, errorCode: 'AccessDenied', responseElements: null }],
      expect: [{ severity: 'medium', title: /SecurityAudit tried to take central root access/ }],
    },
    {
      name: 'stays quiet on two failed sign-ins',
      given: [failed(1), failed(2)],
      expect: [],
    },
    {
      name: 'fires on three failed sign-ins in a day',
      given: [failed(1), failed(2), failed(3)],
      expect: [{ severity: 'medium', title: /^3 failed root sign-ins/ }],
    },
    {
      name: 'fires high when the password was right and the code wrong, again and again',
      given: [failed(1, 'Yes'), failed(2, 'Yes'), failed(3, 'Yes')],
      expect: [{ severity: 'high', reason: /password was right/ }],
    },
    {
      name: 'fires when the password is changed through recovery',
      given: [
        apiCall({
          source: 'signin',
          name: 'PasswordUpdated',
          by: rootAtLogin,
          response: { PasswordUpdated: 'Success' },
          with: { eventType: 'AwsConsoleSignIn' },
        }),
      ],
      expect: [{ severity: 'critical', title: /credentials/ }],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'ec2.amazonaws.com',
          eventName: 'RunInstances',
          eventTime: loginAt,
          userIdentity: { type: 'Root' },
        },
      ],
      expect: [{ severity: 'high', title: /made 1 change/ }],
    },
  ],
};
