// AWS-managed policies of note. AWS keeps the content; what the name stands for is written here.
import type { Finding } from './finding.ts';

type Row = readonly [name: string, severity: Finding['severity'], what: string];

const rows: readonly Row[] = [
  ['AdministratorAccess', 'critical', 'allows every action on every resource'],
  ['IAMFullAccess', 'critical', 'allows administration of IAM: the holder is administrator'],
  ['job-function/SystemAdministrator', 'high', 'allows PassRole and control of most services'],
  [
    'job-function/DatabaseAdministrator',
    'medium',
    'allows control of databases and PassRole to them',
  ],
  ['job-function/NetworkAdministrator', 'medium', 'allows control of the network'],
  ['job-function/Billing', 'low', 'allows the billing data and payment methods to be changed'],
  ['PowerUserAccess', 'high', 'allows every action of every service but IAM and Organizations'],
  ['AdministratorAccess-Amplify', 'high', 'allows broad control, IAM roles included'],
  ['AdministratorAccess-AWSElasticBeanstalk', 'high', 'allows broad control, PassRole included'],
  ['AmazonS3FullAccess', 'medium', 'allows every action on every bucket'],
  ['AmazonEC2FullAccess', 'medium', 'allows every action on every instance and network'],
  ['AmazonRDSFullAccess', 'medium', 'allows every action on every database'],
  ['AmazonDynamoDBFullAccess', 'medium', 'allows every action on every table'],
  [
    'AWSLambda_FullAccess',
    'high',
    'allows PassRole to Lambda: holder can run code with any role that trusts Lambda',
  ],
  [
    'AWSLambdaFullAccess',
    'high',
    'allows PassRole to Lambda: holder can run code with any role that trusts Lambda',
  ],
  [
    'AWSCloudFormationFullAccess',
    'medium',
    'allows every stack to be changed with the role it has',
  ],
  ['AWSCodeBuildAdminAccess', 'medium', 'allows every build project to run with the role it has'],
  ['AWSGlueConsoleFullAccess', 'medium', 'allows Glue jobs to run with the roles of Glue'],
  ['AmazonSageMakerFullAccess', 'high', 'allows PassRole to SageMaker and its notebooks'],
  [
    'AmazonSSMFullAccess',
    'high',
    'allows commands on every managed instance: holder can take their roles',
  ],
  ['AmazonECS_FullAccess', 'medium', 'allows tasks to run with the roles of ECS'],
  ['SecretsManagerReadWrite', 'high', 'allows reading and changing every secret'],
  ['AWSKeyManagementServicePowerUser', 'medium', 'allows keys to be made and aliased'],
  ['AWSOrganizationsFullAccess', 'high', 'allows every action on the organisation'],
  [
    'AWSSSOMasterAccountAdministrator',
    'critical',
    'allows Identity Center to be administered in the organisation',
  ],
  ['AWSSSOMemberAccountAdministrator', 'critical', 'allows Identity Center to be administered'],
  [
    'AWSSSODirectoryAdministrator',
    'high',
    'allows the users and groups of Identity Center to be changed',
  ],
  ['AWSCloudTrail_FullAccess', 'high', 'allows the audit log to be stopped'],
  ['AWSCloudTrailFullAccess', 'high', 'allows the audit log to be stopped'],
  ['AmazonGuardDutyFullAccess', 'medium', 'allows GuardDuty to be switched off'],
  ['AWSConfigUserAccess', 'low', 'allows reading the configuration history'],
  ['IAMUserChangePassword', 'info', 'allows a user to change its own password'],
  ['IAMReadOnlyAccess', 'low', 'allows reading all of IAM'],
  ['ReadOnlyAccess', 'low', 'allows reading nearly everything, data of many services included'],
  ['job-function/ViewOnlyAccess', 'info', 'allows seeing what exists'],
  ['SecurityAudit', 'info', 'allows reading the security configuration'],
  ['AWSDenyAll', 'info', 'denies everything'],
];

const notable = new Map(rows.map(([name, severity, what]) => [name, { severity, what }] as const));

const quarantines =
  /^(AWSCompromisedKeyQuarantine(V\d+)?|AWSExposedCredentialPolicy_DO_NOT_REMOVE)$/;

/** What an ARN of a policy says about whose it is. */
export interface PolicyArn {
  readonly isAwsManaged: boolean;
  /** With its path, without `service-role/`; `job-function/Billing`. */
  readonly name: string;
}

/** Takes a policy ARN of any partition; gives whose policy it is, undefined for anything else. */
export function policyArn(arn: string): PolicyArn | undefined {
  const match = /^arn:[^:]+:iam::([^:]*):policy\/(.+)$/.exec(arn);
  if (match === null) return undefined;
  const [, owner = '', name = ''] = match;
  return {
    isAwsManaged: owner === 'aws',
    name: name.replace(/^(service-role|aws-service-role)\//, ''),
  };
}

/** Takes a policy ARN; gives what an AWS-managed policy of note makes possible, else undefined. */
export function managedPolicy(arn: string): Finding | undefined {
  const policy = policyArn(arn);
  if (policy === undefined || !policy.isAwsManaged || isQuarantine(arn)) return undefined;
  return notable.get(policy.name);
}

/**
 * Takes a policy ARN; gives whether it is a policy AWS attaches to a user whose access key it found
 * in public. Only the AWS-managed ones count: a name alone can be given to any policy.
 */
export function isQuarantine(arn: string): boolean {
  const policy = policyArn(arn);
  return policy?.isAwsManaged === true && quarantines.test(policy.name);
}
