// One principal tried to assume many different roles, and was refused: it looks for one that opens.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { parseDenial } from '../src/core/iam/denial.ts';
import {
  type Diary,
  diarySchema,
  type Entry,
  emptyDiary,
  isWritten,
  nameOf,
  namesIn,
  signalOf,
  written,
} from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, hourMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'roles-tried-in-turn',
  title: 'Roles tried in turn',
  severity: 'medium',
  practice: 'temporary-credentials',
  what: 'A principal was refused AssumeRole for several roles of different names within an hour.',
  why: 'Whoever knows which role to use asks for that one. Trying names in turn is how an intruder finds the role that its stolen credentials open.',
  innocent: [
    'A new team or tool that is being set up, with trust policies still missing.',
    'A hub role that works through a list of roles where some are not rolled out yet; the same role name in many accounts is not counted as many.',
  ],
  firstSteps: [
    'Ask the owner of the principal what it was looking for; compare the address with that of its usual calls.',
    'If nobody knows: deactivate the key or put a deny on older tokens (aws:TokenIssueTime).',
    'Look whether any AssumeRole succeeded in the same hours, and what that session did.',
  ],
  attack: attack({
    'T1087.004': 'Account Discovery: Cloud Account',
    'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'An hour is a clock hour.',
    'A refusal that does not name the role in its message or request is not counted.',
  ],
};

const config = z.strictObject({
  roles: z
    .int()
    .min(2)
    .max(60)
    .default(5)
    .describe('Different names of roles refused in an hour that make a signal.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: ['sts.amazonaws.com:AssumeRole'],
  config,
  state: {
    version: 1,
    schema: diarySchema,
    scope: 'account',
    bucketMs: hourMs,
    lifetimeMs: dayMs,
    reachMs: 0,
    key(event) {
      if (isByAws(event) || isServiceLinked(event)) return 'AWS itself';
      if (event.outcome === 'success') return 'the role was opened';
      if (roleOf(event) === undefined) return 'the record does not name the role';
      return { key: `${plain(event.account)} ${event.principal.key}` };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

/** A refused call has no request: its message names the role. */
function roleOf(event: Event): { readonly name: string; readonly account: string } | undefined {
  const arn =
    event.text('requestParameters.roleArn') ?? parseDenial(event.errorMessage)?.resource ?? '';
  const match = /^arn:[^:]+:iam::(\d{12}):role\/(.+)$/.exec(arn);
  if (match === null) return undefined;
  const [, account = '', path = ''] = match;
  return { name: plain(path.slice(path.lastIndexOf('/') + 1)), account };
}

function entriesOf(event: Event): readonly Entry[] {
  const role = roleOf(event);
  if (role === undefined) return [];
  return [
    ['roles', role.name],
    ['accounts', role.account],
  ];
}

function judgeHour(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const roles = namesIn(bucket.state, 'roles');
  if (roles.length < settings.roles) return [];
  const accounts = namesIn(bucket.state, 'accounts');
  const signal = signalOf(bucket, `roles ${bucket.state.account}`, ['roles', 'accounts']);
  const from = listed([...new Set(signal.evidence.map((one) => one.from))].sort());
  return [
    {
      ...signal,
      severity: 'medium',
      title: `${nameOf(bucket.state)} tried to assume ${roles.length} different roles and was refused`,
      reason: `Within an hour it was refused: ${listed(roles)}; in ${accounts.length === 1 ? 'account' : 'accounts'} ${listed(accounts)}. From ${from}.`,
      facts: { roles: listed(roles), accounts: listed(accounts), from },
    },
  ];
}
