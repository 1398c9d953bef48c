// Cases of log-group-removed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type RawRecord } from '../support/records.ts';

function call(name: string, request?: RawRecord): RawRecord {
  return apiCall({ source: 'logs', name, by: assumedRole('ops'), request });
}

export const cases: DetectorCases = {
  detector: 'log-group-removed',
  cases: [
    {
      // Modelled on traildiscover-events, logs DeleteLogGroup.
      name: 'is medium when the group holds the trail',
      given: [call('DeleteLogGroup', { logGroupName: 'aws-cloudtrail-logs-main' })],
      expect: [{ severity: 'medium', title: /deleted log group aws-cloudtrail-logs-main/ }],
    },
    {
      name: 'is low when an application group goes, and info for one of its streams',
      given: [
        call('DeleteLogGroup', { logGroupName: '/aws/lambda/resize' }),
        call('DeleteLogStream', { logGroupName: '/aws/lambda/resize', logStreamName: 'x' }),
      ],
      expect: [{ severity: 'low' }, { severity: 'info' }],
    },
    {
      name: 'is medium when audit logs are kept for a day or no longer forwarded',
      given: [
        call('PutRetentionPolicy', { logGroupName: 'audit', retentionInDays: 1 }),
        call('DeleteSubscriptionFilter', { logGroupName: 'security-events', filterName: 'siem' }),
      ],
      expect: [
        { severity: 'medium', title: /shortened log group audit/ },
        { severity: 'medium', title: /stopped the forwarding of log group security-events/ },
      ],
    },
    {
      name: 'stays quiet on usual retention, of an application for days too, and without fields',
      given: [
        call('PutRetentionPolicy', { logGroupName: 'audit', retentionInDays: 365 }),
        call('PutRetentionPolicy', { logGroupName: '/aws/lambda/resize', retentionInDays: 3 }),
        call('PutRetentionPolicy'),
      ],
      expect: [],
    },
  ],
};
