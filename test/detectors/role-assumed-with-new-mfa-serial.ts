// Cases of role-assumed-with-new-mfa-serial.
import type { DetectorCases } from '../support/cases.ts';
import { account, apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

// Modelled on the shape of AssumeRole by a user in flaws-cloud-excerpt-2020, with a device shown.
function assume(day: number, device: unknown, more: RawRecord = {}, by = iamUser('bob')) {
  const serialNumber =
    typeof device === 'string' ? `arn:aws:iam::${account}:mfa/${device}` : device;
  return apiCall({
    source: 'sts',
    name: 'AssumeRole',
    at: `2026-03-${String(day).padStart(2, '0')}T10:00:00Z`,
    by,
    request: {
      roleArn: `arn:aws:iam::${account}:role/Admin`,
      roleSessionName: 'bob',
      serialNumber,
    },
    with: more,
  });
}

export const cases: DetectorCases = {
  detector: 'role-assumed-with-new-mfa-serial',
  cases: [
    {
      name: 'fires low when another device was known for a day, and only once',
      given: [assume(1, 'phone'), assume(3, 'phone'), assume(4, 'strange'), assume(5, 'strange')],
      expect: [
        {
          severity: 'low',
          title: /^IAM user bob took role Admin with an MFA device not used before$/,
          reason: /mfa\/strange is new; since 2026-03-01T10:00:00Z/,
        },
      ],
    },
    {
      name: 'stays quiet on the first device, and on two devices shown on the first day',
      given: [
        assume(1, 'phone'),
        assume(1, 'key', { eventTime: '2026-03-01T12:00:00Z' }),
        assume(6, 'key'),
      ],
      expect: [],
    },
    {
      name: 'stays quiet for other users, roles, failures, and calls without a device',
      given: [
        assume(1, 'phone'),
        assume(4, 'other', {}, iamUser('carol')),
        assume(5, 'x', {}, assumedRole('Deploy')),
        assume(6, 'y', { errorCode: 'AccessDenied' }),
        assume(7, undefined),
        assume(8, 12),
        assume(9, 'z', { requestParameters: null }),
      ],
      expect: [],
    },
  ],
};
