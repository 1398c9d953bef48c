// Credentials of instances were fetched without a session token (IMDSv1).
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
  type Diary,
  diaryOfDay,
  type Entry,
  instanceOf,
  isWritten,
  namesIn,
  signalOf,
  written,
} from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';

const meta: DetectorMeta = {
  id: 'instance-credentials-by-imdsv1',
  title: 'Instance credentials were fetched by IMDSv1',
  severity: 'low',
  practice: 'instance-roles',
  what: 'Calls of an instance role were made with credentials that the metadata service gave without a session token (ec2RoleDelivery 1.0). One signal a role and day.',
  why: 'Where the metadata service answers without a token, a web application that fetches addresses for its user gives the credentials away. On an instance that else uses tokens, such a fetch may be just that.',
  innocent: [
    'An old SDK or agent that does not know IMDSv2.',
    'A container behind a hop limit of 1, whose SDK falls back to IMDSv1.',
  ],
  firstSteps: [
    'On instances that used both: find the program that asks without a token (CloudWatch metric MetadataNoToken, and the logs of web applications for 169.254.169.254).',
    'Update the SDK, then require tokens: ec2 modify-instance-metadata-options --http-tokens required.',
  ],
  attack: attack({ 'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API' }),
  cis: [
    { framework: 'CIS AWS Foundations', version: '3.0.0', control: '5.6' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '5.7' },
  ],
  gaps: [
    'Credentials that were fetched and never used do not show.',
    'Both ways are looked for on one instance within one UTC day.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: ['session:instance'],
  config,
  state: {
    ...diaryOfDay,
    key(event) {
      if (instanceOf(event) === undefined) return 'not the session of an instance';
      if (entriesOf(event).length === 0) return 'the record does not say how they were fetched';
      return { key: event.principal.key };
    },
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets) => buckets.flatMap(judgeDay),
});

function entriesOf(event: Event): readonly Entry[] {
  const version = event.text('userIdentity.sessionContext.ec2RoleDelivery');
  if (version !== '1.0' && version !== '2.0') return [];
  return [[version, instanceOf(event) ?? '']];
}

function judgeDay(bucket: Bucket<Diary>): JudgedSignal[] {
  const { state } = bucket;
  const old = namesIn(state, '1.0');
  if (old.length === 0) return [];
  const tokens = new Set(namesIn(state, '2.0'));
  const both = old.filter((one) => tokens.has(one));
  const shown = both.length > 0 ? both : old;
  return [
    {
      ...signalOf(bucket, 'imdsv1', ['1.0']),
      severity: both.length > 0 ? 'low' : 'info',
      title: `Credentials of role ${actorIn(state).name} were fetched without a token on ${
        shown.length === 1 ? '1 instance' : `${shown.length} instances`
      }`,
      reason:
        both.length > 0
          ? `${listed(both)} used tokens as well that day, so one of its programs is old, or something else asked.`
          : `${listed(old)} used no tokens at all, as old programs do.`,
      facts: { instances: listed(shown) },
    },
  ];
}
