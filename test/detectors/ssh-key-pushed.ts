// Cases of ssh-key-pushed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, iamUser, type RawRecord } from '../support/records.ts';

const admin = assumedRole('AWSReservedSSO_account-admin_0123456789abcdef', 'bob@example.com');

function push(
  by: RawRecord,
  instanceId: unknown,
  name = 'SendSSHPublicKey',
  more: Partial<Call> = {},
) {
  const request = { instanceId, instanceOSUser: 'ec2-user', sSHPublicKey: 'ssh-ed25519 AAAA' };
  return apiCall({ source: 'ec2-instance-connect', name, by, request, ...more });
}

function many(by: RawRecord, count: number): RawRecord[] {
  return Array.from({ length: count }, (_, at) => push(by, `i-0123456789abcde${10 + at}`));
}

const enabled = apiCall({
  source: 'ec2',
  name: 'EnableSerialConsoleAccess',
  by: admin,
  request: { EnableSerialConsoleAccessRequest: '' },
  response: { EnableSerialConsoleAccessResponse: { serialConsoleAccessEnabled: true } },
});

export const cases: DetectorCases = {
  detector: 'ssh-key-pushed',
  cases: [
    {
      name: 'fires medium for keys to several instances, high for many',
      given: [...many(iamUser('bob'), 4), ...many(iamUser('mallory'), 15)],
      expect: [
        { severity: 'medium', title: /^IAM user bob pushed SSH keys to 4 instances/ },
        { severity: 'high', title: /^IAM user mallory pushed SSH keys to 15 instances/ },
      ],
    },
    {
      name: 'fires medium when one instance pushes a key to another, but not to itself',
      given: [
        push(assumedRole('web', 'i-0123456789abcdef0'), 'i-0fedcba9876543210'),
        push(assumedRole('self', 'i-0123456789abcdef0'), 'i-0123456789abcdef0'),
      ],
      expect: [{ severity: 'medium', title: /^Role web/, reason: /another instance/ }],
    },
    {
      // Modelled on stratus-detonations-2024 37ba412b-f943-44f2-ae48-4527f6e789d9 and 787b2464.
      name: 'fires high when somebody switches serial consoles on and pushes a key to one',
      given: [enabled, push(admin, 'i-0123456789abcdef0', 'SendSerialConsoleSSHPublicKey')],
      expect: [{ severity: 'high', title: /switched serial consoles on and pushed an SSH key/ }],
    },
    {
      name: 'fires medium for either alone, low when it was refused',
      given: [
        enabled,
        push(iamUser('bob'), 'i-0123456789abcdef0', 'SendSerialConsoleSSHPublicKey'),
        push(iamUser('eve'), 'i-0123456789abcdef0', 'SendSerialConsoleSSHPublicKey', {
          error: ['AccessDenied', 'not authorized'],
        }),
      ],
      expect: [
        { severity: 'medium', title: /for the account$/ },
        { severity: 'medium', title: /^IAM user bob pushed an SSH key to a serial console$/ },
        { severity: 'low', title: /^IAM user eve failed/ },
      ],
    },
    {
      name: 'stays quiet on the daily log-in to a few servers',
      given: many(iamUser('bob'), 3),
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        push(iamUser('bob'), 7),
        push({}, null),
        push(iamUser('eve'), 'x', 'SendSSHPublicKey', { request: null }),
      ],
      expect: [],
    },
  ],
};
