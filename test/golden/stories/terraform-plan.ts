// What a Terraform plan reads: the state of everything it manages, one call after the other.
import { account } from '../../support/records.ts';
import type { Line } from './diary.ts';

const roles = ['web-server', 'order-worker', 'storefront-task', 'image-resizer', 'flow-logs'];
const buckets = ['artifacts', 'catalogue', 'web-server', 'order-worker', 'flow-logs', 'invoices'];
const functions = ['order-worker', 'image-resizer', 'mailer'];
const keys = ['orders', 'invoices', 'logs'].map(
  (one) => `arn:aws:kms:eu-central-1:${account}:key/${one}`,
);

const secrets = Array.from({ length: 18 }, (_, i) => `shop/service-${i}/db`);
const parameters = Array.from({ length: 30 }, (_, i) => `/shop/service-${i}/url`);

const policyArn = `arn:aws:iam::${account}:policy/read-catalogue`;

const ofBucket = [
  'GetBucketAcl',
  'GetBucketVersioning',
  'GetBucketPolicy',
  'GetBucketPolicyStatus',
  'GetBucketEncryption',
  'GetBucketLifecycle',
  'GetBucketLogging',
  'GetBucketTagging',
  'GetBucketCors',
  'GetBucketWebsite',
  'GetAccelerateConfiguration',
  'GetBucketRequestPayment',
  'GetBucketReplication',
  'GetBucketObjectLockConfiguration',
  'GetBucketPublicAccessBlock',
];

/** The calls of one plan, some two hundred. */
export const planLines: readonly Line[] = [
  ['sts', 'GetCallerIdentity'],
  ['ec2', 'DescribeAccountAttributes', { accountAttributeNameSet: {}, filterSet: {} }],
  ['ec2', 'DescribeVpcs', { vpcSet: { items: [{ vpcId: 'vpc-0a1b' }] }, filterSet: {} }],
  ['ec2', 'DescribeVpcAttribute', { vpcId: 'vpc-0a1b', attribute: 'enableDnsSupport' }],
  ['ec2', 'DescribeSubnets', { subnetSet: {}, filterSet: {} }],
  ['ec2', 'DescribeRouteTables', { routeTableIdSet: {}, filterSet: {} }],
  ['ec2', 'DescribeNetworkAcls', { networkAclIdSet: {}, filterSet: {} }],
  ['ec2', 'DescribeSecurityGroups', { securityGroupSet: {}, filterSet: {} }],
  ['ec2', 'DescribeSecurityGroupRules', { maxResults: 1000, securityGroupRuleIdSet: {} }],
  ['ec2', 'DescribeFlowLogs', { DescribeFlowLogsRequest: { FlowLogId: { content: 'fl-0a' } } }],
  ['ec2', 'DescribeLaunchTemplates', { DescribeLaunchTemplatesRequest: { MaxResults: 100 } }],
  ['ec2', 'DescribeLaunchTemplateVersions', { DescribeLaunchTemplateVersionsRequest: {} }],
  ['ec2', 'DescribeInstances', { instancesSet: { items: [{ instanceId: 'i-0a' }] } }],
  ['ec2', 'DescribeInstanceAttribute', { instanceId: 'i-0a', attribute: 'userData' }],
  ['ec2', 'DescribeInstanceAttribute', { instanceId: 'i-0b', attribute: 'userData' }],
  ['autoscaling', 'DescribeAutoScalingGroups', { autoScalingGroupNames: ['web-server'] }],
  ['cloudtrail', 'DescribeTrails', { trailNameList: ['organization'] }],
  ['cloudtrail', 'GetTrailStatus', { name: 'organization' }],
  ['cloudtrail', 'GetEventSelectors', { trailName: 'organization' }],
  ['guardduty', 'GetDetector', { detectorId: '0a' }],
  ['config', 'DescribeConfigurationRecorders', {}],
  ['monitoring', 'DescribeAlarms', { alarmNames: ['storefront-5xx'] }],
  ['events', 'DescribeRule', { name: 'nightly-report' }],
  ['events', 'ListTargetsByRule', { rule: 'nightly-report' }],
  ['rds', 'DescribeDBInstances', { dBInstanceIdentifier: 'orders' }],
  ['iam', 'ListOpenIDConnectProviders'],
  ['iam', 'GetAccountPasswordPolicy'],
  ...roles.flatMap((roleName): Line[] => [
    ['iam', 'GetRole', { roleName }],
    ['iam', 'ListRolePolicies', { roleName }],
    ['iam', 'GetRolePolicy', { roleName, policyName: 'own-data' }],
    ['iam', 'ListAttachedRolePolicies', { roleName }],
    ['iam', 'ListInstanceProfilesForRole', { roleName }],
  ]),
  ['iam', 'GetPolicy', { policyArn }],
  ['iam', 'GetPolicyVersion', { policyArn, versionId: 'v2' }],
  ...buckets.flatMap((bucket): Line[] =>
    ofBucket.map((name) => ['s3', name, { bucketName: `example-org-${bucket}` }]),
  ),
  // The state holds the value of each secret, so every plan reads them all.
  ...secrets.flatMap((secretId): Line[] => [
    ['secretsmanager', 'DescribeSecret', { secretId }],
    ['secretsmanager', 'GetResourcePolicy', { secretId }],
    ['secretsmanager', 'GetSecretValue', { secretId }],
  ]),
  ...parameters.map((name): Line => ['ssm', 'GetParameter', { name, withDecryption: true }]),
  ...functions.flatMap((functionName): Line[] => [
    ['lambda', 'GetFunction20150331v2', { functionName }],
    ['lambda', 'ListVersionsByFunction20150331', { functionName }],
    ['lambda', 'GetFunctionCodeSigningConfig', { functionName }],
    ['lambda', 'GetPolicy20150331v2', { functionName }],
    ['logs', 'DescribeLogGroups', { logGroupNamePrefix: `/aws/lambda/${functionName}` }],
  ]),
  ...keys.flatMap((keyId): Line[] => [
    ['kms', 'DescribeKey', { keyId }],
    ['kms', 'GetKeyPolicy', { keyId, policyName: 'default' }],
    ['kms', 'GetKeyRotationStatus', { keyId }],
    ['kms', 'ListResourceTags', { keyId }],
  ]),
];
