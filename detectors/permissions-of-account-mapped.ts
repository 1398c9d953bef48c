// Somebody read out who may do what in the account: the dump, the simulator, the credential report.
import { z } from 'zod';
import {
  type Bucket,
  type CallPattern,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  actorIn,
  groupsOf,
  isInSpree,
  nameOf,
  type Spree,
  spreeAdd,
  spreeSignal,
  spreeState,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'permissions-of-account-mapped',
  title: 'Permissions of the account mapped',
  severity: 'low',
  practice: 'least-privilege',
  what: 'A principal took the whole of IAM in one call (GetAccountAuthorizationDetails), had permissions simulated or last use computed, fetched the credential report, or read users, groups, roles and policies with many different calls; once a day.',
  why: 'A map of who may do what is the first thing an intruder makes, and it shows the way to more rights. Little work but auditing needs it.',
  innocent: [
    'A posture scanner, an access review or an inventory, each day: shown as info for roles.',
    'Terraform run with a long-term key, which reads all roles and policies it manages.',
    'An administrator who looks for the reason of a refusal.',
  ],
  firstSteps: [
    'Is the principal a scanner or an auditor? Give it an exception with an owner.',
    'If it is the key of an application, or of an instance, find out who holds it: look at the address and user agent of these calls and at where the key was used before.',
    'Watch the same principal for changes of IAM and for role sessions taken in the hours after.',
  ],
  attack: attack({
    'T1087.004': 'Account Discovery: Cloud Account',
    'T1069.003': 'Permission Groups Discovery: Cloud Groups',
    T1526: 'Cloud Service Discovery',
  }),
  cis: [],
  gaps: [
    'Reads of single users and roles by role sessions are too common to tell, and are not counted; instance-role-enumerates watches those of instances.',
    'A trail without read-only events does not hold these calls.',
  ],
};

const config = z.strictObject({
  reads: z
    .int()
    .min(2)
    .max(40)
    .default(10)
    .describe('Different reads of IAM within an hour, by a long-term key, that make a signal.'),
});
type Config = z.infer<typeof config>;

const dumps = [
  'GetAccountAuthorizationDetails',
  'SimulatePrincipalPolicy',
  'SimulateCustomPolicy',
  'GenerateCredentialReport',
  'GetCredentialReport',
  'GenerateServiceLastAccessedDetails',
  'GenerateOrganizationsAccessReport',
];
const reads = [
  'GetAccountPasswordPolicy',
  'GetAccountSummary',
  'GetGroup',
  'GetGroupPolicy',
  'GetPolicyVersion',
  'GetRolePolicy',
  'GetUserPolicy',
  'GetLoginProfile',
  'ListAccessKeys',
  'ListAccountAliases',
  'ListAttachedGroupPolicies',
  'ListAttachedRolePolicies',
  'ListAttachedUserPolicies',
  'ListEntitiesForPolicy',
  'ListGroupPolicies',
  'ListGroups',
  'ListGroupsForUser',
  'ListInstanceProfiles',
  'ListMFADevices',
  'ListOpenIDConnectProviders',
  'ListPolicies',
  'ListRolePolicies',
  'ListRoles',
  'ListSAMLProviders',
  'ListServerCertificates',
  'ListSSHPublicKeys',
  'ListUserPolicies',
  'ListUsers',
  'ListVirtualMFADevices',
];

export default folding<Config, Spree>({
  meta,
  on: [...dumps, ...reads].map((name): CallPattern => `iam.amazonaws.com:${name}`),
  config,
  state: spreeState(quiet, dayMs),
  isKnown: (event, state) =>
    thingsOf(event).every(([group, thing]) => isInSpree(state, group, [thing], event)),
  fold: (event, state) =>
    thingsOf(event)
      .map(([group, thing]) => spreeAdd(state, group, [thing], event))
      .some(Boolean),
  judge: (buckets, settings) =>
    buckets.flatMap((bucket) => [
      ...judgeDumps(bucket, buckets),
      ...judgeReads(bucket, buckets, settings),
    ]),
});

function quiet(event: Event): string | undefined {
  if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
  if (event.principal.kind === 'unknown') return 'the record names no principal';
  if (event.principal.kind === 'root') return 'root-account-used tells what root reads';
  if (event.origin.kind === 'service') return 'a service forwarded the call';
  return thingsOf(event).length === 0 ? 'a role session reads IAM, which is common' : undefined;
}

function thingsOf(event: Event): readonly (readonly [group: string, thing: string])[] {
  const hand = handOf(event);
  const by = hand === undefined ? [] : ([['hand', hand]] as const);
  const isDump = dumps.includes(event.name);
  if (!isDump && hand !== byKey) return [];
  return [[isDump ? 'dumps' : 'reads', event.name], ...by];
}

const byKey = 'a long-term key';

/**
 * Gives whose hand holds the credentials, where the record proves it; undefined for other roles.
 */
function handOf(event: Event): string | undefined {
  if (event.accessKeyId.startsWith('AKIA')) return byKey;
  const session = event.text('userIdentity.principalId')?.split(':')[1];
  const isInstance = session !== undefined && /^i-[0-9a-f]{8,17}$/.test(session);
  return isInstance ? `instance ${session}` : undefined;
}

/** What a principal read within the day before is its routine. */
function freshIn(
  bucket: Bucket<Spree>,
  all: readonly Bucket<Spree>[],
  group: string,
): readonly string[] {
  const known = new Set(
    all
      .filter(({ start }) => start < bucket.start && start >= bucket.start - dayMs)
      .flatMap(({ state }) => groupsOf(state, group).things),
  );
  return groupsOf(bucket.state, group).things.filter((one) => !known.has(one));
}

function judgeDumps(bucket: Bucket<Spree>, all: readonly Bucket<Spree>[]): readonly JudgedSignal[] {
  const fresh = freshIn(bucket, all, 'dumps');
  if (fresh.length === 0) return [];
  const group = groupsOf(bucket.state, 'dumps');
  const hand = groupsOf(bucket.state, 'hand').things[0];
  const wasRefused = group.evidence.every((one) => one.outcome !== 'success');
  return [
    {
      ...spreeSignal(bucket, 'dumps', group),
      severity: hand === undefined ? 'info' : 'low',
      title: `${nameOf(actorIn(bucket.state))} ${wasRefused ? 'tried to map' : 'mapped'} the permissions of the account`,
      reason: `Calls not made in the day before: ${listed(fresh)}. ${
        hand === undefined
          ? 'Scanners and auditors do so with a role.'
          : `They were signed with the credentials of ${hand}, and few of those need it.`
      }`,
    },
  ];
}

function judgeReads(
  bucket: Bucket<Spree>,
  all: readonly Bucket<Spree>[],
  settings: Config,
): readonly JudgedSignal[] {
  const fresh = freshIn(bucket, all, 'reads');
  if (fresh.length < settings.reads) return [];
  return [
    {
      ...spreeSignal(bucket, 'reads', groupsOf(bucket.state, 'reads')),
      severity: 'low',
      title: `${nameOf(actorIn(bucket.state))} read IAM with ${fresh.length} different calls`,
      reason: `Not made in the day before: ${listed(fresh)}. They were signed with a long-term key.`,
    },
  ];
}
