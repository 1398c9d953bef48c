// Cases of database-destroyed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const bob = iamUser('bob');
const deploy = assumedRole('deploy');

function drop(name: string, by = bob, more: RawRecord = {}, response: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'rds',
    name: 'DeleteDBInstance',
    by,
    request: {
      dBInstanceIdentifier: name,
      skipFinalSnapshot: true,
      deleteAutomatedBackups: true,
      ...more,
    },
    response: { dBInstanceIdentifier: name, dBInstanceStatus: 'deleting', ...response },
  });
}

function modify(name: string, request: RawRecord, by = bob): RawRecord {
  const with_ = { dBInstanceIdentifier: name, applyImmediately: true, ...request };
  return apiCall({ source: 'rds', name: 'ModifyDBInstance', by, request: with_ });
}

export const cases: DetectorCases = {
  detector: 'database-destroyed',
  cases: [
    {
      // Modelled on misc-tool-fixtures eee4217d-4a93-4ad3-89ff-108b25c4c9ab: the shape of RDS requests.
      name: 'fires when a user takes off the protection and deletes with nothing kept',
      given: [modify('orders', { deletionProtection: false }), drop('orders')],
      expect: [
        { severity: 'medium', title: /^IAM user bob deleted 1 database /, reason: /off first/ },
        { severity: 'low', title: /took protection off 1 database/ },
      ],
    },
    {
      name: 'fires high when a user deletes many, medium when a role does',
      given: ['a', 'b', 'c', 'd'].flatMap((one) => [drop(`db-${one}`), drop(`db-${one}`, deploy)]),
      expect: [
        { severity: 'high', title: /bob deleted 4 databases/ },
        { severity: 'medium', title: /deploy deleted 4 databases/ },
      ],
    },
    {
      name: 'is low when a role takes down one',
      given: [drop('test', deploy)],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet when a last snapshot is kept, and on a member of a cluster',
      given: [
        drop('kept', bob, { skipFinalSnapshot: false, finalDBSnapshotIdentifier: 'last' }),
        drop('member', bob, {}, { dBClusterIdentifier: 'cluster' }),
        modify('orders', { deletionProtection: true, backupRetentionPeriod: 7 }),
      ],
      expect: [],
    },
    {
      name: 'is low when many deletions were refused',
      given: ['a', 'b'].map((one) => ({ ...drop(one), errorCode: 'AccessDenied' })),
      expect: [{ severity: 'low', title: /was refused the deletion of 2 databases/ }],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        apiCall({ source: 'dynamodb', name: 'DeleteTable', by: bob }),
        apiCall({ source: 'rds', name: 'DeleteDBCluster', by: bob }),
        apiCall({ source: 'rds', name: 'ModifyDBCluster', by: bob }),
      ],
      expect: [{ severity: 'medium', reason: /not named/ }],
    },
  ],
};
