// What a Kubernetes cluster does all day: its operators fetch secrets and keep the fleet of nodes right, with
// roles taken by web identity; and a patch window of Systems Manager.
import { account, type RawRecord, serviceLinkedRole } from '../../support/records.ts';
import { type Caller, type Diary, type Line, opened, roleArn, sessionOf } from './diary.ts';

const issuer = 'oidc.eks.eu-central-1.amazonaws.com/id/0A1B2C3D4E5F60718293A4B5C6D7E8F9';

/** An hour of the cluster. */
export function clusterHour(day: Diary, hour: number): void {
  const reader = pod(day, 'external-secrets', '198.51.100.90');
  for (let i = 0; i < 40; i++) {
    day.lines(reader, [['secretsmanager', 'GetSecretValue', { secretId: `shop/service-${i}` }]]);
  }
  day.lines(reader, [
    ['ssm', 'GetParametersByPath', { path: '/shop', recursive: true, withDecryption: true }],
    ['kms', 'Decrypt', { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' }],
  ]);
  nodes(day, pod(day, 'karpenter', '198.51.100.91'), hour);
  const dns = pod(day, 'external-dns', '198.51.100.90');
  const change = { hostedZoneId: 'Z0A', changeBatch: { changes: [] } };
  day.lines(dns, [
    ['route53', 'ListHostedZones', {}],
    ['route53', 'ListResourceRecordSets', { hostedZoneId: 'Z0A' }],
    ['route53', 'ChangeResourceRecordSets', change],
  ]);
  patches(day, hour);
}

/** A pod takes its role with the token of its service account. */
function pod(day: Diary, name: string, address: string): Caller {
  const identity = sessionOf(`cluster-${name}`, `${Date.parse(day.now())}`, day.now());
  const subject = `system:serviceaccount:platform:${name}`;
  const provider = `arn:aws:iam::${account}:oidc-provider/${issuer}`;
  const agent = 'aws-sdk-go-v2/1.40.0 ua/2.1 os/linux lang/go#1.24.10 md/GOARCH#amd64';
  const by: RawRecord = {
    type: 'WebIdentityUser',
    principalId: `${provider}:sts.amazonaws.com:${subject}`,
    userName: subject,
    identityProvider: provider,
  };
  day.call({ identity: by, address, agent }, 'sts', 'AssumeRoleWithWebIdentity', {
    request: { roleArn: roleArn(`cluster-${name}`), roleSessionName: `${Date.parse(day.now())}` },
    response: {
      ...opened(identity, 'Mar 4, 2026, 11:59:00 PM'),
      subjectFromWebIdentityToken: subject,
      provider,
      audience: 'sts.amazonaws.com',
    },
  });
  return { identity, address, agent };
}

/** Karpenter brings nodes and takes them away, with profiles and templates of its own making. */
function nodes(day: Diary, by: Caller, hour: number): void {
  const instanceProfileName = `shop_${hour}`;
  const fleet = {
    CreateFleetRequest: {
      Type: 'instant',
      TargetCapacitySpecification: { DefaultTargetCapacityType: 'spot', TotalTargetCapacity: 2 },
      LaunchTemplateConfigs: { Overrides: [{ InstanceType: 'c7i.2xlarge' }] },
    },
  };
  const lines: readonly Line[] = [
    ['ec2', 'DescribeInstanceTypes', { DescribeInstanceTypesRequest: {} }],
    ['ec2', 'DescribeSpotPriceHistory', { instanceTypeSet: {} }],
    ['pricing', 'GetProducts', { serviceCode: 'AmazonEC2' }],
    ['iam', 'GetInstanceProfile', { instanceProfileName }],
    ['iam', 'CreateInstanceProfile', { instanceProfileName, path: '/' }],
    ['iam', 'AddRoleToInstanceProfile', { instanceProfileName, roleName: 'cluster-node' }],
    ['ec2', 'CreateLaunchTemplate', template],
    ['ec2', 'CreateFleet', fleet],
    ['ec2', 'CreateTags', { resourcesSet: { items: [{ resourceId: `i-0c${hour}` }] } }],
    ['ec2', 'TerminateInstances', { instancesSet: { items: [{ instanceId: `i-0b${hour}` }] } }],
    ['ec2', 'DeleteLaunchTemplate', { DeleteLaunchTemplateRequest: {} }],
    ['iam', 'RemoveRoleFromInstanceProfile', { instanceProfileName, roleName: 'cluster-node' }],
    ['iam', 'DeleteInstanceProfile', { instanceProfileName }],
  ];
  day.lines(by, lines);
}

const template = {
  CreateLaunchTemplateRequest: {
    LaunchTemplateName: 'karpenter.k8s.aws/0a1b',
    LaunchTemplateData: {
      ImageId: 'ami-0abc',
      UserData: '<sensitiveDataRemoved>',
      MetadataOptions: {
        HttpEndpoint: 'enabled',
        HttpPutResponseHopLimit: 1,
        HttpTokens: 'required',
      },
    },
  },
};

/** A maintenance window patches the fleet. */
function patches(day: Diary, hour: number): void {
  if (hour !== 3) return;
  const host = 'ssm.amazonaws.com';
  const identity = serviceLinkedRole('AWSServiceRoleForAmazonSSM', 'ssm');
  const by = { identity, address: host, agent: host };
  for (let i = 0; i < 40; i++) {
    const instanceIds = [`i-0d${i}`];
    day.lines(by, [
      [
        'ssm',
        'SendCommand',
        { documentName: 'AWS-RunPatchBaseline', instanceIds, parameters: '*' },
      ],
    ]);
  }
}

/** A job of the analysts reads objects all night; its trail holds data events. */
export function nightlyExport(day: Diary): void {
  const identity = sessionOf('nightly-export', 'export', day.now());
  const by = { identity, address: '198.51.100.90', agent: 'Boto3/1.41.5 ua/2.1 os/linux#6.12' };
  const data = { managementEvent: false, eventCategory: 'Data' };
  for (let i = 0; i < 300; i++) {
    const request = {
      bucketName: 'example-org-orders',
      Host: 'example-org-orders.s3.eu-central-1.amazonaws.com',
      key: `2026/03/03/part-${i}.parquet`,
    };
    const name = i % 10 === 9 ? 'PutObject' : 'GetObject';
    day.call(by, 's3', name, { request, with: { ...data, readOnly: name === 'GetObject' } });
  }
}
