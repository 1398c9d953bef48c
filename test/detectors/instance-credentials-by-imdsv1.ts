// Cases of instance-credentials-by-imdsv1.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type RawRecord } from '../support/records.ts';

function call(delivery: unknown, session: string, role = 'web'): RawRecord {
  const by = assumedRole(role, session);
  const sessionContext = { ...(by['sessionContext'] as RawRecord), ec2RoleDelivery: delivery };
  return apiCall({ source: 'sqs', name: 'ListQueues', by: { ...by, sessionContext } });
}

const one = 'i-0123456789abcdef0';
const other = 'i-0fedcba9876543210';

export const cases: DetectorCases = {
  detector: 'instance-credentials-by-imdsv1',
  cases: [
    {
      name: 'fires low when one instance fetches with and without a token',
      given: [call('1.0', one), call('2.0', one)],
      expect: [
        { severity: 'low', title: /role web .* on 1 instance$/, reason: /used tokens as well/ },
      ],
    },
    {
      // Modelled on stratus-detonations-2024 b379479b-05c9-4c3c-af4b-cbd43acf29e1: delivery 1.0.
      name: 'is a note, one a role and day, where no instance uses tokens',
      given: [call('1.0', one), call('1.0', other), call('2.0', 'i-0aaaaaaaaaaaaaaaa')],
      expect: [{ severity: 'info', title: /on 2 instances$/ }],
    },
    {
      name: 'stays quiet on tokens, and on sessions that are no instance',
      given: [call('2.0', one), call('1.0', 'alice', 'deploy')],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [call(undefined, one), call(1, one), call('', other)],
      expect: [],
    },
  ],
};
