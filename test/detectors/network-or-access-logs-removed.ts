// Cases of network-or-access-logs-removed.
import type { DetectorCases } from '../support/cases.ts';
import { apiCall } from '../support/records.ts';

export const cases: DetectorCases = {
  detector: 'network-or-access-logs-removed',
  cases: [
    {
      // Modelled on stratus-detonations-2024, defense-evasion.vpc-remove-flow-logs.
      name: 'fires when flow logs are deleted, with the id as EC2 writes it',
      given: [
        apiCall({
          source: 'ec2',
          name: 'DeleteFlowLogs',
          request: { DeleteFlowLogsRequest: { FlowLogId: { tag: 1, content: 'fl-0abc' } } },
        }),
      ],
      expect: [{ severity: 'medium', title: /deleted flow logs fl-0abc/ }],
    },
    {
      // Modelled on stratus-detonations-2024, defense-evasion.dns-delete-logs.
      name: 'fires when DNS query logs go',
      given: [
        apiCall({
          source: 'route53resolver',
          name: 'DeleteResolverQueryLogConfig',
          request: { resolverQueryLogConfigId: 'rqlc-1' },
        }),
      ],
      expect: [{ severity: 'medium', title: /DNS query log rqlc-1/ }],
    },
    {
      name: 'fires when a cluster, a database or a bucket stops telling',
      given: [
        apiCall({
          source: 'eks',
          name: 'UpdateClusterConfig',
          request: {
            name: 'main',
            logging: { clusterLogging: [{ types: ['audit'], enabled: false }] },
          },
        }),
        apiCall({ source: 'rds', name: 'StopActivityStream' }),
        apiCall({
          source: 's3',
          name: 'PutBucketLogging',
          request: { bucketName: 'files', BucketLoggingStatus: {} },
        }),
      ],
      expect: [
        { severity: 'medium', title: /cluster main/ },
        { severity: 'medium', title: /activity stream/ },
        { severity: 'low', title: /bucket files/ },
      ],
    },
    {
      name: 'stays quiet when logs are switched on or left alone, and without fields',
      given: [
        apiCall({
          source: 's3',
          name: 'PutBucketLogging',
          request: {
            bucketName: 'files',
            BucketLoggingStatus: { LoggingEnabled: { TargetBucket: 'logs' } },
          },
        }),
        apiCall({ source: 'eks', name: 'UpdateClusterConfig' }),
        apiCall({ source: 'elasticloadbalancing', name: 'ModifyLoadBalancerAttributes' }),
      ],
      expect: [],
    },
  ],
};
