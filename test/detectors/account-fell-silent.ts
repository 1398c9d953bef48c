// Cases of account-fell-silent; that it waits for the watermark is told in test/engine/settled.test.ts.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall } from '../support/records.ts';

export const cases: DetectorCases = {
  detector: 'account-fell-silent',
  cases: [
    {
      name: 'stays quiet as long as the watermark has not passed the hours of silence',
      given: Array.from({ length: 26 }, (_, hour) =>
        apiCall({
          source: 'ec2',
          name: 'DescribeInstances',
          at: new Date(Date.UTC(2026, 2, 4, hour, 10)).toISOString(),
        }),
      ),
      expect: [],
    },
    {
      name: 'does not break where the record names no account',
      given: [
        apiCall({ source: 'ec2', name: 'DescribeInstances', with: { recipientAccountId: '' } }),
      ],
      expect: [],
    },
  ],
};
