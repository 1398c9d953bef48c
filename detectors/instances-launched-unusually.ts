// Instances were launched as miners launch them: large or with GPUs, in many Regions, against limits.
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
  nameOf,
  namesIn,
  signalOf,
  written,
} from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'instances-launched-unusually',
  title: 'Instances launched as miners do',
  severity: 'medium',
  practice: 'instance-roles',
  what: 'One principal launched, or tried to launch, instances in many Regions, GPU or very large instances, or ran into limits and refusals with them, in one day; or an instance launched others of that kind.',
  why: 'Stolen credentials are turned into money first: large instances, in every Region, until the limit stops it. The bill comes later.',
  innocent: [
    'A machine-learning team that trains in one Region.',
    'A load test, or a new deployment across Regions.',
  ],
  firstSteps: [
    'Ask the principal for the reason. Look into Regions that you do not use: ec2 describe-instances in each.',
    'If nobody answers for it: end its sessions or deactivate its key, then stop the instances (keep one disk) and cancel spot requests and fleets.',
    'Deny Regions you do not use by an organisation policy.',
  ],
  attack: attack({
    'T1578.002': 'Modify Cloud Compute Infrastructure: Create Cloud Instance',
    'T1496.001': 'Resource Hijacking: Compute Hijacking',
    T1535: 'Unused/Unsupported Cloud Regions',
  }),
  cis: [],
  gaps: [
    'What Auto Scaling, Batch and EMR launch by their service-linked roles is not judged.',
    'Whether the type or the Region is usual in this account is not learnt.',
    'The types of a fleet come from its launch template, which is not in the call.',
  ],
};

const config = z.strictObject({
  regions: z.int().min(2).default(5).describe('Regions of one day (UTC) that make a signal.'),
  largeRegions: z.int().min(2).default(3).describe('Regions with GPU or very large instances.'),
});
type Config = z.infer<typeof config>;

/** GPU, accelerator and very large types: what miners and crackers take. */
const large =
  /^(p\d|g\d|inf\d|trn\d|dl\d|vt\d|f\d|u-|x\d)|\.(metal|(16|18|24|32|48|56|96|112)xlarge)/;
const limits = /LimitExceeded|InsufficientInstanceCapacity|MaxSpotInstanceCount/;

export default folding<Config, Diary>({
  meta,
  on: [
    'ec2.amazonaws.com:RunInstances',
    'ec2.amazonaws.com:RequestSpotInstances',
    'ec2.amazonaws.com:RequestSpotFleet',
    'ec2.amazonaws.com:CreateFleet',
  ],
  config,
  state: {
    ...diaryOfDay,
    key(event) {
      if (isByAws(event) || isServiceLinked(event)) return 'an AWS service acted by itself';
      if (/^(autoscaling|batch|elasticmapreduce|eks|ecs)/.test(event.invokedBy)) {
        return `${plain(event.invokedBy)} launched for the account`;
      }
      return { key: event.principal.key };
    },
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeDay(bucket, settings)),
});

function entriesOf(event: Event): readonly Entry[] {
  const type = typeOf(event);
  const isLarge = large.test(type);
  const region = plain(event.region);
  const isDryRun = event.errorCode?.includes('DryRun') === true;
  const outcome =
    event.outcome === 'success' || isDryRun
      ? 'launched'
      : limits.test(event.errorCode ?? '')
        ? 'limited'
        : event.outcome === 'denied'
          ? 'refused'
          : 'failed';
  if (outcome === 'failed') return [['regions failed', region]];
  return [
    [`regions ${outcome}`, region],
    ...(isLarge ? ([[`large ${outcome}`, `${type} in ${region}`]] as const) : []),
    ...(isLarge && instanceOf(event) !== undefined ? ([['machine', 'yes']] as const) : []),
  ];
}

function typeOf(event: Event): string {
  const type =
    event.text('requestParameters.instanceType') ??
    event.text('requestParameters.launchSpecification.instanceType') ??
    event.text('responseElements.instancesSet.items.0.instanceType');
  return plain(type);
}

function judgeDay(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state } = bucket;
  const names = (section: string) => namesIn(state, section);
  const [launched, limited, refused] = ['launched', 'limited', 'refused'].map((one) =>
    names(`large ${one}`),
  ) as [string[], string[], string[]];
  const all = [...new Set([...launched, ...limited, ...refused])].sort();
  const tried = ['regions launched', 'regions limited', 'regions refused'];
  const regions = [...new Set(tried.flatMap(names))].sort();
  const largeRegions = new Set(all.map((one) => one.split(' in ')[1])).size;
  const isWide = regions.length >= settings.regions;
  if (all.length === 0 && !isWide) return [];
  const severity = severityOf({
    isWide,
    isWideLarge: largeRegions >= settings.largeRegions,
    isMachine: names('machine').length > 0,
    isStopped: limited.length > 0 || names('regions refused').length >= settings.largeRegions,
    launched: names('regions launched').length,
    isUser: actorIn(state).kind === 'user',
    large: all.length,
  });
  const kind = all.length > 0 ? 'GPU or very large instances' : 'instances';
  const did = names('regions launched').length > 0 ? 'launched' : 'tried to launch';
  return [
    {
      ...signalOf(bucket, 'launches', [
        ...tried,
        'large launched',
        'large limited',
        'large refused',
      ]),
      severity,
      title: `${nameOf(state)} ${did} ${kind} in ${regions.length} ${regions.length === 1 ? 'Region' : 'Regions'}`,
      reason: [
        all.length > 0 ? `Types: ${listed(all)}.` : '',
        `Regions: ${listed(regions)}.`,
        limited.length > 0 ? `A limit stopped: ${listed(limited)}.` : '',
        refused.length > 0 ? `Refused: ${listed(refused)}.` : '',
        names('machine').length > 0 ? 'The session of an instance did it.' : '',
      ]
        .filter((one) => one !== '')
        .join(' '),
      facts: { types: listed(all), regions: listed(regions) },
    },
  ];
}

function severityOf(of: {
  isWide: boolean;
  isWideLarge: boolean;
  isMachine: boolean;
  isStopped: boolean;
  launched: number;
  isUser: boolean;
  large: number;
}): Severity {
  if (of.isWideLarge) return of.launched > 0 ? 'high' : 'medium';
  if (of.large > 0 && (of.isMachine || of.isStopped)) return 'medium';
  if (of.isWide && of.isUser) return 'medium';
  return 'low';
}
