// A stack torn down as Terraform does it: what protects a thing goes in a call of its own before the thing.
import { account } from '../../support/records.ts';
import type { Caller, Diary } from './diary.ts';

/** A test stack is torn down: everything that carries its name goes. */
export function destroy(day: Diary, by: Caller): void {
  const name = 'review-482';
  const roleName = `${name}-task`;
  const bucketName = `example-org-${name}`;
  const policyArn = `arn:aws:iam::${account}:policy/${name}`;
  day.lines(by, [
    ['monitoring', 'DeleteAlarms', { alarmNames: [`${name}-5xx`, `${name}-latency`] }],
    ['events', 'RemoveTargets', { rule: `${name}-nightly`, ids: ['1'] }],
    ['events', 'DeleteRule', { name: `${name}-nightly` }],
    ['lambda', 'DeleteFunction20150331', { functionName: `${name}-worker` }],
    ['ecs', 'DeleteService', { cluster: 'review', service: name, force: true }],
    ['elasticloadbalancing', 'DeleteLoadBalancer', { loadBalancerArn: `arn:${name}` }],
    ['logs', 'DeleteLogGroup', { logGroupName: `/aws/lambda/${name}-worker` }],
    ['logs', 'DeleteLogGroup', { logGroupName: `/ecs/${name}` }],
    ['iam', 'DetachRolePolicy', { roleName, policyArn }],
    ['iam', 'DeleteRolePolicy', { roleName, policyName: 'own-data' }],
    ['iam', 'DeletePolicy', { policyArn }],
    ['iam', 'RemoveRoleFromInstanceProfile', { instanceProfileName: name, roleName }],
    ['iam', 'DeleteInstanceProfile', { instanceProfileName: name }],
    ['iam', 'DeleteRole', { roleName }],
    ['s3', 'DeleteBucketPolicy', { bucketName, policy: '' }],
    ['s3', 'DeleteBucketPublicAccessBlock', { bucketName, publicAccessBlock: '' }],
    ['s3', 'DeleteBucketOwnershipControls', { bucketName, ownershipControls: '' }],
    ['s3', 'DeleteBucketLifecycle', { bucketName, lifecycle: '' }],
    ['s3', 'PutBucketVersioning', { bucketName, VersioningConfiguration: { Status: 'Suspended' } }],
    ['s3', 'DeleteBucket', { bucketName }],
    ['secretsmanager', 'DeleteSecret', { secretId: `${name}/db`, recoveryWindowInDays: 7 }],
    ['kms', 'ScheduleKeyDeletion', { keyId: keyArn(name), pendingWindowInDays: 30 }],
    ['kms', 'DeleteAlias', { aliasName: `alias/${name}` }],
    ['rds', 'DeleteDBInstance', { dBInstanceIdentifier: name, skipFinalSnapshot: true }],
    ['ec2', 'RevokeSecurityGroupIngress', { groupId: 'sg-0482', ipPermissions: {} }],
    ['ec2', 'DeleteSecurityGroup', { groupId: 'sg-0482' }],
    ['ec2', 'DeleteSubnet', { subnetId: 'subnet-0482' }],
    ['ec2', 'DeleteFlowLogs', flowLogs],
    ['ec2', 'DeleteVpc', { vpcId: 'vpc-0482' }],
  ]);
}

// Flow logs go with the network that they tell of.
const flowLogs = { DeleteFlowLogsRequest: { FlowLogId: { tag: 1, content: 'fl-0482' } } };

function keyArn(name: string): string {
  return `arn:aws:kms:eu-central-1:${account}:key/${name}`;
}
