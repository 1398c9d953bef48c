// A network as Terraform makes it: groups, routes, an access list, flow logs.
import type { RawRecord } from '../../support/records.ts';
import type { Caller, Diary } from './diary.ts';

/** Makes a VPC and what belongs to it. */
export function network(day: Diary, by: Caller): void {
  for (const [name, port] of [
    ['storefront-lb', 443],
    ['storefront-app', 8080],
    ['orders-db', 5432],
  ] as const) {
    const groupId = `sg-0${port}aaaabbbbcccc`;
    day.call(by, 'ec2', 'CreateSecurityGroup', {
      request: { groupName: name, groupDescription: 'Managed by Terraform', vpcId: 'vpc-0a1b' },
      response: { requestId: 'r', groupId, _return: true },
    });
    const range = name === 'storefront-lb' ? '0.0.0.0/0' : '10.20.0.0/16';
    day.call(by, 'ec2', 'AuthorizeSecurityGroupIngress', {
      request: { groupId, ipPermissions: { items: [permission(port, range)] } },
      response: { requestId: 'r', _return: true },
    });
    day.call(by, 'ec2', 'RevokeSecurityGroupEgress', {
      request: { groupId, ipPermissions: { items: [permission(-1, '0.0.0.0/0')] } },
    });
    day.call(by, 'ec2', 'AuthorizeSecurityGroupEgress', {
      request: { groupId, ipPermissions: { items: [permission(-1, '0.0.0.0/0')] } },
    });
  }
  day.call(by, 'ec2', 'CreateVpc', {
    request: { cidrBlock: '10.20.0.0/16', instanceTenancy: 'default' },
    response: { vpc: { vpcId: 'vpc-0a1b', state: 'pending' } },
  });
  for (const zone of ['a', 'b', 'c']) {
    day.call(by, 'ec2', 'CreateSubnet', {
      request: {
        vpcId: 'vpc-0a1b',
        cidrBlock: '10.20.1.0/24',
        availabilityZone: `eu-central-1${zone}`,
      },
    });
  }
  day.lines(by, [
    ['ec2', 'CreateInternetGateway', {}],
    ['ec2', 'AttachInternetGateway', { internetGatewayId: 'igw-0a', vpcId: 'vpc-0a1b' }],
    ['ec2', 'CreateRouteTable', { vpcId: 'vpc-0a1b' }],
    ['ec2', 'CreateRoute', route],
    ['ec2', 'AssociateRouteTable', { routeTableId: 'rtb-0a', subnetId: 'subnet-0a' }],
    ['ec2', 'CreateNetworkAcl', { vpcId: 'vpc-0a1b' }],
    ['ec2', 'CreateNetworkAclEntry', aclEntry],
    ['ec2', 'CreateVpcEndpoint', endpoint],
  ]);
  day.call(by, 'ec2', 'CreateFlowLogs', {
    request: {
      CreateFlowLogsRequest: {
        ResourceId: { tag: 1, content: 'vpc-0a1b' },
        ResourceType: 'VPC',
        TrafficType: 'ALL',
        LogDestinationType: 's3',
        LogDestination: 'arn:aws:s3:::example-org-flow-logs',
      },
    },
    response: { CreateFlowLogsResponse: { flowLogIdSet: { item: 'fl-0a' }, unsuccessful: '' } },
  });
}

const route = {
  routeTableId: 'rtb-0a',
  destinationCidrBlock: '0.0.0.0/0',
  gatewayId: 'igw-0a',
};
const aclEntry = {
  networkAclId: 'acl-0a',
  ruleNumber: 100,
  egress: false,
  ruleAction: 'allow',
  aclProtocol: '6',
  cidrBlock: '0.0.0.0/0',
  portRange: { from: 443, to: 443 },
};
const endpoint = {
  CreateVpcEndpointRequest: { VpcId: 'vpc-0a1b', ServiceName: `com.amazonaws.eu-central-1.s3` },
};

/** A range of ports open to a network, as EC2 writes it. */
function permission(port: number, cidrIp: string): RawRecord {
  const ports = port < 0 ? {} : { fromPort: port, toPort: port };
  return {
    ipProtocol: port < 0 ? '-1' : 'tcp',
    ...ports,
    groups: {},
    ipRanges: { items: [{ cidrIp, description: 'Managed by Terraform' }] },
    ipv6Ranges: {},
    prefixListIds: {},
  };
}
