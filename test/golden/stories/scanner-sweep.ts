// A security scanner's sweep: one role with SecurityAudit reads every service of four regions from end to
// end, is refused now and then, and asks IAM everything it can.
import { account, type RawRecord, refusal, uuidOf } from '../../support/records.ts';
import { type Caller, type Diary, diary, opened, roleArn, sessionOf } from './diary.ts';

const regions = ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2', 'ap-southeast-1'];
const agent =
  'Boto3/1.41.5 md/Botocore#1.41.5 ua/2.1 os/linux#6.12 md/arch#aarch64 lang/python#3.13.9';
const users = Array.from({ length: 40 }, (_, i) => `user-${i}`);
const roles = Array.from({ length: 80 }, (_, i) => `role-${i}`);
const buckets = Array.from({ length: 50 }, (_, i) => `example-org-bucket-${i}`);

/** Gives the sweep's records, some thousands. */
export function scannerSweep(): RawRecord[] {
  const day = diary('2026-03-04');
  day.at('02:00');
  const by = scanner(day);
  iam(day, by);
  for (const bucketName of buckets) {
    for (const name of ofBucket) {
      const Host = `${bucketName}.s3.eu-central-1.amazonaws.com`;
      day.call(by, 's3', name, { request: { bucketName, Host } });
    }
  }
  for (const awsRegion of regions) region(day, by, awsRegion);
  return day.records;
}

/** The scanner's own account takes the audit role, with the external id agreed on. */
function scanner(day: Diary): Caller {
  const identity = sessionOf('security-audit', 'scanner', day.now());
  const address = '198.51.100.150';
  const by = {
    type: 'AWSAccount',
    principalId: 'AROAZ2Z3EXAMPLE:scanner',
    accountId: '444455556666',
  };
  day.call({ identity: by, address, agent }, 'sts', 'AssumeRole', {
    request: {
      roleArn: roleArn('security-audit'),
      roleSessionName: 'scanner',
      externalId: 'b5f0c0de',
      durationSeconds: 43200,
    },
    response: opened(identity, 'Mar 4, 2026, 2:00:00 PM'),
    with: { sharedEventID: uuidOf('shared', 'scanner') },
  });
  return { identity, address, agent };
}

function iam(day: Diary, by: Caller): void {
  day.call(by, 'iam', 'GenerateCredentialReport', { response: { state: 'STARTED' } });
  day.lines(by, [
    ['sts', 'GetCallerIdentity'],
    ['iam', 'GetCredentialReport'],
    ['iam', 'GetAccountSummary'],
    ['iam', 'GetAccountPasswordPolicy'],
    ['iam', 'ListAccountAliases'],
    ['iam', 'ListUsers', { maxItems: 1000 }],
    ['iam', 'ListRoles', { maxItems: 1000 }],
    ['iam', 'ListGroups', {}],
    ['iam', 'ListPolicies', { scope: 'Local', onlyAttached: true }],
    ['iam', 'ListVirtualMFADevices', { assignmentStatus: 'Any' }],
    ['iam', 'ListSAMLProviders'],
    ['iam', 'ListOpenIDConnectProviders'],
    ['iam', 'ListServerCertificates', {}],
    ['iam', 'ListInstanceProfiles', {}],
    ['organizations', 'DescribeOrganization'],
    ['account', 'GetAlternateContact', { alternateContactType: 'SECURITY' }],
  ]);
  for (const isFirst of [true, false, false]) {
    const request = { filter: [], maxItems: 500, ...(isFirst ? {} : { marker: 'AAE' }) };
    day.call(by, 'iam', 'GetAccountAuthorizationDetails', { request });
  }
  for (const userName of users) {
    for (const name of ofUser) day.call(by, 'iam', name, { request: { userName } });
  }
  for (const roleName of roles) {
    for (const name of ofRole) day.call(by, 'iam', name, { request: { roleName } });
    day.call(by, 'iam', 'SimulatePrincipalPolicy', {
      request: {
        policySourceArn: roleArn(roleName),
        actionNames: ['iam:PassRole', 'iam:CreateAccessKey', 'sts:AssumeRole'],
      },
    });
  }
}

const ofUser = [
  'ListAccessKeys',
  'ListMFADevices',
  'ListUserPolicies',
  'ListAttachedUserPolicies',
  'ListGroupsForUser',
  'GetLoginProfile',
  'ListSSHPublicKeys',
  'ListSigningCertificates',
];
const ofRole = ['GetRole', 'ListRolePolicies', 'ListAttachedRolePolicies'];
const ofBucket = [
  'GetBucketAcl',
  'GetBucketPolicy',
  'GetBucketPolicyStatus',
  'GetBucketEncryption',
  'GetBucketVersioning',
  'GetBucketLogging',
  'GetBucketPublicAccessBlock',
  'GetBucketOwnershipControls',
  'GetBucketLifecycle',
  'GetBucketReplication',
];

/** One region: lists of everything, then a look at each thing; some services refuse. */
function region(day: Diary, by: Caller, awsRegion: string): void {
  const at = { awsRegion };
  for (const [source, names] of Object.entries(services)) {
    for (const name of names.split(' ')) day.call(by, source, name, { request: {}, with: at });
  }
  for (let i = 0; i < 25; i++) {
    const instanceId = `i-0${awsRegion.length}${i}`;
    const attribute = { instanceId, attribute: 'userData' };
    day.call(by, 'ec2', 'DescribeInstanceAttribute', { request: attribute, with: at });
    const keyId = uuidOf(awsRegion, String(i));
    for (const name of ['DescribeKey', 'GetKeyPolicy', 'GetKeyRotationStatus']) {
      day.call(by, 'kms', name, { request: { keyId }, with: at });
    }
    const functionName = `function-${i}`;
    for (const name of ['GetFunction20150331v2', 'GetPolicy20150331v2']) {
      day.call(by, 'lambda', name, { request: { functionName }, with: at });
    }
    const secret = { secretId: `secret-${i}` };
    day.call(by, 'secretsmanager', 'GetResourcePolicy', { request: secret, with: at });
    const snapshot = { snapshotId: `snap-${i}`, attributeType: 'CREATE_VOLUME_PERMISSION' };
    day.call(by, 'ec2', 'DescribeSnapshotAttribute', { request: snapshot, with: at });
  }
  for (const [source, name] of refused) {
    const who = String(by.identity['arn']);
    const resource = `arn:aws:${source}:${awsRegion}:${account}:*`;
    const error = refusal(who, `${source}:${name}`, resource);
    day.call(by, source, name, { error, with: at });
  }
}

const services: Readonly<Record<string, string>> = {
  ec2:
    'DescribeRegions DescribeInstances DescribeSecurityGroups DescribeVpcs DescribeSubnets ' +
    'DescribeFlowLogs DescribeSnapshots DescribeVolumes DescribeImages DescribeNetworkAcls ' +
    'DescribeRouteTables DescribeKeyPairs DescribeAddresses DescribeVpcEndpoints ' +
    'DescribeLaunchTemplates DescribeLaunchTemplateVersions GetEbsEncryptionByDefault',
  cloudtrail: 'DescribeTrails GetTrailStatus GetEventSelectors GetInsightSelectors LookupEvents',
  config: 'DescribeConfigurationRecorders DescribeConfigurationRecorderStatus DescribeConfigRules',
  guardduty: 'ListDetectors GetDetector ListFindings GetFindings ListFilters',
  securityhub: 'GetEnabledStandards DescribeHub GetFindings',
  'access-analyzer': 'ListAnalyzers ListFindings',
  monitoring: 'DescribeAlarms',
  logs: 'DescribeLogGroups DescribeMetricFilters DescribeResourcePolicies',
  kms: 'ListKeys ListAliases',
  lambda: 'ListFunctions20150331',
  rds: 'DescribeDBInstances DescribeDBSnapshots DescribeDBClusters DescribeDBParameterGroups',
  secretsmanager: 'ListSecrets',
  ssm: 'DescribeInstanceInformation DescribeParameters ListDocuments DescribeDocumentPermission',
  sns: 'ListTopics',
  sqs: 'ListQueues',
  ecr: 'DescribeRepositories GetRepositoryPolicy',
  ecs: 'ListClusters ListTaskDefinitions DescribeTaskDefinition',
  eks: 'ListClusters',
  dynamodb: 'ListTables DescribeContinuousBackups',
  elasticloadbalancing: 'DescribeLoadBalancers DescribeListeners DescribeSSLPolicies',
  cloudformation: 'DescribeStacks ListStackSets',
  acm: 'ListCertificates',
  redshift: 'DescribeClusters DescribeLoggingStatus',
  elasticfilesystem: 'DescribeFileSystems',
  elasticache: 'DescribeCacheClusters',
  sagemaker: 'ListNotebookInstances ListModels ListEndpoints',
  bedrock: 'ListFoundationModels GetModelInvocationLoggingConfiguration ListCustomModels',
  apigateway: 'GetRestApis GetStages',
  events: 'ListRules ListEventBuses',
  backup: 'ListBackupVaults ListBackupPlans',
  organizations: 'ListPolicies ListDelegatedAdministrators',
  ses: 'ListEmailIdentities GetAccount',
  wafv2: 'ListWebACLs',
  'service-quotas': 'ListServiceQuotas',
};

const refused = [
  ['macie2', 'GetMacieSession'],
  ['inspector2', 'BatchGetAccountStatus'],
  ['shield', 'DescribeSubscription'],
  ['network-firewall', 'ListFirewalls'],
  ['directconnect', 'DescribeConnections'],
  ['appstream', 'DescribeFleets'],
  ['workspaces', 'DescribeWorkspaces'],
  ['lakeformation', 'GetDataLakeSettings'],
  ['codeartifact', 'ListDomains'],
  ['storagegateway', 'ListGateways'],
  ['datasync', 'ListTasks'],
  ['medialive', 'ListChannels'],
  ['connect', 'ListInstances'],
  ['s3', 'GetAccountPublicAccessBlock'],
  ['ssm', 'GetParameters'],
  ['glue', 'GetDataCatalogEncryptionSettings'],
] as const;
