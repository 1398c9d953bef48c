// A long-term key was used from a network that it was never used from while it was watched.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import { inOrder, isNews, noted } from '../src/core/instances.ts';
import { callerNetworkOf, isOwnerNews, noteOwner, ownerOf, userKeyOf } from '../src/core/keys.ts';
import type { Evidence } from '../src/core/signal.ts';
import { evidenceSchema, listed, principalSchema } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'key-used-from-new-network',
  title: 'Access key used from a new network',
  severity: 'medium',
  practice: 'access-keys',
  what: 'A long-term access key of an IAM user signed calls from a network (IPv4 /16, IPv6 /32) that it had not been used from in the weeks before.',
  why: 'A key that leaks works from anywhere. A new network is the first that the trail shows of a thief, who often asks GetCallerIdentity to see whose key it is.',
  innocent: [
    'A person travels, works from home, or their provider gave them another address.',
    'A build system or a server was moved, or its egress address changed.',
    'A key that is used from many networks anyway: shown as low.',
  ],
  firstSteps: [
    'Ask the owner of the user whether the address is theirs, over a channel outside of AWS; look up whose network it is.',
    'Read in the timeline what the key did from there, and whether it goes on from the old networks at the same time.',
    'If nobody answers for it: deactivate the key (aws iam update-access-key --status Inactive), and deny sessions made with it by a policy on aws:TokenIssueTime.',
    'If it was meant: bind the key to its networks with aws:SourceIp, or replace it by a role.',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    'T1552.001': 'Unsecured Credentials: Credentials In Files',
  }),
  cis: [],
  gaps: [
    'Whoever steals a key and uses it from a network it is usual in is not seen.',
    'Two addresses of one provider may lie in different /16 networks; two of a cloud may share one with strangers.',
    'Calls through AWS services and private addresses of VPC endpoints say nothing of the network, and are left out.',
    'A key is judged only after the days of learning.',
  ],
};

const config = z.strictObject({
  learningDays: z
    .int()
    .min(1)
    .max(28)
    .default(7)
    .describe('Days for which a key must have been seen before a network counts as new.'),
  fewNetworks: z
    .int()
    .min(1)
    .max(60)
    .default(3)
    .describe('A key usual in at most as many networks gives medium, in more low.'),
  manyNetworks: z
    .int()
    .min(1)
    .max(60)
    .default(10)
    .describe('A key usual in as many networks roams: nothing is said of another.'),
});
type Config = z.infer<typeof config>;

const stateSchema = z.object({
  account: z.string(),
  key: z.string(),
  actor: principalSchema.optional(),
  networks: z.record(z.string(), evidenceSchema),
  probes: z.record(z.string(), evidenceSchema),
});
type State = z.infer<typeof stateSchema>;

/** Days within which a network is usual. */
const memoryDays = 30;
/** Networks kept a day: more than `manyNetworks` can ask for. */
const networksMax = 60;

export default folding<Config, State>({
  meta,
  on: ['key:long-term'],
  config,
  state: {
    version: 1,
    schema: stateSchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: (memoryDays + 1) * dayMs,
    reachMs: memoryDays * dayMs,
    key(event) {
      const key = userKeyOf(event);
      if (key === undefined) return 'not signed with the key of a user';
      if (callerNetworkOf(event) === undefined) return 'it came from no network of the internet';
      return { key: `${plain(key)} in ${plain(event.account)}` };
    },
    empty: () => ({ account: '', key: '', networks: {}, probes: {} }),
  },
  isKnown(event, state) {
    const network = callerNetworkOf(event) ?? '';
    if (isOwnerNews(state, event)) return false;
    if (isNews(state.networks, network, event, networksMax)) return false;
    return event.name !== probe || !isNews(state.probes, network, event, networksMax);
  },
  fold(event, state) {
    const network = callerNetworkOf(event) ?? '';
    const isFirst = noted(state.networks, network, event, networksMax);
    const isProbe = event.name === probe && noted(state.probes, network, event, networksMax);
    const isOwner = noteOwner(state, event);
    state.account = plain(event.account);
    state.key = plain(userKeyOf(event));
    return isOwner || isFirst || isProbe;
  },
  judge(buckets, settings) {
    return buckets.flatMap((bucket, at) => judgeDay(bucket, buckets.slice(0, at), settings));
  },
});

/** What a thief asks first: it needs no rights and says whose key it is. */
const probe = 'GetCallerIdentity';

function judgeDay(
  { start, state }: Bucket<State>,
  earlier: readonly Bucket<State>[],
  settings: Config,
): readonly JudgedSignal[] {
  const before = earlier.filter((one) => one.start >= start - memoryDays * dayMs);
  const first = before[0]?.start;
  if (first === undefined || start - first < settings.learningDays * dayMs) return [];
  const usual = new Set(before.flatMap((one) => Object.keys(one.state.networks)));
  if (usual.size >= settings.manyNetworks) return [];
  const fresh = Object.entries(state.networks)
    .filter(([network]) => !usual.has(network))
    .sort(([, a], [, b]) => inOrder(a, b));
  return fresh
    .slice(0, settings.manyNetworks)
    .map(([network, proof]) => signalFor({ state, start, network, proof }, usual, settings));
}

interface Fresh {
  readonly state: State;
  readonly start: number;
  readonly network: string;
  readonly proof: Evidence;
}

function signalFor(
  { state, start, network, proof }: Fresh,
  usual: ReadonlySet<string>,
  settings: Config,
): JudgedSignal {
  const asked = state.probes[network];
  const evidence = asked === undefined || asked.id === proof.id ? [proof] : [proof, asked];
  const owner = ownerOf(state, state.account);
  const isFew = usual.size <= settings.fewNetworks;
  const where = listed([...usual].sort());
  const question =
    asked === undefined ? '' : ' It asked GetCallerIdentity, as one does who tries a found key.';
  return {
    key: `${state.key} ${network} ${formatTime(start).slice(0, 10)}`,
    time: proof.time,
    account: state.account,
    principal: owner,
    evidence,
    count: evidence.length,
    severity: isFew ? 'medium' : 'low',
    title: `Access key ${state.key} of ${plain(owner.name)} was used from a new network, ${network}`,
    reason: `In the ${memoryDays} days before it was used from ${usual.size} ${usual.size === 1 ? 'network' : 'networks'} (${where})${isFew ? '' : ', so another is no surprise'}. First call from ${proof.from}: ${proof.what}, ${proof.outcome}.${question}`,
    facts: { from: proof.from, accessKey: state.key, usualNetworks: where },
    limited: Object.keys(state.networks).length >= networksMax,
  };
}
