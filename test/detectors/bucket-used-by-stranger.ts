// Cases of bucket-used-by-stranger.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  stranger,
} from '../support/records.ts';

const nobody = { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' };

function s3(name: string, by: RawRecord, key?: string, more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 's3',
    name,
    by,
    request: {
      bucketName: 'site',
      Host: 'site.s3.eu-central-1.amazonaws.com',
      ...(key === undefined ? {} : { key }),
    },
    with: {
      eventCategory: 'Data',
      managementEvent: false,
      resources: [
        { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::site/${key ?? ''}` },
        { accountId: account, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::site' },
      ],
      ...more,
    },
  });
}

export const cases: DetectorCases = {
  detector: 'bucket-used-by-stranger',
  cases: [
    {
      // Modelled on the anonymous record of the S3 guide: no principal id, ANONYMOUS_PRINCIPAL.
      name: 'fires when somebody without credentials lists a bucket and reads a key from it',
      given: [s3('ListObjects', nobody), s3('GetObject', nobody, 'backup/id_rsa')],
      expect: [
        { severity: 'medium', title: /^Somebody without credentials listed 1 bucket$/ },
        { severity: 'high', title: /read 1 file of secrets/, reason: /site\/backup\/id_rsa/ },
      ],
    },
    {
      name: 'fires when somebody without credentials writes',
      given: [s3('PutObject', nobody, 'app.js')],
      expect: [{ severity: 'high', title: /wrote or deleted 1 object$/ }],
    },
    {
      name: 'fires when another account reads secrets',
      given: [
        s3('GetObject', iamUser('eve', stranger), '.env'),
        s3('GetObject', iamUser('eve', stranger), 'prod/terraform.tfstate'),
      ],
      expect: [{ severity: 'high', title: /eve of account 444455556666 read 2 files of secrets/ }],
    },
    {
      name: 'fires when objects are copied to a bucket of another account',
      given: [
        s3('CopyObject', iamUser('bob'), 'a.pdf', {
          resources: [
            { accountId: account, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::site' },
            { accountId: stranger, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::loot' },
          ],
        }),
      ],
      expect: [{ severity: 'medium', title: /bob copied 1 object between accounts: 444455556666/ }],
    },
    {
      name: 'stays quiet on a web site, on the own account and on what was refused',
      given: [
        s3('GetObject', nobody, 'index.html'),
        s3('GetObject', assumedRole('terraform'), 'prod/terraform.tfstate'),
        s3('GetObject', iamUser('partner', stranger), 'report.pdf'),
        s3('CopyObject', iamUser('bob'), 'a.pdf'),
        s3('ListObjects', nobody, undefined, { errorCode: 'AccessDenied' }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when fields are missing',
      given: [
        apiCall({ source: 's3', name: 'GetObject', by: nobody }),
        apiCall({ source: 's3', name: 'CopyObject', with: { resources: 'odd' } }),
      ],
      expect: [],
    },
  ],
};
