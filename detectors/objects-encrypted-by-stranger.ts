// Objects were written under a key that their owner does not hold: the caller's own, or another account's.
import { z } from 'zod';
import {
  type Bucket,
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
import { attack, isByAws } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'objects-encrypted-by-stranger',
  title: 'Objects encrypted under a stranger’s key',
  severity: 'high',
  practice: 'least-privilege',
  what: 'S3 objects were copied or written under a key that the caller sent along (SSE-C) or under a KMS key of another account; or that became the default of a bucket.',
  why: 'AWS keeps no copy of such a key. An intruder who copies objects onto themselves so holds them for ransom, and nobody else can open them.',
  innocent: [
    'An application that was built on SSE-C: it does so every day. Give it an exception, or switch SSE-C off for all other buckets.',
    'A central account holds the KMS keys of the organisation: name it in knownAccounts.',
  ],
  firstSteps: [
    'Stop the caller now: deactivate the key or revoke the sessions, and refuse SSE-C by a resource control policy (s3:x-amz-server-side-encryption-customer-algorithm).',
    'See whether versions from before are left: aws s3api list-object-versions; do not let a lifecycle rule remove them.',
    'For a KMS key of a stranger: ask AWS Support at once, the account is known.',
    'Look for a ransom note and for deletions in the same buckets.',
  ],
  attack: attack({ T1486: 'Data Encrypted for Impact' }),
  cis: [],
  gaps: [
    'S3 object calls are data events: a trail without them shows nothing but changed defaults.',
    'A KMS key that is named by alias or id alone does not say whose it is.',
    'Only the first hundred object names of an hour are kept.',
  ],
};

const config = z.strictObject({
  knownAccounts: z
    .array(z.string().regex(/^\d{12}$/))
    .max(10_000)
    .default([])
    .describe('Accounts whose KMS keys are ours.'),
  objects: z
    .int()
    .min(1)
    .max(thingsMax)
    .default(20)
    .describe('Objects in an hour under keys that were sent along that make it high.'),
});
type Config = z.infer<typeof config>;

const algorithm = 'requestParameters.x-amz-server-side-encryption-customer-algorithm';
const bucketRule =
  'requestParameters.ServerSideEncryptionConfiguration.Rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID';

export default folding<Config, Spree>({
  meta,
  on: [
    's3.amazonaws.com:CopyObject',
    's3.amazonaws.com:PutObject',
    's3.amazonaws.com:CreateMultipartUpload',
    's3.amazonaws.com:PutBucketEncryption',
  ],
  config,
  state: spreeState((event) => {
    if (isByAws(event)) return 'a service of AWS wrote it';
    if (event.outcome !== 'success') return 'nothing was written';
    return kindOf(event) === undefined ? 'no key of a stranger is named' : undefined;
  }),
  isKnown(event, state) {
    const kind = kindOf(event);
    return kind === undefined || isInSpree(state, kind, [nameIn(event)], event);
  },
  fold(event, state) {
    const kind = kindOf(event);
    return kind !== undefined && spreeAdd(state, kind, [nameIn(event)], event);
  },
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

/** `copied` and `written` by a key sent along; `key <account> <what>` by a KMS key of that account. */
function kindOf(event: Event): string | undefined {
  if (event.text(algorithm) !== undefined) {
    return event.name === 'CopyObject' ? 'copied' : 'written';
  }
  const key =
    event.text('requestParameters.x-amz-server-side-encryption-aws-kms-key-id') ??
    event.text(bucketRule);
  const account = /^arn:aws[^:]*:kms:[^:]*:(\d{12}):/.exec(key ?? '')?.[1];
  if (account === undefined || account === event.account) return undefined;
  // A caller of another account writes under the keys of its own: it is its own data.
  if (event.principal.account === account) return undefined;
  return `key ${account} ${event.name === 'PutBucketEncryption' ? 'default' : 'objects'}`;
}

function nameIn(event: Event): string {
  const bucket = event.text('requestParameters.bucketName') ?? 'a bucket';
  const key = event.text('requestParameters.key');
  return plain(key === undefined ? bucket : `${bucket}/${key}`);
}

function judgeHour(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const who = nameOf(actorIn(bucket.state));
  const signals = judgeSent(bucket, who, settings.objects);
  for (const kind of Object.keys(bucket.state.groups).sort()) {
    const [word, account = '', what] = kind.split(' ');
    if (word !== 'key' || settings.knownAccounts.includes(account)) continue;
    const group = groupsOf(bucket.state, kind);
    const isDefault = what === 'default';
    const named = listed(group.things);
    signals.push({
      ...spreeSignal(bucket, kind, group),
      severity: 'high',
      title: isDefault
        ? `${who} made a KMS key of account ${account} the default of a bucket`
        : `${who} wrote ${counted(group, 'object')} under a KMS key of account ${account}`,
      reason: `Whoever owns account ${account} can close the data with one call. Named: ${named}.`,
    });
  }
  return signals;
}

function judgeSent(bucket: Bucket<Spree>, who: string, enough: number): JudgedSignal[] {
  const group = groupsOf(bucket.state, 'copied', 'written');
  if (group.things.length === 0) return [];
  const copied = groupsOf(bucket.state, 'copied').things.length;
  const isMany = group.things.length >= enough;
  // To copy is to encrypt what is there; to write may be how an application was built.
  const many = copied > 0 ? 'high' : 'medium';
  const one = copied > 0 ? 'medium' : 'low';
  return [
    {
      ...spreeSignal(bucket, 'sent', group),
      severity: isMany ? many : one,
      title: `${who} encrypted ${counted(group, 'object')} under a key of its own (SSE-C)`,
      reason: `Only the caller holds the key. ${
        copied > 0
          ? `${copied} were copied, which is how objects that exist are encrypted.`
          : 'All were written, none copied: an application may be built so.'
      } Named: ${listed(group.things)}.`,
    },
  ];
}
