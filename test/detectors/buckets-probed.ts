// Cases of buckets-probed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const denied = { errorCode: 'AccessDenied', errorMessage: 'Access Denied' };

function many(count: number, by: RawRecord, more: RawRecord = {}): RawRecord[] {
  return Array.from({ length: count }, (_, at) =>
    apiCall({
      source: 's3',
      name: at % 2 === 0 ? 'GetBucketAcl' : 'GetBucketPolicyStatus',
      by,
      request: { bucketName: `bucket-${at}`, Host: 's3.eu-central-1.amazonaws.com', acl: '' },
      with: more,
    }),
  );
}

export const cases: DetectorCases = {
  detector: 'buckets-probed',
  cases: [
    {
      // Modelled on flaws-cloud-excerpt-2020: a leaked key that tries bucket after bucket.
      name: 'is low when a key is refused at many buckets',
      given: many(16, iamUser('backup'), denied),
      expect: [{ severity: 'low', title: /^IAM user backup was refused at 16 buckets/ }],
    },
    {
      name: 'is low when a role is refused, or a user asks about very many',
      given: [...many(20, assumedRole('web'), denied), ...many(32, iamUser('bob'))],
      expect: [
        { severity: 'low', title: /Role web was refused/ },
        { severity: 'low', title: /bob asked 32 buckets/ },
      ],
    },
    {
      name: 'stays quiet on a scanner with its rights, a person in the console, a few refusals',
      given: [
        ...many(80, assumedRole('scanner')),
        ...many(12, iamUser('bob')),
        ...many(5, assumedRole('web'), denied),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when a bucket answers that it has no policy, and on fields missing',
      given: [
        ...many(20, assumedRole('scanner'), { errorCode: 'NoSuchBucketPolicy' }),
        apiCall({ source: 's3', name: 'GetBucketAcl' }),
      ],
      expect: [],
    },
  ],
};
