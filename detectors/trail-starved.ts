// What a trail lives on was taken from it: its bucket, its key or the role that copies it to a log group.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { listOf, textsIn, within } from '../src/core/monitoring.ts';
import type { Severity } from '../src/core/severity.ts';
import {
  addStep,
  type Step,
  type Steps,
  stepSignal,
  stepsOf,
  stepsState,
} from '../src/core/steps.ts';
import { actorOf, attack, cis, isByAws, originOf } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'trail-starved',
  title: 'Trail starved of what it writes with',
  severity: 'high',
  practice: 'monitoring',
  what: 'Somebody deleted the bucket of a CloudTrail trail, took from it the policy that lets CloudTrail write, or set its log files to expire within days; put the key of a trail out of use; or took away the role that copies a trail to a log group. Refusals that CloudTrail itself meets are told too.',
  why: 'The trail still says that it is logging, and nobody is told that nothing arrives. It silences a trail without touching it.',
  innocent: [
    'Logs move to a new bucket or key: the trail was pointed to the new one before.',
    'A test trail is taken down together with its bucket.',
    'A policy of the log bucket is rewritten, and for a moment lacks a trail.',
  ],
  firstSteps: [
    'Ask the trail: aws cloudtrail get-trail-status --name <trail> shows the last delivery and its error.',
    'Undo it: put the bucket policy of CloudTrail back, aws kms cancel-key-deletion and enable-key, remove the expiry rule (it runs once a day).',
    'Read what is missing from the event history: aws cloudtrail lookup-events, for each region, 90 days back.',
    'Ask the caller. If nobody answers for it: revoke its sessions and look at what it did since.',
  ],
  attack: attack({
    'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs',
    'T1485.001': 'Data Destruction: Lifecycle-Triggered Deletion',
  }),
  cis: [...cis('3.0.0', '3.5', '4.7', '4.8'), ...cis('5.0.0', '3.5', '4.7', '4.8')],
  gaps: [
    'A bucket or key is known by calls that CloudTrail makes with it or by CreateTrail and UpdateTrail within 30 days, a bucket or role also by a name with cloudtrail in it; others are not recognised.',
    'Whether a key policy or the rights of the role still suffice is not worked out beyond whether CloudTrail is named.',
  ],
};

const config = z.strictObject({
  expiryDays: z
    .int()
    .min(1)
    .max(365)
    .default(30)
    .describe('Log files that expire after so many days or fewer are expiring too soon.'),
});
type Config = z.infer<typeof config>;

/** Ways to starve a trail, what is said of them, and how grave each is when the trail is known to use it. */
const harms = {
  'bucket gone': ['deleted', 'delete', 'high', 'No log file can be written any more.'],
  'bucket policy gone': ['removed the policy of', 'remove the policy of', 'high', refusing()],
  'bucket policy changed': [
    'shut CloudTrail out of',
    'shut CloudTrail out of',
    'high',
    `The new policy does not let CloudTrail in. ${refusing()}`,
  ],
  'expiring at once': ['set an expiry on', 'set an expiry on', 'high', 'Log files are deleted'],
  'expiring soon': ['set an expiry on', 'set an expiry on', 'medium', 'Log files are deleted'],
  'key disabled': ['disabled', 'disable', 'high', unreadable()],
  'key to be deleted': [
    'scheduled the deletion of',
    'schedule the deletion of',
    'high',
    `${unreadable()} After the waiting time the old log files are lost with it.`,
  ],
  'key policy changed': [
    'shut CloudTrail out of',
    'shut CloudTrail out of',
    'high',
    `The new policy does not name CloudTrail. ${unreadable()}`,
  ],
  'role gone': ['deleted', 'delete', 'medium', copying()],
  'role stripped': ['took a policy from', 'take a policy from', 'medium', copying()],
} as const satisfies Record<string, readonly [string, string, Severity, string]>;
type Harm = keyof typeof harms;

function refusing(): string {
  return 'CloudTrail may write to a bucket only where its policy says so; what it cannot deliver is lost.';
}
function unreadable(): string {
  return 'CloudTrail cannot encrypt with it, so it delivers nothing, and the log files there are cannot be read.';
}
function copying(): string {
  return 'CloudTrail copies the trail to a log group with it, where alarms and subscriptions read.';
}

export default folding<Config, Steps>({
  meta,
  on: [
    'cloudtrail.amazonaws.com:CreateTrail',
    'cloudtrail.amazonaws.com:UpdateTrail',
    's3.amazonaws.com:GetBucketAcl',
    's3.amazonaws.com:DeleteBucket',
    's3.amazonaws.com:PutBucketPolicy',
    's3.amazonaws.com:DeleteBucketPolicy',
    's3.amazonaws.com:PutBucketLifecycle',
    's3.amazonaws.com:PutBucketLifecycleConfiguration',
    'kms.amazonaws.com:GenerateDataKey',
    'kms.amazonaws.com:DisableKey',
    'kms.amazonaws.com:ScheduleKeyDeletion',
    'kms.amazonaws.com:PutKeyPolicy',
    'sts.amazonaws.com:AssumeRole',
    'iam.amazonaws.com:DeleteRole',
    'iam.amazonaws.com:DeleteRolePolicy',
    'iam.amazonaws.com:DetachRolePolicy',
  ],
  config,
  state: stepsState({
    scope: 'organisation',
    bucketMs: dayMs,
    // What a trail lives on is known from its use for so long.
    lifetimeMs: 30 * dayMs,
    key: keyOf,
  }),
  isKnown(event, state) {
    // One use a day is enough to know whose the resource is.
    return isUse(event) && state.steps.some((one) => one.kind === 'used');
  },
  fold(event, state, { expiryDays }) {
    if (isUse(event)) {
      return !state.steps.some((one) => one.kind === 'used') && addStep(state, event, 'used');
    }
    const resource = resourceOf(event) ?? '';
    if (isByCloudTrail(event)) return addStep(state, event, 'refused', { resource });
    const harm = harmOf(event, expiryDays);
    if (harm === undefined) return false;
    const end = event.outcome === 'success' ? '' : plain(event.errorCode) || 'an error';
    const days = expiryOf(event);
    return addStep(state, event, harm, {
      resource,
      end,
      who: actorOf(event),
      from: originOf(event),
      ...(days === undefined ? {} : { days: String(days) }),
    });
  },
  judge(buckets) {
    const isUsed = stepsOf(buckets).some((one) => one.kind === 'used');
    return buckets.flatMap((bucket) => [
      ...judgeRefusals(bucket),
      ...bucket.state.steps.flatMap((step) => judgeHarm(step, isUsed)),
    ]);
  },
});

function isByCloudTrail(event: Event): boolean {
  return event.identityType === 'AWSService' && event.invokedBy === 'cloudtrail.amazonaws.com';
}

function isUse(event: Event): boolean {
  if (event.outcome !== 'success') return false;
  return event.source === 'cloudtrail.amazonaws.com' || isByCloudTrail(event);
}

function keyOf(event: Event): { readonly key: string } | string {
  const isCloudTrail = isByCloudTrail(event);
  if (!isCloudTrail && isByAws(event)) return 'another service of AWS did it';
  const isReading = ['GetBucketAcl', 'GenerateDataKey', 'AssumeRole'].includes(event.name);
  if (isReading && !isCloudTrail) return 'somebody else than CloudTrail uses it';
  const resource = resourceOf(event);
  if (resource === undefined) return 'the record does not name the resource';
  // Refusals come every few minutes: they must not crowd out what somebody did.
  const isRefusal = isCloudTrail && event.outcome !== 'success';
  return { key: isRefusal ? `refused ${resource}` : resource };
}

function resourceOf(event: Event): string | undefined {
  switch (event.source) {
    case 'cloudtrail.amazonaws.com':
      return named(
        'bucket',
        event.text('responseElements.s3BucketName') ?? event.text('requestParameters.s3BucketName'),
      );
    case 's3.amazonaws.com':
      return named('bucket', event.text('requestParameters.bucketName'));
    case 'kms.amazonaws.com': {
      const key = event.text('resources.0.ARN') ?? event.text('requestParameters.keyId');
      return named('key', key?.split('/').at(-1));
    }
    case 'sts.amazonaws.com': {
      const role = event.text('requestParameters.roleArn');
      return named('role', role?.split('/').at(-1), role?.split(':')[4]);
    }
    default:
      return named('role', event.text('requestParameters.roleName'), event.account);
  }
}

function named(kind: string, name: string | undefined, of?: string): string | undefined {
  if (name === undefined || name === '') return undefined;
  return `${kind} ${plain(name)}${of === undefined ? '' : ` of ${plain(of)}`}`;
}

function harmOf(event: Event, expiryDays: number): Harm | undefined {
  switch (event.name) {
    case 'DeleteBucket':
      return 'bucket gone';
    case 'DeleteBucketPolicy':
      return 'bucket policy gone';
    case 'PutBucketPolicy':
      return shutsOut(event.field('requestParameters.bucketPolicy'))
        ? 'bucket policy changed'
        : undefined;
    case 'PutBucketLifecycle':
    case 'PutBucketLifecycleConfiguration':
      return expiring(expiryOf(event), expiryDays);
    case 'DisableKey':
      return 'key disabled';
    case 'ScheduleKeyDeletion':
      return 'key to be deleted';
    case 'PutKeyPolicy':
      return shutsOut(event.field('requestParameters.policy')) ? 'key policy changed' : undefined;
    case 'DeleteRole':
      return 'role gone';
    case 'DeleteRolePolicy':
    case 'DetachRolePolicy':
      return 'role stripped';
    default:
      return undefined;
  }
}

/** Gives true when a policy is there and CloudTrail is not in it; one that was left out proves nothing. */
function shutsOut(policy: unknown): boolean {
  const texts = textsIn(policy);
  return texts.length > 0 && !texts.some((one) => one.toLowerCase().includes('cloudtrail'));
}

/** Days within which a week's look back is impossible. */
const atOnceDays = 7;

function expiring(days: number | undefined, expiryDays: number): Harm | undefined {
  if (days === undefined || days > expiryDays) return undefined;
  return days <= atOnceDays ? 'expiring at once' : 'expiring soon';
}

/** Gives after how many days an expiry rule in force deletes; the names are S3's XML, in either case. */
function expiryOf(event: Event): number | undefined {
  const request = event.field('requestParameters');
  const found =
    within(request, 'lifecycleConfiguration.rule') ??
    within(request, 'lifecycleConfiguration.rules');
  const days = listOf(found)
    .filter((rule) => within(rule, 'status') === 'Enabled')
    .map((rule) => Number(within(rule, 'expiration.days') ?? Number.NaN))
    .filter(Number.isFinite);
  return days.length === 0 ? undefined : Math.min(...days);
}

function judgeHarm(step: Step, isUsed: boolean): readonly JudgedSignal[] {
  const [did, tried, grave, why] = harms[harmIn(step.kind) ?? 'bucket gone'];
  if (harmIn(step.kind) === undefined) return [];
  const { resource = '', end = '', who = '', from = '', days } = step.notes;
  const isLike = looksLike(resource);
  if (!isUsed && !isLike) return [];
  const base = { ...stepSignal(step), facts: { from, target: resource } };
  const thing = `the ${resource}`;
  if (end !== '') {
    const reason = `A trail lives on it. The call from ${from} failed with ${end}.`;
    return [{ ...base, severity: 'low', title: `${who} tried to ${tried} ${thing}`, reason }];
  }
  const known = isUsed ? 'CloudTrail uses it.' : 'By its name a trail lives on it.';
  const after = days === undefined ? '' : ` after ${days} ${days === '1' ? 'day' : 'days'}.`;
  return [
    {
      ...base,
      severity: isUsed ? grave : lower[grave],
      title: `${who} ${did} ${thing} of a trail`,
      reason: `${known} ${why}${after} The call came from ${from}.`,
    },
  ];
}

const lower = { high: 'medium', medium: 'low' } as const;

function harmIn(kind: string): Harm | undefined {
  // A kind that is among the keys is one of them.
  return kind in harms ? (kind as Harm) : undefined;
}

function looksLike(resource: string): boolean {
  if (resource.startsWith('bucket ')) return /cloud-?trail/i.test(resource);
  return /^role .*cloud-?trail.*(logs|watch|cwl)/i.test(resource);
}

function judgeRefusals(bucket: Bucket<Steps>): readonly JudgedSignal[] {
  const [first, ...others] = bucket.state.steps.filter((one) => one.kind === 'refused');
  if (first === undefined) return [];
  return [
    {
      ...stepSignal(first, others),
      key: `refused ${bucket.start}`,
      severity: 'low',
      title: `CloudTrail was refused the ${first.notes['resource'] ?? ''}`.trim(),
      reason:
        'A trail that lives on it delivers nothing while this lasts. See who changed its policy.',
    },
  ];
}
