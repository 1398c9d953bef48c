// Objects of S3 were deleted in bulk, versions and all, or a ransom note was left in a bucket.
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
  type Group,
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
  id: 'objects-destroyed-or-ransomed',
  title: 'Objects destroyed or held to ransom',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Within an hour one principal deleted many objects together with their versions, a person or a long-term key deleted many objects, or an object named like a ransom note was written.',
  why: 'A deleted version is gone for good. Intruders empty buckets, or copy them first and leave a note.',
  innocent: [
    'A person empties a bucket before deleting it.',
    'A job removes old versions where no lifecycle does.',
    'A file that only happens to be named so, in a collection of samples for instance.',
  ],
  firstSteps: [
    'Stop the caller: deactivate the key or revoke the sessions, and deny s3:DeleteObject and s3:DeleteObjectVersion.',
    'Where versions are left: remove the delete markers. Look for replicas in other buckets and in AWS Backup.',
    'Read the note without following its links; do not delete it, it is evidence.',
    'See in the timeline what was read or copied before.',
  ],
  attack: attack({
    T1485: 'Data Destruction',
    T1486: 'Data Encrypted for Impact',
    T1657: 'Financial Theft',
  }),
  cis: [],
  gaps: [
    'These are data events: a trail without them shows nothing.',
    'What a lifecycle rule deletes is not in the trail; bucket-protections-removed tells the rule.',
    'Plain deletions by a role are not told: applications do so all day.',
    'Only the first hundred object names of an hour are kept.',
  ],
};

const config = z.strictObject({
  objects: z
    .int()
    .min(2)
    .max(thingsMax)
    .default(50)
    .describe('Different objects deleted in an hour that make a signal.'),
});
type Config = z.infer<typeof config>;

// Words of notes seen in attacks; guides to restoring data, which sites and tools write, must not match.
const note = new RegExp(
  [
    'ransom[-_ ]?note|^ransom',
    'how[-_ ]?to[-_ ]?decrypt',
    '(decrypt|recover|restore|unlock)[-_ ]?(my|your|all|the)[-_ ]?(files|data)',
    '(decrypt|recovery)[-_ ]?instructions?',
    'your[-_ ]?(files|data)[-_ ]?(are|were|is|have)',
    'files[-_ ]?(are[-_ ]?|were[-_ ]?)?(encrypted|stolen|deleted)',
  ].join('|'),
  'i',
);
const noteEnding = /(\.(txt|html?|md|hta|pdf|json)|^[^.]*)$/i;

export default folding<Config, Spree>({
  meta,
  on: [
    's3.amazonaws.com:DeleteObject',
    's3.amazonaws.com:DeleteObjectVersion',
    's3.amazonaws.com:PutObject',
  ],
  config,
  state: spreeState((event) => {
    if (isByAws(event)) return 'a service of AWS did it';
    if (event.outcome !== 'success') return 'nothing was changed';
    return kindOf(event) === undefined ? 'neither deleted nor named like a ransom note' : undefined;
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

function kindOf(event: Event): 'versions' | 'objects' | 'notes' | undefined {
  if (event.name !== 'PutObject') {
    const isVersion =
      event.name === 'DeleteObjectVersion' ||
      event.text('requestParameters.versionId') !== undefined;
    return isVersion ? 'versions' : 'objects';
  }
  const key = event.text('requestParameters.key') ?? '';
  const name = key.slice(key.lastIndexOf('/') + 1);
  return name.length < 100 && note.test(name) && noteEnding.test(name) ? 'notes' : undefined;
}

function nameIn(event: Event): string {
  const bucket = event.text('requestParameters.bucketName') ?? 'a bucket';
  return plain(`${bucket}/${event.text('requestParameters.key') ?? `not named (${event.id})`}`);
}

function judgeHour(bucket: Bucket<Spree>, { objects: enough }: Config): readonly JudgedSignal[] {
  const actor = actorIn(bucket.state);
  const isTool = actor.kind === 'role' && !actor.name.startsWith('AWSReservedSSO_');
  const notes = groupsOf(bucket.state, 'notes');
  const versions = groupsOf(bucket.state, 'versions');
  const all = groupsOf(bucket.state, 'versions', 'objects');
  const isMany = all.things.length >= enough;
  const isFinal = versions.things.length >= enough;
  if (notes.things.length > 0) return [noted(bucket, notes, isMany ? all : undefined)];
  if (!isMany || (isTool && !isFinal)) return [];
  const told = isFinal ? versions : all;
  return [
    {
      ...spreeSignal(bucket, 'deleted', told),
      severity: isFinal && !isTool ? 'medium' : 'low',
      title: `${nameOf(actor)} deleted ${counted(told, isFinal ? 'object version' : 'object')} within an hour`,
      reason: isFinal
        ? `Versions do not come back: ${listed(told.things)}.`
        : `Where the bucket keeps versions they can be brought back: ${listed(told.things)}.`,
    },
  ];
}

function noted(bucket: Bucket<Spree>, notes: Group, deleted: Group | undefined): JudgedSignal {
  const who = nameOf(actorIn(bucket.state));
  const went = deleted === undefined ? '' : ` and deleted ${counted(deleted, 'object')}`;
  const kinds = deleted === undefined ? ['notes'] : ['notes', 'versions', 'objects'];
  return {
    ...spreeSignal(bucket, 'notes', groupsOf(bucket.state, ...kinds)),
    severity: deleted === undefined ? 'medium' : 'critical',
    title: `${who} wrote what looks like a ransom note${went}`,
    reason: `The name is that of a note: ${listed(notes.things)}.${
      deleted === undefined ? ' No deletions in bulk were seen in the same hour.' : ''
    }`,
  };
}
