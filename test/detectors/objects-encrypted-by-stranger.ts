// Cases of objects-encrypted-by-stranger.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, iamUser, type RawRecord, stranger } from '../support/records.ts';

const bob = iamUser('bob');
const sent = {
  'x-amz-server-side-encryption-customer-algorithm': 'AES256',
  'x-amz-server-side-encryption-customer-key-MD5': '1B2M2Y8AsgTpgAmY7PhCfg==',
};

function object(name: string, key: string, more: RawRecord, by = bob): RawRecord {
  return apiCall({
    source: 's3',
    name,
    by,
    request: {
      bucketName: 'invoices',
      Host: 'invoices.s3.eu-central-1.amazonaws.com',
      key,
      ...(name === 'CopyObject' ? { 'x-amz-copy-source': `invoices/${key}` } : {}),
      ...more,
    },
    with: { eventCategory: 'Data', managementEvent: false },
  });
}

function under(owner: string): RawRecord {
  return {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': `arn:aws:kms:eu-central-1:${owner}:key/1a2b3c4d`,
  };
}

function times(count: number, make: (key: string) => RawRecord): RawRecord[] {
  return Array.from({ length: count }, (_, at) => make(`2026/${at}.pdf`));
}

export const cases: DetectorCases = {
  detector: 'objects-encrypted-by-stranger',
  cases: [
    {
      name: 'fires when many objects are copied under a key that was sent along',
      given: times(25, (key) => object('CopyObject', key, sent)),
      expect: [{ severity: 'high', title: /^IAM user bob encrypted 25 objects .*SSE-C/ }],
    },
    {
      name: 'is low when an application writes few so, and medium when one is copied',
      given: [
        ...times(3, (key) => object('PutObject', key, sent)),
        ...times(1, (key) => object('CopyObject', key, sent, iamUser('carol'))),
      ],
      expect: [
        { severity: 'low', reason: /none copied/ },
        { severity: 'medium', title: /carol/ },
      ],
    },
    {
      name: 'fires when objects are written under a KMS key of another account',
      given: times(2, (key) => object('CopyObject', key, under(stranger))),
      expect: [{ severity: 'high', title: /2 objects under a KMS key of account 444455556666/ }],
    },
    {
      name: 'fires when such a key becomes the default of a bucket',
      given: [
        apiCall({
          source: 's3',
          name: 'PutBucketEncryption',
          by: bob,
          request: {
            bucketName: 'invoices',
            encryption: '',
            ServerSideEncryptionConfiguration: {
              xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/',
              Rule: {
                ApplyServerSideEncryptionByDefault: {
                  SSEAlgorithm: 'aws:kms',
                  KMSMasterKeyID: `arn:aws:kms:eu-central-1:${stranger}:key/1a2b3c4d`,
                },
              },
            },
          },
        }),
      ],
      expect: [{ severity: 'high', title: /the default of a bucket/, reason: /invoices/ }],
    },
    {
      // Modelled on misc-tool-fixtures 25d2f1da-c4ac-4201-9c97-e50869d6a636: an ordinary write.
      name: 'stays quiet on keys of S3 and of the own account, and on what was refused',
      given: [
        object('PutObject', 'a', { 'x-amz-server-side-encryption': 'AES256' }),
        object('PutObject', 'b', under(account)),
        { ...object('CopyObject', 'c', sent), errorCode: 'AccessDenied' },
        object('PutObject', 'd', under(stranger), iamUser('partner', stranger)),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        apiCall({ source: 's3', name: 'PutObject', by: bob }),
        apiCall({ source: 's3', name: 'CopyObject', by: bob, request: sent }),
      ],
      expect: [{ severity: 'medium', reason: /a bucket/ }],
    },
  ],
};
