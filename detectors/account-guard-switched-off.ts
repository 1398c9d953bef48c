// A switch that guards a whole account or a model was put off: encryption, blocks on sharing, guardrails.
import { z } from 'zod';
import { type CallPattern, type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, cis, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'account-guard-switched-off',
  title: 'Guard of an account switched off',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Somebody switched off the default encryption of EBS volumes, the block on public snapshots, images or documents, the block on public access to EMR or a lock on a snapshot; made a KMS key of another account the default; or removed a guardrail or the logging of Bedrock models.',
  why: 'Such a switch stands for every resource that is made from then on. It is put off once, by whoever prepares to share or copy data, and nobody sees it afterwards.',
  innocent: [
    'A deployment tool removes the account baseline it had set.',
    'An image is published on purpose, by an account that does nothing else.',
    'A guardrail of Bedrock is replaced in the course of development.',
  ],
  firstSteps: [
    'Put the switch back; the reason names the region, for most of them are kept per region.',
    'See what was made while it was off: new unencrypted volumes, snapshots and images shared or public.',
    'Ask the caller; keep the switch from being moved by a service control or declarative policy.',
  ],
  attack: attack({
    'T1562.001': 'Impair Defenses: Disable or Modify Tools',
    T1537: 'Transfer Data to Cloud Account',
  }),
  cis: [...cis('3.0.0', '2.2.1'), ...cis('5.0.0', '5.1.1')],
  gaps: [
    'Whether the switch was on before is not known from the call.',
    'The public access block of S3 is told by iam-policy-changed.',
  ],
};

const config = z.strictObject({});

interface Off {
  readonly severity: Severity;
  readonly did: string;
  readonly why: string;
}
type Reader = (event: Event) => Off | undefined;

const readers: Readonly<Record<string, Reader>> = {
  'ec2.amazonaws.com:DisableEbsEncryptionByDefault': () => ({
    severity: 'medium',
    did: 'switched off the default encryption of EBS volumes',
    why: 'New volumes and snapshots are no longer encrypted unless asked for.',
  }),
  'ec2.amazonaws.com:ModifyEbsDefaultKmsKeyId': (event) => {
    const owner = /:kms:[^:]*:(\d{12}):/.exec(event.text('requestParameters.kmsKeyId') ?? '')?.[1];
    if (owner === undefined || owner === event.account) return undefined;
    return {
      severity: 'high',
      did: `made a KMS key of account ${owner} the default of EBS volumes`,
      why: `Whoever owns account ${owner} can close all new volumes with one call.`,
    };
  },
  'ec2.amazonaws.com:DisableSnapshotBlockPublicAccess': () => blockOff('snapshots'),
  'ec2.amazonaws.com:DisableImageBlockPublicAccess': () => blockOff('images'),
  'ec2.amazonaws.com:DisableAllowedImagesSettings': () => ({
    severity: 'low',
    did: 'switched off the list of allowed images',
    why: 'Instances can be started from images of anybody.',
  }),
  'ec2.amazonaws.com:UnlockSnapshot': (event) => ({
    severity: 'medium',
    did: `unlocked snapshot ${plain(event.text('requestParameters.snapshotId'))}`,
    why: 'A lock keeps a snapshot from being deleted.',
  }),
  'ssm.amazonaws.com:UpdateServiceSetting': (event) => {
    const setting = event.text('requestParameters.settingId') ?? '';
    const value = event.text('requestParameters.settingValue');
    const isDocuments = setting.endsWith('/ssm/documents/console/public-sharing-permission');
    return isDocuments && value === 'Enable' ? blockOff('Systems Manager documents') : undefined;
  },
  'elasticmapreduce.amazonaws.com:PutBlockPublicAccessConfiguration': (event) => {
    const path = 'requestParameters.blockPublicAccessConfiguration.blockPublicSecurityGroupRules';
    return event.field(path) === false ? blockOff('clusters of EMR') : undefined;
  },
  'bedrock.amazonaws.com:DeleteGuardrail': (event) => ({
    severity: 'low',
    did: `deleted guardrail ${plain(event.text('requestParameters.guardrailIdentifier'))}`,
    why: 'What the guardrail held back in prompts and answers passes now.',
  }),
  'bedrock.amazonaws.com:DeleteModelInvocationLoggingConfiguration': () => ({
    severity: 'medium',
    did: 'switched off the logging of Bedrock models',
    why: 'Prompts and answers are no longer recorded: those who use stolen keys do this first.',
  }),
  'bedrock.amazonaws.com:DeleteEnforcedGuardrailConfiguration': () => ({
    severity: 'medium',
    did: 'removed the guardrail that is enforced for the account',
    why: 'Models can be called without any guardrail again.',
  }),
  'bedrock.amazonaws.com:DeleteAutomatedReasoningPolicy': () => ({
    severity: 'low',
    did: 'deleted an automated reasoning policy of Bedrock',
    why: 'Answers are no longer checked against it.',
  }),
};

export default stateless<z.infer<typeof config>>({
  meta,
  // Every key is a source, a colon and a name: the table writes them so.
  on: Object.keys(readers) as CallPattern[],
  config,
  detect(event) {
    if (isByAws(event)) return 'a service of AWS did it';
    const off = readers[`${event.source}:${event.name}`]?.(event);
    if (off === undefined) return 'no guard was switched off';
    const region = plain(event.region) || 'an unknown region';
    const facts = { region };
    if (event.outcome !== 'success') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried, and failed: ${event.name}`,
        reason: `Nothing changed (${plain(event.errorCode)}). From ${originOf(event)}.`,
        facts,
      });
    }
    return said(event, {
      severity: off.severity,
      title: `${actorOf(event)} ${off.did}`,
      reason: `${off.why} In region ${region}, from ${originOf(event)}.`,
      facts,
    });
  },
});

function blockOff(things: string): Off {
  return {
    severity: 'medium',
    did: `lifted the block on public ${things}`,
    why: `From now on ${things} can be made public with one call.`,
  };
}
