// Cases of principals-enumerated.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  awsService,
  document,
  iamUser,
  type RawRecord,
  stranger,
  trusts,
} from '../support/records.ts';

const names = ['admin', 'jenkins', 'deploy', 'terraform', 'ops', 'backup', 'audit', 'root-ops'];

interface Wrong {
  readonly of?: string;
  readonly name: string;
  readonly minute: number;
  readonly by?: RawRecord;
}

function wrong({ of = stranger, name, minute, by = iamUser('bob') }: Wrong): RawRecord {
  const arn = `arn:aws:iam::${of}:role/${name}`;
  return apiCall({
    source: 'iam',
    name: 'UpdateAssumeRolePolicy',
    by,
    at: `2026-03-04T10:${String(minute).padStart(2, '0')}:00Z`,
    request: { roleName: 'probe', policyDocument: document(trusts({ AWS: arn })) },
    error: ['MalformedPolicyDocumentException', `Invalid principal in policy: "AWS":"${arn}"`],
  });
}

export const cases: DetectorCases = {
  detector: 'principals-enumerated',
  cases: [
    {
      name: 'fires medium when eight names of a foreign account are tried in trust policies',
      given: names.map((name, minute) => wrong({ name, minute })),
      expect: [
        {
          severity: 'medium',
          title: /^IAM user bob tried 8 names of principals in policies$/,
          reason: /role\/admin.* of account 444455556666/,
        },
      ],
    },
    {
      // Modelled on the record of S3, which says MalformedPolicy and logs the policy as an object.
      name: 'fires when the message does not name the principal, from the bucket policy',
      given: names.map((name, minute) =>
        apiCall({
          source: 's3',
          name: 'PutBucketPolicy',
          by: iamUser('bob'),
          at: `2026-03-04T10:0${minute}:00Z`,
          request: {
            bucketName: 'probe',
            bucketPolicy: {
              Statement: [
                { Effect: 'Deny', Principal: { AWS: `arn:aws:iam::${stranger}:user/${name}` } },
              ],
            },
          },
          error: ['MalformedPolicy', 'Invalid principal in policy'],
        }),
      ),
      expect: [{ severity: 'medium', reason: /user\/admin/ }],
    },
    {
      name: 'is low when the names are of the own account',
      given: names.map((name, minute) => wrong({ of: account, name, minute })),
      expect: [{ severity: 'low', reason: /old names/ }],
    },
    {
      name: 'stays quiet when a tool tries the same principal again and again',
      given: Array.from({ length: 30 }, (_, minute) => wrong({ name: 'admin', minute })),
      expect: [],
    },
    {
      name: 'stays quiet on seven names, and on documents that are wrong otherwise',
      given: [
        ...names.slice(1).map((name, minute) => wrong({ name, minute })),
        apiCall({
          source: 'iam',
          name: 'UpdateAssumeRolePolicy',
          by: iamUser('bob'),
          request: {
            roleName: 'x',
            policyDocument: document(trusts({ AWS: `arn:aws:iam::${stranger}:role/eighth` })),
          },
          error: ['MalformedPolicyDocumentException', 'Has prohibited field Resource'],
        }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when AWS itself is refused',
      given: names.map((name, minute) => wrong({ name, minute, by: awsService('cloudformation') })),
      expect: [],
    },
    {
      name: 'does not break when fields are missing',
      given: [
        {
          eventSource: 'iam.amazonaws.com',
          eventName: 'UpdateAssumeRolePolicy',
          eventTime: '2026-03-04T10:00:00Z',
          errorCode: 'MalformedPolicyDocumentException',
          requestParameters: null,
        },
      ],
      expect: [],
    },
  ],
};
