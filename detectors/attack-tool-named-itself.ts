// A program that called AWS named itself, or its system, as one made for attack.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
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
  id: 'attack-tool-named-itself',
  title: 'Attack tool named itself',
  severity: 'medium',
  practice: 'temporary-credentials',
  what: 'The user agent of a call names a secret scanner that tries what it finds (TruffleHog), an attack tool (Pacu, aws_consoler), a system made for attack (Kali, Parrot, Pentoo, BlackArch), a tool that rehearses attacks (Stratus Red Team), or S3 Browser writing to IAM. One signal a principal, kind of tool and day.',
  why: 'A user agent proves nothing when it looks innocent, but nobody claims to be an attack tool without being one. TruffleHog calling with a key means that the key lies somewhere in the open.',
  innocent: [
    'Your own secret-scanning programme, penetration test or rehearsal: ask for the ticket.',
    'An administrator who works on such a system by taste.',
  ],
  firstSteps: [
    'Ask whoever plans tests and scans whether this principal, address and hour are theirs.',
    'If not: deactivate the access key, or put a deny on older tokens of the role (aws:TokenIssueTime).',
    'For TruffleHog: find where the key lies (repository, image, log), remove it there, and replace the key even when the scan is yours.',
    'Read what else the key and the address did, whatever the user agent said.',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    'T1552.001': 'Unsecured Credentials: Credentials In Files',
    T1526: 'Cloud Service Discovery',
  }),
  cis: [],
  gaps: [
    'Most intruders change the user agent: silence here means nothing.',
    'Looked at: IAM, STS, Secrets Manager, Organizations, calls with long-term keys, refused calls, and the first looks at S3 and EC2.',
    'Posture scanners that defenders also use (Prowler, ScoutSuite) are not named.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

interface Tool {
  readonly kind: string;
  readonly pattern: RegExp;
  readonly severity: Severity;
  readonly says: string;
}

// System names as the CLI and SDKs write them: `Linux/5.7.0-kali1-amd64`, `md/distrib#kali.2024.3`.
const tools: readonly Tool[] = [
  {
    kind: 'a secret scanner',
    pattern: /trufflehog/i,
    severity: 'medium',
    says: 'TruffleHog found this key somewhere and tried it: the key lies in the open.',
  },
  {
    kind: 'an attack tool',
    pattern: /\bpacu\b|aws_consoler|\bweirdaal\b|enumerate-iam|\bcloudfox\b/i,
    severity: 'medium',
    says: 'The tool is made to break into AWS accounts.',
  },
  {
    kind: 'a system made for attack',
    pattern: /-kali\d|(distrib#|64\.)(kali|parrot|pentoo|blackarch)|\dparrot\d|-pentoo|-blackarch/i,
    severity: 'medium',
    says: 'The system is made for penetration tests and used by intruders alike.',
  },
  {
    kind: 'a tool that rehearses attacks',
    pattern: /stratus-red-team|exec-env\/grimoire/i,
    severity: 'low',
    says: 'The tool carries out known attacks for practice; an intruder can use it as well.',
  },
];

const browser: Tool = {
  kind: 'S3 Browser, writing to IAM',
  pattern: /^\[?s3 browser/i,
  severity: 'high',
  says: 'A program for files makes no users, keys or policies in ordinary work: known intruders use it for that.',
};

export default folding<Config, Diary>({
  meta,
  on: [
    'sts.amazonaws.com:*',
    'iam.amazonaws.com:*',
    'organizations.amazonaws.com:*',
    'secretsmanager.amazonaws.com:*',
    'signin.amazonaws.com:GetSigninToken',
    's3.amazonaws.com:ListBuckets',
    'ec2.amazonaws.com:DescribeInstances',
    'key:long-term',
    'outcome:denied',
  ],
  config,
  state: {
    version: 1,
    schema: diarySchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 2 * dayMs,
    reachMs: 0,
    key(event) {
      if (toolOf(event) === undefined) return 'the user agent names no attack tool';
      return { key: `${plain(event.account)} ${event.principal.key}` };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets) =>
    buckets.flatMap((bucket) => [...tools, browser].flatMap((tool) => told(bucket, tool))),
});

function toolOf(event: Event): Tool | undefined {
  const agent = event.userAgent;
  if (agent === '') return undefined;
  const found = tools.find(({ pattern }) => pattern.test(agent));
  if (found !== undefined) return found;
  const isWrite =
    event.source === 'iam.amazonaws.com' && !/^(Get|List|Generate|Simulate)/.test(event.name);
  return isWrite && browser.pattern.test(agent) ? browser : undefined;
}

function entriesOf(event: Event): readonly Entry[] {
  const tool = toolOf(event);
  if (tool === undefined) return [];
  const call = `${event.source.replace('.amazonaws.com', '')}:${event.name}`;
  return [
    [`${tool.kind} agents`, event.userAgent],
    [`${tool.kind} ${event.outcome === 'success' ? 'done' : 'refused'}`, call],
  ];
}

function told(bucket: Bucket<Diary>, tool: Tool): JudgedSignal[] {
  const { state } = bucket;
  const agents = namesIn(state, `${tool.kind} agents`);
  if (agents.length === 0) return [];
  const done = namesIn(state, `${tool.kind} done`);
  const refused = namesIn(state, `${tool.kind} refused`);
  const signal = signalOf(bucket, `${tool.kind} ${state.account}`, [
    `${tool.kind} done`,
    `${tool.kind} refused`,
  ]);
  const from = listed([...new Set(signal.evidence.map((one) => one.from))].sort());
  const calls = [
    done.length > 0 ? `Calls: ${listed(done)}.` : 'Nothing succeeded.',
    refused.length > 0 ? `Refused or failed: ${listed(refused)}.` : '',
  ];
  return [
    {
      ...signal,
      severity: done.length > 0 ? tool.severity : 'low',
      title: `${nameOf(state)} called AWS with ${tool.kind}`,
      reason: [`${tool.says} User agent: ${listed(agents.slice(0, 2))}.`, ...calls, `From ${from}.`]
        .filter((one) => one !== '')
        .join(' '),
      facts: { userAgent: listed(agents.slice(0, 2)), from },
    },
  ];
}
