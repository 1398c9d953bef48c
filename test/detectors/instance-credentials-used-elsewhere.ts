// Cases of instance-credentials-used-elsewhere.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, type RawRecord, stranger } from '../support/records.ts';

const web = assumedRole('web', 'i-0123456789abcdef0');
const onLinux = 'Boto3/1.35.1 md/Botocore#1.35.1 ua/2.0 os/linux#6.1.0 lang/python#3.12.6';
const onMac = '[aws-cli/1.18.136 Python/3.8.5 Darwin/19.5.0 botocore/1.17.59]';

function used(from: string, name: string, more: RawRecord = {}, by: RawRecord = web): RawRecord {
  const [source = '', call = ''] = name.split(':');
  const at = from.startsWith('192.') ? '2026-03-04T10:00:00Z' : '2026-03-04T11:00:00Z';
  const more2 = { sourceIPAddress: from, userAgent: onLinux, ...more };
  return apiCall({ source, name: call, by, at, with: more2 });
}

const atHome = used('192.0.2.10', 's3:ListBuckets');

export const cases: DetectorCases = {
  detector: 'instance-credentials-used-elsewhere',
  cases: [
    {
      // Modelled on otrf-cloud-breach-s3-2020 19d32cc1-edab-4b96-9a11-2cd7794b2527: aws-cli on Darwin.
      name: 'fires high when a second network looks around with another program',
      given: [
        used('192.0.2.10', 'sqs:ListQueues'),
        used('203.0.113.7', 'sts:GetCallerIdentity', { userAgent: onMac }),
        used('203.0.113.7', 's3:ListBuckets', { userAgent: onMac }),
        used('203.0.113.7', 'iam:ListUsers', { userAgent: onMac }),
      ],
      expect: [
        {
          severity: 'high',
          title: /^Credentials of instance i-0123456789abcdef0 \(role web\) .* from 2 networks$/,
          reason: /looked around: iam:ListUsers.*Its program was new: aws-cli darwin/,
        },
      ],
    },
    {
      name: 'fires high when the second network changes IAM, whatever the program',
      given: [atHome, used('203.0.113.7', 'iam:CreateUser')],
      expect: [{ severity: 'high', reason: /changed IAM: iam:CreateUser/ }],
    },
    {
      name: 'fires medium when another program uses the key from a second network',
      given: [atHome, used('203.0.113.7', 'sqs:ListQueues', { userAgent: onMac })],
      expect: [{ severity: 'medium' }],
    },
    {
      name: 'stays low for two ways out of one network: the same program, the same calls',
      given: [atHome, used('203.0.113.7', 's3:ListBuckets')],
      expect: [{ severity: 'low' }],
    },
    {
      name: 'is lower where an Elastic IP moved that day, whoever moved it',
      given: [
        atHome,
        used('203.0.113.7', 'sqs:ListQueues', { userAgent: onMac }),
        apiCall({
          source: 'ec2',
          name: 'AssociateAddress',
          by: assumedRole('deploy'),
          request: { instanceId: 'i-0123456789abcdef0', allocationId: 'eipalloc-1' },
          response: { _return: true },
        }),
      ],
      expect: [{ severity: 'low', title: /role web/, reason: /Elastic IP was associated/ }],
    },
    {
      name: 'fires medium for a program of a personal computer, on one network as well',
      given: [used('203.0.113.7', 's3:ListBuckets', { userAgent: onMac })],
      expect: [{ severity: 'medium', title: /were used by aws-cli darwin$/ }],
    },
    {
      name: 'stays quiet on one network, private addresses, and services that call for the role',
      given: [
        atHome,
        used('192.0.2.99', 'sqs:ListQueues'),
        used('10.1.2.3', 's3:ListBuckets'),
        used('ec2.amazonaws.com', 's3:ListBuckets'),
        used('203.0.113.7', 's3:ListBuckets', {}, { ...web, invokedBy: 'ssm.amazonaws.com' }),
      ],
      expect: [],
    },
    {
      name: 'does not compare keys of different instances, or of the next rotation',
      given: [
        atHome,
        used('203.0.113.7', 's3:ListBuckets', {}, { ...web, accessKeyId: 'ASIANEXTKEYEXAMPLE01' }),
        used('203.0.113.7', 's3:ListBuckets', {}, assumedRole('web', 'i-0fedcba9876543210')),
      ],
      expect: [],
    },
    {
      name: 'does not compare IPv6 with IPv4',
      given: [atHome, used('2001:db8::1', 's3:ListBuckets')],
      expect: [],
    },
    {
      name: 'does not break on records with fields missing or odd',
      given: [
        used('192.0.2.10', 's3:ListBuckets', { userIdentity: { type: 'AssumedRole' } }),
        used('203.0.113.7', 's3:ListBuckets', {
          userIdentity: { ...web, accessKeyId: 7, accountId: stranger },
          userAgent: null,
        }),
        apiCall({ source: 'ec2', name: 'AssociateAddress', request: null }),
      ],
      expect: [],
    },
  ],
};
