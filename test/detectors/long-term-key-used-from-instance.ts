// Cases of long-term-key-used-from-instance.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

const web = assumedRole('web', 'i-0123456789abcdef0');

function call(by: RawRecord, from: string, more: RawRecord = {}): RawRecord {
  const origin = { sourceIPAddress: from, ...more };
  return apiCall({ source: 'sts', name: 'GetCallerIdentity', by, with: origin });
}

export const cases: DetectorCases = {
  detector: 'long-term-key-used-from-instance',
  cases: [
    {
      // Modelled on stratus-detonations-2024 2a5178c8-b4c7-44ba-b066-1ecc79b7087c and b379479b.
      name: 'fires low when a key and an instance session share an address',
      given: [call(iamUser('bob'), '192.0.2.10'), call(web, '192.0.2.10')],
      expect: [
        {
          severity: 'low',
          title: /^The long-term key of IAM user bob .* used from 192\.0\.2\.10$/,
          reason: /^i-0123456789abcdef0 \(role web\) called/,
        },
      ],
    },
    {
      name: 'says that the key lies inside when both come through one VPC endpoint',
      given: [
        call(iamUser('bob'), '10.0.0.5', { vpcEndpointId: 'vpce-0a1b' }),
        call(web, '10.0.0.5', { vpcEndpointId: 'vpce-0a1b' }),
      ],
      expect: [{ severity: 'low', reason: /inside a VPC/ }],
    },
    {
      name: 'tells users apart',
      given: [
        call(iamUser('bob'), '192.0.2.10'),
        call(iamUser('carol'), '192.0.2.10'),
        call(web, '192.0.2.10'),
      ],
      expect: [
        { severity: 'low', title: /bob/ },
        { severity: 'low', title: /carol/ },
      ],
    },
    {
      name: 'stays quiet on other addresses, other networks, temporary keys and other sessions',
      given: [
        call(iamUser('bob'), '192.0.2.10'),
        call(web, '192.0.2.11'),
        call(assumedRole('deploy', 'ci'), '192.0.2.10'),
        call({ ...iamUser('carol'), accessKeyId: 'ASIATEMPORARYEXAMPLE' }, '192.0.2.11'),
        call(iamUser('bob'), '10.0.0.5', { vpcEndpointId: 'vpce-0a1b' }),
        call(web, '10.0.0.5', { vpcEndpointId: 'vpce-0c2d' }),
        call(iamUser('bob'), '10.0.0.6'),
        call(web, '10.0.0.6'),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        call({ type: 'IAMUser', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }, 'x'),
        call(web, '192.0.2.10', { sourceIPAddress: null }),
        call(iamUser('bob'), '192.0.2.10', { vpcEndpointId: 5 }),
      ],
      expect: [],
    },
  ],
};
