// Flow logs, DNS query logs and access logs were removed.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { isByHand } from '../src/core/instances.ts';
import { attack, cis } from '../src/core/telling.ts';
import { callsOf, type Watched, watched } from '../src/core/watched.ts';

const meta: DetectorMeta = {
  id: 'network-or-access-logs-removed',
  title: 'Flow, DNS or access logs removed',
  severity: 'medium',
  practice: 'monitoring',
  what: 'Flow logs of a VPC, DNS query logs, access logs of a bucket, load balancer or web ACL, control plane logs of a cluster or the activity stream of a database were switched off.',
  why: 'These show who reached what over the network. They are missed only when an incident has to be told.',
  innocent: [
    'A VPC or cluster taken down with its logs.',
    'Logs moved: new ones are made in the same hour.',
  ],
  firstSteps: [
    'See whether new logs took their place (DescribeFlowLogs, GetBucketLogging); if not, switch them on.',
    'Look at what the actor did around it: traffic to hide, data read, instances started.',
  ],
  attack: attack({ 'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs' }),
  cis: [...cis('3.0.0', '3.7', '3.4'), ...cis('5.0.0', '3.7', '3.4')],
  gaps: ['Logs that end because the role or bucket behind them is gone are not seen here.'],
};

const traffic = 'Traffic is no longer recorded from here on.';
const ec2: Readonly<Record<string, Watched>> = {
  DeleteFlowLogs: {
    did: 'deleted flow logs',
    todo: 'delete flow logs',
    names: [
      'requestParameters.DeleteFlowLogsRequest.FlowLogId.content',
      'requestParameters.flowLogIds',
    ],
    severity: 'medium',
    why: traffic,
    // A tool takes a VPC down together with its logs; a person or a user's key that does so is asked.
    weigh: (event) =>
      event.principal.kind === 'role' && !isByHand(event)
        ? { severity: 'low', why: `${traffic} The role of a tool did it.` }
        : undefined,
  },
};

const dns: Readonly<Record<string, Watched>> = {
  DeleteResolverQueryLogConfig: {
    did: 'deleted DNS query log',
    todo: 'delete DNS query log',
    names: ['requestParameters.resolverQueryLogConfigId'],
    severity: 'medium',
    why: 'DNS queries, where exfiltration shows, are no longer recorded.',
  },
  DisassociateResolverQueryLogConfig: {
    did: 'cut a VPC off from DNS query log',
    todo: 'cut a VPC off from DNS query log',
    names: ['requestParameters.resolverQueryLogConfigId'],
    severity: 'medium',
    why: 'DNS queries of this VPC are no longer recorded.',
  },
};

const s3: Readonly<Record<string, Watched>> = {
  PutBucketLogging: {
    did: 'switched off access logs of bucket',
    todo: 'switch off access logs of bucket',
    names: ['requestParameters.bucketName'],
    severity: 'low',
    why: 'Who reads its objects is no longer written to its log bucket.',
    weigh: (event) => {
      const status = event.field('requestParameters.BucketLoggingStatus');
      const isOn = JSON.stringify(status ?? '').includes('LoggingEnabled');
      return isOn ? 'access logs are switched on' : undefined;
    },
  },
};

const waf: Readonly<Record<string, Watched>> = {
  DeleteLoggingConfiguration: {
    did: 'switched off logs of web ACL',
    todo: 'switch off logs of web ACL',
    names: ['requestParameters.resourceArn'],
    severity: 'medium',
    why: 'Requests to the application are no longer recorded.',
  },
};

const eks: Readonly<Record<string, Watched>> = {
  UpdateClusterConfig: {
    did: 'switched off control plane logs of cluster',
    todo: 'switch off control plane logs of cluster',
    names: ['requestParameters.name'],
    severity: 'medium',
    why: 'Calls to the Kubernetes API are no longer recorded.',
    weigh: (event) => (isLoggingOff(event) ? undefined : 'no log of the cluster is switched off'),
  },
};

const rds: Readonly<Record<string, Watched>> = {
  StopActivityStream: {
    did: 'stopped the activity stream of database',
    todo: 'stop the activity stream of database',
    names: ['requestParameters.resourceArn'],
    severity: 'medium',
    why: 'What is asked of the database is no longer recorded.',
  },
};

const balancer: Readonly<Record<string, Watched>> = {
  ModifyLoadBalancerAttributes: {
    did: 'switched off access logs of load balancer',
    todo: 'switch off access logs of load balancer',
    names: ['requestParameters.loadBalancerArn', 'requestParameters.loadBalancerName'],
    severity: 'low',
    why: 'Requests that pass it are no longer recorded.',
    weigh: (event) => {
      const text = JSON.stringify(event.field('requestParameters') ?? '');
      const isOff = /access_logs\.s3\.enabled","value":"?false|"accessLog":\{"enabled":false/i;
      return isOff.test(text) ? undefined : 'access logs are left as they are';
    },
  },
};

function isLoggingOff(event: Event): boolean {
  const logging = event.field('requestParameters.logging.clusterLogging');
  const list: unknown[] = Array.isArray(logging) ? logging : [];
  return list.some(
    (one) =>
      typeof one === 'object' &&
      one !== null &&
      'enabled' in one &&
      (one.enabled === false || one.enabled === 'false'),
  );
}

const tables: Readonly<Record<string, Readonly<Record<string, Watched>>>> = {
  'ec2.amazonaws.com': ec2,
  'route53resolver.amazonaws.com': dns,
  's3.amazonaws.com': s3,
  'wafv2.amazonaws.com': waf,
  'eks.amazonaws.com': eks,
  'rds.amazonaws.com': rds,
  'elasticloadbalancing.amazonaws.com': balancer,
};

const config = z.strictObject({});

export default stateless<z.infer<typeof config>>({
  meta,
  on: Object.entries(tables).flatMap(([source, table]) => callsOf(source, table)),
  config,
  detect: (event) => watched(event, tables[event.source] ?? {}),
});
