// A user's long-term key was used from the same address as the role of an instance.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  firstsSchema,
  inOrder,
  instanceOf,
  isNews,
  isPrivate,
  noted,
  publicAddressOf,
} from '../src/core/instances.ts';
import { listed, principalSchema } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'long-term-key-used-from-instance',
  title: 'A long-term key is used where instances are',
  severity: 'low',
  practice: 'instance-roles',
  what: 'On one day, a long-term access key of a user and the role session of an EC2 instance made calls from the same address.',
  why: 'Either the key lies on an instance, where the role makes it needless and whoever breaks in finds it; or somebody outside holds the credentials of the instance beside a key.',
  innocent: [
    'An administrator works behind the same NAT gateway or VPN as the instances.',
    'An old program on the instance that was never moved to the instance role.',
  ],
  firstSteps: [
    'See whether the address is that of an instance, a NAT gateway, or an office.',
    'If the key lies on the instance: give its rights to the instance role, then deactivate and delete the key.',
    'If the address is none of yours: deactivate the key, deny older sessions of the role by aws:TokenIssueTime, and isolate the instance.',
  ],
  attack: attack({
    'T1552.001': 'Unsecured Credentials: Credentials In Files',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [
    { framework: 'CIS AWS Foundations', version: '3.0.0', control: '1.18' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '1.17' },
  ],
  gaps: [
    'An instance without a role, or whose role was quiet that day, is not recognised.',
    'A public address may be shared by many machines.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

const stateSchema = z.object({
  users: firstsSchema,
  principals: z.record(z.string(), principalSchema),
  instances: firstsSchema,
});
type State = z.infer<typeof stateSchema>;

/** Users and instances kept of one address and day. */
const namesMax = 20;

export default folding<Config, State>({
  meta,
  on: ['key:long-term', 'session:instance'],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 8 * dayMs,
    reachMs: 0,
    key(event) {
      const place = placeOf(event);
      if (place === undefined) return 'from no address of its own';
      const isUser = event.principal.kind === 'user' && event.accessKeyId.startsWith('AKIA');
      if (!isUser && instanceOf(event) === undefined)
        return 'neither a key of a user nor an instance';
      return { key: place };
    },
    empty: () => ({ users: {}, principals: {}, instances: {} }),
  },
  isKnown(event, state) {
    const instance = instanceOf(event);
    if (instance !== undefined) {
      return !isNews(state.instances, shownOf(event, instance), event, namesMax);
    }
    return !isNews(state.users, event.principal.key, event, namesMax);
  },
  fold(event, state) {
    const instance = instanceOf(event);
    if (instance !== undefined) {
      return noted(state.instances, shownOf(event, instance), event, namesMax);
    }
    const { key } = event.principal;
    if (!noted(state.users, key, event, namesMax)) return false;
    // The principal is told as its first event names it.
    if (state.users[plain(key)] !== undefined)
      state.principals[plain(key)] = { ...event.principal };
    for (const one of Object.keys(state.principals)) {
      if (state.users[one] === undefined) delete state.principals[one];
    }
    return true;
  },
  judge: (buckets) => buckets.flatMap(judgeAddress),
});

function shownOf(event: Event, instance: string): string {
  return `${instance} (role ${event.principal.name})`;
}

/** A private address means something only beside the endpoint it came through. */
function placeOf(event: Event): string | undefined {
  const address = publicAddressOf(event);
  if (address !== undefined) return address;
  const endpoint = event.text('vpcEndpointId');
  if (event.origin.kind !== 'ip' || event.invokedBy !== '' || endpoint === undefined)
    return undefined;
  return `${plain(event.origin.text)} by ${plain(endpoint)}`;
}

function judgeAddress({ key: place, start, state }: Bucket<State>): JudgedSignal[] {
  const instances = Object.keys(state.instances).sort();
  const firstInstance = Object.values(state.instances).sort(inOrder)[0];
  if (firstInstance === undefined) return [];
  const isInside = isPrivate(place.split(' ')[0] ?? '');
  return Object.keys(state.users)
    .sort()
    .flatMap((key) => {
      const proof = state.users[key];
      const principal = state.principals[key];
      if (proof === undefined || principal === undefined) return [];
      const { arn, ...rest } = principal;
      const evidence = [proof, firstInstance].sort(inOrder);
      return [
        {
          key: `${key} ${place} ${start}`,
          time: evidence[0]?.time ?? start,
          account: rest.account,
          principal: arn === undefined ? rest : { ...rest, arn },
          evidence,
          count: evidence.length,
          limited: instances.length >= namesMax,
          severity: 'low',
          title: `The long-term key of IAM user ${principal.name} and an instance role were used from ${place}`,
          reason: `${listed(instances)} called from there on the same day. ${
            isInside
              ? 'The address is inside a VPC, so the key lies on a machine there.'
              : 'The key lies on an instance, or somebody holds both, or they share a way out.'
          }`,
          facts: { from: place, instances: listed(instances) },
        } satisfies JudgedSignal,
      ];
    });
}
