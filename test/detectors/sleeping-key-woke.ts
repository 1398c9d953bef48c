// Cases of sleeping-key-woke.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, iamUser, type RawRecord, rootUser } from '../support/records.ts';

const key = 'AKIAOLDKEYEXAMPLE001';
const owner = { ...iamUser('carol'), accessKeyId: key };

function used(day: string, from = '192.0.2.10', more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'ec2',
    name: 'DescribeInstances',
    by: owner,
    at: `${day}T10:00:00Z`,
    with: { sourceIPAddress: from, ...more },
  });
}

const made = apiCall({
  source: 'iam',
  name: 'CreateAccessKey',
  at: '2026-01-05T10:00:00Z',
  request: { userName: 'carol' },
  response: { accessKey: { accessKeyId: key, userName: 'carol', status: 'Active' } },
});

export const cases: DetectorCases = {
  detector: 'sleeping-key-woke',
  config: { sleepDays: 30 },
  cases: [
    {
      // Modelled on traildiscover-events d2124f15-7373-4465-a961-0deafcb64efc: ListBuckets, refused.
      name: 'fires high when a key wakes after months in a network it never worked in',
      given: [
        used('2026-01-05'),
        used('2026-01-06'),
        {
          eventVersion: '1.09',
          userIdentity: owner,
          eventTime: '2026-02-20T23:41:07Z',
          eventSource: 's3.amazonaws.com',
          eventName: 'ListBuckets',
          awsRegion: 'us-east-1',
          sourceIPAddress: '198.51.100.99',
          userAgent: '[aws-cli/2.17.40 md/awscrt#0.21.2 os/linux md/command#s3api.list-buckets]',
          errorCode: 'AccessDenied',
          errorMessage: 'Access Denied',
          requestParameters: { Host: 's3.us-east-1.amazonaws.com' },
          responseElements: null,
          additionalEventData: {
            AuthenticationMethod: 'AuthHeader',
            SignatureVersion: 'SigV4',
            bytesTransferredIn: 0,
            bytesTransferredOut: 243,
          },
          requestID: 'KD4A7D1C2B3E5F6A',
          eventID: '0a6bfb3c-58a6-4a53-8d53-7e6f5d4c3b2a',
          readOnly: true,
          managementEvent: true,
          eventCategory: 'Management',
          eventType: 'AwsApiCall',
          recipientAccountId: '111122223333',
        },
      ],
      expect: [
        {
          severity: 'high',
          title: /^Access key AKIAOLDKEYEXAMPLE001 of carol woke after 45 days without use$/,
          reason: /2026-01-06.*198\.51\.0\.0\/16, not 192\.0\.0\.0\/16.*s3:ListBuckets, denied/,
        },
      ],
    },
    {
      name: 'fires medium when it wakes where it worked before, and only once',
      given: [
        used('2026-01-05'),
        used('2026-02-20', '192.0.9.9'),
        used('2026-02-21', '203.0.113.4'),
        used('2026-02-28'),
      ],
      expect: [{ severity: 'medium', reason: /woke at 192\.0\.9\.9/ }],
    },
    {
      name: 'fires medium on the first use of a key made months ago',
      given: [made, used('2026-02-20')],
      expect: [{ severity: 'medium', reason: /made on 2026-01-05 and had never been used/ }],
    },
    {
      name: 'stays quiet when the key was used every month, by a service too',
      given: [
        used('2026-01-05'),
        used('2026-01-30', 'cloudformation.amazonaws.com'),
        used('2026-02-20'),
      ],
      expect: [],
    },
    {
      name: 'stays quiet at first sight, on a new key, and on root',
      given: [
        used('2026-02-20'),
        { ...made, eventTime: '2026-02-19T10:00:00Z' },
        used('2026-01-01', '192.0.2.1', { userIdentity: { ...rootUser(), accessKeyId: key } }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        used('2026-01-05'),
        {
          eventSource: 'ec2.amazonaws.com',
          eventName: 'DescribeInstances',
          eventTime: '2026-02-20T10:00:00Z',
          userIdentity: { accessKeyId: 'AKIAOTHEREXAMPLE0001' },
        },
        {
          eventName: 'CreateAccessKey',
          eventSource: 'iam.amazonaws.com',
          eventTime: '2026-02-20T10:00:00Z',
          responseElements: 1,
        },
      ],
      expect: [],
    },
  ],
};
