// Cases of trail-stopped-or-deleted.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, awsService } from '../support/records.ts';

export const cases: DetectorCases = {
  detector: 'trail-stopped-or-deleted',
  cases: [
    {
      // Modelled on stratus-detonations-2024, defense-evasion.cloudtrail-stop.
      name: 'fires when logging of a trail is stopped',
      given: [
        apiCall({
          source: 'cloudtrail',
          name: 'StopLogging',
          by: assumedRole('ops'),
          request: { name: 'org-trail' },
        }),
      ],
      expect: [{ severity: 'high', title: /^Role ops stopped logging on trail org-trail$/ }],
    },
    {
      name: 'fires when a trail is deleted by ARN',
      given: [
        apiCall({
          source: 'cloudtrail',
          name: 'DeleteTrail',
          request: { name: 'arn:aws:cloudtrail:eu-central-1:111122223333:trail/main' },
        }),
      ],
      expect: [{ severity: 'high', title: /deleted trail arn:aws/ }],
    },
    {
      name: 'is low when it was refused, with no parameters in the record',
      given: [
        apiCall({
          source: 'cloudtrail',
          name: 'StopLogging',
          error: ['AccessDenied', 'User is not authorized'],
        }),
      ],
      expect: [{ severity: 'low', title: /tried to stop logging on trail and failed/ }],
    },
    {
      name: 'stays quiet when AWS itself acts, and when logging is started',
      given: [
        apiCall({ source: 'cloudtrail', name: 'StopLogging', by: awsService('cloudtrail') }),
        apiCall({ source: 'cloudtrail', name: 'StartLogging', request: { name: 'org-trail' } }),
      ],
      expect: [],
    },
  ],
};
