// Cases of admin-port-opened-to-world.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall, assumedRole, iamUser, type RawRecord } from '../support/records.ts';

function ingress(permission: RawRecord, more: RawRecord = {}): RawRecord {
  return apiCall({
    source: 'ec2',
    name: 'AuthorizeSecurityGroupIngress',
    by: iamUser('bob'),
    request: {
      groupId: 'sg-0a1b2c3d4e5f60718',
      ipPermissions: {
        items: [{ ipProtocol: 'tcp', groups: {}, prefixListIds: {}, ...permission }],
      },
    },
    with: more,
  });
}

const world = { ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] }, ipv6Ranges: {} };
const world6 = { ipRanges: {}, ipv6Ranges: { items: [{ cidrIpv6: '::/0' }] } };

export const cases: DetectorCases = {
  detector: 'admin-port-opened-to-world',
  cases: [
    {
      name: 'fires when SSH is opened to every address',
      given: [ingress({ fromPort: 22, toPort: 22, ...world })],
      expect: [{ severity: 'medium', title: /^IAM user bob opened SSH \(port 22\) to the world/ }],
    },
    {
      name: 'fires for IPv6 and for a range that holds the port',
      given: [ingress({ fromPort: 3000, toPort: 4000, ...world6 })],
      expect: [{ severity: 'medium', title: /ports 3000 to 4000/ }],
    },
    {
      name: 'fires when all protocols are opened',
      given: [ingress({ ipProtocol: '-1', ...world })],
      expect: [{ severity: 'medium', title: /all ports/ }],
    },
    {
      // Modelled on stratus-detonations-2024 9fd68588-ecbf-4528-a345-199fa6bb0821
      name: 'fires for the old form, whatever address stands before a prefix of none',
      given: [
        apiCall({
          source: 'ec2',
          name: 'AuthorizeSecurityGroupIngress',
          by: iamUser('bob'),
          request: {
            cidrIp: '198.51.100.7/0',
            fromPort: 22,
            groupId: 'sg-0a1b2c3d4e5f60718',
            ipPermissions: {},
            ipProtocol: 'tcp',
            toPort: 22,
          },
          response: { _return: true },
        }),
      ],
      expect: [{ severity: 'medium', reason: /198\.51\.100\.7\/0/ }],
    },
    {
      name: 'fires when a rule is changed so',
      given: [
        apiCall({
          source: 'ec2',
          name: 'ModifySecurityGroupRules',
          by: assumedRole('deploy'),
          request: {
            ModifySecurityGroupRulesRequest: {
              GroupId: 'sg-0a1b2c3d4e5f60718',
              SecurityGroupRule: {
                SecurityGroupRuleId: 'sgr-0a1b2c3d4e5f60718',
                SecurityGroupRule: {
                  IpProtocol: 'tcp',
                  FromPort: 3389,
                  ToPort: 3389,
                  CidrIpv4: '0.0.0.0/0',
                },
                tag: 1,
              },
            },
          },
        }),
      ],
      expect: [{ severity: 'medium', title: /RDP .* security group sg-0a1b2c3d4e5f60718/ }],
    },
    {
      name: 'is low when the call was refused',
      given: [
        ingress(
          { fromPort: 22, toPort: 22, ...world },
          { errorCode: 'Client.UnauthorizedOperation', errorMessage: 'You are not authorized' },
        ),
      ],
      expect: [{ severity: 'low', title: /tried to open/ }],
    },
    {
      name: 'stays quiet on a web port and on an inner network',
      given: [
        ingress({ fromPort: 443, toPort: 443, ...world }),
        ingress({ fromPort: 22, toPort: 22, ipRanges: { items: [{ cidrIp: '10.0.0.0/8' }] } }),
        ingress({ ipProtocol: 'icmp', fromPort: -1, toPort: -1, ...world }),
      ],
      expect: [],
    },
    {
      name: 'stays quiet when fields are missing or odd',
      given: [
        ingress({ ipRanges: 'odd' }),
        apiCall({ source: 'ec2', name: 'AuthorizeSecurityGroupIngress' }),
        apiCall({ source: 'ec2', name: 'ModifySecurityGroupRules', request: [] }),
      ],
      expect: [],
    },
  ],
};
