// Cases of guardduty-weakened.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type RawRecord } from '../support/records.ts';

function call(name: string, request?: RawRecord): RawRecord {
  return apiCall({ source: 'guardduty', name, by: assumedRole('ops'), request });
}

export const cases: DetectorCases = {
  detector: 'guardduty-weakened',
  cases: [
    {
      name: 'fires when the detector is deleted or suspended',
      given: [
        call('DeleteDetector', { detectorId: 'd1' }),
        call('UpdateDetector', { detectorId: 'd2', enable: false }),
      ],
      expect: [
        { severity: 'high', title: /deleted GuardDuty detector d1/ },
        { severity: 'high', title: /switched off GuardDuty detector d2/ },
      ],
    },
    {
      // Modelled on traildiscover-events, guardduty UpdateDetector and CreateFilter.
      name: 'fires when features go, findings are archived or addresses trusted',
      given: [
        call('UpdateDetector', {
          detectorId: 'd3',
          features: [{ name: 'S3_DATA_EVENTS', status: 'DISABLED' }],
        }),
        call('CreateFilter', { detectorId: 'd3', name: 'quiet', action: 'ARCHIVE' }),
        call('CreateIPSet', { detectorId: 'd3', name: 'ours', activate: true }),
      ],
      expect: [
        { severity: 'medium', reason: /fewer sources/ },
        { severity: 'medium', title: /made suppression filter quiet/ },
        { severity: 'medium', title: /made trusted IP list ours/ },
      ],
    },
    {
      name: 'stays quiet when features are switched on and filters archive nothing',
      given: [
        call('UpdateDetector', {
          detectorId: 'd4',
          enable: true,
          features: [{ name: 'EKS_AUDIT_LOGS', status: 'ENABLED' }],
        }),
        call('CreateFilter', { detectorId: 'd4', name: 'view', action: 'NOOP' }),
        call('UpdateOrganizationConfiguration', { autoEnableOrganizationMembers: 'ALL' }),
      ],
      expect: [],
    },
    {
      name: 'speaks of what it can where fields are missing or odd',
      given: [call('DeleteDetector'), call('UpdateDetector', { features: 'none', enable: 'x' })],
      expect: [{ severity: 'high', title: /^Role ops deleted GuardDuty detector$/ }],
    },
  ],
};
