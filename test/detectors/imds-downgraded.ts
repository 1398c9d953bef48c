// Cases of imds-downgraded.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type Call, iamUser, type RawRecord } from '../support/records.ts';

const id = 'i-0123456789abcdef0';
const deploy = assumedRole('deploy', 'ci');

function modify(options: unknown, more: Partial<Call> = {}): RawRecord {
  const request = { ModifyInstanceMetadataOptionsRequest: options };
  return apiCall({ source: 'ec2', name: 'ModifyInstanceMetadataOptions', request, ...more });
}

export const cases: DetectorCases = {
  detector: 'imds-downgraded',
  cases: [
    {
      name: 'fires medium when somebody makes tokens optional by hand',
      given: [modify({ InstanceId: id, HttpTokens: 'optional' })],
      expect: [
        {
          severity: 'medium',
          title:
            /^IAM user alice allowed metadata without a token \(IMDSv1\) on i-0123456789abcdef0$/,
        },
      ],
    },
    {
      name: 'is low for a pipeline, and for a far hop limit',
      given: [
        modify({ InstanceId: id, HttpTokens: 'optional' }, { by: deploy }),
        modify(null, { request: { instanceId: id, httpPutResponseHopLimit: 64 } }),
      ],
      expect: [{ severity: 'low' }, { severity: 'low', title: /a metadata hop limit of 64/ }],
    },
    {
      name: 'fires medium for the default of the account, low when it is left to the image',
      given: [
        apiCall({
          source: 'ec2',
          name: 'ModifyInstanceMetadataDefaults',
          request: { ModifyInstanceMetadataDefaultsRequest: { HttpTokens: 'optional' } },
        }),
        apiCall({
          source: 'ec2',
          name: 'ModifyInstanceMetadataDefaults',
          request: { ModifyInstanceMetadataDefaultsRequest: { HttpTokens: 'no-preference' } },
        }),
      ],
      expect: [{ severity: 'medium', title: /all new instances/ }, { severity: 'low' }],
    },
    {
      // Modelled on misc-tool-fixtures, a RunInstances of the console with metadataOptions.
      name: 'is no more than a note at launch',
      given: [
        apiCall({
          source: 'ec2',
          name: 'RunInstances',
          request: {
            instanceType: 't3.micro',
            metadataOptions: { httpTokens: 'optional', httpPutResponseHopLimit: '1' },
          },
          response: { instancesSet: { items: [{ instanceId: id }] } },
        }),
      ],
      expect: [{ severity: 'info', title: /on i-0123456789abcdef0$/ }],
    },
    {
      name: 'stays quiet when tokens become required, for containers, on failures, and for services',
      given: [
        modify({ InstanceId: id, HttpTokens: 'required', HttpPutResponseHopLimit: 2 }),
        modify({ InstanceId: id, HttpTokens: 'optional' }, { error: ['AccessDenied', 'no'] }),
        apiCall({
          source: 'ec2',
          name: 'RunInstances',
          by: { ...iamUser('bob'), invokedBy: 'autoscaling.amazonaws.com' },
          request: { metadataOptions: { httpTokens: 'optional' } },
        }),
      ],
      expect: [],
    },
    {
      name: 'does not break on missing or odd fields',
      given: [
        modify('x'),
        modify({ HttpTokens: 5, HttpPutResponseHopLimit: 'far' }),
        modify(null, { request: null }),
        modify({ HttpTokens: 'optional' }, { by: {} }),
      ],
      expect: [{ severity: 'low', title: /on an instance$/ }],
    },
  ],
};
