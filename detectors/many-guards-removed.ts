// One principal took down several guards of an account within an hour, or one guard in many regions.
import { z } from 'zod';
import {
  type Bucket,
  type CallPattern,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { asked, isFalse, ownWork } from '../src/core/monitoring.ts';
import {
  actorIn,
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  spreeAdd,
  spreeSignal,
  spreeState,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, cis } from '../src/core/telling.ts';

const meta: DetectorMeta = {
  id: 'many-guards-removed',
  title: 'Many guards removed within an hour',
  severity: 'critical',
  practice: 'monitoring',
  what: 'Within an hour, one principal took down several kinds of guard in an account (trails, GuardDuty, Config, Security Hub, Access Analyzer, Macie, Inspector, Detective, flow logs, DNS logs, security alarms), or one kind in many regions; or tried to, and was refused.',
  why: 'Each is told by itself too. Together they are no repair and no saving of costs: somebody prepares what must not be seen.',
  innocent: [
    'An account is closed down, announced and by the people who close accounts.',
    'A landing zone moves an account to new guards; the new ones are made within the same hour.',
  ],
  firstSteps: [
    'Revoke the sessions of the principal at once (deny tokens issued before now), then ask.',
    'Start the guards again: trails first, then GuardDuty and Config, in all regions named.',
    'Read the hours before and since in the event history of each region; it cannot be switched off.',
    'Deny these calls by a service control policy for all but the security team.',
  ],
  attack: attack({
    'T1562.001': 'Impair Defenses: Disable or Modify Tools',
    'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs',
  }),
  cis: [...cis('3.0.0', '4.5', '4.9', '4.16'), ...cis('5.0.0', '4.5', '4.9', '4.16')],
  gaps: [
    'Guards that are narrowed instead of taken down do not count here; their own detectors tell them.',
    'Several principals who share the work are not added up.',
  ],
};

const config = z.strictObject({
  kinds: z
    .int()
    .min(2)
    .max(10)
    .default(3)
    .describe('Kinds of guard taken down by one principal in one hour that make a signal.'),
  regions: z
    .int()
    .min(2)
    .max(40)
    .default(4)
    .describe('Regions in which one kind is taken down in one hour that make a signal.'),
});
type Config = z.infer<typeof config>;

const guards: Readonly<Record<CallPattern, string>> = {
  'cloudtrail.amazonaws.com:StopLogging': 'CloudTrail',
  'cloudtrail.amazonaws.com:DeleteTrail': 'CloudTrail',
  'cloudtrail.amazonaws.com:DeleteEventDataStore': 'CloudTrail',
  'cloudtrail.amazonaws.com:StopEventDataStoreIngestion': 'CloudTrail',
  'guardduty.amazonaws.com:DeleteDetector': 'GuardDuty',
  'guardduty.amazonaws.com:UpdateDetector': 'GuardDuty',
  'guardduty.amazonaws.com:DisassociateFromAdministratorAccount': 'GuardDuty',
  'guardduty.amazonaws.com:DisassociateFromMasterAccount': 'GuardDuty',
  'guardduty.amazonaws.com:StopMonitoringMembers': 'GuardDuty',
  'config.amazonaws.com:StopConfigurationRecorder': 'Config',
  'config.amazonaws.com:DeleteConfigurationRecorder': 'Config',
  'config.amazonaws.com:DeleteDeliveryChannel': 'Config',
  'securityhub.amazonaws.com:DisableSecurityHub': 'Security Hub',
  'securityhub.amazonaws.com:DisableSecurityHubV2': 'Security Hub',
  'access-analyzer.amazonaws.com:DeleteAnalyzer': 'Access Analyzer',
  'macie2.amazonaws.com:DisableMacie': 'Macie',
  'inspector2.amazonaws.com:Disable': 'Inspector',
  'detective.amazonaws.com:DeleteGraph': 'Detective',
  'ec2.amazonaws.com:DeleteFlowLogs': 'flow logs',
  'route53resolver.amazonaws.com:DeleteResolverQueryLogConfig': 'DNS logs',
  'route53.amazonaws.com:DeleteQueryLoggingConfig': 'DNS logs',
  'securitylake.amazonaws.com:DeleteDataLake': 'Security Lake',
};

const kinds = [...new Set(Object.values(guards))].sort();

export default folding<Config, Spree>({
  meta,
  // Object.keys widens to string; the table's type allows no other keys.
  on: Object.keys(guards) as CallPattern[],
  config,
  state: spreeState(quietOf),
  isKnown: (event, state) => isInSpree(state, groupOf(event), thingsOf(event), event),
  fold: (event, state) => spreeAdd(state, groupOf(event), thingsOf(event), event),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function quietOf(event: Event): string | undefined {
  const own = ownWork(event);
  if (own !== undefined) return own;
  if (event.name !== 'UpdateDetector') return undefined;
  return isFalse(asked(event, 'enable')) ? undefined : 'it does not switch GuardDuty off';
}

function groupOf(event: Event): string {
  const kind = guards[`${event.source}:${event.name}`] ?? '';
  return event.outcome === 'success' ? kind : `tried ${kind}`;
}

function thingsOf(event: Event): readonly string[] {
  return [event.region];
}

function judgeHour(bucket: Bucket<Spree>, settings: Config): readonly JudgedSignal[] {
  const done = kinds.filter((kind) => bucket.state.groups[kind] !== undefined);
  const tried = kinds.filter((kind) => bucket.state.groups[`tried ${kind}`] !== undefined);
  const together = told(bucket, done, settings);
  return together.length > 0
    ? together
    : attempts(bucket, [...new Set([...done, ...tried])], settings);
}

function told(
  bucket: Bucket<Spree>,
  done: readonly string[],
  settings: Config,
): readonly JudgedSignal[] {
  const group = groupsOf(bucket.state, ...done);
  const most = Math.max(0, ...done.map((kind) => groupsOf(bucket.state, kind).things.length));
  const isMany = done.length >= settings.kinds;
  if (!isMany && most < settings.regions) return [];
  const regions = group.things.length === 1 ? 'one region' : `${group.things.length} regions`;
  return [
    {
      ...spreeSignal(bucket, 'removed', group),
      severity: isMany ? 'critical' : 'high',
      title: `${nameOf(actorIn(bucket.state))} took down ${listed(done)} in ${regions} within an hour`,
      reason: isMany
        ? `${done.length} kinds of guard at once leave little that would see what follows. Regions: ${listed(group.things)}.`
        : `The same guard in ${most} regions is no repair. Regions: ${listed(group.things)}.`,
    },
  ];
}

function attempts(
  bucket: Bucket<Spree>,
  all: readonly string[],
  settings: Config,
): readonly JudgedSignal[] {
  if (all.length < settings.kinds) return [];
  const group = groupsOf(bucket.state, ...all.flatMap((kind) => [kind, `tried ${kind}`]));
  return [
    {
      ...spreeSignal(bucket, 'tried', group),
      severity: 'medium',
      title: `${nameOf(actorIn(bucket.state))} tried to take down ${listed(all)} within an hour`,
      reason: `Not all of the calls succeeded. Nobody tries ${all.length} kinds of guard by mistake. Regions: ${listed(group.things)}.`,
    },
  ];
}
