// Logs in CloudWatch were deleted, kept shorter, or no longer passed on.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { attack } from '../src/core/telling.ts';
import { callsOf, type Watched, watched } from '../src/core/watched.ts';

const meta: DetectorMeta = {
  id: 'log-group-removed',
  title: 'Log group removed or cut short',
  severity: 'low',
  practice: 'monitoring',
  what: 'A log group or stream was deleted, kept for a few days only, or lost the filter that passes its events on or counts them.',
  why: 'Log groups hold CloudTrail, flow logs, function logs and the metric filters of CIS alarms. Deleting them removes traces.',
  innocent: [
    'Infrastructure taken down by its own tool: groups of applications come and go.',
    'A retention set to save money.',
  ],
  firstSteps: [
    'See what the group held: a deleted group of CloudTrail or flow logs is an incident until explained.',
    'Restore the filter or the group; the events themselves are gone unless exported.',
  ],
  attack: attack({ 'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs' }),
  cis: [],
  gaps: [
    'Whether a group matters is judged by its name (trail, audit, security, flow logs, GuardDuty).',
  ],
};

const group = ['requestParameters.logGroupName', 'requestParameters.logGroupIdentifier'];
const matters = /cloudtrail|trail|audit|secur|flow-?log|vpc-?flow|guardduty|route53|waf/i;
const traces = 'Its name says that it holds traces an investigation needs.';

const table: Readonly<Record<string, Watched>> = {
  DeleteLogGroup: row('deleted log group', 'delete log group', 'low', weigh('medium')),
  DeleteLogStream: row(
    'deleted a stream of log group',
    'delete a stream of',
    'info',
    weigh('medium'),
  ),
  DeleteSubscriptionFilter: row(
    'stopped the forwarding of log group',
    'stop the forwarding of log group',
    'low',
    weigh('medium'),
  ),
  DeleteMetricFilter: row(
    'deleted a metric filter of log group',
    'delete a metric filter of log group',
    'low',
    weigh('medium'),
  ),
  PutRetentionPolicy: row('shortened log group', 'shorten log group', 'low', (event) => {
    const days = event.field('requestParameters.retentionInDays');
    if (typeof days !== 'number' || days > 7) return 'events are kept for more than a week';
    return weigh('medium')(event) ?? 'a group of an application, kept for days';
  }),
};

function row(
  did: string,
  todo: string,
  severity: Watched['severity'],
  how: NonNullable<Watched['weigh']>,
): Watched {
  return {
    did,
    todo,
    names: group,
    severity,
    why: 'An application keeps its logs here.',
    weigh: how,
  };
}

function weigh(severity: Watched['severity']): (event: Event) => ReturnType<typeof weighed> {
  return (event) => weighed(event, severity);
}

function weighed(
  event: Event,
  severity: Watched['severity'],
): Pick<Watched, 'severity' | 'why'> | undefined {
  const name = group.map((path) => event.text(path) ?? '').join(' ');
  return matters.test(name) ? { severity, why: traces } : undefined;
}

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: callsOf('logs.amazonaws.com', table),
  config,
  detect: (event) => watched(event, table),
});
