// One person did within a day what two should do: the change and its approval, the access and the
// silence.
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
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'duties-not-separated',
  title: 'Duties not separated',
  severity: 'low',
  practice: 'separation-of-duties',
  what: 'Within a day (UTC) the same person, user or role session did two things that different people should do: by default, gave access and stopped the recording of calls, or started a change and approved one. Sessions with a source identity count as one person across all their roles.',
  why: 'Where one hand can do both, nobody has to agree and nobody sees it: a single stolen login is enough.',
  innocent: [
    'A small team in which one person holds all duties: set the pairs to what you do separate.',
    'A stack that holds a trail and roles is removed and built anew: shown as low for roles of tools.',
    'Somebody approved the change of a colleague and started another one.',
  ],
  firstSteps: [
    'Read both halves in the timeline: is it about the same change?',
    'For access given while recording was stopped: turn recording on again, list what was given, and ask the person.',
    'For a change and its approval: have a second person look at it now, and deny the approving call to the role that starts changes.',
    'Then split the rights in two roles and refuse the second to whoever holds the first.',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    T1098: 'Account Manipulation',
    'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs',
  }),
  cis: [],
  gaps: [
    'People who share an IAM user, or choose another session name for the second half, are not told apart or not joined.',
    'Whether approval and change are about the same thing is not compared.',
    'Approvals outside of AWS, such as those of a code host, are not in the trail.',
    'Two halves on both sides of midnight (UTC) are not joined.',
  ],
};

const iamGrants =
  'CreateUser CreateAccessKey CreateLoginProfile UpdateLoginProfile AttachUserPolicy AttachRolePolicy AttachGroupPolicy PutUserPolicy PutRolePolicy PutGroupPolicy AddUserToGroup UpdateAssumeRolePolicy';
const dutyNames = [
  'access',
  'recording',
  'policy-writing',
  'policy-attaching',
  'keys',
  'backups',
  'changes',
  'approvals',
] as const;
type Duty = (typeof dutyNames)[number];

// The calls that do a duty, and how a sentence says it.
const duties: Readonly<Record<Duty, { readonly did: string; readonly calls: readonly string[] }>> =
  {
    access: { did: 'gave access', calls: of('iam', iamGrants) },
    recording: {
      did: 'stopped recording',
      calls: [
        ...of('cloudtrail', 'StopLogging DeleteTrail'),
        ...of('config', 'StopConfigurationRecorder DeleteConfigurationRecorder'),
        ...of('guardduty', 'DeleteDetector'),
      ],
    },
    'policy-writing': {
      did: 'wrote a policy',
      calls: of('iam', 'CreatePolicy CreatePolicyVersion'),
    },
    'policy-attaching': {
      did: 'attached a policy',
      calls: of('iam', 'AttachUserPolicy AttachRolePolicy AttachGroupPolicy'),
    },
    keys: {
      did: 'administered KMS keys',
      calls: of('kms', 'PutKeyPolicy CreateGrant DisableKey ScheduleKeyDeletion'),
    },
    backups: {
      did: 'deleted backups',
      calls: of('backup', 'DeleteRecoveryPoint DeleteBackupVault DeleteBackupPlan'),
    },
    changes: {
      did: 'started a change',
      calls: [
        ...of('codepipeline', 'StartPipelineExecution'),
        ...of('codecommit', 'CreatePullRequest'),
        ...of('ssm', 'StartChangeRequestExecution'),
      ],
    },
    approvals: {
      did: 'approved a change',
      calls: [
        ...of('codepipeline', 'PutApprovalResult'),
        ...of('codecommit', 'UpdatePullRequestApprovalState OverridePullRequestApprovalRules'),
        ...of('ssm', 'SendAutomationSignal'),
      ],
    },
  };

const duty = z.enum(dutyNames);
const config = z.strictObject({
  pairs: z
    .array(z.tuple([duty, duty]))
    .max(28)
    .default([
      ['recording', 'access'],
      ['changes', 'approvals'],
    ])
    .describe('Pairs of duties that one person should not do within a day.'),
});
type Config = z.infer<typeof config>;

/** Sessions of a role and day that are kept, with a group for each duty. */
const groupsMax = 200;
const allCalls = [...new Set(dutyNames.flatMap((name) => duties[name].calls))];

export default folding<Config, Spree>({
  meta,
  // Every one is a service, a colon and a name.
  on: allCalls.map((call) => call.replace(':', '.amazonaws.com:') as CallPattern),
  config,
  state: {
    ...spreeState(quiet),
    bucketMs: dayMs,
    lifetimeMs: 2 * dayMs,
    key: (event) => quiet(event) ?? { key: sourceIdentity(event) ?? event.principal.key },
  },
  isKnown: (event, state) =>
    namesOf(event).every((name) => isInSpree(state, name, [callOf(event)], event)),
  fold(event, state) {
    const isNew = namesOf(event).map((name) => spreeAdd(state, name, [callOf(event)], event));
    const names = Object.keys(state.groups).sort();
    for (const name of names.slice(groupsMax)) delete state.groups[name];
    return isNew.some(Boolean);
  },
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeDay(bucket, settings)),
});

function of(service: string, names: string): readonly string[] {
  return names.split(' ').map((name) => `${service}:${name}`);
}

function quiet(event: Event): string | undefined {
  if (event.outcome !== 'success') return 'the call did not succeed';
  if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
  if (event.principal.kind === 'root') return 'root-account-used tells what root did';
  if (event.principal.kind === 'unknown') return 'the record names no principal';
  const isNo = /^reject/i.test(
    event.text('requestParameters.result.status') ??
      event.text('requestParameters.signalType') ??
      '',
  );
  return isNo || event.text('requestParameters.approvalState') === 'REVOKE'
    ? 'it did not approve'
    : undefined;
}

function callOf(event: Event): string {
  return `${event.source.replace('.amazonaws.com', '')}:${event.name}`;
}

function sourceIdentity(event: Event): string | undefined {
  const person = event.text('userIdentity.sessionContext.sourceIdentity');
  return person === undefined ? undefined : `person ${plain(person)}`;
}

/** Gives the groups an event belongs to: one for each duty, apart for each session of a role. */
function namesOf(event: Event): readonly string[] {
  const isJoined = event.principal.kind !== 'role' || sourceIdentity(event) !== undefined;
  const session = isJoined ? '' : plain(event.text('userIdentity.principalId')?.split(':')[1]);
  return dutyNames
    .filter((name) => duties[name].calls.includes(callOf(event)))
    .map((name) => `${session}|${name}`);
}

function judgeDay(bucket: Bucket<Spree>, { pairs }: Config): readonly JudgedSignal[] {
  const sessions = [
    ...new Set(
      Object.keys(bucket.state.groups).map((name) => name.slice(0, name.lastIndexOf('|'))),
    ),
  ].sort();
  return pairs.flatMap(([one, other]) =>
    sessions.flatMap((session) => judgePair(bucket, session, one, other)),
  );
}

function judgePair(
  bucket: Bucket<Spree>,
  session: string,
  one: Duty,
  other: Duty,
): readonly JudgedSignal[] {
  const first = groupsOf(bucket.state, `${session}|${one}`);
  const second = groupsOf(bucket.state, `${session}|${other}`);
  if (first.things.length === 0 || second.things.length === 0) return [];
  const both = groupsOf(bucket.state, `${session}|${one}`, `${session}|${other}`);
  const who = actorIn(bucket.state);
  const isPerson =
    who.kind !== 'role' ||
    who.name.startsWith('AWSReservedSSO_') ||
    bucket.key.startsWith('person ');
  const isSilent = [one, other].includes('recording');
  const shown = `${nameOf(who)}${session === '' ? '' : ` (session ${session})`}`;
  return [
    {
      ...spreeSignal(bucket, `${session}|${one}|${other}`, both),
      severity: isPerson && isSilent ? 'medium' : 'low',
      title: `${shown} ${duties[one].did} and ${duties[other].did} on one day`,
      reason: `First duty: ${listed(first.things)}. Second duty: ${listed(second.things)}. ${
        isPerson ? 'Two people should do these.' : 'The role of a tool may hold both duties.'
      }`,
    },
  ];
}
