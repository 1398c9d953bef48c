// Cases of user-data-written.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord, refusal } from '../support/records.ts';

const target = 'i-0123456789abcdef0';
const deploy = assumedRole('deploy', 'ci');

function write(by: RawRecord, id = target, at = '2026-03-04T10:05:00Z'): RawRecord {
  const request = { instanceId: id, userData: '<sensitiveDataRemoved>' };
  return apiCall({ source: 'ec2', name: 'ModifyInstanceAttribute', by, request, at });
}

function power(name: string, at: string, by: RawRecord, id = target): RawRecord {
  const request = { instancesSet: { items: [{ instanceId: id }] } };
  return apiCall({ source: 'ec2', name, by, request, at });
}

function sequence(by: RawRecord, id = target): RawRecord[] {
  return [
    power('StopInstances', '2026-03-04T10:00:00Z', by, id),
    write(by, id),
    power('StartInstances', '2026-03-04T10:06:00Z', by, id),
  ];
}

export const cases: DetectorCases = {
  detector: 'user-data-written',
  cases: [
    {
      name: 'fires high when a user stops, changes and starts an instance',
      given: sequence(iamUser('bob')),
      expect: [
        {
          severity: 'high',
          title: /^IAM user bob changed and restarted the start-up script of i-0123456789abcdef0$/,
        },
      ],
    },
    {
      name: 'is medium for one instance and a role, high for several',
      given: [
        ...sequence(deploy),
        ...['i-01', 'i-02', 'i-03'].flatMap((id) => sequence(assumedRole('ops'), id)),
      ],
      expect: [
        { severity: 'medium', title: /^Role deploy/ },
        { severity: 'high', title: /^Role ops/ },
      ],
    },
    {
      // Modelled on misc-tool-fixtures 8311ce18-5d58-40f1-a4b3-a757df7cbe47: no attribute is named.
      name: 'is low for a change without a restart',
      given: [write(iamUser('bob'))],
      expect: [{ severity: 'low', reason: /no stop/ }],
    },
    {
      name: 'is low where the change was refused',
      given: [
        apiCall({
          source: 'ec2',
          name: 'ModifyInstanceAttribute',
          request: { instanceId: target, userData: '<sensitiveDataRemoved>' },
          error: refusal('alice', 'ec2:ModifyInstanceAttribute', target),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to change/ }],
    },
    {
      name: 'stays quiet when instances are only stopped and started, or change their type',
      given: [
        power('StopInstances', '2026-03-04T10:00:00Z', deploy),
        apiCall({
          source: 'ec2',
          name: 'ModifyInstanceAttribute',
          by: deploy,
          request: { instanceId: target, instanceType: { value: 't3.large' } },
        }),
        power('StartInstances', '2026-03-04T10:06:00Z', deploy),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        apiCall({ source: 'ec2', name: 'StopInstances', request: { instancesSet: 'x' } }),
        apiCall({
          source: 'ec2',
          name: 'ModifyInstanceAttribute',
          request: { userData: { a: 1 } },
        }),
        apiCall({ source: 'ec2', name: 'StartInstances', request: null }),
      ],
      expect: [{ severity: 'low', title: /of an instance$/ }],
    },
  ],
};
