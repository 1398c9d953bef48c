// One principal destroyed backups: vaults and their locks, recovery points, snapshots, automated backups.
import { z } from 'zod';
import {
  type Bucket,
  type CallPattern,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import {
  actorIn,
  type Group,
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  sizeOf,
  spreeAdd,
  spreeSignal,
  spreeState,
  thingsMax,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'backups-destroyed',
  title: 'Backups destroyed',
  severity: 'high',
  practice: 'least-privilege',
  what: 'Within an hour one principal deleted the lock of a backup vault or a vault, deleted recovery points by hand, deleted automated backups of databases, or deleted many snapshots.',
  why: 'Extortion begins with the backups: what cannot be restored must be paid for. AWS Backup removes what is too old by itself, so a hand is rarely needed.',
  innocent: [
    'A clean-up of old snapshots by a script: shown as low while only snapshots go.',
    'A test environment is taken down with its vault.',
  ],
  firstSteps: [
    'Stop it first: revoke the sessions of the caller or deactivate the key, then deny backup:Delete*, ec2:DeleteSnapshot and rds:Delete* by a service control policy.',
    'See what is left: recovery points in other vaults, accounts and regions, and the Recycle Bin for snapshots (aws ec2 list-snapshots-in-recycle-bin).',
    'Put a lock in compliance mode on the vaults that are left.',
    'Ask the caller; read in the timeline what was disabled or encrypted at the same time.',
  ],
  attack: attack({ T1490: 'Inhibit System Recovery', T1485: 'Data Destruction' }),
  cis: [],
  gaps: [
    'An hour is a clock hour: a deletion spread over two of them counts as half.',
    'How many backups of the same thing are left is not known.',
    'Only the first hundred names of an hour are kept.',
  ],
};

const count = z.int().min(1).max(thingsMax);
const config = z.strictObject({
  recoveryPoints: count.default(3).describe('Recovery points deleted in an hour that are many.'),
  snapshots: count.default(10).describe('Snapshots deleted in an hour that make a signal.'),
  snapshotsMany: count.default(50).describe('As many make it medium, whoever did it.'),
});
type Config = z.infer<typeof config>;

/** What each call destroys, and the parameters that name it, the first found wins. */
const calls: Readonly<Record<string, readonly [kind: string, ...names: string[]]>> = {
  'backup.amazonaws.com:DeleteBackupVaultLockConfiguration': ['vault locks', 'backupVaultName'],
  'backup.amazonaws.com:DeleteBackupVault': ['backup vaults', 'backupVaultName'],
  'backup.amazonaws.com:DeleteRecoveryPoint': ['recovery points', 'recoveryPointArn'],
  'backup.amazonaws.com:DeleteBackupPlan': ['backup plans', 'backupPlanId'],
  'backup.amazonaws.com:DeleteBackupSelection': ['backup plans', 'selectionId'],
  'rds.amazonaws.com:DeleteDBInstanceAutomatedBackup': ['automated backups', ...databaseNames()],
  'rds.amazonaws.com:DeleteDBClusterAutomatedBackup': ['automated backups', ...databaseNames()],
  'rds.amazonaws.com:DeleteDBSnapshot': ['snapshots', 'dBSnapshotIdentifier'],
  'rds.amazonaws.com:DeleteDBClusterSnapshot': ['snapshots', 'dBClusterSnapshotIdentifier'],
  'ec2.amazonaws.com:DeleteSnapshot': ['snapshots', 'snapshotId'],
  'dynamodb.amazonaws.com:DeleteBackup': ['snapshots', 'backupArn'],
  'redshift.amazonaws.com:DeleteClusterSnapshot': ['snapshots', 'snapshotIdentifier'],
  'fsx.amazonaws.com:DeleteBackup': ['snapshots', 'backupId'],
};

function databaseNames(): readonly string[] {
  return ['dbiResourceId', 'dbClusterResourceId', 'dBInstanceAutomatedBackupsArn'];
}

export default folding<Config, Spree>({
  meta,
  // Every key is a source, a colon and a name: the table writes them so.
  on: Object.keys(calls) as CallPattern[],
  config,
  state: spreeState(quiet),
  isKnown: (event, state) => isInSpree(state, kindOf(event), [nameIn(event)], event),
  fold: (event, state) => spreeAdd(state, kindOf(event), [nameIn(event)], event),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function quiet(event: Event): string | undefined {
  if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS removed what was too old';
  // AWS Backup and Data Lifecycle Manager act with a role of the owner.
  if (/^(backup|dlm)\.amazonaws\.com$/.test(event.invokedBy)) return 'a plan removed what was old';
  return event.outcome === 'failure' ? 'the call failed' : undefined;
}

function kindOf(event: Event): string {
  if (event.outcome === 'denied') return 'refused';
  return calls[`${event.source}:${event.name}`]?.[0] ?? 'snapshots';
}

function nameIn(event: Event): string {
  const names = calls[`${event.source}:${event.name}`]?.slice(1) ?? [];
  const found = names.map((name) => event.text(`requestParameters.${name}`)).find(Boolean);
  // Where the record names nothing, each event is a thing of its own.
  return plain(found ?? `not named (${event.id})`);
}

function judgeHour(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const signals: JudgedSignal[] = [];
  const group = (name: string) => groupsOf(bucket.state, name);
  const add = (kind: string, severity: Severity, reason: string, verb = 'deleted') => {
    const who = nameOf(actorIn(bucket.state));
    const all: Group = group(kind);
    const what = `${sizeOf(all)} ${all.things.length === 1 ? kind.slice(0, -1) : kind}`;
    signals.push({
      ...spreeSignal(bucket, kind, all),
      severity,
      title: `${who} ${verb} ${what}`,
      reason: `${reason} Named: ${listed(all.things)}.`,
    });
  };
  const size = (kind: string) => group(kind).things.length;
  if (size('vault locks') > 0) {
    add(
      'vault locks',
      'high',
      'The lock kept everybody from deleting what is in the vault.',
      'removed',
    );
  }
  const isPointed = size('recovery points') > 0;
  if (size('backup vaults') > 0) {
    const why = 'A vault can be deleted only when it is empty.';
    add('backup vaults', isPointed ? 'high' : 'low', why);
  }
  if (isPointed) {
    const isMany = size('recovery points') >= settings.recoveryPoints;
    const why = 'Lifecycles remove recovery points by themselves; these went by hand.';
    add('recovery points', isMany ? 'high' : 'low', why);
  }
  if (size('backup plans') > 0) {
    add('backup plans', 'low', 'Nothing is backed up by a plan that is gone.');
  }
  if (size('automated backups') > 0) {
    const why = 'With them a database could be restored to any moment; they do not come back.';
    add('automated backups', 'medium', why);
  }
  if (size('snapshots') >= settings.snapshots) {
    const isMany = size('snapshots') >= settings.snapshotsMany || isPointed;
    const why = isMany ? 'That is more than a clean-up mostly takes.' : 'It may be a clean-up.';
    add('snapshots', isMany ? 'medium' : 'low', why);
  }
  if (size('refused') > 2) {
    const title = `${nameOf(actorIn(bucket.state))} was refused the deletion of ${sizeOf(group('refused'))} backups`;
    const from = spreeSignal(bucket, 'refused', group('refused'));
    const reason = `Nothing was lost. Named: ${listed(group('refused').things)}.`;
    signals.push({ ...from, severity: 'low', title, reason });
  }
  return signals;
}
