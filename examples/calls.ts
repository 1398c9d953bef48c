// Which calls the workloads, tools and console pages of the sample make, as tables: service, name,
// request. What a caller does is one of these lists; when, the other modules decide.
import { type Caller, type Json, type JsonObject, resource } from './event.ts';
import { home } from './organisation.ts';
import type { Log } from './sessions.ts';

/** One line of a table; ACCOUNT in a request becomes the account that is asked. */
export type Line = readonly [service: string, name: string, request?: JsonObject];

/** What a scanner of the inventory asks of an account. */
export const inventory: readonly Line[] = [
  ['ec2', 'DescribeInstances', { maxResults: 1000, instancesSet: {}, filterSet: {} }],
  ['ec2', 'DescribeSecurityGroups', { maxResults: 1000, securityGroupSet: {}, filterSet: {} }],
  ['ec2', 'DescribeVolumes', { maxResults: 500, volumeSet: {}, filterSet: {} }],
  ['ec2', 'DescribeSubnets', { subnetSet: {}, filterSet: {} }],
  ['ec2', 'DescribeNetworkInterfaces', { networkInterfaceIdSet: {}, filterSet: {} }],
  ['ec2', 'DescribeFlowLogs', { DescribeFlowLogsRequest: '' }],
  ['rds', 'DescribeDBInstances', { maxRecords: 100 }],
  ['rds', 'DescribeDBSnapshots', { includeShared: false, includePublic: false, maxRecords: 100 }],
  ['lambda', 'ListFunctions20150331', { maxItems: 50 }],
  ['ecs', 'ListClusters', { maxResults: 100 }],
  ['eks', 'ListClusters', { maxResults: '100' }],
  ['elasticloadbalancing', 'DescribeLoadBalancers', { pageSize: 400 }],
  ['elasticache', 'DescribeCacheClusters', { showCacheNodeInfo: true }],
  ['s3', 'ListBuckets', { Host: `s3.${home}.amazonaws.com` }],
  ['kms', 'ListKeys', { limit: 100 }],
  ['secretsmanager', 'ListSecrets', { maxResults: 100 }],
  ['monitoring', 'DescribeAlarms', { alarmTypes: ['MetricAlarm'], maxRecords: 100 }],
  ['logs', 'DescribeLogGroups', { limit: 50 }],
  ['sns', 'ListTopics'],
  ['sqs', 'ListQueues', { maxResults: 1000 }],
  ['dynamodb', 'ListTables', { limit: 100 }],
  ['cloudtrail', 'DescribeTrails', { trailNameList: [], includeShadowTrails: true }],
  ['guardduty', 'ListDetectors', {}],
  ['config', 'DescribeConfigurationRecorders'],
  ['ecr', 'DescribeRepositories', { maxResults: 100 }],
  ['acm', 'ListCertificates', { maxItems: 100 }],
  ['dms', 'DescribeReplicationInstances', { maxRecords: 100 }],
  ['elasticbeanstalk', 'DescribeApplications'],
  ['kendra-ranking', 'ListRescoreExecutionPlans', { maxResults: 100 }],
];
/** What it asks once for an account, of services without Regions. */
export const globalInventory: readonly Line[] = [
  ['iam', 'ListUsers', { maxItems: 1000 }],
  ['iam', 'ListRoles', { maxItems: 1000 }],
  ['iam', 'ListPolicies', { scope: 'Local', onlyAttached: false, maxItems: 1000 }],
  ['iam', 'GetAccountSummary'],
  ['iam', 'ListVirtualMFADevices', { maxItems: 100 }],
  ['iam', 'GetAccountPasswordPolicy'],
  ['iam', 'GenerateCredentialReport'],
  ['iam', 'ListOpenIDConnectProviders'],
  ['cloudfront', 'ListDistributions', { maxItems: '100' }],
  ['route53', 'ListHostedZones', { maxitems: 100 }],
];
/** What AWS Config records, through its service-linked role. */
export const configuration: readonly Line[] = [
  ['ec2', 'DescribeInstances', { instancesSet: {}, filterSet: {} }],
  ['ec2', 'DescribeSecurityGroups', { securityGroupSet: {}, filterSet: {} }],
  ['ec2', 'DescribeRouteTables', { routeTableIdSet: {}, filterSet: {} }],
  ['rds', 'DescribeDBInstances', { maxRecords: 100 }],
  ['autoscaling', 'DescribeAutoScalingGroups', { maxRecords: 100 }],
  ['elasticloadbalancing', 'DescribeTargetGroups', { pageSize: 400 }],
  ['lambda', 'ListFunctions20150331'],
  ['dynamodb', 'DescribeTable', { tableName: 'orders' }],
  ['kms', 'ListAliases', { limit: 100 }],
  ['monitoring', 'DescribeAlarms', { maxRecords: 100 }],
  ['ecs', 'ListTaskDefinitions', { maxResults: 100 }],
  ['sns', 'ListTopics'],
];
/** What a person looks at on the pages of the console. */
export const pages: readonly Line[] = [
  ['ec2', 'DescribeInstances', { maxResults: 100, instancesSet: {}, filterSet: {} }],
  ['ec2', 'DescribeInstanceStatus', { includeAllInstances: true, instancesSet: {}, filterSet: {} }],
  ['ec2', 'DescribeAccountAttributes', { accountAttributeNameSet: {}, filterSet: {} }],
  ['ec2', 'DescribeRegions', { regionSet: {} }],
  ['monitoring', 'DescribeAlarms', { maxRecords: 100, stateValue: 'ALARM' }],
  ['monitoring', 'ListDashboards', {}],
  ['logs', 'DescribeLogGroups', { limit: 50, includeLinkedAccounts: false }],
  ['logs', 'StartQuery', { logGroupNames: ['/aws/lambda/order-worker'], limit: 1000 }],
  ['lambda', 'ListFunctions20150331', { maxItems: 50 }],
  ['lambda', 'GetFunction20150331v2', { functionName: 'order-worker' }],
  ['ecs', 'ListClusters', { maxResults: 100 }],
  ['ecs', 'DescribeServices', { cluster: 'shop', services: ['storefront'] }],
  ['cloudformation', 'ListStacks', { stackStatusFilter: ['CREATE_COMPLETE', 'UPDATE_COMPLETE'] }],
  ['rds', 'DescribeDBInstances', { maxRecords: 100 }],
  ['sqs', 'ListQueues', {}],
  ['resource-explorer-2', 'ListIndexes', { type: 'AGGREGATOR' }],
  ['notifications', 'ListNotificationHubs'],
  ['health', 'DescribeEventAggregates', { aggregateField: 'eventTypeCategory' }],
];
/** What somebody looks at who wants to know an account. */
export const accountPages: readonly Line[] = [
  ['iam', 'GetAccountSummary'],
  ['iam', 'ListAccountAliases'],
  ['iam', 'ListUsers', { maxItems: 1000 }],
  ['iam', 'ListAccessKeys'],
  ['iam', 'ListMFADevices'],
  ['ce', 'GetCostAndUsage', { granularity: 'MONTHLY', metrics: ['UnblendedCost'] }],
  ['s3', 'ListBuckets', { Host: `s3.${home}.amazonaws.com` }],
  ['ec2', 'DescribeInstances', { maxResults: 100, instancesSet: {}, filterSet: {} }],
];

/** Where and for whom the lines of a table are called. */
export interface Place {
  readonly time: number;
  readonly account: string;
  readonly region: string;
  readonly by: Caller;
  /** Seconds over which the calls are spread. */
  readonly over: number;
}

/** Writes the lines of a table in order, spread over the time; gives the ids. */
export function addLines(log: Log, lines: readonly Line[], place: Place): string[] {
  const { account, region, by, time, over } = place;
  return lines.map(([service, name, request], index) => {
    const moment = time + Math.floor((over * index) / Math.max(1, lines.length));
    const call = {
      time: moment,
      account,
      region,
      service,
      name,
      by,
      request: filled(request, account),
    };
    const isChanging = /^(StartQuery|Generate)/.test(name);
    return log.add(isChanging ? { ...call, response: answers(log, name) } : call);
  });
}

/** Writes a denied call in the form of its service; gives the id. */
export function addDenied(log: Log, line: Line, place: Place, on: string): string {
  const [service, name] = line;
  const { account, region, by, time } = place;
  const action = `${service}:${name.replace(/\d{8}(v\d+)?$/, '')}`;
  const arn = String(by.identity['arn']);
  const why = `because no identity-based policy allows the ${action} action`;
  const says = `User: ${arn} is not authorized to perform: ${action} on resource: ${on} ${why}`;
  const error =
    service === 'ec2'
      ? {
          code: 'Client.UnauthorizedOperation',
          message: `You are not authorized to perform this operation. ${says}. ${encoded(log)}`,
        }
      : { code: service === 'iam' ? 'AccessDenied' : 'AccessDeniedException', message: says };
  const request = service === 'ec2' ? (line[2] ?? null) : null;
  return log.add({ time, account, region, service, name, by, error, request });
}

/** Takes account, Region and the key's id; gives the `resources` of a KMS call. */
export function keyResource(account: string, region: string, keyId: string): JsonObject {
  return resource(account, 'AWS::KMS::Key', `arn:aws:kms:${region}:${account}:key/${keyId}`);
}

function filled(request: JsonObject | undefined, account: string): Json {
  const text = JSON.stringify(request ?? null);
  const whole: Json = JSON.parse(text.replaceAll('ACCOUNT', account));
  return whole;
}

function encoded(log: Log): string {
  const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789_-';
  return `Encoded authorization failure message: ${log.random.text(64, letters)}`;
}

function answers(log: Log, name: string): JsonObject {
  if (name === 'StartQuery') return { queryId: log.random.uuid() };
  return { state: 'STARTED' };
}
