// Cases of domain-moved-away.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type RawRecord, stranger } from '../support/records.ts';

function domains(name: string, more: RawRecord | null = {}, error?: [string, string]): RawRecord {
  return apiCall({
    source: 'route53domains',
    name,
    by: assumedRole('admin'),
    request: more && { domainName: 'example.com', ...more },
    ...(error ? { error } : {}),
    with: { awsRegion: 'us-east-1' },
  });
}

export const cases: DetectorCases = {
  detector: 'domain-moved-away',
  cases: [
    {
      // Modelled on trailalerts-sigma-tests, with the event source that AWS writes.
      name: 'fires when the lock is taken off and the domain is handed over',
      given: [
        domains('DisableDomainTransferLock'),
        domains('TransferDomainToAnotherAwsAccount', { accountId: stranger }),
      ],
      expect: [
        { severity: 'medium', title: /^Role admin took the transfer lock off domain example.com$/ },
        { severity: 'high', title: /handed to another account/, reason: /to 444455556666/ },
      ],
    },
    {
      name: 'fires when name servers of somebody else answer, and is low for those of Route 53',
      given: [
        domains('UpdateDomainNameservers', { nameservers: [{ name: 'ns1.example.net' }] }),
        domains('UpdateDomainNameservers', { nameservers: [{ name: 'ns-12.awsdns-01.org' }] }),
      ],
      expect: [
        { severity: 'medium', reason: /ns1\.example\.net/ },
        { severity: 'low', reason: /of Route 53/ },
      ],
    },
    {
      name: 'is low when it was refused',
      given: [domains('TransferDomainToAnotherAwsAccount', {}, ['AccessDenied', 'no'])],
      expect: [{ severity: 'low', title: /tried, and failed/ }],
    },
    {
      name: 'stays quiet when the lock is put on',
      given: [domains('EnableDomainTransferLock')],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [domains('DeleteDomain', null)],
      expect: [{ severity: 'high', title: /that the record does not name/ }],
    },
  ],
};
