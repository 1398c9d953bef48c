// A KMS key was disabled, is to be deleted, or lost or changed the material it works with.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { isByHand } from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, cis, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'kms-key-put-out-of-use',
  title: 'KMS key put out of use',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'A customer key was disabled, scheduled for deletion, or lost its imported material; material was imported; or a custom key store was disconnected, deleted or newly connected.',
  why: 'Everything encrypted under a key is lost with it: volumes, buckets, databases, backups. Extortion works this way, and with imported material only the one who brought it can give it back.',
  innocent: [
    'A key that nothing uses any more is retired; the usual waiting time is 30 days.',
    'A deployment tool removes a stack with its key.',
    'An organisation that brings its own key material renews it by a written procedure.',
  ],
  firstSteps: [
    'Stop the clock: aws kms cancel-key-deletion --key-id <key>, then aws kms enable-key --key-id <key>. Both lose nothing.',
    'Find what the key protects: its aliases and grants, and its last Decrypt and GenerateDataKey events.',
    'Ask the caller for the ticket. If nobody answers for it: revoke the sessions of the caller and deny kms:ScheduleKeyDeletion, kms:DisableKey and kms:ImportKeyMaterial by a service control policy.',
    'Where imported material was deleted: import it again from its keeper.',
  ],
  attack: attack({
    T1485: 'Data Destruction',
    T1486: 'Data Encrypted for Impact',
    T1490: 'Inhibit System Recovery',
  }),
  cis: [...cis('3.0.0', '4.7'), ...cis('5.0.0', '4.7')],
  gaps: [
    'What the key protects is not known from the call.',
    'A key made unusable by its policy is told by iam-policy-changed.',
  ],
};

const config = z.strictObject({
  shortDays: z
    .int()
    .min(7)
    .max(30)
    .default(14)
    .describe('A waiting time before deletion of so many days or fewer counts as short.'),
});
type Config = z.infer<typeof config>;

interface Judged {
  readonly severity: Severity;
  readonly did: string;
  readonly tried: string;
  readonly why: string;
}

export default stateless<Config>({
  meta,
  on: [
    'kms.amazonaws.com:DisableKey',
    'kms.amazonaws.com:ScheduleKeyDeletion',
    'kms.amazonaws.com:DeleteImportedKeyMaterial',
    'kms.amazonaws.com:ImportKeyMaterial',
    'kms.amazonaws.com:CreateCustomKeyStore',
    'kms.amazonaws.com:ConnectCustomKeyStore',
    'kms.amazonaws.com:DisconnectCustomKeyStore',
    'kms.amazonaws.com:DeleteCustomKeyStore',
  ],
  config,
  detect(event, settings) {
    if (isByAws(event)) return 'KMS itself did it when the time had come';
    const judged = judgeOf(event, settings);
    const thing = thingOf(event);
    const facts = { key: thing };
    if (event.outcome !== 'success') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried to ${judged.tried} ${thing}`,
        reason: `The call from ${originOf(event)} did not succeed (${plain(event.errorCode)}).`,
        facts,
      });
    }
    return said(event, {
      severity: judged.severity,
      title: `${actorOf(event)} ${judged.did} ${thing}`,
      reason: judged.why,
      facts,
    });
  },
});

function judgeOf(event: Event, { shortDays }: Config): Judged {
  switch (event.name) {
    case 'ScheduleKeyDeletion':
      return deletion(event, shortDays);
    case 'DisableKey':
      return {
        severity: 'medium',
        did: 'disabled',
        tried: 'disable',
        why: 'What is encrypted under the key cannot be read until it is enabled again. Nothing is lost yet.',
      };
    case 'DeleteImportedKeyMaterial':
      return {
        severity: 'high',
        did: 'deleted the imported material of',
        tried: 'delete the imported material of',
        why: 'It works at once, without a waiting time. Only whoever holds a copy of the material can bring the data back.',
      };
    case 'ImportKeyMaterial':
      return imported(event);
    default:
      return store(event);
  }
}

function deletion(event: Event, shortDays: number): Judged {
  const days = event.field('requestParameters.pendingWindowInDays');
  const isShort = typeof days === 'number' && days <= shortDays;
  const wait = typeof days === 'number' ? `${days} days` : 'the usual 30 days';
  // A stack that goes takes its key along: its template chose the time.
  const isTool = event.principal.kind === 'role' && !isByHand(event);
  const isStack = event.invokedBy === 'cloudformation.amazonaws.com';
  return {
    severity: isStack || (!isShort && isTool) ? 'low' : 'medium',
    did: 'scheduled the deletion of',
    tried: 'schedule the deletion of',
    why: `After ${wait} what is encrypted under the key is lost for good; until then the deletion can be cancelled.${
      isShort ? ' The waiting time is short.' : ''
    }${isStack ? ' It came through CloudFormation.' : ''}`,
  };
}

function imported(event: Event): Judged {
  const expires = event.text('requestParameters.validTo');
  const isExpiring = expires !== undefined;
  return {
    severity: isExpiring ? 'high' : 'medium',
    did: 'imported material into',
    tried: 'import material into',
    why: `Whoever brought the material can take it away again.${
      isExpiring
        ? ` It expires ${plain(expires)}: what is encrypted under it is then lost unless the one who brought it brings it again.`
        : ''
    }`,
  };
}

function store(event: Event): Judged {
  const verb = /^(Create|Connect|Disconnect|Delete)/.exec(event.name)?.[1] ?? 'Change';
  const isLoss = verb === 'Disconnect' || verb === 'Delete';
  const past: Readonly<Record<string, string>> = { Disconnect: 'disconnected', Delete: 'deleted' };
  return {
    severity: 'medium',
    did: past[verb] ?? `${verb.toLowerCase()}ed`.replace('eed', 'ed'),
    tried: verb.toLowerCase(),
    why: isLoss
      ? 'Keys in a custom key store cannot be used while it is not connected.'
      : 'Keys made in a custom key store live outside of KMS, under the hand of whoever runs the store.',
  };
}

function thingOf(event: Event): string {
  const key = event.text('requestParameters.keyId') ?? event.text('responseElements.keyId');
  if (key !== undefined) return `key ${plain(key.slice(key.lastIndexOf('/') + 1))}`;
  const named =
    event.text('requestParameters.customKeyStoreId') ??
    event.text('requestParameters.customKeyStoreName');
  if (named !== undefined) return `custom key store ${plain(named)}`;
  return event.name.endsWith('Store')
    ? 'a custom key store'
    : 'a key that the record does not name';
}
