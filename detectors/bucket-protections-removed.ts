// A bucket lost what keeps its objects from being lost: versions, MFA delete, default key, retention.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import {
  actorIn,
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
import { attack, cis, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'bucket-protections-removed',
  title: 'Protections of a bucket removed',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Somebody suspended the versions of a bucket, switched off MFA delete, removed the default encryption, object lock retention or replication, or set objects to expire within days; several of these on one bucket, or one on many buckets, within an hour weigh more.',
  why: 'Each of them stands between an intruder and the loss of the data. Who plans to delete or encrypt objects removes them first.',
  innocent: [
    'A bucket of temporary files gets a short expiry, or is emptied before it is deleted.',
    'A deployment tool changes one setting of one bucket: shown as low.',
  ],
  firstSteps: [
    'Put back what was removed, versions first: aws s3api put-bucket-versioning --bucket <bucket> --versioning-configuration Status=Enabled.',
    'Remove the expiry rule before it runs; it runs once a day.',
    'Ask the caller. If nobody answers for it, revoke the sessions of the caller and look for deletions and copies of objects since.',
  ],
  attack: attack({ T1490: 'Inhibit System Recovery', T1485: 'Data Destruction' }),
  cis: [...cis('3.0.0', '2.1.2'), ...cis('5.0.0', '2.1.2')],
  gaps: [
    'A removed public access block or policy is told by iam-policy-changed and only counted here.',
    'What the bucket holds, and whether it had versions before, is not known from the call.',
    'An hour is a clock hour.',
  ],
};

const config = z.strictObject({
  expiryDays: z
    .int()
    .min(1)
    .max(90)
    .default(3)
    .describe('An expiry of all objects after so many days or fewer counts as removal.'),
  buckets: z
    .int()
    .min(2)
    .max(thingsMax)
    .default(5)
    .describe('Buckets that lose a protection in an hour that are many.'),
});
type Config = z.infer<typeof config>;

/** What was lost, as a sentence says it. */
const losses = {
  versions: 'versions suspended',
  mfa: 'MFA delete switched off',
  encryption: 'default encryption removed',
  lock: 'retention of object lock removed',
  replication: 'replication removed',
  expiry: 'all objects set to expire',
  access: 'public access block removed',
} as const;
type Loss = keyof typeof losses;

/** Buckets made in the same hour: their first settings take nothing away. */
const created = 'created';
/** Buckets deleted in the same hour: only an empty one can be, so its protections went with it. */
const gone = 'gone';
const lives: Readonly<Record<string, string>> = { CreateBucket: created, DeleteBucket: gone };

const graver: readonly Loss[] = ['versions', 'mfa', 'lock', 'expiry'];

export default folding<Config, Spree>({
  meta,
  on: [
    's3.amazonaws.com:CreateBucket',
    's3.amazonaws.com:DeleteBucket',
    's3.amazonaws.com:PutBucketVersioning',
    's3.amazonaws.com:DeleteBucketEncryption',
    's3.amazonaws.com:PutObjectLockConfiguration',
    's3.amazonaws.com:PutBucketObjectLockConfiguration',
    's3.amazonaws.com:DeleteBucketReplication',
    's3.amazonaws.com:PutBucketLifecycle',
    's3.amazonaws.com:PutBucketLifecycleConfiguration',
    's3.amazonaws.com:DeleteBucketPublicAccessBlock',
  ],
  config,
  state: spreeState((event) => {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS did it';
    if (event.outcome !== 'success') return 'nothing was changed';
    if (event.text('requestParameters.bucketName') === undefined) return 'no bucket is named';
    if (lives[event.name] !== undefined) return undefined;
    return lossesOf(event).length === 0 ? 'nothing that protects was removed' : undefined;
  }),
  isKnown(event, state) {
    const life = lives[event.name];
    if (life !== undefined) return isInSpree(state, life, [bucketName(event)], event);
    return lossesOf(event).every((loss) => isInSpree(state, loss, [bucketOf(event, loss)], event));
  },
  fold(event, state) {
    const life = lives[event.name];
    if (life !== undefined) return spreeAdd(state, life, [bucketName(event)], event);
    const changed = lossesOf(event).map((loss) =>
      spreeAdd(state, loss, [bucketOf(event, loss)], event),
    );
    return changed.includes(true);
  },
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function lossesOf(event: Event): readonly Loss[] {
  switch (event.name) {
    case 'PutBucketVersioning':
      return versioning(event);
    case 'DeleteBucketEncryption':
      return ['encryption'];
    case 'DeleteBucketReplication':
      return ['replication'];
    case 'DeleteBucketPublicAccessBlock':
      return ['access'];
    case 'PutObjectLockConfiguration':
    case 'PutBucketObjectLockConfiguration': {
      const path = 'requestParameters.ObjectLockConfiguration';
      const isThere = event.field(path) !== undefined;
      return isThere && event.field(`${path}.Rule`) === undefined ? ['lock'] : [];
    }
    default:
      return expiryOf(event) === undefined ? [] : ['expiry'];
  }
}

function versioning(event: Event): readonly Loss[] {
  const base = 'requestParameters.VersioningConfiguration';
  const isSuspended = event.text(`${base}.Status`) === 'Suspended';
  // Only root can switch it off; tools that say Disabled with every call change nothing.
  const isRoot = event.principal.kind === 'root';
  const isMfaOff = isRoot && event.text(`${base}.MfaDelete`) === 'Disabled';
  return [...(isSuspended ? (['versions'] as const) : []), ...(isMfaOff ? (['mfa'] as const) : [])];
}

/** Gives after how many days everything is deleted: the least of the rules without a prefix. */
function expiryOf(event: Event): number | undefined {
  const base = 'requestParameters.LifecycleConfiguration.Rule';
  const list = event.field(base);
  const paths = Array.isArray(list) ? list.slice(0, 50).map((_, at) => `${base}.${at}`) : [base];
  const days = paths.flatMap((path) => {
    const prefix = event.text(`${path}.Prefix`) ?? event.text(`${path}.Filter.Prefix`);
    const narrow = event.field(`${path}.Filter.And`) ?? event.field(`${path}.Filter.Tag`);
    if (prefix !== undefined || narrow !== undefined) return [];
    if (event.text(`${path}.Status`) !== 'Enabled') return [];
    const after = Number(event.field(`${path}.Expiration.Days`) ?? Number.NaN);
    return Number.isFinite(after) ? [after] : [];
  });
  return days.length === 0 ? undefined : Math.min(...days);
}

function bucketOf(event: Event, loss: Loss): string {
  return loss === 'expiry' ? `${bucketName(event)} ${expiryOf(event)}` : bucketName(event);
}

function bucketName(event: Event): string {
  return plain(event.text('requestParameters.bucketName'), 64).replaceAll(' ', '');
}

function judgeHour(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const lost = new Map<string, Set<Loss>>();
  const proofs = new Set<Loss>();
  const fresh = new Set(groupsOf(bucket.state, created).things);
  for (const loss of Object.keys(losses) as Loss[]) {
    for (const thing of groupsOf(bucket.state, loss).things) {
      const [name = '', days] = thing.split(' ');
      if (fresh.has(name)) continue;
      if (days !== undefined && Number(days) > settings.expiryDays) continue;
      lost.set(name, (lost.get(name) ?? new Set()).add(loss));
      proofs.add(loss);
    }
  }
  // The access block alone is another detector's business.
  if (proofs.size === 0 || [...proofs].every((one) => one === 'access')) return [];
  const who = nameOf(actorIn(bucket.state));
  const group = groupsOf(bucket.state, ...proofs);
  const worst = Math.max(...[...lost.values()].map((all) => all.size));
  const names = [...lost.keys()].sort();
  const what = [...proofs].map((loss) => losses[loss]).join(', ');
  const left = new Set(groupsOf(bucket.state, gone).things);
  const isTeardown = names.every((one) => left.has(one));
  const place = names.length === 1 ? `bucket ${names[0]}` : `${names.length} buckets`;
  return [
    {
      ...spreeSignal(bucket, 'protections', group),
      severity: isTeardown ? 'low' : severityOf(proofs, worst, names.length >= settings.buckets),
      title: `${who} removed protections of ${place}: ${what}`,
      reason: `${
        worst > 1 ? `One bucket lost ${worst} of them within an hour.` : 'One thing each was lost.'
      } Buckets: ${listed(names)}.${isTeardown ? ' They were deleted, empty, within the hour.' : ''}`,
    },
  ];
}

function severityOf(proofs: ReadonlySet<Loss>, worst: number, isMany: boolean): Severity {
  const isGrave = graver.some((one) => proofs.has(one));
  if (worst > 2 || (isMany && isGrave)) return 'high';
  if (worst > 1 || isMany || proofs.has('mfa') || proofs.has('versions')) return 'medium';
  return 'low';
}
