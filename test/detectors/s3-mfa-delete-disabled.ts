// Cases of s3-mfa-delete-disabled.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type RawRecord, rootUser } from '../support/records.ts';

// Modelled on trailalerts-sigma-tests 2a9c402c-5df4-4e68-a21f-EXAMPLE, with the names S3 logs.
function put(mfaDelete: unknown, by: RawRecord = rootUser(), more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 's3',
    name: 'PutBucketVersioning',
    by,
    request: {
      bucketName: 'example-trail-logs',
      Host: 'example-trail-logs.s3.eu-central-1.amazonaws.com',
      versioning: '',
      VersioningConfiguration: { Status: 'Enabled', MfaDelete: mfaDelete },
    },
    with: more,
  });
}

export const cases: DetectorCases = {
  detector: 's3-mfa-delete-disabled',
  cases: [
    {
      name: 'fires when root switches it off',
      given: [put('Disabled')],
      expect: [
        {
          severity: 'medium',
          title: /^Root of account 111122223333 switched off MFA Delete on example-trail-logs$/,
        },
      ],
    },
    {
      name: 'stays quiet when a deployment sends what is off anyway',
      given: [put('Disabled', assumedRole('Deploy', 'terraform'))],
      expect: [],
    },
    {
      name: 'stays quiet when it is switched on, not named, of another type, or the call failed',
      given: [
        put('Enabled'),
        put(undefined),
        put(['Disabled']),
        put('Disabled', rootUser(), { requestParameters: null, eventID: 'null' }),
        put('Disabled', rootUser(), { errorCode: 'AccessDenied' }),
      ],
      expect: [],
    },
  ],
};
