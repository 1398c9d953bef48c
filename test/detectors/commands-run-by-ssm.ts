// Cases of commands-run-by-ssm.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, iamUser, type RawRecord } from '../support/records.ts';

const admin = assumedRole('AWSReservedSSO_Admin_0123456789abcdef', 'bob@example.com');
const runner = assumedRole('runner', 'i-0123456789abcdef0');

function command(by: RawRecord, request: unknown, more: Partial<Call> = {}): RawRecord {
  return apiCall({ source: 'ssm', name: 'SendCommand', by, request, ...more });
}

function session(by: RawRecord, target: unknown): RawRecord {
  return apiCall({ source: 'ssm', name: 'StartSession', by, request: { target } });
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `i-0123456789abcde${10 + at}`);
}

const shell = { documentName: 'AWS-RunShellScript', parameters: 'HIDDEN_DUE_TO_SECURITY_REASONS' };

export const cases: DetectorCases = {
  detector: 'commands-run-by-ssm',
  cases: [
    {
      name: 'is low for commands by hand on ten machines, medium for thirty',
      given: [
        command(admin, { ...shell, instanceIds: ids(10) }),
        command(assumedRole('AWSReservedSSO_Ops_0123456789abcdef'), {
          ...shell,
          instanceIds: ids(30),
        }),
      ],
      expect: [
        { severity: 'low', title: /^Role AWSReservedSSO_Admin.* on 10 machines/ },
        { severity: 'medium', title: /^Role AWSReservedSSO_Ops.* on 30 machines/ },
      ],
    },
    {
      name: 'fires medium when a user commands ten machines, or every machine',
      given: [
        command(iamUser('bob'), { ...shell, instanceIds: ids(10) }),
        command(iamUser('eve'), { ...shell, targets: [{ key: 'InstanceIds', values: ['*'] }] }),
      ],
      expect: [
        { severity: 'medium' },
        { severity: 'medium', title: /^IAM user eve .*every machine/ },
      ],
    },
    {
      name: 'fires medium when an instance opens a session to another, low when it sends a command',
      given: [
        session(assumedRole('web', 'i-0123456789abcdef0'), 'i-0fedcba9876543210'),
        command(runner, { ...shell, instanceIds: ['i-0fedcba9876543210'] }),
      ],
      expect: [
        { severity: 'medium', title: /^An instance with role web opened sessions/ },
        { severity: 'low', title: /^An instance with role runner ran commands/ },
      ],
    },
    {
      // Modelled on traildiscover-events eb3f2f5d-0ed1-4d44-9180-2261bfc6925a: no request.
      name: 'fires medium when many calls are refused',
      given: Array.from({ length: 8 }, (_, at) =>
        command(iamUser('bob'), null, { error: ['AccessDenied', 'refused'], id: `refused-${at}` }),
      ),
      expect: [{ severity: 'medium', title: /^IAM user bob was refused .* 8 times$/ }],
    },
    {
      name: 'stays quiet on pipelines, on services, on a few machines, and on itself',
      given: [
        command(assumedRole('deploy', 'ci'), { ...shell, instanceIds: ids(40) }),
        command({ ...admin, invokedBy: 'ssm.amazonaws.com' }, { ...shell, instanceIds: ids(40) }),
        command(iamUser('bob'), { ...shell, instanceIds: ids(9) }),
        session(iamUser('bob'), 'i-0123456789abcdef0'),
        command(runner, { ...shell, instanceIds: ['i-0123456789abcdef0'] }),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        command(admin, null),
        command(admin, { targets: 'all', instanceIds: 7 }),
        command(admin, { targets: [null, { key: 3, values: {} }] }),
        session(admin, {}),
      ],
      expect: [],
    },
  ],
};
