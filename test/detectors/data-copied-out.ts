// Cases of data-copied-out.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  stranger,
} from '../support/records.ts';

// Modelled on misc-tool-fixtures ec783cd8-fad8-41a8-abac-569a78c42e33
function taken(name: string, by: string, more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'ec2',
    name,
    by: { accountId: by, invokedBy: 'ec2.amazonaws.com' },
    with: {
      eventVersion: '1.08',
      sourceIPAddress: 'ec2.amazonaws.com',
      userAgent: 'ec2.amazonaws.com',
      eventType: 'AwsServiceEvent',
      sharedEventID: '0f9e8d7c-6b5a-4c3d-9e2f-1a0b9c8d7e6f',
      serviceEventDetails: { snapshotId: 'snap-0a1b2c3d4e5f60718' },
      tlsDetails: undefined,
      requestID: undefined,
      ...more,
    },
  });
}

function table(owner: string): RawRecord {
  return apiCall({
    source: 'dynamodb',
    name: 'ExportTableToPointInTime',
    by: assumedRole('analytics'),
    request: {
      tableArn: `arn:aws:dynamodb:eu-central-1:${account}:table/customers`,
      s3Bucket: 'lake',
      s3BucketOwner: owner,
    },
  });
}

function database(by: RawRecord): RawRecord {
  return apiCall({
    source: 'rds',
    name: 'StartExportTask',
    by,
    request: {
      exportTaskIdentifier: 'x',
      sourceArn: `arn:aws:rds:eu-central-1:${account}:snapshot:orders-nightly`,
      s3BucketName: 'exports',
      iamRoleArn: `arn:aws:iam::${account}:role/export`,
      kmsKeyId: 'alias/export',
    },
  });
}

export const cases: DetectorCases = {
  detector: 'data-copied-out',
  cases: [
    {
      name: 'fires when another account copies a shared snapshot or makes a volume of it',
      given: [
        taken('SharedSnapshotCopyInitiated', stranger),
        taken('SharedSnapshotVolumeCreated', stranger),
      ],
      expect: [
        {
          severity: 'high',
          title: /^Account 444455556666 copied shared snapshot snap-0a1b2c3d4e5f60718$/,
        },
        { severity: 'high', title: /made a volume of/ },
      ],
    },
    {
      name: 'fires when a user exports a database, and is low for a role',
      given: [database(iamUser('bob')), database(assumedRole('analytics'))],
      expect: [
        { severity: 'medium', title: /bob exported a database snapshot to bucket exports/ },
        { severity: 'low', reason: /orders-nightly/ },
      ],
    },
    {
      name: 'fires high when a table goes to a bucket of another account, low for the own',
      given: [table(stranger), table(account)],
      expect: [
        { severity: 'high', title: /a table to a bucket of account 444455556666/ },
        { severity: 'low', title: /to bucket lake/ },
      ],
    },
    {
      name: 'stays quiet when the owner uses its snapshot, on refusals and on fields missing',
      given: [
        taken('SharedSnapshotVolumeCreated', account),
        taken('SharedSnapshotVolumeCreated', '', { userIdentity: null }),
        { ...database(iamUser('bob')), errorCode: 'AccessDenied' },
      ],
      expect: [],
    },
    {
      name: 'does not break when an export names nothing',
      given: [apiCall({ source: 'rds', name: 'StartExportTask' })],
      expect: [{ severity: 'medium', title: /to bucket not named/ }],
    },
  ],
};
