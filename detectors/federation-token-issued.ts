// An IAM user made credentials with GetFederationToken, which outlive the access key that made them.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { decodeDocument, isJudgeable } from '../src/core/iam/document.ts';
import { type Finding, ordered } from '../src/core/iam/finding.ts';
import { judgePolicy } from '../src/core/iam/judge.ts';
import { managedPolicy } from '../src/core/iam/managed-policies.ts';
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
import type { Severity } from '../src/core/severity.ts';
import { listed } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'federation-token-issued',
  title: 'Federation token issued',
  severity: 'low',
  practice: 'temporary-credentials',
  what: 'An IAM user called GetFederationToken: it got a session of up to 36 hours under a name of its choice. One signal a user and day for each kind: a session policy near to administrator, any other, and calls that were refused.',
  why: 'The session goes on when the access key that made it is disabled or deleted, and it can be turned into a console session. Thieves of keys use it for both; little else still needs it.',
  innocent: [
    'An old identity broker of your own that gives people console links: it is one user that does this every day.',
    'A tool such as aws-vault that opens the console for a developer.',
  ],
  firstSteps: [
    'Ask the owner of the user what the session was for; a broker should have an exception with an owner.',
    'If nobody answers: deactivating the key is not enough. Attach a policy to the user that denies everything; sessions of GetFederationToken are bound by the policies of the user.',
    'Look for calls of the federated user of that name, and for GetSigninToken and ConsoleLogin soon after.',
    'Replace what still needs it by AssumeRole or Identity Center.',
  ],
  attack: attack({
    'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
  }),
  cis: [],
  gaps: [
    'Rights are those of the user cut down by the session policy; the policies of the user are not in the call.',
    'A customer-managed policy named in the request is not judged.',
    'Calls by root are told by root-account-used.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: ['sts.amazonaws.com:GetFederationToken'],
  config,
  state: {
    version: 1,
    schema: diarySchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 2 * dayMs,
    reachMs: 0,
    key(event) {
      if (event.identityType === 'Root') return 'root-account-used tells what root does';
      return { key: event.principal.key };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets) => buckets.flatMap((bucket) => kinds.flatMap((kind) => told(bucket, kind))),
});

function entriesOf(event: Event): readonly Entry[] {
  const name = plain(event.text('requestParameters.name') ?? 'a name not in the record');
  if (event.outcome !== 'success') return [['refused', name]];
  const worst = findingsOf(event)[0];
  if (worst?.severity !== 'critical') return [['plain', name]];
  return [
    ['admin', name],
    ['rights', worst.what],
  ];
}

/** What the session policies of the request allow by themselves, worst first. */
function findingsOf(event: Event): readonly Finding[] {
  const found: Finding[] = [];
  const inline = event.field('requestParameters.policy');
  if (inline !== undefined && inline !== null) {
    const decoded = decodeDocument(inline);
    if (isJudgeable(decoded)) found.push(...judgePolicy(decoded.statements));
  }
  const arns = event.field('requestParameters.policyArns');
  for (let at = 0; Array.isArray(arns) && at < Math.min(arns.length, 10); at++) {
    const arn = event.text(`requestParameters.policyArns.${at}.arn`) ?? arns[at];
    const finding = typeof arn === 'string' ? managedPolicy(arn) : undefined;
    if (finding !== undefined) found.push(finding);
  }
  return ordered(found);
}

interface Kind {
  readonly section: string;
  readonly severity: Severity;
  readonly title: (who: string, names: string) => string;
  readonly reason: string;
}

const kinds: readonly Kind[] = [
  {
    section: 'admin',
    severity: 'medium',
    title: (who, names) => `${who} made a federated session near to administrator: ${names}`,
    reason:
      'The session policy takes nothing away from the user. The session lives up to 36 hours, even when the access key is deleted, and can be turned into a console session.',
  },
  {
    section: 'plain',
    severity: 'low',
    title: (who, names) => `${who} made a federated session: ${names}`,
    reason:
      'The session lives up to 36 hours, even when the access key is deleted. No session policy near to administrator was asked for.',
  },
  {
    section: 'refused',
    severity: 'low',
    title: (who, names) => `${who} tried to make a federated session and failed: ${names}`,
    reason: 'Nothing was given. The call is rare, and a usual step with a stolen key.',
  },
];

function told(bucket: Bucket<Diary>, kind: Kind): JudgedSignal[] {
  const names = namesIn(bucket.state, kind.section);
  if (names.length === 0) return [];
  const signal = signalOf(bucket, kind.section, [kind.section]);
  const rights = kind.section === 'admin' ? namesIn(bucket.state, 'rights') : [];
  const from = [...new Set(signal.evidence.map((one) => one.from))].sort();
  return [
    {
      ...signal,
      severity: kind.severity,
      title: kind.title(nameOf(bucket.state), listed(names)),
      reason: [
        ...(rights.length > 0 ? [`The session policy ${rights.join('; ')}.`] : []),
        kind.reason,
        `From ${listed(from)}.`,
      ].join(' '),
      facts: { sessions: listed(names), from: listed(from) },
    },
  ];
}
