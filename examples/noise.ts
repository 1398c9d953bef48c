// What AWS writes down by itself, some of it in the name of root. None of it may raise an alert.
import { keyResource } from './calls.ts';
import type { Caller } from './event.ts';
import { instances, keys } from './machines.ts';
import { development, global, home, production, rootIdentity } from './organisation.ts';
import { type Log, serviceCaller } from './sessions.ts';

/** Root in the record without anybody being root: AWS acts in the name of an account. */
export function rootNoise(log: Log, times: readonly number[]): string[] {
  const [first = 0, second = 0, third = 0] = times;
  const host = (name: string): Omit<Caller, 'identity'> => {
    return { address: `${name}.amazonaws.com`, agent: `${name}.amazonaws.com`, way: 'service' };
  };
  const forRoot = (name: string, account: string): Caller => {
    const identity = rootIdentity(account, { invokedBy: `${name}.amazonaws.com` });
    return { ...host(name), identity };
  };
  const one = `i-0${log.random.hex(16)}`;
  const tags = [{ key: 'aws:autoscaling:groupName', value: 'web-server' }];
  const request = { resourcesSet: { items: [{ resourceId: one }] }, tagSet: { items: tags } };
  const at = { account: production, region: home };
  return [
    log.add({
      ...at,
      time: first,
      service: 'ec2',
      name: 'CreateTags',
      by: forRoot('autoscaling', production),
      request,
      response: { requestId: log.random.uuid(), _return: true },
    }),
    log.add({
      ...at,
      time: second,
      service: 'ec2',
      name: 'DescribeReservedInstances',
      by: forRoot('support', production),
      request: { reservedInstancesSet: {}, filterSet: {} },
    }),
    log.add({
      account: development,
      region: global,
      time: third,
      service: 'support',
      name: 'RefreshTrustedAdvisorCheck',
      by: forRoot('support', development),
      type: 'AwsServiceEvent',
      details: { checkId: 'Qch7DwouX1', status: 'enqueued' },
    }),
  ];
}

/** What services note down without anybody calling. */
export function serviceEvents(log: Log, time: number): void {
  const keyId = keys[production] ?? '';
  const internal = { address: 'AWS Internal', agent: 'AWS Internal', way: 'service' } as const;
  const at = {
    account: production,
    region: home,
    type: 'AwsServiceEvent',
    readOnly: false,
  } as const;
  log.add({
    ...at,
    time,
    service: 'kms',
    name: 'RotateKey',
    by: { ...internal, identity: { accountId: production, invokedBy: 'AWS Internal' } },
    resources: [keyResource(production, home, keyId)],
    details: { rotationType: 'AUTOMATIC', keyOrigin: 'AWS_KMS', keyId },
  });
  const spot = { accountId: production, invokedBy: 'ec2.amazonaws.com' };
  log.add({
    ...at,
    time: time + 50,
    service: 'ec2',
    name: 'BidEvictedEvent',
    by: { ...serviceCaller('ec2'), identity: spot },
    details: { instanceIdSet: [instances[production]?.[3] ?? ''] },
  });
}
