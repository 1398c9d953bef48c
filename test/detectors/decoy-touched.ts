// Cases of decoy-touched.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  iamUser,
  type RawRecord,
  refusal,
  serviceLinkedRole,
} from '../support/records.ts';

const secret = `arn:aws:secretsmanager:eu-central-1:${account}:secret:prod/root-password-AbCdEf`;
const role = `arn:aws:iam::${account}:role/ops/EmergencyAdmin`;
const key = 'AKIADECOYDECOYEXAMPL';
const alice = assumedRole('Developer');

function read(request: unknown, by = alice, more: RawRecord = {}): RawRecord {
  return apiCall({ source: 'secretsmanager', name: 'GetSecretValue', by, request, with: more });
}

export const cases: DetectorCases = {
  detector: 'decoy-touched',
  config: {
    decoys: [
      secret,
      role,
      key,
      'arn:aws:s3:::example-backups',
      `arn:aws:ssm:eu-central-1:${account}:parameter/prod/db/password`,
    ],
  },
  cases: [
    {
      name: 'fires critical when a decoy secret is read by its name, without the letters added',
      given: [read({ secretId: 'prod/root-password' })],
      expect: [
        {
          severity: 'critical',
          title: /^Role Developer used the decoy arn:aws:secretsmanager/,
          reason: /secretsmanager:GetSecretValue was called from 203\.0\.113\.10\. It succeeded/,
        },
      ],
    },
    {
      name: 'fires critical when a call is signed with a decoy key',
      given: [
        apiCall({
          source: 'sts',
          name: 'GetCallerIdentity',
          by: { ...iamUser('backup'), accessKeyId: key },
        }),
      ],
      expect: [{ severity: 'critical', title: /^Somebody acted as the decoy AKIADECOY/ }],
    },
    {
      name: 'fires critical when a decoy role is assumed, even where that is refused',
      given: [
        apiCall({
          source: 'sts',
          name: 'AssumeRole',
          by: alice,
          request: { roleArn: role, roleSessionName: 'x' },
          error: refusal('x', 'sts:AssumeRole', role),
        }),
      ],
      expect: [{ severity: 'critical', reason: /was tried/ }],
    },
    {
      name: 'fires critical when a decoy parameter is read with its slash',
      given: [
        apiCall({
          source: 'ssm',
          name: 'GetParameters',
          by: alice,
          request: { names: ['/other', '/prod/db/password'], withDecryption: true },
        }),
      ],
      expect: [{ severity: 'critical' }],
    },
    {
      name: 'is medium on a change, and low on a look from outside',
      given: [
        apiCall({
          source: 'iam',
          name: 'PutRolePolicy',
          by: alice,
          request: { roleName: 'EmergencyAdmin', policyName: 'x' },
        }),
        apiCall({
          source: 's3',
          name: 'GetBucketAcl',
          by: alice,
          request: { bucketName: 'example-backups' },
        }),
      ],
      expect: [
        { severity: 'medium', title: /changed the decoy/ },
        { severity: 'low', title: /looked at the decoy arn:aws:s3:::example-backups/ },
      ],
    },
    {
      // Modelled on stratus-detonations-2024: GetSecretValue of one secret after another.
      name: 'stays quiet on other secrets, other accounts and AWS itself',
      given: [
        read({ secretId: 'stratus-red-team-retrieve-secret-0', versionStage: 'AWSCURRENT' }),
        read({ secretId: 'prod/root-password' }, alice, { recipientAccountId: '444455556666' }),
        read(
          { secretId: secret },
          serviceLinkedRole('AWSServiceRoleForConfig', 'config.amazonaws.com'),
        ),
      ],
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        read(null),
        read({ secretId: 7, names: 'x' }, {}, { resources: [null, { ARN: 3 }] }),
        read({}, {}, { resources: [{ ARN: secret }] }),
      ],
      expect: [{ severity: 'critical' }],
    },
  ],
};
