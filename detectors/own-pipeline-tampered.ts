// What brings events to Sentrail was deleted, emptied, narrowed or rewritten; the config names it.
import { z } from 'zod';
import { type CallPattern, type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { ownWork, textsIn } from '../src/core/monitoring.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'own-pipeline-tampered',
  title: 'The way to Sentrail tampered with',
  severity: 'high',
  practice: 'monitoring',
  what: 'Somebody deleted, emptied, narrowed or rewrote the stream, topic, queue, subscription, bucket notification, function or role that events take on their way to Sentrail. The resources are those named in the config.',
  why: 'Whoever cuts this way is not seen any more, although every trail is logging. What is underway in a stream or queue is lost.',
  innocent: [
    'The pipeline is deployed anew by its own deploy role: give that role an exception for this detector.',
    'A queue is purged after a flood of test events, by those who run Sentrail.',
  ],
  firstSteps: [
    'Look whether events still arrive; if not, build the way again from its code.',
    'Read what is missing from the log files of the trail, which do not take this way.',
    'Ask the caller. If nobody answers for it: revoke its sessions, and read what it did after the cut from the log files.',
  ],
  attack: attack({
    'T1562.001': 'Impair Defenses: Disable or Modify Tools',
    'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs',
  }),
  cis: [],
  gaps: [
    'Nothing is known of the pipeline until its resources are in the config.',
    'The call that cuts the only way may be the last one that does not arrive: account-fell-silent speaks then.',
    'Event source mappings of Lambda are named by an id: put the id in the config.',
  ],
};

const config = z.strictObject({
  resources: z
    .array(z.string().min(3).max(512))
    .max(200)
    .default([])
    .describe(
      'Names or ARNs of what brings events to Sentrail: streams, topics, queues, log groups, buckets, functions, roles.',
    ),
});
type Config = z.infer<typeof config>;

type Row = readonly [did: string, tried: string, severity?: Severity];
const gone: Row = ['deleted', 'delete'];

const calls: Readonly<Record<CallPattern, Row>> = {
  'kinesis.amazonaws.com:DeleteStream': gone,
  'kinesis.amazonaws.com:DecreaseStreamRetentionPeriod': [
    'shortened the retention of',
    'shorten the retention of',
    'medium',
  ],
  'kinesis.amazonaws.com:DeregisterStreamConsumer': [
    'deregistered a consumer of',
    'deregister a consumer of',
  ],
  'kinesis.amazonaws.com:StartStreamEncryption': [
    'set another key on',
    'set another key on',
    'medium',
  ],
  'firehose.amazonaws.com:DeleteDeliveryStream': gone,
  'firehose.amazonaws.com:UpdateDestination': ['redirected', 'redirect'],
  'kafka.amazonaws.com:DeleteCluster': gone,
  'sqs.amazonaws.com:DeleteQueue': gone,
  'sqs.amazonaws.com:PurgeQueue': ['emptied', 'empty'],
  'sqs.amazonaws.com:SetQueueAttributes': ['changed', 'change', 'medium'],
  'sns.amazonaws.com:DeleteTopic': gone,
  'sns.amazonaws.com:Unsubscribe': ['ended a subscription of', 'end a subscription of'],
  'sns.amazonaws.com:SetSubscriptionAttributes': [
    'changed a subscription of',
    'change a subscription of',
    'medium',
  ],
  'events.amazonaws.com:DeleteRule': gone,
  'events.amazonaws.com:DisableRule': ['disabled', 'disable'],
  'events.amazonaws.com:RemoveTargets': ['removed targets of', 'remove targets of'],
  'events.amazonaws.com:DeleteEventBus': gone,
  'logs.amazonaws.com:DeleteLogGroup': gone,
  'logs.amazonaws.com:DeleteSubscriptionFilter': [
    'deleted a subscription of',
    'delete a subscription of',
  ],
  'logs.amazonaws.com:PutSubscriptionFilter': [
    'changed a subscription of',
    'change a subscription of',
    'medium',
  ],
  's3.amazonaws.com:DeleteBucket': gone,
  's3.amazonaws.com:PutBucketNotification': [
    'changed the notifications of',
    'change the notifications of',
    'medium',
  ],
  'lambda.amazonaws.com:DeleteFunction': gone,
  'lambda.amazonaws.com:UpdateFunctionCode': ['changed the code of', 'change the code of'],
  'lambda.amazonaws.com:UpdateFunctionConfiguration': [
    'changed the settings of',
    'change the settings of',
    'medium',
  ],
  'lambda.amazonaws.com:PutFunctionConcurrency': [
    'limited the concurrency of',
    'limit the concurrency of',
  ],
  'lambda.amazonaws.com:DeleteEventSourceMapping': gone,
  'lambda.amazonaws.com:UpdateEventSourceMapping': ['changed', 'change', 'medium'],
  'ecs.amazonaws.com:DeleteService': gone,
  'iam.amazonaws.com:DeleteRole': gone,
  'iam.amazonaws.com:DeleteRolePolicy': ['took a policy from', 'take a policy from'],
  'iam.amazonaws.com:DetachRolePolicy': ['took a policy from', 'take a policy from'],
};

export default stateless<Config>({
  meta,
  // Object.keys widens to string; the table's type allows no other keys.
  on: Object.keys(calls) as CallPattern[],
  config,
  detect(event, { resources }) {
    if (resources.length === 0) return 'the config names no resources of the pipeline';
    const own = ownWork(event);
    if (own !== undefined) return own;
    const row = calls[`${event.source}:${event.name}`];
    const resource = touched(event, resources);
    if (row === undefined || resource === undefined) return 'it is not about our pipeline';
    const [did, tried, severity = 'high'] = row;
    const name = plain(resource);
    const facts = { target: name, call: plain(event.name) };
    if (event.outcome !== 'success') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried to ${tried} ${name}, which brings events to Sentrail`,
        reason: `The call from ${originOf(event)} failed (${plain(event.errorCode)}).`,
        facts,
      });
    }
    return said(event, {
      severity,
      title: `${actorOf(event)} ${did} ${name}, which brings events to Sentrail`,
      reason: `The config names it as part of our own way. The call came from ${originOf(event)}.`,
      facts,
    });
  },
});

/** Gives the first of the resources that the request names, by name or by ARN. */
function touched(event: Event, resources: readonly string[]): string | undefined {
  const named = textsIn(event.field('requestParameters'));
  return resources.find((resource) => named.some((text) => isSame(text, resource)));
}

function isSame(text: string, resource: string): boolean {
  // `arn:aws:sns:…:topic:subscription-id` names its topic in the middle, a queue's URL its queue at the end.
  if (parted(text).includes(parted(resource))) return true;
  return resource.startsWith('arn:') && parted(resource).endsWith(parted(text));
}

function parted(name: string): string {
  return `:${name.replaceAll('/', ':')}:`;
}
