// Alarms and event rules that would have told somebody were deleted or silenced.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { attack, cis } from '../src/core/telling.ts';
import { callsOf, type Watched, watched } from '../src/core/watched.ts';

const meta: DetectorMeta = {
  id: 'alarm-or-rule-weakened',
  title: 'Alarm or event rule weakened',
  severity: 'low',
  practice: 'monitoring',
  what: 'CloudWatch alarms were deleted or their actions switched off, or EventBridge rules deleted, disabled or left without targets.',
  why: 'The CIS alarms and most home-made notices hang on these. Silenced, they cost nothing and tell nobody.',
  innocent: [
    'Alarms of an application come and go with it; a maintenance window switches actions off for an hour.',
  ],
  firstSteps: [
    'See by its name and metric what it watched; for root, IAM, trail or sign-in alarms ask the actor at once.',
    'Switch the actions on again (EnableAlarmActions, EnableRule, PutTargets).',
  ],
  attack: attack({ 'T1562.001': 'Impair Defenses: Disable or Modify Tools' }),
  cis: [...cis('3.0.0', '4.1'), ...cis('5.0.0', '4.1')],
  gaps: ['Whether an alarm matters is judged by its name.'],
};

const matters =
  /cis|root|iam|secur|trail|guardduty|login|sign-?in|mfa|unauthori[sz]ed|audit|polic/i;

const alarms: Readonly<Record<string, Watched>> = {
  DeleteAlarms: row('deleted alarms', 'delete alarms', ['requestParameters.alarmNames']),
  DisableAlarmActions: row('silenced alarms', 'silence alarms', ['requestParameters.alarmNames']),
};
const rules: Readonly<Record<string, Watched>> = {
  DeleteRule: row('deleted event rule', 'delete event rule', ['requestParameters.name']),
  DisableRule: row('disabled event rule', 'disable event rule', ['requestParameters.name']),
  RemoveTargets: row('removed targets of event rule', 'remove targets of event rule', [
    'requestParameters.rule',
  ]),
};

function row(did: string, todo: string, names: readonly string[]): Watched {
  return {
    did,
    todo,
    names,
    severity: 'info',
    why: 'It seems to belong to an application.',
    weigh: (event) => weigh(event, names),
  };
}

function weigh(event: Event, names: readonly string[]): ReturnType<NonNullable<Watched['weigh']>> {
  const text = names.map((path) => JSON.stringify(event.field(path) ?? '')).join(' ');
  if (!matters.test(text)) return undefined;
  return { severity: 'medium', why: 'By its name it watches security or identity.' };
}

const tables: Readonly<Record<string, Readonly<Record<string, Watched>>>> = {
  'monitoring.amazonaws.com': alarms,
  'events.amazonaws.com': rules,
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: Object.entries(tables).flatMap(([source, table]) => callsOf(source, table)),
  config,
  detect: (event) => watched(event, tables[event.source] ?? {}),
});
