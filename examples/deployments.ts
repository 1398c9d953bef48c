// Terraform in CI: a GitHub job takes a role, reads what stands, and applies reviewed changes,
// among them the narrow policy changes of any working week.
import { addLines, type Line } from './calls.ts';
import { type Caller, type JsonObject, resource, spokenTime } from './event.ts';
import {
  global,
  home,
  management,
  role,
  roleArn,
  roleId,
  trailBucket,
  trailName,
  uniqueId,
} from './organisation.ts';
import { assumeFromGitHub, type Log } from './sessions.ts';

const agent =
  'APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) ' +
  'terraform-provider-aws/6.18.0 ' +
  'aws-sdk-go-v2/1.39.4 ua/2.1 os/linux lang/go#1.24.9 md/GOOS#linux md/GOARCH#amd64';

/** A job of CI that runs Terraform. */
export interface Job {
  readonly by: Caller;
  readonly account: string;
  readonly time: number;
}

/** A GitHub runner takes the deploy role of an account and plans; gives the job. */
export function plan(log: Log, account: string, time: number): Job {
  const by = assumeFromGitHub(log, {
    time,
    region: home,
    role: role(account, 'terraform-deploy'),
    name: 'GitHubActions',
    address: `198.51.100.${log.random.whole(200, 239)}`,
    repository: 'example-org/infrastructure',
    agent,
  });
  const some = log.random.shuffled(regionalState).slice(0, log.random.whole(12, 17));
  const shared: Line = ['sts', 'GetCallerIdentity'];
  const place = { time: time + 4, account, region: home, by, over: 40 };
  addLines(log, [shared, ...some], place);
  addLines(log, log.random.shuffled(iamState).slice(0, 10), { ...place, region: global });
  return { by, account, time };
}

/** What a Terraform plan reads of IAM. */
const iamState: readonly Line[] = [
  ['iam', 'GetRole', { roleName: 'web-server' }],
  ['iam', 'ListRolePolicies', { roleName: 'web-server' }],
  ['iam', 'GetRolePolicy', { roleName: 'web-server', policyName: 'read-own-parameters' }],
  ['iam', 'ListAttachedRolePolicies', { roleName: 'web-server' }],
  ['iam', 'GetRole', { roleName: 'order-worker-execution' }],
  ['iam', 'ListRolePolicies', { roleName: 'order-worker-execution' }],
  ['iam', 'ListAttachedRolePolicies', { roleName: 'order-worker-execution' }],
  ['iam', 'GetRole', { roleName: 'storefront-task-execution' }],
  ['iam', 'ListAttachedRolePolicies', { roleName: 'storefront-task-execution' }],
  ['iam', 'GetInstanceProfile', { instanceProfileName: 'web-server' }],
  ['iam', 'ListInstanceProfilesForRole', { roleName: 'web-server' }],
  ['iam', 'ListOpenIDConnectProviders'],
];
/** What it reads of everything else. */
const regionalState: readonly Line[] = [
  ['ec2', 'DescribeVpcs', { vpcSet: {}, filterSet: {} }],
  ['ec2', 'DescribeSubnets', { subnetSet: {}, filterSet: {} }],
  ['ec2', 'DescribeRouteTables', { routeTableIdSet: {}, filterSet: {} }],
  ['ec2', 'DescribeSecurityGroups', { securityGroupSet: {}, filterSet: {} }],
  ['ec2', 'DescribeSecurityGroupRules', { maxResults: 1000, securityGroupRuleIdSet: {} }],
  ['ec2', 'DescribeLaunchTemplates', { DescribeLaunchTemplatesRequest: { MaxResults: 100 } }],
  ['autoscaling', 'DescribeAutoScalingGroups', { autoScalingGroupNames: ['web-server'] }],
  ['ecs', 'DescribeClusters', { clusters: ['shop'], include: ['SETTINGS', 'TAGS'] }],
  ['ecs', 'DescribeServices', { cluster: 'shop', services: ['storefront'], include: ['TAGS'] }],
  ['ecs', 'DescribeTaskDefinition', { taskDefinition: 'storefront:118', include: ['TAGS'] }],
  ['lambda', 'GetFunction20150331v2', { functionName: 'order-worker' }],
  ['lambda', 'GetFunction20150331v2', { functionName: 'image-resizer' }],
  ['lambda', 'GetPolicy20150331v2', { functionName: 'image-resizer' }],
  ['logs', 'DescribeLogGroups', { logGroupNamePrefix: '/ecs/storefront' }],
  [
    'logs',
    'ListTagsForResource',
    { resourceArn: `arn:aws:logs:${home}:ACCOUNT:log-group:/ecs/storefront` },
  ],
  ['rds', 'DescribeDBInstances', { dBInstanceIdentifier: 'orders' }],
  ['kms', 'ListAliases', { limit: 100 }],
  ['dynamodb', 'DescribeTable', { tableName: 'orders' }],
  [
    'sqs',
    'GetQueueAttributes',
    { attributeNames: ['All'], queueUrl: `https://sqs.${home}.amazonaws.com/ACCOUNT/orders` },
  ],
  ['elasticloadbalancing', 'DescribeLoadBalancers', { names: ['storefront'] }],
  ['elasticloadbalancing', 'DescribeTargetGroups', { names: ['storefront'] }],
];

/** The usual content of a release: a new version of the service, nothing of IAM. */
export function release(log: Log, { by, account, time }: Job): void {
  const call = { account, region: home, by };
  const digest = `sha256:${log.random.hex(64)}`;
  const image = `${account}.dkr.ecr.${home}.amazonaws.com/storefront@${digest}`;
  const taskDefinition = `arn:aws:ecs:${home}:${account}:task-definition/storefront:119`;
  const family = 'storefront';
  log.add({
    ...call,
    time: time + 60,
    service: 'ecs',
    name: 'RegisterTaskDefinition',
    request: {
      family,
      containerDefinitions: [{ name: 'web', image, essential: true, environment: [] }],
      executionRoleArn: roleArn(role(account, 'storefront-task-execution')),
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '512',
      memory: '1024',
    },
    response: { taskDefinition: { taskDefinitionArn: taskDefinition, family, status: 'ACTIVE' } },
  });
  log.add({
    ...call,
    time: time + 63,
    service: 'ecs',
    name: 'UpdateService',
    request: { cluster: 'shop', service: 'storefront', taskDefinition },
    response: { service: { serviceName: 'storefront', status: 'ACTIVE', taskDefinition } },
  });
}

/** A role for a new function or instance, with the trust and the policy it needs; gives the ids. */
export function newRole(
  log: Log,
  { by, account, time }: Job,
  name: string,
  service: 'ec2' | 'lambda',
): string[] {
  const made = role(account, name);
  const call = { account, region: global, service: 'iam', by };
  const assumeRolePolicyDocument = trustOf({ Service: `${service}.amazonaws.com` });
  const created = log.add({
    ...call,
    time: time + 50,
    name: 'CreateRole',
    request: {
      roleName: name,
      assumeRolePolicyDocument,
      description: '',
      path: '/',
      maxSessionDuration: 3600,
      tags: [{ key: 'managed-by', value: 'terraform' }],
    },
    response: {
      role: {
        path: '/',
        roleName: name,
        roleId: roleId(made),
        arn: roleArn(made),
        createDate: spokenTime(time + 50),
        assumeRolePolicyDocument: encodeURIComponent(assumeRolePolicyDocument),
        tags: [{ key: 'managed-by', value: 'terraform' }],
      },
    },
  });
  const logs = `arn:aws:logs:${home}:${account}:log-group:/aws/lambda/${name}:*`;
  const document = allowing(['logs:CreateLogStream', 'logs:PutLogEvents'], [logs]);
  const job = { by, account, time: time + 2 };
  return [created, putRolePolicy(log, job, name, 'write-own-logs', document)];
}

/** An inline policy on a role, as narrow as its document; gives the id. */
export function putRolePolicy(
  log: Log,
  { by, account, time }: Job,
  roleName: string,
  policyName: string,
  policyDocument: string,
): string {
  return log.add({
    time: time + 52,
    account,
    region: global,
    service: 'iam',
    name: 'PutRolePolicy',
    by,
    request: { roleName, policyName, policyDocument },
  });
}

/** A customer-managed policy is written; gives the id. */
export function createPolicy(log: Log, { by, account, time }: Job, of: NamedPolicy): string {
  return log.add({
    time: time + 54,
    account,
    region: global,
    service: 'iam',
    name: 'CreatePolicy',
    by,
    request: {
      policyName: of.name,
      policyDocument: of.document,
      path: '/',
      description: of.about,
      tags: [{ key: 'managed-by', value: 'terraform' }],
    },
    response: {
      policy: {
        policyName: of.name,
        policyId: uniqueId('ANPA', account, of.name),
        arn: `arn:aws:iam::${account}:policy/${of.name}`,
        path: '/',
        defaultVersionId: 'v1',
        attachmentCount: 0,
        permissionsBoundaryUsageCount: 0,
        isAttachable: true,
        description: of.about,
        createDate: spokenTime(time + 54),
        updateDate: spokenTime(time + 54),
        tags: [{ key: 'managed-by', value: 'terraform' }],
      },
    },
  });
}

/** A policy with its name, content and purpose. */
export interface NamedPolicy {
  readonly name: string;
  readonly document: string;
  readonly about: string;
}

/** A customer-managed policy is attached to a role or a user; gives the id. */
export function attach(
  log: Log,
  { by, account, time }: Job,
  to: { readonly role: string } | { readonly user: string },
  policyName: string,
): string {
  const policyArn = `arn:aws:iam::${account}:policy/${policyName}`;
  const isRole = 'role' in to;
  return log.add({
    time: time + 57,
    account,
    region: global,
    service: 'iam',
    name: isRole ? 'AttachRolePolicy' : 'AttachUserPolicy',
    by,
    request: isRole ? { roleName: to.role, policyArn } : { userName: to.user, policyArn },
  });
}

/** Log file validation of the organisation's trail is turned on, from which digests follow. */
export function turnOnValidation(log: Log, { by, time }: Job): void {
  const trail = `arn:aws:cloudtrail:${home}:${management}:trail/${trailName}`;
  const answer: JsonObject = {
    name: trailName,
    s3BucketName: trailBucket,
    includeGlobalServiceEvents: true,
    isMultiRegionTrail: true,
    trailARN: trail,
    logFileValidationEnabled: true,
    isOrganizationTrail: true,
  };
  log.add({
    time: time + 50,
    account: management,
    region: home,
    service: 'cloudtrail',
    name: 'UpdateTrail',
    by,
    request: { name: trail, enableLogFileValidation: true },
    response: answer,
    resources: [resource(management, 'AWS::CloudTrail::Trail', trail)],
  });
}

/** Takes actions and resources; gives a policy document that allows them. */
export function allowing(actions: readonly string[], resources: readonly string[]): string {
  const statement = { Effect: 'Allow', Action: actions, Resource: resources };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}

/** Takes a principal; gives a trust policy that lets it take the role. */
export function trustOf(principal: JsonObject): string {
  const statement = { Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}

/** The policy the developers' sandbox begins with; story 2 replaces it. */
export function sandboxPolicy(): NamedPolicy {
  const bucket = 'arn:aws:s3:::example-org-dev-sandbox';
  const document = allowing(['s3:GetObject', 's3:ListBucket'], [bucket, `${bucket}/*`]);
  return { name: 'developer-sandbox', document, about: 'What a developer may do in the sandbox' };
}
