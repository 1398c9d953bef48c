// Cases of snapshot-read-directly.
import type { DetectorCases } from '../support/cases.ts';
import {
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  serviceLinkedRole,
} from '../support/records.ts';

// Modelled on the GetSnapshotBlock entry of the EBS guide.
function block(index: number, by: RawRecord, more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'ebs',
    name: index === 0 ? 'ListSnapshotBlocks' : 'GetSnapshotBlock',
    by,
    request: { snapshotId: 'snap-0a1b2c3d4e5f60718', blockIndex: index, blockToken: 'EXAMPLE' },
    with: { eventCategory: 'Data', managementEvent: false, readOnly: true, ...more },
  });
}

function disk(by: RawRecord, more?: RawRecord): RawRecord[] {
  return Array.from({ length: 30 }, (_, at) => block(at, by, more));
}

export const cases: DetectorCases = {
  detector: 'snapshot-read-directly',
  cases: [
    {
      name: 'fires when a key or an instance reads a disk',
      given: [...disk(iamUser('bob')), ...disk(assumedRole('web', 'i-0123456789abcdef0'))],
      expect: [
        { severity: 'medium', title: /^IAM user bob read the blocks of 1 snapshot$/ },
        { severity: 'medium', reason: /an instance/ },
      ],
    },
    {
      name: 'is low when a backup product reads with its role',
      given: disk(assumedRole('backup-product')),
      expect: [{ severity: 'low' }],
    },
    {
      name: 'stays quiet when a service reads and when it was refused',
      given: [
        ...disk(
          serviceLinkedRole('AWSServiceRoleForAmazonGuardDutyMalwareProtection', 'guardduty'),
        ),
        ...disk(iamUser('bob'), { errorCode: 'AccessDenied' }),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [apiCall({ source: 'ebs', name: 'GetSnapshotBlock' })],
      expect: [{ severity: 'medium', reason: /not named/ }],
    },
  ],
};
