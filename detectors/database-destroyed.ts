// Databases or file systems were deleted without a last snapshot, or lost their protection from deletion.
import { z } from 'zod';
import {
  type Bucket,
  type CallPattern,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  actorIn,
  counted,
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  spreeAdd,
  spreeSignal,
  spreeState,
  thingsMax,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'database-destroyed',
  title: 'Database destroyed',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'A database, cluster, table or file system was deleted with nothing kept of it, or its protection from deletion or its automated backups were switched off; all that one principal did within an hour is told together.',
  why: 'Without a last snapshot the data is gone when the call returns. Extortion and sabotage do this to many at once.',
  innocent: [
    'A test environment is taken down: tools skip the last snapshot there; shown as low for a role.',
    'A database was moved and the old one is removed after the agreed time.',
  ],
  firstSteps: [
    'See what is left: manual snapshots (aws rds describe-db-snapshots), retained automated backups (describe-db-instance-automated-backups), recovery points of AWS Backup in this and other accounts.',
    'Ask the caller. If nobody answers for it, revoke the sessions of the caller before looking further.',
    'Switch deletion protection on for the databases that are left.',
  ],
  attack: attack({ T1485: 'Data Destruction', T1490: 'Inhibit System Recovery' }),
  cis: [],
  gaps: [
    'Which database matters is not known; production by name gets no special weight.',
    'Data deleted inside a database never reaches the trail.',
    'An hour is a clock hour.',
  ],
};

const config = z.strictObject({
  many: z
    .int()
    .min(2)
    .max(thingsMax)
    .default(4)
    .describe('Databases deleted without a last snapshot in an hour that are many.'),
});
type Config = z.infer<typeof config>;

type Kind = 'deleted' | 'unprotected' | 'not kept' | 'refused';

/** The parameter that names what each call is about. */
const names: Readonly<Record<string, string>> = {
  'rds.amazonaws.com:DeleteDBInstance': 'dBInstanceIdentifier',
  'rds.amazonaws.com:DeleteDBCluster': 'dBClusterIdentifier',
  'rds.amazonaws.com:DeleteGlobalCluster': 'globalClusterIdentifier',
  'rds.amazonaws.com:ModifyDBInstance': 'dBInstanceIdentifier',
  'rds.amazonaws.com:ModifyDBCluster': 'dBClusterIdentifier',
  'redshift.amazonaws.com:DeleteCluster': 'clusterIdentifier',
  'dynamodb.amazonaws.com:DeleteTable': 'tableName',
  'dynamodb.amazonaws.com:UpdateTable': 'tableName',
  'elasticfilesystem.amazonaws.com:DeleteFileSystem': 'fileSystemId',
};

/** What went with a stack of CloudFormation: its template let it go. */
const byStack = 'by stack';

export default folding<Config, Spree>({
  meta,
  // Every key is a source, a colon and a name: the table writes them so.
  on: Object.keys(names) as CallPattern[],
  config,
  state: spreeState((event) => {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS did it';
    if (event.outcome === 'failure') return 'the call failed';
    return kindOf(event) === undefined ? 'nothing was destroyed or put at risk' : undefined;
  }),
  isKnown(event, state) {
    const kind = kindOf(event);
    const isStack = event.invokedBy === 'cloudformation.amazonaws.com';
    const kinds = kind === undefined ? [] : isStack ? [kind, byStack] : [kind];
    return kinds.every((one) => isInSpree(state, one, [thingOf(event)], event));
  },
  fold(event, state) {
    const kind = kindOf(event);
    if (kind === undefined) return false;
    const isStack = event.invokedBy === 'cloudformation.amazonaws.com';
    const isMore = isStack && spreeAdd(state, byStack, [thingOf(event)], event);
    return spreeAdd(state, kind, [thingOf(event)], event) || isMore;
  },
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function kindOf(event: Event): Kind | undefined {
  const at = (name: string) => event.field(`requestParameters.${name}`);
  const isDelete = event.name.startsWith('Delete');
  if (event.outcome === 'denied') return isDelete ? 'refused' : undefined;
  if (isDelete) return isKeptOf(event) ? undefined : 'deleted';
  if (at('deletionProtection') === false || at('deletionProtectionEnabled') === false) {
    return 'unprotected';
  }
  return at('backupRetentionPeriod') === 0 ? 'not kept' : undefined;
}

/** A member of a cluster holds no data of its own: RDS then takes no snapshot and is not asked to. */
function isKeptOf(event: Event): boolean {
  const skips =
    event.field('requestParameters.skipFinalSnapshot') === true ||
    event.field('requestParameters.skipFinalClusterSnapshot') === true;
  const isMember = event.text('responseElements.dBClusterIdentifier') !== undefined;
  if (event.name === 'DeleteDBInstance') return isMember || !skips;
  return /^Delete(DBCluster|Cluster)$/.test(event.name) && !skips;
}

function thingOf(event: Event): string {
  const name = names[`${event.source}:${event.name}`] ?? '';
  return plain(event.text(`requestParameters.${name}`) ?? `not named (${event.id})`);
}

function judgeHour(bucket: Bucket<Spree>, { many }: Config): readonly JudgedSignal[] {
  const { state } = bucket;
  const actor = actorIn(state);
  const who = nameOf(actor);
  const isTool = actor.kind === 'role' && !actor.name.startsWith('AWSReservedSSO_');
  const deleted = groupsOf(state, 'deleted');
  const open = groupsOf(state, 'unprotected', 'not kept');
  const refused = groupsOf(state, 'refused');
  const signals: JudgedSignal[] = [];
  if (deleted.things.length > 0) {
    const isMany = deleted.things.length >= many;
    const stacked = new Set(groupsOf(state, byStack).things);
    const isStack = deleted.things.every((one) => stacked.has(one));
    const first = open.things.filter((one) => deleted.things.includes(one));
    const opened = first.length > 0 ? ` Protection was taken off first: ${listed(first)}.` : '';
    const grave = isTool ? 'medium' : 'high';
    const single = isTool || isStack ? 'low' : 'medium';
    signals.push({
      ...spreeSignal(bucket, 'deleted', deleted),
      severity: isMany ? grave : single,
      title: `${who} deleted ${counted(deleted, 'database')} and kept nothing`,
      reason: `No last snapshot was taken: ${listed(deleted.things)}.${opened}`,
    });
  }
  if (open.things.length > 0) {
    signals.push({
      ...spreeSignal(bucket, 'unprotected', open),
      severity: open.things.length >= many && !isTool ? 'medium' : 'low',
      title: `${who} took protection off ${counted(open, 'database')}`,
      reason: `Deletion protection or automated backups were switched off: ${listed(open.things)}.`,
    });
  }
  if (refused.things.length > 1) {
    signals.push({
      ...spreeSignal(bucket, 'refused', refused),
      severity: 'low',
      title: `${who} was refused the deletion of ${counted(refused, 'database')}`,
      reason: `Nothing was lost: ${listed(refused.things)}.`,
    });
  }
  return signals;
}
