// Cases of backups-destroyed.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  serviceLinkedRole,
  through,
} from '../support/records.ts';

const bob = iamUser('bob');

function points(count: number, more: RawRecord = {}): RawRecord[] {
  return Array.from({ length: count }, (_, at) =>
    apiCall({
      source: 'backup',
      name: 'DeleteRecoveryPoint',
      by: bob,
      request: {
        backupVaultName: 'nightly',
        recoveryPointArn: `arn:aws:ec2:eu-central-1::snapshot/snap-0a1b2c3d4e5f6000${at}`,
      },
      with: more,
    }),
  );
}

function snapshots(count: number, by: RawRecord = bob): RawRecord[] {
  return Array.from({ length: count }, (_, at) =>
    apiCall({
      source: 'ec2',
      name: 'DeleteSnapshot',
      by,
      request: { snapshotId: `snap-0a1b2c3d4e5f6${String(at).padStart(4, '0')}` },
      response: { _return: true },
    }),
  );
}

export const cases: DetectorCases = {
  detector: 'backups-destroyed',
  cases: [
    {
      name: 'fires when recovery points and their vault are deleted',
      given: [
        ...points(4),
        apiCall({
          source: 'backup',
          name: 'DeleteBackupVault',
          by: bob,
          request: { backupVaultName: 'nightly' },
        }),
      ],
      expect: [
        { severity: 'high', title: /^IAM user bob deleted 4 recovery points$/ },
        { severity: 'high', title: /deleted 1 backup vault$/ },
      ],
    },
    {
      // Modelled on AWS Backup's own event reference: a lock is removed from a vault.
      name: 'fires when the lock of a vault is removed',
      given: [
        apiCall({
          source: 'backup',
          name: 'DeleteBackupVaultLockConfiguration',
          by: assumedRole('admin'),
          request: { backupVaultName: 'nightly' },
        }),
      ],
      expect: [{ severity: 'high', title: /removed 1 vault lock$/, reason: /nightly/ }],
    },
    {
      name: 'is medium when automated backups of a database go',
      given: [
        apiCall({
          source: 'rds',
          name: 'DeleteDBInstanceAutomatedBackup',
          by: bob,
          request: { dbiResourceId: `db-${account}` },
        }),
      ],
      expect: [{ severity: 'medium', title: /deleted 1 automated backup$/ }],
    },
    {
      name: 'is low for a clean-up of snapshots and medium for a great many',
      given: [...snapshots(12), ...snapshots(60, iamUser('carol'))],
      expect: [
        { severity: 'low', title: /bob deleted 12 snapshots/ },
        { severity: 'medium', title: /carol deleted 60 snapshots/ },
      ],
    },
    {
      name: 'is low for one recovery point, and when everything was refused',
      given: [
        ...points(1),
        ...points(5, { errorCode: 'AccessDenied' }).map((one) => ({
          ...one,
          userIdentity: iamUser('mallory'),
        })),
      ],
      expect: [
        { severity: 'low', title: /deleted 1 recovery point$/ },
        { severity: 'low', title: /mallory was refused the deletion of 5 backups/ },
      ],
    },
    {
      name: 'stays quiet when a plan or a service removes what is old, and on a few snapshots',
      given: [
        ...snapshots(5),
        ...snapshots(60, serviceLinkedRole('AWSServiceRoleForBackup', 'backup')),
        ...snapshots(60).map((one) => ({
          ...one,
          ...through(assumedRole('AWSBackupDefaultServiceRole'), 'backup').with,
          userIdentity: through(assumedRole('AWSBackupDefaultServiceRole'), 'backup').by,
        })),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        apiCall({ source: 'backup', name: 'DeleteRecoveryPoint', by: bob }),
        apiCall({ source: 'ec2', name: 'DeleteSnapshot', by: bob, request: { snapshotId: 7 } }),
      ],
      expect: [{ severity: 'low', reason: /not named/ }],
    },
  ],
};
