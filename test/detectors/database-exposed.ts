// Cases of database-exposed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

function rds(
  name: string,
  request: RawRecord | null,
  by = iamUser('bob'),
  response = {},
): RawRecord {
  return apiCall({ source: 'rds', name, by, request, response });
}

export const cases: DetectorCases = {
  detector: 'database-exposed',
  cases: [
    {
      name: 'fires when a database is made publicly accessible',
      given: [
        rds('ModifyDBInstance', { dBInstanceIdentifier: 'orders', publiclyAccessible: true }),
      ],
      expect: [
        { severity: 'medium', title: /^IAM user bob made database orders publicly accessible/ },
      ],
    },
    {
      // Modelled on trailalerts-sigma-tests: a snapshot restored with a public address.
      name: 'fires high when a snapshot is restored with public access',
      given: [
        rds(
          'RestoreDBInstanceFromDBSnapshot',
          { dBInstanceIdentifier: 'copy', dBSnapshotIdentifier: 'orders-nightly' },
          iamUser('bob'),
          { dBInstanceIdentifier: 'copy', publiclyAccessible: true, engine: 'mysql' },
        ),
      ],
      expect: [{ severity: 'high', reason: /snapshot orders-nightly/ }],
    },
    {
      // Modelled on misc-tool-fixtures eee4217d-4a93-4ad3-89ff-108b25c4c9ab
      name: 'fires when a user sets the master password, and is low for a role',
      given: [iamUser('bob'), assumedRole('deploy')].map((by) =>
        rds(
          'ModifyDBInstance',
          {
            dBInstanceIdentifier: 'database-1',
            applyImmediately: true,
            masterUserPassword: '****',
            allowMajorVersionUpgrade: false,
            maxAllocatedStorage: 1000,
          },
          by,
        ),
      ),
      expect: [
        { severity: 'medium', title: /bob set the master password of database database-1/ },
        { severity: 'low', title: /Role deploy/ },
      ],
    },
    {
      name: 'is low for a new database',
      given: [rds('CreateDBInstance', { dBInstanceIdentifier: 'new', publiclyAccessible: true })],
      expect: [{ severity: 'low', title: /created database new with public access/ }],
    },
    {
      name: 'stays quiet on other changes and on a public database that is merely changed',
      given: [
        rds('ModifyDBInstance', { dBInstanceIdentifier: 'a', publiclyAccessible: false }),
        rds('ModifyDBInstance', { dBInstanceIdentifier: 'b' }, iamUser('bob'), {
          publiclyAccessible: true,
        }),
        rds('CreateDBInstance', { dBInstanceIdentifier: 'c', masterUserPassword: '****' }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when fields are missing',
      given: [rds('ModifyDBInstance', null), rds('RestoreDBInstanceFromS3', null)],
      expect: [],
    },
  ],
};
