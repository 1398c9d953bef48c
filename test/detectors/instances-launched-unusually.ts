// Cases of instances-launched-unusually.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, iamUser, type RawRecord } from '../support/records.ts';

const regions = ['us-east-1', 'us-west-2', 'eu-west-1', 'ap-south-1', 'sa-east-1'];

function run(
  by: RawRecord,
  instanceType: unknown,
  awsRegion = 'eu-central-1',
  more: Partial<Call> = {},
) {
  const request = { instanceType, instancesSet: { items: [{ minCount: 1, maxCount: 10 }] } };
  return apiCall({
    source: 'ec2',
    name: 'RunInstances',
    by,
    request,
    with: { awsRegion },
    ...more,
  });
}

function everywhere(by: RawRecord, type: string, more: Partial<Call> = {}): RawRecord[] {
  return regions.map((region) => {
    const over = { ...more, with: { awsRegion: region } };
    return run(by, type, region, over);
  });
}

const denied: Partial<Call> = { error: ['Client.UnauthorizedOperation', 'not authorized'] };

export const cases: DetectorCases = {
  detector: 'instances-launched-unusually',
  cases: [
    {
      name: 'fires high for GPU instances in many Regions',
      given: everywhere(iamUser('bob'), 'p3.16xlarge'),
      expect: [
        {
          severity: 'high',
          title: /^IAM user bob launched GPU or very large instances in 5 Regions$/,
          reason: /p3\.16xlarge in ap-south-1/,
        },
      ],
    },
    {
      name: 'fires medium when all of it is refused, or a limit stops it',
      given: [
        ...everywhere(iamUser('bob'), 'p3.16xlarge', denied),
        run(iamUser('eve'), 'g5.48xlarge', 'eu-west-1', {
          error: ['Client.VcpuLimitExceeded', 'You have requested more vCPU capacity'],
        }),
      ],
      expect: [
        { severity: 'medium', title: /^IAM user bob tried to launch/ },
        { severity: 'medium', title: /^IAM user eve tried to launch/, reason: /A limit stopped/ },
      ],
    },
    {
      // Modelled on stratus-detonations-2024 1a4debbb-12e9-4bde-b8c7-ea29002bb2a7.
      name: 'is low for one GPU launch that is refused, or that works',
      given: [
        run(assumedRole('web', 'x'), 'p2.xlarge', 'eu-central-1', denied),
        run(assumedRole('training', 'x'), 'p4d.24xlarge'),
      ],
      expect: [
        { severity: 'low', reason: /Refused: p2\.xlarge/ },
        { severity: 'low', title: /^Role training launched/ },
      ],
    },
    {
      name: 'fires medium when a user launches small ones in many Regions, low for a role',
      given: [
        ...everywhere(iamUser('bob'), 't3.micro'),
        ...everywhere(assumedRole('ci'), 't3.micro'),
      ],
      expect: [{ severity: 'medium' }, { severity: 'low' }],
    },
    {
      name: 'fires medium when an instance launches GPU instances',
      given: [run(assumedRole('web', 'i-0123456789abcdef0'), 'g4dn.xlarge')],
      expect: [{ severity: 'medium', reason: /session of an instance/ }],
    },
    {
      name: 'stays quiet on daily launches, on mistakes, and on Auto Scaling',
      given: [
        run(iamUser('bob'), 't3.micro'),
        run(iamUser('bob'), 'm5.4xlarge', 'us-east-1'),
        run(iamUser('carol'), 'p3.2xlarge', 'us-east-1', {
          error: ['Client.InvalidParameterValue', 'does not match the architecture'],
        }),
        ...everywhere({ ...iamUser('x'), invokedBy: 'autoscaling.amazonaws.com' }, 'p3.16xlarge'),
        ...everywhere(assumedRole('AWSServiceRoleForAutoScaling', 'AutoScaling'), 'p3.16xlarge'),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        run(iamUser('bob'), 5),
        run({}, null, 'eu-west-1', { request: null }),
        run(iamUser('bob'), {}, 'us-east-1', { with: { awsRegion: null } }),
      ],
      expect: [],
    },
  ],
};
