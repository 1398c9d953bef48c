// Credentials that an app hands to its users (Cognito, a social login) were used on the account itself.
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
import { listed } from '../src/core/tally.ts';
import { attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'app-user-session-left-its-app',
  title: "App user's session left its app",
  severity: 'medium',
  practice: 'temporary-credentials',
  what: 'A session that Cognito or a social login (Google, Facebook, Amazon, Apple) opened for a user of an app called IAM, Secrets Manager, Organizations, STS or Lambda, or listed buckets, tables or instances. One signal a role and day.',
  why: 'Everybody who has the app has such credentials, often without signing in. Who turns them on the account looks whether the role gives more than the app needs; when a call succeeds, it does.',
  innocent: [
    'An app for administrators of your own, whose users manage the account through Cognito.',
    'A penetration test of the app.',
  ],
  firstSteps: [
    'Read which calls succeeded: those rights belong to everybody who has the app. Take them out of the role now.',
    'In the identity pool, see whether guests get this role; switch guests off if the app does not need them.',
    'Put a deny on older tokens on the role (aws:TokenIssueTime) where something was changed or read, and undo the changes.',
  ],
  attack: attack({
    'T1078.004': 'Valid Accounts: Cloud Accounts',
    T1526: 'Cloud Service Discovery',
    T1190: 'Exploit Public-Facing Application',
  }),
  cis: [],
  gaps: [
    'Whether the user was a guest is not in these records.',
    'Reading objects of a bucket or items of a table is what apps do, and not judged.',
    'sts:GetCallerIdentity is not judged: libraries call it.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

const appProviders =
  /^(https?:\/\/)?(cognito-identity\.amazonaws\.com|accounts\.google\.com|graph\.facebook\.com|www\.amazon\.com|appleid\.apple\.com)$/;

/** Reading these shows what the account holds; an app knows what it needs. */
const looks = /^(Get|List|Describe|Generate|Simulate|BatchGet|Head|Lookup)(?!SecretValue)/;

export default folding<Config, Diary>({
  meta,
  on: [
    'iam.amazonaws.com:*',
    'secretsmanager.amazonaws.com:*',
    'organizations.amazonaws.com:*',
    'sts.amazonaws.com:AssumeRole',
    'sts.amazonaws.com:GetFederationToken',
    'lambda.amazonaws.com:ListFunctions',
    'lambda.amazonaws.com:UpdateFunctionCode',
    's3.amazonaws.com:ListBuckets',
    'dynamodb.amazonaws.com:ListTables',
    'ec2.amazonaws.com:DescribeInstances',
    'cloudtrail.amazonaws.com:*',
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
      if (event.identityType !== 'AssumedRole') return 'not the session of a role';
      const provider = event.text(
        'userIdentity.sessionContext.webIdFederationData.federatedProvider',
      );
      if (provider === undefined || !appProviders.test(provider)) return 'not a user of an app';
      return { key: `${plain(event.account)} ${event.principal.key}` };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets) => buckets.flatMap(judgeDay),
});

function entriesOf(event: Event): readonly Entry[] {
  const call = `${event.source.replace('.amazonaws.com', '')}:${event.name}`;
  if (event.outcome !== 'success') return [['refused', call]];
  return [[looks.test(event.name) ? 'looks' : 'acts', call]];
}

function judgeDay(bucket: Bucket<Diary>): JudgedSignal[] {
  const { state } = bucket;
  const [acts, seen, refused] = ['acts', 'looks', 'refused'].map((one) => namesIn(state, one));
  if (acts === undefined || seen === undefined || refused === undefined) return [];
  const signal = signalOf(bucket, `app ${state.account}`, ['acts', 'looks', 'refused']);
  const from = listed([...new Set(signal.evidence.map((one) => one.from))].sort());
  const parts = [
    acts.length > 0 ? `It changed something or read a secret: ${listed(acts)}.` : '',
    seen.length > 0 ? `It looked around: ${listed(seen)}.` : '',
    refused.length > 0 ? `Refused or failed: ${listed(refused)}.` : '',
    `From ${from}.`,
  ];
  const severity = acts.length > 0 ? 'high' : seen.length > 0 ? 'medium' : 'low';
  return [
    {
      ...signal,
      severity,
      title: `A user of an app used ${nameOf(state)} on the account itself`,
      reason: parts.filter((one) => one !== '').join(' '),
      facts: { from },
    },
  ];
}
