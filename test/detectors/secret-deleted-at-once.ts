// Cases of secret-deleted-at-once.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

function drop(secretId: string, isForced: boolean, by = iamUser('bob')): RawRecord {
  return apiCall({
    source: 'secretsmanager',
    name: 'DeleteSecret',
    by,
    request: {
      secretId,
      ...(isForced ? { forceDeleteWithoutRecovery: true } : { recoveryWindowInDays: 7 }),
    },
    response: { name: secretId, deletionDate: 'Mar 4, 2026, 10:00:00 AM' },
  });
}

function many(isForced: boolean, by?: RawRecord): RawRecord[] {
  return Array.from({ length: 12 }, (_, at) => drop(`app/${at}`, isForced, by));
}

export const cases: DetectorCases = {
  detector: 'secret-deleted-at-once',
  cases: [
    {
      name: 'fires when many secrets are deleted without recovery, whoever did it',
      given: [...many(true), ...many(true, assumedRole('deploy'))],
      expect: [
        { severity: 'medium', title: /^IAM user bob deleted 12 secrets without recovery/ },
        { severity: 'medium', title: /deploy/ },
      ],
    },
    {
      name: 'fires when a user schedules many, and is low when a role does',
      given: [...many(false), ...many(false, assumedRole('deploy'))],
      expect: [
        { severity: 'medium', title: /bob deleted 12 secrets$/ },
        { severity: 'low', title: /deploy/ },
      ],
    },
    {
      // Modelled on the DeleteSecret entry of the Secrets Manager guide.
      name: 'is low for one, which it names without the ending of its ARN',
      given: [
        drop(`arn:aws:secretsmanager:eu-central-1:${account}:secret:app/database-aB3dE6`, true),
      ],
      expect: [{ severity: 'low', title: /deleted 1 secret without/, reason: /app\/database\./ }],
    },
    {
      name: 'stays quiet on one that can be restored, and on what was refused',
      given: [
        drop('app/a', false),
        { ...drop('app/b', true), errorCode: 'AccessDenied', responseElements: null },
      ],
      expect: [],
    },
    {
      name: 'stays quiet when fields are missing',
      given: [apiCall({ source: 'secretsmanager', name: 'DeleteSecret' })],
      expect: [],
    },
  ],
};
