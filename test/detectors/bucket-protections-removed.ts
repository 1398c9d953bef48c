// Cases of bucket-protections-removed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord, rootUser } from '../support/records.ts';

const bob = iamUser('bob');

function call(name: string, request: RawRecord = {}, bucketName = 'invoices', by = bob): RawRecord {
  const host = `${bucketName}.s3.eu-central-1.amazonaws.com`;
  return apiCall({ source: 's3', name, by, request: { bucketName, Host: host, ...request } });
}

function versioning(status: string, bucket = 'invoices', by = bob, mfa?: string): RawRecord {
  const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/';
  const VersioningConfiguration = { Status: status, xmlns, ...(mfa ? { MfaDelete: mfa } : {}) };
  return call('PutBucketVersioning', { versioning: '', VersioningConfiguration }, bucket, by);
}

function expiry(days: number, filter: RawRecord = { Prefix: '' }): RawRecord {
  const Rule = { ID: 'x', Status: 'Enabled', Filter: filter, Expiration: { Days: days } };
  return call('PutBucketLifecycle', { lifecycle: '', LifecycleConfiguration: { Rule } });
}

export const cases: DetectorCases = {
  detector: 'bucket-protections-removed',
  cases: [
    {
      // Modelled on panther-scenarios: versions of a bucket suspended by hand.
      name: 'fires when versions are suspended',
      given: [versioning('Suspended')],
      expect: [
        { severity: 'medium', title: /^IAM user bob .* of bucket invoices: versions suspended$/ },
      ],
    },
    {
      name: 'fires high when one bucket loses three within an hour',
      given: [versioning('Suspended'), call('DeleteBucketEncryption'), expiry(1)],
      expect: [{ severity: 'high', reason: /lost 3 of them/ }],
    },
    {
      name: 'counts a removed public access block with another loss, but is quiet on it alone',
      given: [
        call('DeleteBucketPublicAccessBlock'),
        call('DeleteBucketReplication'),
        call('DeleteBucketPublicAccessBlock', {}, 'site', iamUser('carol')),
      ],
      expect: [{ severity: 'medium', title: /bob .*replication removed, public access block/ }],
    },
    {
      name: 'fires high when many buckets lose their versions',
      given: ['a', 'b', 'c', 'd', 'e'].map((one) => versioning('Suspended', `bucket-${one}`)),
      expect: [{ severity: 'high', title: /of 5 buckets/ }],
    },
    {
      name: 'takes MFA delete for switched off only when root says so',
      given: [
        versioning('Enabled', 'invoices', rootUser(), 'Disabled'),
        versioning('Enabled', 'invoices', assumedRole('deploy'), 'Disabled'),
      ],
      expect: [{ severity: 'medium', title: /^Root .*MFA delete switched off/ }],
    },
    {
      name: 'is low for one setting of one bucket',
      given: [call('DeleteBucketEncryption')],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet on a new bucket, on long or narrow expiry, and on versions switched on',
      given: [
        call('CreateBucket', {}, 'fresh'),
        versioning('Suspended', 'fresh'),
        expiry(30),
        expiry(1, { Prefix: 'tmp/' }),
        versioning('Enabled'),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when it was refused and when fields are missing',
      given: [
        { ...versioning('Suspended'), errorCode: 'AccessDenied' },
        apiCall({ source: 's3', name: 'PutBucketVersioning' }),
        call('PutBucketLifecycle', { LifecycleConfiguration: 'odd' }),
        call('PutObjectLockConfiguration', { ObjectLockConfiguration: { Rule: {} } }),
      ],
      expect: [],
    },
  ],
};
