// An ordinary Terraform day: a pipeline's role plans, applies and tears down a test stack; a second team
// deploys with the key of a CI user.
import { account, iamUser, type RawRecord } from '../../support/records.ts';
import { type Caller, type Diary, diary, opened, roleArn, sessionOf } from './diary.ts';
import { identities, narrowGrants } from './terraform-identities.ts';
import { network } from './terraform-network.ts';
import { planLines } from './terraform-plan.ts';
import { destroy } from './terraform-teardown.ts';
import { compute, storage, watching } from './terraform-workloads.ts';

const agent =
  'APN/1.0 HashiCorp/1.0 Terraform/1.14.1 (+https://www.terraform.io) terraform-provider-aws/6.22.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.40.0 ua/2.1 os/linux lang/go#1.24.10 md/GOOS#linux md/GOARCH#amd64';

/** Gives the day's records, in the order of their times. */
export function terraformDay(): RawRecord[] {
  const day = diary('2026-03-04');
  day.at('08:40');
  day.lines(runner(day, '203.0.113.150'), planLines);
  day.at('09:05');
  const deploy = runner(day, '198.51.100.77');
  day.lines(deploy, planLines);
  network(day, deploy);
  identities(day, deploy);
  narrowGrants(day, deploy);
  storage(day, deploy);
  compute(day, deploy);
  watching(day, deploy);
  day.at('11:20');
  day.lines(runner(day, '192.0.2.61'), planLines);
  day.at('13:30');
  byUser(day);
  day.at('15:45');
  const test = runner(day, '198.51.100.12');
  day.lines(test, planLines);
  destroy(day, test);
  return day.records;
}

/** A GitHub runner, each from another address, takes the deploy role; gives its session. */
function runner(day: Diary, address: string): Caller {
  const from = day.now();
  const identity = sessionOf('terraform-deploy', 'GitHubActions', from);
  const provider = `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`;
  const subject = 'repo:example-org/infrastructure:environment:production';
  const by = {
    type: 'WebIdentityUser',
    principalId: `${provider}:sts.amazonaws.com:${subject}`,
    userName: subject,
    identityProvider: provider,
  };
  day.call({ identity: by, address, agent }, 'sts', 'AssumeRoleWithWebIdentity', {
    request: {
      roleArn: roleArn('terraform-deploy'),
      roleSessionName: 'GitHubActions',
      durationSeconds: 3600,
    },
    response: {
      ...opened(identity, 'Mar 4, 2026, 4:45:00 PM'),
      subjectFromWebIdentityToken: subject,
      provider,
      audience: 'sts.amazonaws.com',
    },
  });
  return { identity, address, agent };
}

/** The shop's team deploys from its old build server, with the long-term key of a CI user. */
function byUser(day: Diary): void {
  const by = { identity: iamUser('ci-shop'), address: '198.51.100.20', agent };
  day.call(by, 'sts', 'GetCallerIdentity');
  day.lines(by, [
    ['s3', 'ListBuckets', { Host: 's3.eu-central-1.amazonaws.com' }],
    ['ecr', 'GetAuthorizationToken', {}],
    ['ecr', 'InitiateLayerUpload', { repositoryName: 'storefront' }],
    ['ecr', 'CompleteLayerUpload', { repositoryName: 'storefront', layerDigests: ['sha256:0a'] }],
    ['ecr', 'PutImage', { repositoryName: 'storefront', imageTag: '2026.03.04' }],
  ]);
  const taskDefinition = `arn:aws:ecs:eu-central-1:${account}:task-definition/storefront:120`;
  day.lines(by, [
    ['ecs', 'DescribeTaskDefinition', { taskDefinition: 'storefront' }],
    [
      'ecs',
      'RegisterTaskDefinition',
      { family: 'storefront', executionRoleArn: roleArn('storefront-task'), cpu: '512' },
    ],
    ['ecs', 'UpdateService', { cluster: 'shop', service: 'storefront', taskDefinition }],
  ]);
  for (let i = 0; i < 20; i++) {
    day.lines(by, [['ecs', 'DescribeServices', { cluster: 'shop', services: ['storefront'] }]]);
  }
  for (const functionName of ['order-worker', 'image-resizer', 'mailer']) {
    day.call(by, 'lambda', 'UpdateFunctionCode20150331v2', {
      request: { functionName, publish: true, dryRun: false, s3Bucket: 'example-org-artifacts' },
      response: { functionName, version: '41', lastUpdateStatus: 'InProgress' },
    });
    day.lines(by, [['lambda', 'GetFunctionConfiguration20150331v2', { functionName }]]);
  }
}
