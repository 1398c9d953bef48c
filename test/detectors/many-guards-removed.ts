// Cases of many-guards-removed.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  awsService,
  iamUser,
  type RawRecord,
} from '../support/records.ts';

const mallory = iamUser('mallory');

function call(source: string, name: string, more: object = {}, by: RawRecord = mallory): RawRecord {
  return apiCall({ source, name, by, request: { name: 'x' }, with: { ...more } });
}

const stop = call('cloudtrail', 'StopLogging');
const recorder = call('config', 'StopConfigurationRecorder');
const detector = call('guardduty', 'DeleteDetector');
const refused = { errorCode: 'AccessDenied', errorMessage: 'no' };

export const cases: DetectorCases = {
  detector: 'many-guards-removed',
  cases: [
    {
      name: 'fires critical when three kinds of guard fall within an hour',
      given: [stop, recorder, detector],
      expect: [
        {
          severity: 'critical',
          title: /^IAM user mallory took down CloudTrail, Config, GuardDuty in one region/,
        },
      ],
    },
    {
      name: 'fires high when one guard falls in four regions',
      given: ['eu-west-1', 'eu-west-2', 'us-east-1', 'us-east-2'].map((awsRegion) =>
        call('guardduty', 'DeleteDetector', { awsRegion }),
      ),
      expect: [{ severity: 'high', title: /took down GuardDuty in 4 regions/ }],
    },
    {
      // Modelled on traildiscover-events 471bf9d1-494d-407b-8655-615d248be156 and its neighbours.
      name: 'is medium when one tried them all and was refused',
      given: [
        apiCall({
          source: 'guardduty',
          name: 'DeleteDetector',
          by: mallory,
          request: { detectorId: 'ExampleDetectorId' },
          response: {
            message: `User: arn:aws:iam::${account}:user/mallory is not authorized to perform: guardduty:DeleteDetector`,
          },
          with: refused,
        }),
        call('config', 'DeleteDeliveryChannel', { ...refused, requestParameters: null }),
        call('cloudtrail', 'DeleteTrail', { ...refused, requestParameters: null }),
      ],
      expect: [{ severity: 'medium', title: /tried to take down CloudTrail, Config, GuardDuty/ }],
    },
    {
      name: 'stays quiet on two kinds, and on three by different principals',
      given: [stop, recorder, call('guardduty', 'DeleteDetector', {}, assumedRole('deploy'))],
      expect: [],
    },
    {
      name: 'stays quiet when the third falls hours later',
      given: [
        stop,
        recorder,
        call('guardduty', 'DeleteDetector', { eventTime: '2026-03-04T14:00:00Z' }),
      ],
      expect: [],
    },
    {
      name: 'does not count AWS itself, nor GuardDuty updated and still on',
      given: [
        stop,
        recorder,
        call('macie2', 'DisableMacie', {}, awsService('macie')),
        call('guardduty', 'UpdateDetector', { requestParameters: { enable: true } }),
        call('guardduty', 'UpdateDetector', { requestParameters: null }),
      ],
      expect: [],
    },
    {
      name: 'counts GuardDuty switched off by an update, the flag written as text',
      given: [
        stop,
        recorder,
        call('guardduty', 'UpdateDetector', { requestParameters: { enable: 'false' } }),
      ],
      expect: [{ severity: 'critical' }],
    },
  ],
};
