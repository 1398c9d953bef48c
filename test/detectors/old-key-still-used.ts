// Cases of old-key-still-used.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, iamUser, type RawRecord, rootUser } from '../support/records.ts';

const listed = 'AKIALISTEDEXAMPLE001';
const key = 'AKIAOLDKEYEXAMPLE001';

function used(day: string, accessKeyId = key, more: RawRecord = {}): RawRecord {
  const by = { ...iamUser('carol'), accessKeyId };
  return apiCall({
    source: 'ec2',
    name: 'DescribeInstances',
    by,
    at: `${day}T10:00:00Z`,
    with: more,
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
  detector: 'old-key-still-used',
  // Cases span fewer days than duplicates are known for, so keys age faster here.
  config: {
    ageDaysMax: 20,
    ageDaysMedium: 45,
    keysMadeAt: { [listed]: '2024-01-01T00:00:00Z' },
  },
  cases: [
    {
      // Modelled on traildiscover-events d2124f15-7373-4465-a961-0deafcb64efc: a key of a user.
      name: 'fires medium for a key that the credential report shows to be old',
      given: [
        {
          eventVersion: '1.09',
          userIdentity: { ...iamUser('carol'), accessKeyId: listed },
          eventTime: '2026-02-20T23:41:07Z',
          eventSource: 's3.amazonaws.com',
          eventName: 'ListBuckets',
          awsRegion: 'us-east-1',
          sourceIPAddress: '192.0.2.99',
          userAgent: '[aws-cli/2.17.40 os/linux md/command#s3api.list-buckets]',
          requestParameters: { Host: 's3.us-east-1.amazonaws.com' },
          responseElements: null,
          requestID: 'Q7H2C1D2B3E5F6A7',
          eventID: '3a6bfb3c-58a6-4a53-8d53-7e6f5d4c3b2a',
          readOnly: true,
          eventType: 'AwsApiCall',
          managementEvent: true,
          recipientAccountId: '111122223333',
          eventCategory: 'Management',
        },
      ],
      expect: [
        {
          severity: 'medium',
          title: /^Access key AKIALISTED\w+ of carol is 781 days old and still used$/,
          reason: /keysMadeAt.*2024-01-01.*after 20 days.*192\.0\.2\.99: s3:ListBuckets/,
        },
      ],
    },
    {
      name: 'fires low once a month for a key whose making is in the trail',
      given: [made, used('2026-01-06'), used('2026-01-29'), used('2026-02-05'), used('2026-02-14')],
      expect: [
        { severity: 'low', title: /is 24 days old/ },
        { severity: 'low', title: /is 31 days old/, reason: /It was made on 2026-01-05/ },
      ],
    },
    {
      name: 'gives the least age where only use is in the trail',
      given: [used('2026-01-05'), used('2026-02-25')],
      expect: [{ severity: 'medium', title: /at least 51 days old/ }],
    },
    {
      name: 'stays quiet on young keys, on first sight, and on root',
      given: [
        made,
        used('2026-01-20'),
        used('2026-02-20', 'AKIAFIRSTSIGHTEXAMPL'),
        used('2026-02-20', listed, { userIdentity: { ...rootUser(), accessKeyId: listed } }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'CreateAccessKey',
          eventTime: '2026-01-05T10:00:00Z',
          responseElements: { accessKey: 'x' },
          userIdentity: { accessKeyId: key },
        },
        {
          ...used('2026-01-06'),
          recipientAccountId: undefined,
          userIdentity: { accessKeyId: key },
        },
      ],
      expect: [],
    },
  ],
};
