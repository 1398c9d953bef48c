// Cases of bedrock-key-user-left-bedrock.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, iamUser, type RawRecord } from '../support/records.ts';

const phantom = iamUser('BedrockAPIKey-7f3a');

function call(source: string, name: string, more: RawRecord = {}, by = phantom): RawRecord {
  return apiCall({ source, name, by, with: more });
}

export const cases: DetectorCases = {
  detector: 'bedrock-key-user-left-bedrock',
  cases: [
    {
      // The shape is modelled on maheribra-attack-chain-2026 b32cd50d-a1fb-4238-970d-0bc70a35864d;
      // no set holds a call of such a user.
      name: 'fires high, once a day, when it calls other services',
      given: [
        {
          eventVersion: '1.11',
          userIdentity: phantom,
          eventTime: '2026-03-04T09:15:20Z',
          eventSource: 's3.amazonaws.com',
          eventName: 'ListBuckets',
          awsRegion: 'eu-west-1',
          sourceIPAddress: '203.0.113.74',
          userAgent: 'aws-cli/2.31.3 ua/2.1 os/windows#11 md/command#s3api.list-buckets',
          requestParameters: null,
          responseElements: null,
          requestID: 'd5a1c0de-0b7e-4c6a-9d8e-1a2b3c4d5e70',
          eventID: 'c1d2e3f4-a5b6-4c7d-8e9f-0a1b2c3d4e60',
          readOnly: true,
          eventType: 'AwsApiCall',
          managementEvent: true,
          recipientAccountId: '111122223333',
          eventCategory: 'Management',
        },
        call('ec2', 'DescribeInstances'),
        call('iam', 'CreateUser', { errorCode: 'AccessDenied' }),
      ],
      expect: [
        {
          severity: 'high',
          title: /^IAM user BedrockAPIKey-7f3a.* acted outside Bedrock$/,
          reason: /Done: ec2:DescribeInstances, s3:ListBuckets\. Failed or refused: iam:CreateUser/,
        },
      ],
    },
    {
      name: 'fires medium when nothing worked',
      given: [call('iam', 'ListUsers', { errorCode: 'AccessDenied' })],
      expect: [{ severity: 'medium', title: /tried to act/ }],
    },
    {
      name: 'stays quiet on Bedrock, on asking who it is, and on what Bedrock does for it',
      given: [
        call('bedrock', 'InvokeModel'),
        call('bedrock-mantle', 'CreateInference'),
        call('sts', 'GetCallerIdentity'),
        call('kms', 'Decrypt', {
          userIdentity: { ...phantom, invokedBy: 'bedrock.amazonaws.com' },
        }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on other users, and does not break when fields are missing',
      given: [
        call('s3', 'ListBuckets', {}, iamUser('NotABedrockAPIKey-1')),
        {
          eventSource: 's3.amazonaws.com',
          eventName: 'ListBuckets',
          eventTime: '2026-03-04T10:00:00Z',
          userIdentity: { type: 'IAMUser' },
        },
      ],
      expect: [],
    },
  ],
};
