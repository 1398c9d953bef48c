// Cases of service-credential-made.
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

function call(name: string, request: RawRecord | null, by: RawRecord, response: RawRecord = {}) {
  return apiCall({ source: 'iam', name, request, by, response });
}

const sso = assumedRole('AWSReservedSSO_Administrator_0123456789abcdef', 'bob@example.com');
const create = 'CreateServiceSpecificCredential';

export const cases: DetectorCases = {
  detector: 'service-credential-made',
  cases: [
    {
      // Modelled on elastic-aws-pipeline-2021 EXAMPLE-9a9d-4da4-9998-EXAMPLE, for another's user.
      name: 'fires medium when a person uploads an SSH key for the user of another',
      given: [
        {
          eventVersion: '1.05',
          userIdentity: {
            ...iamUser('alice'),
            accessKeyId: 'ASIAALICECONSOLEEXAM',
            sessionContext: {
              attributes: { mfaAuthenticated: 'true', creationDate: '2026-03-04T14:38:30Z' },
            },
          },
          eventTime: '2026-03-04T16:06:40Z',
          eventSource: 'iam.amazonaws.com',
          eventName: 'UploadSSHPublicKey',
          awsRegion: 'us-east-1',
          sourceIPAddress: '192.0.2.10',
          userAgent: 'console.amazonaws.com',
          requestParameters: { sSHPublicKeyBody: 'ssh-ed25519 AAAAEXAMPLE', userName: 'bob' },
          responseElements: {
            sSHPublicKey: {
              fingerprint: '00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff',
              status: 'Active',
              uploadDate: 'Mar 4, 2026 4:06:40 PM',
              userName: 'bob',
              sSHPublicKeyId: 'APKAEXAMPLE000000001',
              sSHPublicKeyBody: 'ssh-ed25519 AAAAEXAMPLE',
            },
          },
          requestID: '44b941cd-90f2-4a1b-8c2d-3e4f5a6b7c8d',
          eventID: '9a9d4da4-9998-4b5c-8d6e-7f8a9b0c1d2e',
          eventType: 'AwsApiCall',
          recipientAccountId: account,
        },
      ],
      expect: [
        { severity: 'medium', title: /^IAM user alice gave IAM user bob an SSH public key$/ },
      ],
    },
    {
      name: 'fires medium on a Bedrock key without an end, low with one',
      given: [
        call(create, { userName: 'BedrockAPIKey-7f3a', serviceName: 'bedrock.amazonaws.com' }, sso),
        call(
          create,
          { userName: 'svc-chat', serviceName: 'bedrock.amazonaws.com', credentialAgeDays: 30 },
          sso,
        ),
      ],
      expect: [
        { severity: 'medium', title: /credential for bedrock/, reason: /to hold the key.*no end/ },
        { severity: 'low', reason: /other ends.*ends after 30 days/ },
      ],
    },
    {
      name: 'fires medium on a signing certificate, even an own one',
      given: [call('UploadSigningCertificate', null, iamUser('bob'))],
      expect: [{ severity: 'medium', title: /gave itself a signing certificate/ }],
    },
    {
      name: 'fires medium when a long-term key gives another user a credential anew',
      given: [
        call(
          'ResetServiceSpecificCredential',
          { userName: 'svc', serviceSpecificCredentialId: 'ACCAEXAMPLE000000001' },
          iamUser('eve'),
        ),
      ],
      expect: [{ severity: 'medium', title: /new secret for a credential of a service/ }],
    },
    {
      name: 'is info for an own SSH key, low for a pipeline and for a refusal',
      given: [
        call('UploadSSHPublicKey', { userName: 'bob' }, iamUser('bob')),
        call(
          create,
          { userName: 'svc', serviceName: 'cassandra.amazonaws.com' },
          assumedRole('deploy'),
        ),
        apiCall({
          source: 'iam',
          name: create,
          by: iamUser('eve'),
          error: refusal(`arn:aws:iam::${account}:user/eve`, `iam:${create}`, 'user svc'),
        }),
      ],
      expect: [{ severity: 'info' }, { severity: 'low', reason: /pipelines/ }, { severity: 'low' }],
    },
    {
      name: 'stays quiet on one that is switched off, and on AWS',
      given: [
        call('UpdateServiceSpecificCredential', { userName: 'svc', status: 'Inactive' }, sso),
        call(create, { userName: 'svc' }, awsService('bedrock')),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: create,
          eventTime: '2026-03-04T10:00:00Z',
          userIdentity: { type: 'AssumedRole' },
          requestParameters: 7,
        },
      ],
      expect: [{ severity: 'low', title: /gave a user a credential for a service/ }],
    },
  ],
};
