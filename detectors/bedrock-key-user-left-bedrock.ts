// A user that exists only to hold a Bedrock API key did something other than call Bedrock.
import { z } from 'zod';
import { type Bucket, type DetectorMeta, folding } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  type Diary,
  diaryOfDay,
  isWritten,
  nameOf,
  namesIn,
  signalOf,
  written,
} from '../src/core/instances.ts';
import { isBedrockKeyHolder } from '../src/core/keys.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'bedrock-key-user-left-bedrock',
  title: 'Bedrock key user acted outside Bedrock',
  severity: 'high',
  practice: 'access-keys',
  what: 'An IAM user named BedrockAPIKey-…, which the console makes to hold a Bedrock API key, signed in or called services other than Bedrock. One signal a user and day.',
  why: 'A Bedrock API key opens nothing but Bedrock. For such a user to call anything else, somebody must have given it an access key or a password: a back door behind a name that nobody looks at.',
  innocent: [
    'Somebody gave the user an access key for want of another: it needs a user of its own.',
    'A person chose such a name for an ordinary user.',
  ],
  firstSteps: [
    'List the credentials of the user (aws iam list-access-keys, get-login-profile, list-service-specific-credentials), and find who made them (CreateAccessKey, CreateLoginProfile).',
    'Deactivate its access keys and delete its login profile; Bedrock calls with the API key go on working.',
    'Read what the user did in the timeline, and what else the maker of the credentials made.',
  ],
  attack: attack({
    'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'Only the name tells such a user: one that was renamed, or made by hand for a Bedrock key, is not known.',
    'Whether a call went with the API key or with an access key is not asked.',
  ],
};

const config = z.strictObject({});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: ['identity:IAMUser'],
  config,
  state: {
    ...diaryOfDay,
    key(event) {
      if (event.principal.kind !== 'user' || !isBedrockKeyHolder(event.principal.name)) {
        return 'not a user that the console makes for a Bedrock API key';
      }
      if (isByAws(event) || event.invokedBy !== '') return 'a service called on behalf of it';
      if (/^bedrock[a-z-]*\.amazonaws\.com/.test(event.source)) return 'it called Bedrock';
      // They need no rights and say nothing of what was done: clients ask them to know whose key it is.
      if (/^(GetCallerIdentity|GetAccessKeyInfo)$/.test(event.name)) return 'it asked who it is';
      return { key: `${event.principal.key} in ${plain(event.account)}` };
    },
  },
  isKnown(event, state) {
    return isWritten(state, event, entriesOf(event));
  },
  fold(event, state) {
    return written(state, event, entriesOf(event));
  },
  judge(buckets) {
    return buckets.flatMap((bucket) => judgeDay(bucket));
  },
});

function entriesOf(event: Event): [section: string, name: string][] {
  const section = event.outcome === 'success' ? 'done' : 'tried';
  return [[section, `${event.source.replace('.amazonaws.com', '')}:${event.name}`]];
}

function judgeDay(bucket: Bucket<Diary>) {
  const done = namesIn(bucket.state, 'done');
  const tried = namesIn(bucket.state, 'tried');
  const didIt = done.length > 0;
  const signal = signalOf(bucket, 'outside', ['done', 'tried']);
  if (signal.evidence.length === 0) return [];
  const from = listed([...new Set(signal.evidence.map((one) => one.from))].sort());
  const refused = tried.length === 0 ? '' : ` Failed or refused: ${listed(tried)}.`;
  return [
    {
      ...signal,
      severity: didIt ? ('high' as const) : ('medium' as const),
      title: `${nameOf(bucket.state)}, made for a Bedrock API key, ${didIt ? 'acted' : 'tried to act'} outside Bedrock`,
      reason: `${didIt ? `Done: ${listed(done)}.` : 'Nothing worked.'}${refused} From ${from || 'an unknown address'}. Its API key cannot sign such calls: it holds another credential.`,
      facts: { from },
    },
  ];
}
