// Data left its store in bulk: a stranger took a shared snapshot, a database or table was exported.
import { z } from 'zod';
import { type CallPattern, type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import type { SignalDraft } from '../src/core/signal.ts';
import { actorOf, attack, isByAws, isServiceLinked, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'data-copied-out',
  title: 'Data copied out of its store',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Another account copied a shared snapshot or made a volume of it; a database, table or instance was exported to a bucket; an export went to a bucket of another account; a private image was written to a bucket.',
  why: 'Sharing is only the offer; this is the moment the data is taken. An export turns a guarded database into files that anybody with the bucket can read.',
  innocent: [
    'A backup or test account of the same owner copies snapshots: name it in knownAccounts.',
    'A data platform exports tables for analysis: shown as low.',
  ],
  firstSteps: [
    'For a snapshot: see who shared it and when (ModifySnapshotAttribute), end the sharing; what was copied is out of reach.',
    'For an export: look at the target bucket and its policy, and cancel the task while it runs (aws rds cancel-export-task).',
    'Find out what the data holds, and whether people must be told.',
    'Revoke the sessions of the caller if nobody answers for it.',
  ],
  attack: attack({
    T1537: 'Transfer Data to Cloud Account',
    T1530: 'Data from Cloud Storage',
    'T1578.001': 'Modify Cloud Compute Infrastructure: Create Snapshot',
  }),
  cis: [],
  gaps: [
    'Whose a bucket is shows only where the call says it.',
    'Data read by queries (Scan, Athena, SQL) is not told from use.',
    'Snapshots of RDS copied by another account leave no event in the account of the owner.',
  ],
};

const config = z.strictObject({
  knownAccounts: z
    .array(z.string().regex(/^\d{12}$/))
    .max(10_000)
    .default([])
    .describe('Accounts of the same owner, which may take copies.'),
});
type Config = z.infer<typeof config>;

interface Export {
  readonly what: string;
  readonly source: string;
  readonly bucket: string;
  readonly owner?: string | undefined;
}

const exports: Readonly<Record<string, (event: Event) => Export>> = {
  'rds.amazonaws.com:StartExportTask': (event) =>
    exported(event, 'a database snapshot', 'sourceArn', 's3BucketName'),
  'dynamodb.amazonaws.com:ExportTableToPointInTime': (event) => ({
    ...exported(event, 'a table', 'tableArn', 's3Bucket'),
    owner: event.text('requestParameters.s3BucketOwner'),
  }),
  'ec2.amazonaws.com:CreateInstanceExportTask': (event) =>
    exported(event, 'an instance', 'instanceId', 'exportToS3.s3Bucket'),
  'ec2.amazonaws.com:ExportImage': (event) =>
    exported(
      event,
      'an image',
      'ExportImageRequest.ImageId',
      'ExportImageRequest.S3ExportLocation.S3Bucket',
    ),
  'ec2.amazonaws.com:CreateStoreImageTask': (event) =>
    exported(
      event,
      'an image',
      'CreateStoreImageTaskRequest.ImageId',
      'CreateStoreImageTaskRequest.Bucket',
    ),
};

export default stateless<Config>({
  meta,
  // Every key is a source, a colon and a name: the table writes them so.
  on: [
    'ec2.amazonaws.com:SharedSnapshotCopyInitiated',
    'ec2.amazonaws.com:SharedSnapshotVolumeCreated',
    ...(Object.keys(exports) as CallPattern[]),
  ],
  config,
  detect(event, { knownAccounts }) {
    if (event.name.startsWith('SharedSnapshot')) return taken(event, knownAccounts);
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS did it';
    const read = exports[`${event.source}:${event.name}`]?.(event);
    if (read === undefined) return 'the call exports nothing';
    if (event.outcome !== 'success') return 'nothing was exported';
    const { what, source, bucket, owner } = read;
    const isForeign =
      owner !== undefined && owner !== event.account && !knownAccounts.includes(owner);
    return said(event, {
      severity: severityOf(event, isForeign),
      title: `${actorOf(event)} exported ${what} to ${
        isForeign ? `a bucket of account ${plain(owner)}` : `bucket ${bucket}`
      }`,
      reason: `${source} becomes files that only the bucket guards.${
        isForeign ? ' The bucket is not yours.' : ''
      } From ${originOf(event)}.`,
      facts: { source, bucket, ...(owner === undefined ? {} : { owner: plain(owner) }) },
    });
  },
});

function exported(event: Event, what: string, source: string, bucket: string): Export {
  const text = (name: string) => plain(event.text(`requestParameters.${name}`));
  return { what, source: text(source) || what, bucket: text(bucket) || 'not named' };
}

// Databases and tables are exported for analysis by roles that do little else.
function severityOf(event: Event, isForeign: boolean): Severity {
  if (isForeign) return 'high';
  const { kind, name } = event.principal;
  const isTool = kind === 'role' && !name.startsWith('AWSReservedSSO_');
  return isTool || event.name === 'ExportTableToPointInTime' ? 'low' : 'medium';
}

// AWS tells the owner of a snapshot what another account did with it; the caller is that account.
function taken(event: Event, knownAccounts: readonly string[]): SignalDraft | string {
  const taker = plain(
    event.text('userIdentity.accountId') ?? event.text('serviceEventDetails.accountId'),
  );
  if (taker === '') return 'the record does not say who took it';
  if (taker === event.account) return 'the owner used its own snapshot';
  if (knownAccounts.includes(taker)) return 'the account belongs to the same owner';
  const snapshot = plain(
    event.text('serviceEventDetails.snapshotId') ?? event.text('requestParameters.snapshotId'),
  );
  const what = snapshot === '' ? 'a shared snapshot' : `shared snapshot ${snapshot}`;
  const did = event.name.endsWith('CopyInitiated') ? 'copied' : 'made a volume of';
  return said(event, {
    severity: 'high',
    title: `Account ${taker} ${did} ${what}`,
    reason: `The data of the snapshot is now in account ${taker}, out of reach of its owner.`,
    facts: { taker, snapshot },
  });
}
