// A trail goes on but sees less: regions, global or management events, validation, or its receiver changed.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { actorOf, attack, cis, isByAws, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'trail-narrowed',
  title: 'CloudTrail narrowed',
  severity: 'high',
  practice: 'monitoring',
  what: 'A trail was changed so that it records less or can be trusted less: one region instead of all, no global or management events, only reads or only writes, no log file validation, no organisation, or another bucket.',
  why: 'A trail that runs but leaves things out raises no alarm that it is off. It is how a careful intruder goes unseen.',
  innocent: [
    'Data events dropped to save money: management events should stay as they were.',
    'A move to a central bucket: the bucket belongs to your log archive account.',
  ],
  firstSteps: [
    'Compare the trail as it is (GetTrail, GetEventSelectors) with how it should be, and set it back.',
    'See whether another trail records what this one leaves out; read the event history for the time since.',
  ],
  attack: attack({ 'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs' }),
  cis: [...cis('3.0.0', '4.5', '3.1', '3.2'), ...cis('5.0.0', '4.5', '3.1', '3.2')],
  gaps: [
    'What the trail was before is not in the record of UpdateTrail; a setting that is named as off is told, also where it was off before.',
  ],
};

const flags: readonly { readonly path: string; readonly says: string }[] = [
  { path: 'isMultiRegionTrail', says: 'it covers one region only' },
  { path: 'includeGlobalServiceEvents', says: 'global services (IAM, STS) are left out' },
  { path: 'isOrganizationTrail', says: 'it no longer covers the organisation' },
];

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: [
    'cloudtrail.amazonaws.com:UpdateTrail',
    'cloudtrail.amazonaws.com:PutEventSelectors',
    'cloudtrail.amazonaws.com:PutInsightSelectors',
    'cloudtrail.amazonaws.com:UpdateEventDataStore',
  ],
  config,
  detect(event) {
    if (isByAws(event)) return 'AWS itself made the call';
    const { grave, mild } = lossesOf(event);
    const losses = [...grave, ...mild];
    if (losses.length === 0) return 'the change leaves nothing out';
    const name =
      plain(event.text('requestParameters.name')) ||
      plain(event.text('requestParameters.trailName')) ||
      plain(event.text('requestParameters.eventDataStore'));
    const what = `${losses.join('; ')}.`;
    if (event.outcome !== 'success') {
      return said(event, {
        severity: 'low',
        title: `${actorOf(event)} tried to narrow trail ${name} and failed`,
        reason: `The call failed (${plain(event.errorCode)}). It would have meant: ${what}`,
        facts: { trail: name },
      });
    }
    return said(event, {
      severity: grave.length > 0 ? 'high' : 'low',
      title: `${actorOf(event)} narrowed trail ${name}: ${losses[0]}`,
      reason: `After the change ${what} From ${originOf(event)}.`,
      facts: { trail: name },
    });
  },
});

interface Losses {
  readonly grave: string[];
  readonly mild: string[];
}

function lossesOf(event: Event): Losses {
  const losses: Losses = { grave: [], mild: [] };
  if (event.name === 'PutInsightSelectors') {
    const insights = event.field('requestParameters.insightSelectors');
    if (Array.isArray(insights) && insights.length === 0) losses.mild.push('insights are off');
    return losses;
  }
  if (event.name === 'PutEventSelectors') return selected(event, losses);
  for (const { path, says } of flags) {
    if (isOff(event.field(`requestParameters.${path}`))) losses.grave.push(says);
  }
  if (isOff(event.field('requestParameters.enableLogFileValidation'))) {
    losses.grave.push('its files can be changed without a trace (no validation)');
  }
  const bucket = event.text('requestParameters.s3BucketName');
  if (bucket !== undefined && event.name === 'UpdateTrail') {
    losses.mild.push(`its files go to bucket ${plain(bucket)}`);
  }
  if (event.field('requestParameters.terminationProtectionEnabled') === false) {
    losses.mild.push('the event data store can be deleted');
  }
  return losses;
}

function selected(event: Event, losses: Losses): Losses {
  const basic = listAt(event, 'requestParameters.eventSelectors');
  const advanced = listAt(event, 'requestParameters.advancedEventSelectors');
  if (basic.length === 0 && advanced.length === 0) return losses;
  const managing = basic.filter((one) => !isOff(one['includeManagementEvents']));
  const text = JSON.stringify(advanced);
  if (managing.length === 0 && !text.includes('"Management"')) {
    losses.grave.push('management events are no longer recorded');
    return losses;
  }
  const types = new Set(managing.map((one) => one['readWriteType'] ?? 'All'));
  if (
    managing.length > 0 &&
    !types.has('All') &&
    !(types.has('WriteOnly') && types.has('ReadOnly'))
  ) {
    if (types.has('WriteOnly')) losses.mild.push('reads are left out');
    else losses.grave.push('writes are left out');
  }
  if (
    advanced.length > 0 &&
    /readOnly[^}]*"true"/i.test(text) &&
    !/readOnly[^}]*"false"/i.test(text)
  ) {
    losses.grave.push('writes are left out');
  }
  const excluded = managing.flatMap((one) => sourcesIn(one['excludeManagementEventSources']));
  if (excluded.some((one) => one.startsWith('kms'))) losses.mild.push('calls of KMS are left out');
  return losses;
}

function listAt(event: Event, path: string): Readonly<Record<string, unknown>>[] {
  const value = event.field(path);
  const list: unknown[] = Array.isArray(value) ? value : [];
  // A JSON object read from outside has string keys; what they hold stays unknown.
  return list.filter((one) => typeof one === 'object' && one !== null) as Record<string, unknown>[];
}

function sourcesIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function isOff(flag: unknown): boolean {
  return flag === false || flag === 'false';
}
