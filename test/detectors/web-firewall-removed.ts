// Cases of web-firewall-removed.
import type { DetectorCases } from '../support/cases.ts';
import {
  account,
  apiCall,
  assumedRole,
  awsService,
  type RawRecord,
  refusal,
} from '../support/records.ts';

const balancer = `arn:aws:elasticloadbalancing:eu-central-1:${account}:loadbalancer/app/shop/0a1b`;
const other = balancer.replace('shop', 'blog');

function waf(name: string, request: unknown, at?: string, by = assumedRole('dev')): RawRecord {
  return apiCall({ source: 'wafv2', name, request, by, ...(at === undefined ? {} : { at }) });
}

const off = waf('DisassociateWebACL', { resourceArn: balancer });

export const cases: DetectorCases = {
  detector: 'web-firewall-removed',
  cases: [
    {
      name: 'fires when the firewall is taken off a load balancer',
      given: [off],
      expect: [{ severity: 'medium', title: /^Role dev took the web firewall off arn:.*shop/ }],
    },
    {
      name: 'fires when all rules are taken and the rest is let through',
      given: [
        waf('UpdateWebACL', { name: 'edge', rules: [], defaultAction: { allow: {} } }),
        waf('UpdateWebACL', { name: 'shut', rules: [], defaultAction: { block: {} } }),
        waf('UpdateWebACL', { name: 'full', rules: [{}], defaultAction: { allow: {} } }),
      ],
      expect: [{ severity: 'medium', title: /took all rules from the web ACL edge/ }],
    },
    {
      name: 'tells several of one hour together, at the severity of the gravest',
      given: [off, waf('DeleteWebACL', { name: 'edge', id: 'x' })],
      expect: [{ severity: 'medium', title: /weakened web firewalls in 2 calls/, reason: /edge/ }],
    },
    {
      name: 'is info when it is put back, also in the next hour',
      given: [off, waf('AssociateWebACL', { resourceArn: balancer }, '2026-03-04T11:01:00Z')],
      expect: [{ severity: 'info', reason: /in place again/ }],
    },
    {
      name: 'is not appeased by one put on something else',
      given: [off, waf('AssociateWebACL', { resourceArn: other })],
      expect: [{ severity: 'medium' }],
    },
    {
      name: 'is info when a deployment tears down the load balancer with it',
      given: [
        off,
        apiCall({
          source: 'elasticloadbalancing',
          name: 'DeleteLoadBalancer',
          by: assumedRole('dev'),
          at: '2026-03-04T10:03:00Z',
          request: { loadBalancerArn: balancer },
        }),
      ],
      expect: [{ severity: 'info', reason: /tore down/ }],
    },
    {
      name: 'is not appeased by a teardown of somebody else, or one that failed',
      given: [
        off,
        apiCall({ source: 'elasticloadbalancing', name: 'DeleteLoadBalancer' }),
        apiCall({
          source: 'elasticloadbalancing',
          name: 'DeleteLoadBalancer',
          by: assumedRole('dev'),
          error: ['OperationNotPermitted', 'deletion protection'],
        }),
      ],
      expect: [{ severity: 'medium' }],
    },
    {
      name: 'tells a refused attempt as low',
      given: [
        apiCall({
          source: 'wafv2',
          name: 'DisassociateWebACL',
          request: { resourceArn: balancer },
          error: refusal('alice', 'wafv2:DisassociateWebACL', balancer),
        }),
      ],
      expect: [{ severity: 'low', title: /tried to take the web firewall off/ }],
    },
    {
      // Modelled on the wafv2 record that CloudTrail's guide to AWS WAF shows: a web ACL deleted.
      name: 'is low when a web ACL that is attached to nothing is deleted',
      given: [
        {
          eventVersion: '1.05',
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAEXAMPLEEXAMPLE000:carol',
            arn: `arn:aws:sts::${account}:assumed-role/Admin/carol`,
            accountId: account,
            accessKeyId: 'ASIAEXAMPLEEXAMPLE00',
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                principalId: 'AROAEXAMPLEEXAMPLE000',
                arn: `arn:aws:iam::${account}:role/Admin`,
                accountId: account,
                userName: 'Admin',
              },
              attributes: { creationDate: '2026-03-04T09:00:00Z', mfaAuthenticated: 'false' },
            },
          },
          eventTime: '2026-03-04T10:00:00Z',
          eventSource: 'wafv2.amazonaws.com',
          eventName: 'DeleteWebACL',
          awsRegion: 'us-west-2',
          sourceIPAddress: '198.51.100.7',
          userAgent: 'console.amazonaws.com',
          requestParameters: { name: 'foo', scope: 'REGIONAL', id: 'x', lockToken: 'y' },
          responseElements: null,
          requestID: '0f0e0d0c-0000-4000-8000-000000000001',
          eventID: '0f0e0d0c-0000-4000-8000-000000000002',
          eventType: 'AwsApiCall',
          apiVersion: '2019-04-23',
          recipientAccountId: account,
        },
      ],
      expect: [{ severity: 'low', title: /^Role Admin deleted the web ACL foo$/ }],
    },
    {
      name: 'stays quiet when AWS does it, and does not break on odd requests',
      given: [
        waf('DisassociateWebACL', { resourceArn: balancer }, undefined, awsService('fms')),
        waf('UpdateWebACL', null),
        waf('UpdateWebACL', { rules: 'none' }),
        waf('AssociateWebACL', { resourceArn: 7 }),
      ],
      expect: [],
    },
  ],
};
