// Cases of windows-password-read.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, iamUser, type RawRecord } from '../support/records.ts';

function read(count: number, by: RawRecord, more: Partial<Call> = {}): RawRecord[] {
  return Array.from({ length: count }, (_, at) =>
    apiCall({
      source: 'ec2',
      name: 'GetPasswordData',
      by,
      request: { instanceId: `i-0123456789abcde${10 + at}` },
      with: { requestID: `request-${at}` },
      id: `password-${String(by['principalId'])}-${count}-${at}`,
      ...more,
    }),
  );
}

const refused: Partial<Call> = {
  error: ['Client.UnauthorizedOperation', 'You are not authorized to perform this operation.'],
  request: null,
};

export const cases: DetectorCases = {
  detector: 'windows-password-read',
  cases: [
    {
      name: 'fires medium at five instances, high at twenty-five',
      given: [...read(5, iamUser('bob')), ...read(25, assumedRole('ops'))],
      expect: [
        { severity: 'medium', title: /^IAM user bob asked for .* 5 instances$/ },
        { severity: 'high', title: /^Role ops asked for .* 25 instances$/ },
      ],
    },
    {
      // Modelled on trailalerts-sigma-tests 2a9c402c-5df4-4e68-a21f-EXAMPLE: the request is missing.
      name: 'fires medium when it is refused often, though the records name no instance',
      given: read(30, assumedRole('web', 'x'), refused),
      expect: [{ severity: 'medium', title: /^Role web was refused .* 30 instances$/ }],
    },
    {
      name: 'stays quiet on a few',
      given: [...read(4, iamUser('bob')), ...read(2, assumedRole('ops'), refused)],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: read(3, iamUser('bob'), { request: { instanceId: [] }, with: { userIdentity: null } }),
      expect: [],
    },
  ],
};
