// Cases of new-key-used-at-once.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const key = 'AKIANEWKEYEXAMPLE001';
const { accessKeyId: _key, ...alice } = iamUser('alice');
const aliceInConsole = { ...alice, accessKeyId: 'ASIAALICECONSOLEEXAM' };

function made(by: RawRecord, userName = 'svc-mail', at = '2026-03-04T10:00:00Z'): RawRecord {
  return apiCall({
    source: 'iam',
    name: 'CreateAccessKey',
    at,
    by,
    request: { userName },
    response: { accessKey: { accessKeyId: key, userName, status: 'Active' } },
    with: { sourceIPAddress: '192.0.2.10' },
  });
}

function used(at: string, from: string, name = 'GetCallerIdentity', user = 'svc-mail'): RawRecord {
  const by = { ...iamUser(user), accessKeyId: key };
  const source = name === 'GetCallerIdentity' ? 'sts' : 'iam';
  return apiCall({ source, name, at, by, with: { sourceIPAddress: from } });
}

export const cases: DetectorCases = {
  detector: 'new-key-used-at-once',
  cases: [
    {
      // Modelled on trailalerts-sigma-tests 2a9c402c-5df4-4e68-a21f-EXAMPLE: a key made for another.
      name: 'fires high when a key makes a key for another user, which changes IAM at once',
      given: [
        {
          eventVersion: '1.09',
          userIdentity: iamUser('alice'),
          eventTime: '2026-03-04T23:21:36Z',
          eventSource: 'iam.amazonaws.com',
          eventName: 'CreateAccessKey',
          awsRegion: 'us-east-1',
          sourceIPAddress: '192.0.2.10',
          userAgent: 'aws-cli/2.17.40 Python/3.11.6 Linux/6.1.0 exe/x86_64.debian.12',
          requestParameters: { userName: 'bob' },
          responseElements: {
            accessKey: {
              userName: 'bob',
              status: 'Active',
              accessKeyId: key,
              createDate: 'Mar 4, 2026 11:21:36 PM',
            },
          },
          requestID: '9c23c774-e2b5-4cfe-83b9-0a1b2c3d4e5f',
          eventID: '2a9c402c-5df4-4c68-a21f-1b2c3d4e5f60',
          readOnly: false,
          eventType: 'AwsApiCall',
          managementEvent: true,
          recipientAccountId: '111122223333',
          eventCategory: 'Management',
        },
        used('2026-03-05T01:00:00Z', '203.0.113.5', 'CreateUser', 'bob'),
      ],
      expect: [
        {
          severity: 'high',
          title: /of IAM user bob was used at once away from its maker$/,
          reason: /alice made it at 2026-03-04T23:21:36.*203\.0\.0\.0\/16, and called CreateUser/,
        },
      ],
    },
    {
      name: 'fires medium when a person tries the key made for another',
      given: [made(aliceInConsole), used('2026-03-04T10:05:00Z', '192.0.2.10')],
      expect: [{ severity: 'medium', title: /by its maker$/ }],
    },
    {
      name: 'is low when a key made by a person goes elsewhere, own or not',
      given: [made(aliceInConsole, 'alice'), used('2026-03-04T11:00:00Z', '203.0.113.5')],
      expect: [{ severity: 'low', reason: /made it for itself/ }],
    },
    {
      name: 'stays quiet on a key that a pipeline made and a server uses',
      given: [made(assumedRole('deploy')), used('2026-03-04T11:00:00Z', '203.0.113.5')],
      expect: [],
    },
    {
      name: 'stays quiet on an own key at home, and on use after more than a day',
      given: [
        made(aliceInConsole, 'alice'),
        used('2026-03-04T11:00:00Z', '192.0.2.10', 'GetCallerIdentity', 'alice'),
        used('2026-03-05T11:00:00Z', '203.0.113.5', 'CreateUser', 'alice'),
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
          responseElements: { accessKey: { accessKeyId: key } },
          userIdentity: { type: 'IAMUser' },
        },
        used('2026-03-04T11:00:00Z', 'not an address'),
      ],
      expect: [],
    },
  ],
};
