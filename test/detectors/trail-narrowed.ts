// Cases of trail-narrowed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, type RawRecord } from '../support/records.ts';

function change(name: string, request?: unknown): RawRecord {
  return apiCall({ source: 'cloudtrail', name, request });
}

export const cases: DetectorCases = {
  detector: 'trail-narrowed',
  cases: [
    {
      name: 'fires when a trail no longer covers all regions or its files are no longer validated',
      given: [
        change('UpdateTrail', { name: 'main', isMultiRegionTrail: false }),
        change('UpdateTrail', { name: 'other', enableLogFileValidation: false }),
      ],
      expect: [
        { severity: 'high', title: /narrowed trail main: it covers one region only/ },
        { severity: 'high', title: /trail other: .*no validation/ },
      ],
    },
    {
      // Modelled on stratus-detonations-2024, defense-evasion.cloudtrail-event-selectors.
      name: 'fires when event selectors leave management events out',
      given: [
        change('PutEventSelectors', {
          trailName: 'main',
          eventSelectors: [
            { readWriteType: 'ReadOnly', includeManagementEvents: false, dataResources: [] },
          ],
        }),
      ],
      expect: [{ severity: 'high', title: /management events are no longer recorded/ }],
    },
    {
      name: 'is low when only reads are left out or the bucket is another',
      given: [
        change('PutEventSelectors', {
          trailName: 'main',
          eventSelectors: [{ readWriteType: 'WriteOnly', includeManagementEvents: true }],
        }),
        change('UpdateTrail', { name: 'main', s3BucketName: 'central-logs' }),
      ],
      expect: [
        { severity: 'low', title: /reads are left out/ },
        { severity: 'low', title: /bucket central-logs/ },
      ],
    },
    {
      name: 'stays quiet when the selectors take in more, or say nothing',
      given: [
        change('PutEventSelectors', {
          trailName: 'main',
          advancedEventSelectors: [
            { fieldSelectors: [{ field: 'eventCategory', equals: ['Management'] }] },
            { fieldSelectors: [{ field: 'eventCategory', equals: ['Data'] }] },
          ],
        }),
        change('UpdateTrail', { name: 'main', isMultiRegionTrail: true }),
        change('UpdateTrail'),
        change('PutEventSelectors', { eventSelectors: 'none' }),
      ],
      expect: [],
    },
  ],
};
