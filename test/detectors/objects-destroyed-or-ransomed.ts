// Cases of objects-destroyed-or-ransomed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, awsService, iamUser, type RawRecord } from '../support/records.ts';

const bob = iamUser('bob');
const job = assumedRole('cleaner');

function object(name: string, key: string, by = bob, more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 's3',
    name,
    by,
    request: {
      bucketName: 'invoices',
      Host: 'invoices.s3.eu-central-1.amazonaws.com',
      key,
      ...more,
    },
    with: { eventCategory: 'Data', managementEvent: false },
  });
}

function many(by: RawRecord, more: RawRecord = {}): RawRecord[] {
  return Array.from({ length: 55 }, (_, at) => object('DeleteObject', `${at}.pdf`, by, more));
}

export const cases: DetectorCases = {
  detector: 'objects-destroyed-or-ransomed',
  cases: [
    {
      name: 'fires when a user deletes many versions, and is low for a role',
      given: [...many(bob, { versionId: 'v1' }), ...many(job, { versionId: 'v1' })],
      expect: [
        { severity: 'medium', title: /^IAM user bob deleted 55 object versions/ },
        { severity: 'low', title: /^Role cleaner/ },
      ],
    },
    {
      name: 'is low when a user deletes many objects whose versions may be left',
      given: many(bob),
      expect: [{ severity: 'low', title: /deleted 55 objects/ }],
    },
    {
      name: 'is critical when a note is left as well, and medium for a note alone',
      given: [
        ...many(job),
        object('PutObject', 'FILES-DELETED.txt', job),
        object('PutObject', 'docs/HOW_TO_DECRYPT_FILES.html', bob),
      ],
      expect: [
        { severity: 'critical', title: /cleaner wrote .* ransom note and deleted 55 objects/ },
        { severity: 'medium', reason: /HOW_TO_DECRYPT_FILES/ },
      ],
    },
    {
      // Modelled on misc-tool-fixtures 25d2f1da-c4ac-4201-9c97-e50869d6a636: an ordinary write.
      name: 'stays quiet when a role deletes, on ordinary names, and on services',
      given: [
        ...many(job),
        object('PutObject', 'AWSLogs/111122223333/CloudTrail/eu-central-1/x.json.gz'),
        object('PutObject', 'deploy/restore-database.sh'),
        object('PutObject', 'README.txt'),
        object('PutObject', 'guide/how-to-restore-data.html'),
        object('PutObject', 'how-to-decrypt-files.txt', awsService('s3')),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when it was refused and when fields are missing',
      given: [
        ...many(bob, { versionId: 'v1' }).map((one) => ({ ...one, errorCode: 'AccessDenied' })),
        apiCall({ source: 's3', name: 'PutObject' }),
        apiCall({ source: 's3', name: 'DeleteObject' }),
      ],
      expect: [],
    },
  ],
};
