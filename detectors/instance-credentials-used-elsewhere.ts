// Credentials that EC2 gave to one instance were used from two networks: somebody may have copied them.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  actorIn,
  type Diary,
  diarySchema,
  type Entry,
  emptyDiary,
  instanceOf,
  isNews,
  isWritten,
  namesIn,
  networkOf,
  noted,
  proofsOf,
  publicAddressOf,
  signalOf,
  written,
} from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { listed } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'instance-credentials-used-elsewhere',
  title: "An instance's credentials were used from two networks",
  severity: 'medium',
  practice: 'instance-roles',
  what: 'One set of temporary credentials that EC2 gave to one instance (the same access key) made calls from two public networks on one day; or a program on macOS, Kali or Parrot used them.',
  why: 'An instance has one way out. Credentials that come from a second network were probably copied, through the metadata service, a web application or a shell, and work until they expire.',
  innocent: [
    'The Elastic IP of the instance changed between the calls.',
    'A central egress with several addresses, or a proxy for some services only.',
  ],
  firstSteps: [
    'Compare the two addresses with the Elastic IPs, NAT gateways and proxies of the VPC (ec2 describe-addresses, describe-nat-gateways).',
    'If one is not yours: revoke older sessions of the role (a deny on aws:TokenIssueTime), then detach the instance profile or isolate the instance, and keep its disks.',
    'Read every call from the strange address in the timeline, and look for users, keys and roles it made.',
  ],
  attack: attack({
    'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
    'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'Whether the only address ever seen is that of the instance is not in the trail.',
    'Use through a VPC endpoint shows a private address and is not compared.',
    'Networks are compared as /16 (IPv6: /32), each family by itself, within one UTC day and one access key.',
  ],
};

const config = z.strictObject({
  discovery: z
    .int()
    .min(1)
    .default(3)
    .describe('Different calls of looking around from the later network that make it high.'),
});
type Config = z.infer<typeof config>;

/** Calls a thief begins with; each also has innocent uses. */
const lookingAround =
  /^(sts:GetCallerIdentity|s3:ListBuckets|iam:(Get|List)|ec2:Describe(Instances|Snapshots|SecurityGroups|Regions)|secretsmanager:ListSecrets|organizations:(Describe|List)|cloudtrail:Describe|guardduty:List|lambda:ListFunctions)/;

/** Networks of one access key that are told apart; an egress with more is a pool. */
const poolOf = 4;

export default folding<Config, Diary>({
  meta,
  on: ['session:instance', 'ec2.amazonaws.com:AssociateAddress'],
  config,
  state: {
    version: 1,
    schema: diarySchema,
    scope: 'organisation',
    bucketMs: dayMs,
    lifetimeMs: 8 * dayMs,
    reachMs: 0,
    key(event) {
      if (event.name === 'AssociateAddress') return addressKey(event);
      const instance = instanceOf(event);
      if (instance === undefined) return 'not the session of an instance';
      if (publicAddressOf(event) === undefined) return 'not from a public address';
      return { key: `${event.principal.account} ${instance}` };
    },
    empty: emptyDiary,
  },
  isKnown(event, state) {
    const [use, rest] = entriesOf(event);
    if (use[0] === 'moves') return !isNews(state.sections['moves'] ?? {}, use[1], event, 1);
    return isWritten(state, event, isKept(state, use[1]) ? [use, ...rest] : [use]);
  },
  fold: add,
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeInstance(bucket, settings)),
});

function addressKey(event: Event): { readonly key: string } | string {
  const instance = event.text('requestParameters.instanceId');
  if (event.outcome !== 'success' || instance === undefined) return 'no instance got an address';
  return { key: `${event.account} ${plain(instance)}` };
}

/** Only a session of the instance says who acted; who moved an address is another. */
function add(event: Event, state: Diary): boolean {
  const [use, rest] = entriesOf(event);
  if (use[0] === 'moves') {
    const moves = state.sections['moves'] ?? {};
    state.sections['moves'] = moves;
    return noted(moves, use[1], event, 1);
  }
  const isChanged = written(state, event, [use]);
  if (!isKept(state, use[1])) return isChanged;
  const isMore = written(state, event, rest);
  // A use that was cut takes its sections along.
  for (const section of Object.keys(state.sections)) {
    const of = section.slice(section.indexOf(' ') + 1);
    if (section.includes(' ') && !isKept(state, of)) delete state.sections[section];
  }
  return isChanged || isMore;
}

function isKept(state: Diary, use: string): boolean {
  return state.sections['uses']?.[use] !== undefined;
}

function entriesOf(event: Event): readonly [Entry, readonly Entry[]] {
  const address = publicAddressOf(event);
  if (instanceOf(event) === undefined || address === undefined) {
    return [['moves', 'AssociateAddress'], []];
  }
  const call = `${event.source.replace('.amazonaws.com', '')}:${event.name}`;
  const use = `${plain(event.accessKeyId, 40)} ${networkOf(address)}`;
  const isWrite =
    event.source === 'iam.amazonaws.com' && !/^(Get|List|Generate|Simulate)/.test(event.name);
  return [
    ['uses', use],
    [
      [`addresses ${use}`, address],
      [`agents ${use}`, agentOf(event.userAgent)],
      ...(isWrite ? ([[`writes ${use}`, call]] as const) : []),
      ...(lookingAround.test(call) ? ([[`looks ${use}`, call]] as const) : []),
    ],
  ];
}

/** The name of the program, without versions that change by themselves. */
function agentOf(userAgent: string): string {
  const system = /\b(darwin|macos|windows|kali|parrot|linux)/i.exec(userAgent)?.[1] ?? '';
  return `${plain(userAgent).replace(/^\[/, '').split(/[/ ]/)[0]} ${system.toLowerCase()}`.trim();
}

function judgeInstance(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state, key } = bucket;
  const groups = new Map<string, string[]>();
  for (const use of namesIn(state, 'uses')) {
    const [accessKey = '', network = ''] = use.split(' ');
    const group = `${accessKey} ${network.includes(':') ? 'IPv6' : 'IPv4'}`;
    groups.set(group, [...(groups.get(group) ?? []), use]);
  }
  const instance = key.split(' ')[1] ?? '';
  return [...groups].flatMap(([group, uses]) =>
    judgeKey(bucket, { group, uses, instance }, settings),
  );
}

interface Group {
  readonly group: string;
  readonly uses: readonly string[];
  readonly instance: string;
}

function judgeKey(bucket: Bucket<Diary>, of: Group, settings: Config): JudgedSignal[] {
  const { state } = bucket;
  if (actorIn(state).kind !== 'role') return [];
  if (of.uses.length < 2) return judgeAgents(bucket, of);
  const first = firstOf(state, of.uses);
  const later = of.uses.filter((one) => one !== first);
  const all = (section: string) => later.flatMap((one) => namesIn(state, `${section} ${one}`));
  const seen = new Set(namesIn(state, `looks ${first}`));
  const looks = [...new Set(all('looks'))].filter((one) => !seen.has(one));
  const writes = all('writes');
  const known = new Set(namesIn(state, `agents ${first}`));
  const strange = all('agents').filter((one) => !known.has(one));
  const moved = namesIn(state, 'moves').length > 0;
  const isBold = writes.length > 0 || looks.length >= settings.discovery;
  const severity = severityOf({
    isBold,
    writes: writes.length > 0,
    moved,
    strange,
    networks: of.uses.length,
  });
  const sections = of.uses.flatMap((one) =>
    ['addresses', 'agents', 'writes', 'looks'].map((section) => `${section} ${one}`),
  );
  const reason = [
    `The access key ${plain(of.group.split(' ')[0])} was used first from ${listed(
      namesIn(state, `addresses ${first}`),
    )}, then from ${listed(all('addresses'))}.`,
    writes.length > 0 ? `The later network changed IAM: ${listed(writes)}.` : '',
    looks.length > 0 ? `It looked around: ${listed(looks)}.` : '',
    strange.length > 0 ? `Its program was new: ${listed(strange)}.` : '',
    moved ? 'An Elastic IP was associated with the instance on that day.' : '',
  ];
  return [
    {
      ...signalOf(bucket, of.group, ['uses', 'moves', ...sections]),
      severity,
      title: `Credentials of instance ${plain(of.instance)} (role ${actorIn(state).name}) were used from ${of.uses.length} networks`,
      reason: reason.filter((one) => one !== '').join(' '),
      facts: { instance: plain(of.instance), from: listed(all('addresses')) },
    },
  ];
}

/** One network only: an agent of a personal computer still says that it is not the instance. */
function judgeAgents(bucket: Bucket<Diary>, of: Group): JudgedSignal[] {
  const { state } = bucket;
  const sections = of.uses.flatMap((one) => [`agents ${one}`, `addresses ${one}`]);
  const alien = of.uses
    .flatMap((one) => namesIn(state, `agents ${one}`))
    .filter((one) => / (darwin|macos|kali|parrot)$/.test(one));
  if (alien.length === 0) return [];
  const from = listed(of.uses.flatMap((one) => namesIn(state, `addresses ${one}`)));
  return [
    {
      ...signalOf(bucket, `agent ${of.group}`, ['uses', ...sections]),
      severity: 'medium',
      title: `Credentials of instance ${plain(of.instance)} (role ${actorIn(state).name}) were used by ${listed(alien)}`,
      reason: `The program says that it runs on macOS or on a system for attacks, which few instances do. It called from ${from}.`,
      facts: { instance: plain(of.instance), from },
    },
  ];
}

function severityOf(of: {
  isBold: boolean;
  writes: boolean;
  moved: boolean;
  strange: readonly string[];
  networks: number;
}): Severity {
  if (of.moved) return of.isBold && of.strange.length > 0 ? 'medium' : 'low';
  if (of.writes || (of.isBold && of.strange.length > 0)) return 'high';
  if (of.networks >= poolOf && of.strange.length === 0) return 'low';
  return of.isBold || of.strange.length > 0 ? 'medium' : 'low';
}

function firstOf(state: Diary, uses: readonly string[]): string {
  const firsts = state.sections['uses'] ?? {};
  const earliest = proofsOf(
    Object.fromEntries(
      uses.flatMap((one) => {
        const proof = firsts[one];
        return proof === undefined ? [] : [[one, proof]];
      }),
    ),
  )[0];
  return uses.find((one) => firsts[one]?.id === earliest?.id) ?? uses[0] ?? '';
}
