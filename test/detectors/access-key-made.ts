// Cases of access-key-made.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  awsService,
  iamUser,
  type RawRecord,
  refusal,
  rootUser,
  through,
} from '../support/records.ts';

function made(by: RawRecord, userName: string | undefined, more: RawRecord = {}): RawRecord {
  const key = {
    accessKeyId: 'AKIANEWKEYEXAMPLE001',
    status: 'Active',
    userName: userName ?? 'bob',
  };
  const request = userName === undefined ? null : { userName };
  return apiCall({
    source: 'iam',
    name: 'CreateAccessKey',
    by,
    request,
    response: { accessKey: { ...key, createDate: 'Mar 4, 2026 10:00:00 AM' } },
    with: more,
  });
}

const pipeline = assumedRole('deploy', 'GitHubActions');
const sso = assumedRole('AWSReservedSSO_Administrator_0123456789abcdef', 'bob@example.com');
const { accessKeyId: _key, ...bob } = iamUser('bob');
const console = { ...bob, accessKeyId: 'ASIABOBCONSOLEEXAMPL' };

export const cases: DetectorCases = {
  detector: 'access-key-made',
  cases: [
    {
      // Modelled on stratus-detonations-2024 c64c4ded-ef03-4e5c-81eb-153b118d72f2: a backdoor key.
      name: 'fires high when a user makes a key for another with a long-term key',
      given: [
        {
          awsRegion: 'us-east-1',
          eventCategory: 'Management',
          eventID: '5f1f5c3e-6c0e-4d0b-9a53-0d7b1e2f3a41',
          eventName: 'CreateAccessKey',
          eventSource: 'iam.amazonaws.com',
          eventTime: '2026-03-04T21:53:13Z',
          eventType: 'AwsApiCall',
          eventVersion: '1.09',
          managementEvent: true,
          readOnly: false,
          recipientAccountId: account,
          requestID: '8c8a3f0e-2f3d-4b0c-8a49-1d2e3f4a5b6c',
          requestParameters: { userName: 'backup-robot' },
          responseElements: {
            accessKey: {
              accessKeyId: 'AKIAZ2345678EXAMPLE1',
              createDate: 'Mar 4, 2026 9:53:13 PM',
              status: 'Active',
              userName: 'backup-robot',
            },
          },
          sourceIPAddress: '203.0.113.66',
          tlsDetails: { tlsVersion: 'TLSv1.3', clientProvidedHostHeader: 'iam.amazonaws.com' },
          userAgent: 'aws-sdk-go-v2/1.30.3',
          userIdentity: iamUser('carol'),
        },
      ],
      expect: [
        {
          severity: 'high',
          title: /^IAM user carol made an access key for IAM user backup-robot$/,
          reason: /long-term key AKIA.*From 203\.0\.113\.66/,
        },
      ],
    },
    {
      name: 'leaves an instance that makes a key to instance-role-wrote-iam',
      given: [made(assumedRole('web', 'i-0123456789abcdef0'), 'svc-mail')],
      expect: [],
    },
    {
      name: 'fires high when the holder of a Bedrock API key gets an access key',
      given: [made(sso, 'BedrockAPIKey-7f3a')],
      expect: [{ severity: 'high', reason: /Bedrock API key/ }],
    },
    {
      name: 'fires medium when a person makes it by hand, from SSO or the console',
      given: [made(sso, 'svc-mail'), made(console, 'svc-mail')],
      expect: [{ severity: 'medium', title: /^Role AWSReserved/ }, { severity: 'medium' }],
    },
    {
      name: 'fires high when a person makes it for an administrator, but not for a badminton player',
      given: [made(console, 'org-admin'), made(console, 'badminton')],
      expect: [{ severity: 'high', title: /org-admin/ }, { severity: 'medium' }],
    },
    {
      name: 'shows a pipeline that makes a key for a service user as low',
      given: [made(pipeline, 'svc-mail')],
      expect: [{ severity: 'low', reason: /pipelines/ }],
    },
    {
      // Modelled on elastic-aws-pipeline-2021 EXAMPLE-3cab-40f8-938b-EXAMPLE: the older console.
      name: 'takes the older console, which names the sign-in service, for a person',
      given: [
        {
          ...made(console, 'svc-mail', { userAgent: 'signin.amazonaws.com' }),
          userIdentity: { ...console, invokedBy: 'signin.amazonaws.com' },
        },
      ],
      expect: [{ severity: 'medium', reason: /by hand/ }],
    },
    {
      name: 'shows a stack that makes a key as low',
      given: [
        apiCall({
          source: 'iam',
          name: 'CreateAccessKey',
          request: { userName: 'svc-mail' },
          response: { accessKey: { accessKeyId: 'AKIANEWKEYEXAMPLE001' } },
          ...through(iamUser('dave'), 'cloudformation'),
        }),
      ],
      expect: [{ severity: 'low', reason: /came through cloudformation/ }],
    },
    {
      name: 'shows an own key as info, named or not, in any case',
      given: [made(bob, undefined), made(bob, 'bob'), made(bob, 'Bob')],
      expect: [{ severity: 'info' }, { severity: 'info' }, { severity: 'info' }],
    },
    {
      name: 'is not fooled by a name that ends in the own name',
      given: [made(console, 'jimbob')],
      expect: [{ severity: 'medium', title: /IAM user jimbob$/ }],
    },
    {
      name: 'shows a refusal as low',
      given: [
        apiCall({
          source: 'iam',
          name: 'CreateAccessKey',
          by: iamUser('eve'),
          error: refusal(
            `arn:aws:iam::${account}:user/eve`,
            'iam:CreateAccessKey',
            'user svc-mail',
          ),
        }),
      ],
      expect: [{ severity: 'low', title: /for IAM user svc-mail and was refused$/ }],
    },
    {
      name: 'stays quiet on a failure, on AWS itself, and on root with a key of its own',
      given: [
        made(pipeline, 'svc-mail', {
          errorCode: 'LimitExceededException',
          responseElements: null,
        }),
        made(awsService('ses'), 'ses-smtp'),
        made(rootUser(), undefined),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'CreateAccessKey',
          eventTime: '2026-03-04T10:00:00Z',
          userIdentity: { type: 'AssumedRole' },
        },
      ],
      expect: [{ severity: 'low', title: /does not name/ }],
    },
  ],
};
