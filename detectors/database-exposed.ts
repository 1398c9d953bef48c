// A database was put within reach of the internet, or its master password was set by hand.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { SignalDraft } from '../src/core/signal.ts';
import {
  actorOf,
  attack,
  cis,
  isByAws,
  isServiceLinked,
  originOf,
  said,
} from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'database-exposed',
  title: 'Database exposed',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'A database of RDS or Redshift was made or changed to be publicly accessible, was restored from a snapshot that way, or got a new master password by hand.',
  why: 'An intruder who may not read a database restores a copy where it can be reached, or sets the master password; both hand over all of the data without touching the application.',
  innocent: [
    'A trial database is made with public access by the defaults of a wizard.',
    'A password is set after it was lost, or by a deployment tool: shown as low for a role.',
  ],
  firstSteps: [
    'Take it back: aws rds modify-db-instance --db-instance-identifier <name> --no-publicly-accessible --apply-immediately.',
    'Look at its security groups: only with an open one can it be reached.',
    'For a password: ask the caller, set a new one, or let Secrets Manager keep it (--manage-master-user-password).',
    'For a restored copy: ask what it is for, and delete it if nobody knows.',
  ],
  attack: attack({
    'T1578.002': 'Modify Cloud Compute Infrastructure: Create Cloud Instance',
    T1133: 'External Remote Services',
    T1098: 'Account Manipulation',
  }),
  cis: [...cis('3.0.0', '2.3.3'), ...cis('5.0.0', '2.2.3')],
  gaps: [
    'Whether a security group or a route lets the internet in is not known.',
    'Logins to the database never reach the trail.',
  ],
};

const config = z.strictObject({});

const access = 'requestParameters.publiclyAccessible';

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'rds.amazonaws.com:CreateDBInstance',
    'rds.amazonaws.com:ModifyDBInstance',
    'rds.amazonaws.com:ModifyDBCluster',
    'rds.amazonaws.com:RestoreDBInstanceFromDBSnapshot',
    'rds.amazonaws.com:RestoreDBInstanceToPointInTime',
    'rds.amazonaws.com:RestoreDBInstanceFromS3',
    'redshift.amazonaws.com:CreateCluster',
    'redshift.amazonaws.com:ModifyCluster',
    'redshift.amazonaws.com:RestoreFromClusterSnapshot',
  ],
  config,
  detect(event) {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS did it';
    if (event.outcome !== 'success') return 'nothing was changed';
    const signals = [...madePublic(event), ...passwordSet(event)];
    return signals.length > 0 ? signals : 'neither access nor password was changed';
  },
});

function madePublic(event: Event): readonly SignalDraft[] {
  const isRestore = event.name.startsWith('Restore');
  const asked =
    event.field(access) ??
    (isRestore ? event.field('responseElements.publiclyAccessible') : undefined);
  if (asked !== true && asked !== 'true') return [];
  const snapshot = plain(
    event.text('requestParameters.dBSnapshotIdentifier') ??
      event.text('requestParameters.snapshotIdentifier'),
  );
  const isChange = event.name.startsWith('Modify');
  const name = databaseOf(event);
  const verb = isChange ? 'made' : isRestore ? 'restored' : 'created';
  const why = isRestore
    ? `A copy of the data${snapshot ? ` from snapshot ${snapshot}` : ''} now has a public address. `
    : isChange
      ? 'The database was not meant to be reached from outside before. '
      : 'A new database holds little yet. ';
  return [
    said(event, {
      severity: isRestore ? 'high' : isChange ? 'medium' : 'low',
      title: `${actorOf(event)} ${verb} database ${name} ${isChange ? 'publicly accessible' : 'with public access'}`,
      reason: `${why}Its security groups alone stand between it and the internet. From ${originOf(event)}.`,
      facts: { database: name, ...(snapshot ? { snapshot } : {}) },
      part: 'public',
    }),
  ];
}

// The password itself is never in the record; that there was one is shown by stars or a pending change.
function passwordSet(event: Event): readonly SignalDraft[] {
  if (!event.name.startsWith('Modify')) return [];
  const isSet =
    event.field('requestParameters.masterUserPassword') !== undefined ||
    event.field('responseElements.pendingModifiedValues.masterUserPassword') !== undefined;
  if (!isSet) return [];
  const { kind, name: actor } = event.principal;
  const isTool = kind === 'role' && !actor.startsWith('AWSReservedSSO_');
  const name = databaseOf(event);
  return [
    said(event, {
      severity: isTool ? 'low' : 'medium',
      title: `${actorOf(event)} set the master password of database ${name}`,
      reason: `Whoever set it can read and change everything in the database.${
        isTool ? ' A role of a deployment tool or a rotation does so by design.' : ''
      } From ${originOf(event)}.`,
      facts: { database: name },
      part: 'password',
    }),
  ];
}

function databaseOf(event: Event): string {
  const names = ['dBInstanceIdentifier', 'dBClusterIdentifier', 'clusterIdentifier'];
  const found = ['targetDBInstanceIdentifier', ...names]
    .map((name) => event.text(`requestParameters.${name}`))
    .find(Boolean);
  return plain(found) || 'that the record does not name';
}
