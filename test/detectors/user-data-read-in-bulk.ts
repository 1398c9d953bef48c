// Cases of user-data-read-in-bulk.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, iamUser, type RawRecord } from '../support/records.ts';

function read(count: number, by: RawRecord, more: Partial<Call> = {}, attribute = 'userData') {
  return Array.from({ length: count }, (_, at) =>
    apiCall({
      source: 'ec2',
      name: 'DescribeInstanceAttribute',
      by,
      request: { attribute, instanceId: `i-0123456789abcde${10 + at}` },
      ...more,
    }),
  );
}

const scanner = assumedRole('scanner', 'daily');
const refused: Partial<Call> = {
  error: ['Client.UnauthorizedOperation', 'You are not authorized to perform this operation.'],
};

export const cases: DetectorCases = {
  detector: 'user-data-read-in-bulk',
  cases: [
    {
      // Modelled on stratus-detonations-2024 4839af5e-7b6a-4353-a5ef-41febc9a9fa8: all were refused.
      name: 'fires medium when many reads are refused',
      given: read(15, assumedRole('web', 'x'), refused),
      expect: [
        {
          severity: 'medium',
          title: /^Role web was refused the start-up scripts of 15 instances$/,
          reason: /0 were read and 15 refused/,
        },
      ],
    },
    {
      name: 'fires medium when a user, or an instance, reads nothing but user data',
      given: [...read(10, iamUser('bob')), ...read(10, assumedRole('web', 'i-0123456789abcdef0'))],
      expect: [{ severity: 'medium' }, { severity: 'medium' }],
    },
    {
      name: 'is low for a role that has the right, and for tools that manage instances',
      given: [
        ...read(30, scanner),
        ...read(10, iamUser('terraform')),
        ...read(10, iamUser('terraform'), {}, 'disableApiTermination'),
      ],
      expect: [
        { severity: 'low', title: /^Role scanner/ },
        { severity: 'low', reason: /It also read disableApiTermination/ },
      ],
    },
    {
      name: 'stays quiet on a few, on one instance read often, and on other attributes',
      given: [
        ...read(9, iamUser('bob')),
        ...read(40, iamUser('carol'), {}, 'disableApiTermination'),
        ...read(1, iamUser('dave'), { at: '2026-03-04T11:00:00Z' }),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        ...read(3, scanner, { request: null }),
        ...read(3, scanner, { request: { attribute: 4, instanceId: {} } }),
        ...read(3, scanner, { with: { userIdentity: null } }),
      ],
      expect: [],
    },
  ],
};
