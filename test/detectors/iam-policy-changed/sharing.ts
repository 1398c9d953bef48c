// Cases of iam-policy-changed on resource policies, sharing, permission sets and limits from above.
import type { DetectorCases } from '../../support/cases.ts';
import { account, allow, apiCall, document, stranger, trusts } from '../../support/records.ts';
import { admin } from './calls.ts';

/** What is written on a resource or decided for other accounts. */
export const sharing: DetectorCases['cases'] = [
  {
    // misc-tool-fixtures, PutBucketPolicy of example-bucket: no eventID, text under `policy`.
    name: 'is high on a bucket the world can read (fixture 19)',
    given: [
      apiCall({
        source: 's3',
        name: 'PutBucketPolicy',
        request: {
          bucketName: 'docs-example',
          bucketPolicy: {
            Version: '2012-10-17',
            Statement: {
              Effect: 'Allow',
              Principal: '*',
              Action: 's3:GetObject',
              Resource: 'arn:aws:s3:::docs-example/*',
            },
          },
          Host: 's3.amazonaws.com',
        },
      }),
    ],
    expect: [{ severity: 'high', reason: /everybody in the world do s3:GetObject/ }],
  },
  {
    name: 'is critical on a bucket the world can write',
    given: [
      apiCall({
        source: 's3',
        name: 'PutBucketPolicy',
        request: {
          bucketName: 'b',
          bucketPolicy: {
            Statement: [
              { Effect: 'Allow', Principal: { AWS: '*' }, Action: 's3:*', Resource: '*' },
            ],
          },
        },
      }),
    ],
    expect: [{ severity: 'critical' }],
  },
  {
    // cloud-custodian-cwe, 1f5ed731-4444-4a5c-4444-57f55e636789
    name: 'is low on a catalogue open to the organisation',
    given: [
      apiCall({
        source: 'glue',
        name: 'PutResourcePolicy',
        request: {
          policyInJson: document({
            ...trusts('*', { StringEquals: { 'aws:PrincipalOrgID': 'o-exampleorg' } }, 'glue:*'),
            Resource: '*',
          }),
        },
      }),
    ],
    expect: [{ severity: 'low' }],
  },
  {
    name: 'is critical on a public snapshot (fixture 20)',
    given: [
      apiCall({
        source: 'ec2',
        name: 'ModifySnapshotAttribute',
        request: {
          snapshotId: 'snap-0a',
          attributeType: 'CREATE_VOLUME_PERMISSION',
          createVolumePermission: { add: { items: [{ group: 'all' }] } },
        },
      }),
    ],
    expect: [{ severity: 'critical' }],
  },
  {
    // stratus-detonations-2024, 6897ff63-d738-445c-9e86-43e5b1f8e12f
    name: 'is high on a snapshot shared with a stranger',
    given: [
      apiCall({
        source: 'ec2',
        name: 'ModifySnapshotAttribute',
        request: {
          snapshotId: 'snap-0a',
          attributeType: 'CREATE_VOLUME_PERMISSION',
          createVolumePermission: { add: { items: [{ userId: stranger }] } },
        },
      }),
    ],
    expect: [{ severity: 'high', title: new RegExp(`snapshot snap-0a with ${stranger}`) }],
  },
  {
    name: 'is high on a function that another account may call',
    given: [
      apiCall({
        source: 'lambda',
        name: 'AddPermission20150331v2',
        request: {
          functionName: 'f',
          statementId: 's',
          action: 'lambda:InvokeFunction',
          principal: stranger,
        },
      }),
    ],
    expect: [{ severity: 'high' }],
  },
  {
    name: 'is low on a function that a service may call',
    given: [
      apiCall({
        source: 'lambda',
        name: 'AddPermission20150331v2',
        request: {
          functionName: 'f',
          action: 'lambda:InvokeFunction',
          principal: 's3.amazonaws.com',
          sourceArn: 'arn:aws:s3:::b',
        },
      }),
    ],
    expect: [{ severity: 'low' }],
  },
  {
    name:
      'stays quiet on attributes of queue and topic other than Policy, on grants ' +
      'within, on reads',
    given: [
      apiCall({
        source: 'sqs',
        name: 'SetQueueAttributes',
        request: { queueUrl: 'q', attributes: { VisibilityTimeout: '30' } },
      }),
      apiCall({
        source: 'sns',
        name: 'SetTopicAttributes',
        request: { topicArn: 't', attributeName: 'DisplayName', attributeValue: 'x' },
      }),
      apiCall({
        source: 'kms',
        name: 'CreateGrant',
        request: {
          granteePrincipal: `arn:aws:iam::${account}:role/app`,
          keyId: 'k',
          operations: ['Decrypt'],
        },
      }),
      apiCall({ source: 'iam', name: 'GetPolicy', request: { policyArn: admin } }),
      apiCall({ source: 'iam', name: 'CreateAccessKey', request: { userName: 'bob' } }),
    ],
    expect: [],
  },
  {
    name: 'is critical on a queue and a topic that everybody may use',
    given: [
      apiCall({
        source: 'sqs',
        name: 'SetQueueAttributes',
        at: '2026-03-04T10:00:00Z',
        request: {
          queueUrl: 'q',
          attributes: {
            Policy: document({ ...trusts('*', undefined, 'sqs:SendMessage'), Resource: '*' }),
          },
        },
      }),
      apiCall({
        source: 'sns',
        name: 'SetTopicAttributes',
        at: '2026-03-04T10:01:00Z',
        request: {
          topicArn: 't',
          attributeName: 'Policy',
          attributeValue: document({
            ...trusts({ AWS: '*' }, undefined, 'sns:Publish'),
            Resource: '*',
          }),
        },
      }),
    ],
    expect: [{ severity: 'critical' }, { severity: 'critical' }],
  },
  {
    // misc-tool-fixtures, d4e5f6a7
    name: 'is medium on a public access block that is half off',
    given: [
      apiCall({
        source: 's3',
        name: 'PutBucketPublicAccessBlock',
        request: {
          bucketName: 'b',
          PublicAccessBlockConfiguration: { BlockPublicAcls: false, BlockPublicPolicy: true },
        },
      }),
    ],
    expect: [{ severity: 'medium', reason: /BlockPublicAcls/ }],
  },
  {
    name: 'judges permission sets and limits of the organisation',
    given: [
      apiCall({
        source: 'sso',
        name: 'AttachManagedPolicyToPermissionSet',
        at: '2026-03-04T10:00:00Z',
        request: {
          permissionSetArn: 'arn:aws:sso:::permissionSet/ssoins-1/ps-1',
          managedPolicyArn: admin,
        },
      }),
      apiCall({
        source: 'organizations',
        name: 'UpdatePolicy',
        at: '2026-03-04T10:01:00Z',
        request: { policyId: 'p-1', content: document(allow('*')) },
      }),
    ],
    expect: [{ severity: 'critical' }, { severity: 'medium', reason: /forbids nothing/ }],
  },
];
