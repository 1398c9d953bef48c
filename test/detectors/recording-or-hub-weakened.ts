// Cases of recording-or-hub-weakened.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, iamUser } from '../support/records.ts';

export const cases: DetectorCases = {
  detector: 'recording-or-hub-weakened',
  cases: [
    {
      name: 'fires when Config stops recording',
      given: [
        apiCall({
          source: 'config',
          name: 'StopConfigurationRecorder',
          by: iamUser('bob'),
          request: { configurationRecorderName: 'default' },
        }),
      ],
      expect: [{ severity: 'high', title: /^IAM user bob stopped Config recorder default$/ }],
    },
    {
      // Modelled on traildiscover-events, macie2 DisableMacie and securityhub calls.
      name: 'fires when Security Hub, Macie, Inspector or an analyzer goes',
      given: [
        apiCall({ source: 'securityhub', name: 'DisableSecurityHub' }),
        apiCall({ source: 'macie2', name: 'DisableMacie' }),
        apiCall({ source: 'inspector2', name: 'Disable', request: { accountIds: [] } }),
        apiCall({
          source: 'access-analyzer',
          name: 'DeleteAnalyzer',
          request: { analyzerName: 'org' },
        }),
      ],
      expect: [
        { severity: 'high', title: /Security Hub/ },
        { severity: 'medium', title: /Macie/ },
        { severity: 'medium', title: /Inspector/ },
        { severity: 'medium', title: /access analyzer org/ },
      ],
    },
    {
      name: 'is low when it was refused and the record holds no parameters',
      given: [
        apiCall({
          source: 'config',
          name: 'DeleteConfigurationRecorder',
          error: ['AccessDenied', 'no'],
        }),
      ],
      expect: [{ severity: 'low', title: /tried to delete Config recorder/ }],
    },
    {
      name: 'stays quiet when they are switched on',
      given: [
        apiCall({ source: 'securityhub', name: 'EnableSecurityHub' }),
        apiCall({ source: 'config', name: 'StartConfigurationRecorder' }),
      ],
      expect: [],
    },
  ],
};
