// Cases of key-used-from-new-network.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord, rootUser } from '../support/records.ts';

function used(day: number, from: string, more: RawRecord = {}): RawRecord {
  const at = `2026-03-${String(day).padStart(2, '0')}T10:00:00Z`;
  const by = iamUser('ci');
  return apiCall({
    source: 's3',
    name: 'ListBuckets',
    by,
    at,
    with: { sourceIPAddress: from, ...more },
  });
}

const office = '192.0.2.10';
const learnt = [1, 3, 5, 8].map((day) => used(day, office));
const stolen = {
  eventVersion: '1.11',
  userIdentity: iamUser('ci'),
  eventTime: '2026-03-09T03:12:44Z',
  eventSource: 'sts.amazonaws.com',
  eventName: 'GetCallerIdentity',
  awsRegion: 'eu-west-1',
  sourceIPAddress: '203.0.113.77',
  userAgent:
    'aws-cli/2.31.3 md/awscrt#0.27.6 ua/2.1 os/windows#11 md/command#sts.get-caller-identity',
  requestParameters: null,
  responseElements: null,
  additionalEventData: {
    RequestDetails: { endpointType: 'regional', awsServingRegion: 'eu-west-1' },
  },
  requestID: '6d0a7a41-6f52-4a53-9b30-1f2e3d4c5b6a',
  eventID: 'f0a1b2c3-d4e5-4f60-8a7b-9c8d7e6f5a4b',
  readOnly: true,
  eventType: 'AwsApiCall',
  managementEvent: true,
  recipientAccountId: '111122223333',
  eventCategory: 'Management',
  tlsDetails: { tlsVersion: 'TLSv1.3', clientProvidedHostHeader: 'sts.eu-west-1.amazonaws.com' },
};

export const cases: DetectorCases = {
  detector: 'key-used-from-new-network',
  cases: [
    {
      // Modelled on maheribra-attack-chain-2026 b32cd50d-a1fb-4238-970d-0bc70a35864d.
      name: 'fires medium when a key of one network tells its owner to another',
      given: [...learnt, stolen],
      expect: [
        {
          severity: 'medium',
          title: /^Access key AKIA\w+ of ci was used from a new network, 203\.0\.0\.0\/16$/,
          reason: /1 network \(192\.0\.0\.0\/16\).*sts:GetCallerIdentity.*tries a found key/,
          events: [stolen.eventID],
        },
      ],
    },
    {
      name: 'tells a new network once, also when the key stays there',
      given: [...learnt, used(9, '203.0.113.5'), used(9, '203.0.113.6'), used(10, '203.0.113.5')],
      expect: [{ severity: 'medium' }],
    },
    {
      name: 'is low for a key that is usual in several networks, as laptops are',
      given: [
        ...learnt,
        used(6, '198.51.100.1'),
        used(6, '203.0.113.1'),
        used(6, '100.20.1.1'),
        used(9, '2001:db8:1::1'),
      ].map((one, at) => (at >= 4 && at < 7 ? { ...one, eventTime: '2026-03-01T11:00:00Z' } : one)),
      expect: [{ severity: 'low', title: /2001:db8::\/32/, reason: /no surprise/ }],
    },
    {
      name: 'stays quiet while it learns, and on the networks it knows',
      given: [used(1, office), used(4, '203.0.113.5'), used(9, '203.0.1.1'), used(10, office)],
      expect: [],
    },
    {
      name: 'stays quiet on a key never seen before',
      given: [used(9, '203.0.113.5')],
      expect: [],
    },
    {
      name: 'stays quiet on calls through services and from private addresses',
      given: [
        ...learnt,
        used(9, 'cloudformation.amazonaws.com', {
          userIdentity: { ...iamUser('ci'), invokedBy: 'cloudformation.amazonaws.com' },
        }),
        used(10, '10.1.2.3'),
        used(11, 'AWS Internal'),
      ],
      expect: [],
    },
    {
      name: 'stays quiet on sessions and on root, whose keys others watch',
      given: [
        ...learnt,
        used(9, '203.0.113.5', { userIdentity: assumedRole('deploy') }),
        used(9, '203.0.113.5', { userIdentity: rootUser() }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        ...learnt,
        {
          eventSource: 's3.amazonaws.com',
          eventName: 'ListBuckets',
          eventTime: '2026-03-09T10:00:00Z',
          userIdentity: { accessKeyId: 'AKIANOBODYEXAMPLE001' },
        },
      ],
      expect: [],
    },
  ],
};
