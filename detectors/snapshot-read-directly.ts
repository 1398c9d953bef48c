// The blocks of a snapshot were read through the EBS direct API, without making a volume of it.
import { z } from 'zod';
import { type DetectorMeta, folding } from '../src/core/detector.ts';
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
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'snapshot-read-directly',
  title: 'Snapshot read directly',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'A user, a person or the credentials of an instance read the blocks of EBS snapshots with ListSnapshotBlocks and GetSnapshotBlock.',
  why: 'It gives a whole disk, with its password hashes and keys, without a volume, an instance or a share that others would notice.',
  innocent: [
    'A backup product reads changed blocks with its role: low.',
    'A forensic team copies a disk: ask for the case.',
  ],
  firstSteps: [
    'Find the instance the snapshot was made of and what it held (domain controller, build server, database).',
    'Ask the caller. If nobody answers for it, deactivate the key or revoke the sessions, and deny ebs:GetSnapshotBlock.',
    'Rotate what the disk held: hashes of accounts, keys, tokens.',
  ],
  attack: attack({
    T1530: 'Data from Cloud Storage',
    'T1003.003': 'OS Credential Dumping: NTDS',
  }),
  cis: [],
  gaps: [
    'These are data events of EBS: a trail without them shows nothing.',
    'How much of the disk was read is not told.',
  ],
};

const config = z.strictObject({});

export default folding<z.infer<typeof config>, Spree>({
  meta,
  on: ['ebs.amazonaws.com:ListSnapshotBlocks', 'ebs.amazonaws.com:GetSnapshotBlock'],
  config,
  state: spreeState((event) => {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS read it';
    return event.outcome === 'success' ? undefined : 'nothing was read';
  }),
  isKnown: (event, state) => isInSpree(state, handOf(event), [snapshotOf(event)], event),
  fold: (event, state) => spreeAdd(state, handOf(event), [snapshotOf(event)], event),
  judge: (buckets) =>
    buckets.flatMap((bucket) => {
      const group = groupsOf(bucket.state, 'instance', 'other');
      const instance = groupsOf(bucket.state, 'instance').things.length > 0;
      const actor = actorIn(bucket.state);
      const isTool = actor.kind === 'role' && !actor.name.startsWith('AWSReservedSSO_');
      const isLikelyTool = isTool && !instance;
      return [
        {
          ...spreeSignal(bucket, 'read', group),
          severity: isLikelyTool ? ('low' as const) : ('medium' as const),
          title: `${nameOf(actor)} read the blocks of ${counted(group, 'snapshot')}`,
          reason: `${
            isLikelyTool
              ? 'Backup products do so with a role.'
              : `Backup products have a role; this was ${instance ? 'an instance' : 'a person or a key'}.`
          } Snapshots: ${listed(group.things)}.`,
        },
      ];
    }),
});

function snapshotOf(event: Event): string {
  return plain(event.text('requestParameters.snapshotId')) || 'not named';
}

function handOf(event: Event): 'instance' | 'other' {
  const session = event.text('userIdentity.principalId')?.split(':')[1] ?? '';
  return /^i-[0-9a-f]{8,17}$/.test(session) ? 'instance' : 'other';
}
