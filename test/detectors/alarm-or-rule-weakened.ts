// Cases of alarm-or-rule-weakened.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, type RawRecord } from '../support/records.ts';

function call(source: string, name: string, request?: RawRecord): RawRecord {
  return apiCall({ source, name, request });
}

export const cases: DetectorCases = {
  detector: 'alarm-or-rule-weakened',
  cases: [
    {
      // Modelled on traildiscover-events, cloudwatch DeleteAlarms and events DisableRule.
      name: 'is medium for alarms and rules that watch identity',
      given: [
        call('monitoring', 'DeleteAlarms', { alarmNames: ['cis-root-usage', 'cis-iam-changes'] }),
        call('events', 'DisableRule', { name: 'guardduty-to-pager' }),
      ],
      expect: [
        { severity: 'medium', title: /deleted alarms cis-root-usage, cis-iam-changes/ },
        { severity: 'medium', title: /disabled event rule guardduty-to-pager/ },
      ],
    },
    {
      name: 'is info for those of an application',
      given: [
        call('monitoring', 'DeleteAlarms', { alarmNames: ['api-latency'] }),
        call('events', 'RemoveTargets', { rule: 'nightly', ids: ['1'] }),
      ],
      expect: [{ severity: 'info' }, { severity: 'info' }],
    },
    {
      name: 'speaks without a name where the record has none',
      given: [call('events', 'DeleteRule')],
      expect: [{ severity: 'info', title: /deleted event rule$/ }],
    },
    {
      name: 'stays quiet when they are made or enabled',
      given: [
        call('monitoring', 'PutMetricAlarm', { alarmName: 'cis-root-usage' }),
        call('events', 'EnableRule', { name: 'guardduty-to-pager' }),
      ],
      expect: [],
    },
  ],
};
