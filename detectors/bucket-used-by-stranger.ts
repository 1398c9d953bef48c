// Somebody without credentials, or of another account, listed, changed or read secrets in a bucket.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Severity } from '../src/core/severity.ts';
import {
  actorIn,
  counted,
  groupsOf,
  isInSpree,
  type Spree,
  spreeAdd,
  spreeSignal,
  spreeState,
} from '../src/core/spree.ts';
import { listed } from '../src/core/tally.ts';
import { attack, cis, isByAws, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'bucket-used-by-stranger',
  title: 'Bucket used by a stranger',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Somebody without credentials listed a bucket or wrote to it; somebody without credentials or of another account read an object whose name is that of a key, password or state file; or objects were copied to a bucket of another account.',
  why: 'Open buckets are found by machines that list them and take the keys inside. The next step is a login with what was found.',
  innocent: [
    'A web site or a public data set: reading objects is not told, only listing and secret names.',
    'A partner account reads what it was given: name it in knownAccounts.',
  ],
  firstSteps: [
    'Close it: aws s3api put-public-access-block --bucket <bucket> with all four settings true, or take the statement out of the bucket policy.',
    'Rotate every key and password in the objects named.',
    'After an anonymous write: treat what the bucket serves as hostile and restore earlier versions.',
    'Look for the address in other events of the account.',
  ],
  attack: attack({
    T1530: 'Data from Cloud Storage',
    'T1552.001': 'Unsecured Credentials: Credentials In Files',
    T1537: 'Transfer Data to Cloud Account',
    T1619: 'Cloud Storage Object Discovery',
  }),
  cis: [...cis('3.0.0', '2.1.4'), ...cis('5.0.0', '2.1.4')],
  gaps: [
    'These are data events: a trail without them shows nothing.',
    'Reads by principals of the own account are not told: terraform reads its state all day.',
    'Secrets in files with ordinary names are not recognised.',
  ],
};

const config = z.strictObject({
  knownAccounts: z
    .array(z.string().regex(/^\d{12}$/))
    .max(10_000)
    .default([])
    .describe('Accounts of the same owner or of partners.'),
});
type Config = z.infer<typeof config>;

const secretName =
  /(^|\/)(\.aws\/credentials|credentials(\.csv|\.json)?|\.env(\.[a-z]+)?|id_(rsa|dsa|ecdsa|ed25519)|\.git-credentials|\.npmrc|\.pgpass|\.htpasswd|wp-config\.php|rootkey\.csv|[^/]*accessKeys\.csv|[^/]*\.(pem|ppk|p12|pfx|kdbx|tfstate))$/i;

type Kind = 'listed' | 'written' | 'secrets' | 'copied';

export default folding<Config, Spree>({
  meta,
  on: [
    's3.amazonaws.com:ListObjects',
    's3.amazonaws.com:ListObjectsV2',
    's3.amazonaws.com:ListObjectVersions',
    's3.amazonaws.com:GetObject',
    's3.amazonaws.com:PutObject',
    's3.amazonaws.com:DeleteObject',
    's3.amazonaws.com:CopyObject',
  ],
  config,
  state: spreeState((event) => {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS did it';
    if (event.outcome !== 'success') return 'it was refused';
    return kindOf(event) === undefined
      ? 'no stranger, or nothing that a stranger may not'
      : undefined;
  }),
  isKnown(event, state) {
    const kind = kindOf(event);
    return (
      kind === undefined || isInSpree(state, groupOf(event, kind), [thingOf(event, kind)], event)
    );
  },
  fold(event, state) {
    const kind = kindOf(event);
    return (
      kind !== undefined && spreeAdd(state, groupOf(event, kind), [thingOf(event, kind)], event)
    );
  },
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function isAnonymous(event: Event): boolean {
  return event.text('userIdentity.accountId') === 'ANONYMOUS_PRINCIPAL';
}

function kindOf(event: Event): Kind | undefined {
  const isNobody = isAnonymous(event);
  if (event.name === 'CopyObject' && otherOwner(event) !== undefined) return 'copied';
  if (event.name === 'GetObject') {
    const isStranger = isNobody || isForeign(event.principal.account, event);
    const key = event.text('requestParameters.key') ?? '';
    return isStranger && secretName.test(key) ? 'secrets' : undefined;
  }
  if (!isNobody) return undefined;
  return event.name.startsWith('List') ? 'listed' : 'written';
}

function isForeign(account: string, event: Event): boolean {
  return /^\d{12}$/.test(account) && account !== event.account;
}

/** Gives the account of a bucket in the call that is not the caller's account. */
function otherOwner(event: Event): string | undefined {
  const list = event.field('resources');
  if (!Array.isArray(list)) return undefined;
  return list
    .slice(0, 10)
    .map((_, at) => event.text(`resources.${at}.accountId`))
    .find((one) => one !== undefined && isForeign(one, event));
}

/** The other account stands in the name of the group, for `judge` to hold against those known. */
function groupOf(event: Event, kind: Kind): string {
  const other = kind === 'copied' ? otherOwner(event) : event.principal.account;
  return `${kind} ${plain(other)}`;
}

function thingOf(event: Event, kind: Kind): string {
  const bucket = event.text('requestParameters.bucketName') ?? 'a bucket';
  const key = event.text('requestParameters.key');
  return plain(kind === 'listed' || key === undefined ? bucket : `${bucket}/${key}`);
}

const words: Readonly<Record<Kind, readonly [Severity, did: string, noun: string, why: string]>> = {
  listed: ['medium', 'listed', 'bucket', 'Whoever lists a bucket sees every name in it.'],
  written: ['high', 'wrote or deleted', 'object', 'Anybody can change what the bucket serves.'],
  secrets: ['high', 'read', 'file of secrets', 'The names are those of keys and passwords.'],
  copied: ['medium', 'copied', 'object', 'A bucket of the copy belongs to another account.'],
};

function judgeHour(bucket: Bucket<Spree>, { knownAccounts }: Config): readonly JudgedSignal[] {
  return Object.keys(bucket.state.groups)
    .sort()
    .flatMap((name) => {
      const [kind = '', other = ''] = name.split(' ');
      if (!isKind(kind) || knownAccounts.includes(other)) return [];
      const group = groupsOf(bucket.state, name);
      const [severity, did, noun, why] = words[kind];
      const amount = counted(group, noun).replace(/file of secretss$/, 'files of secrets');
      return [
        {
          ...spreeSignal(bucket, name, group),
          severity,
          title: `${strangerIn(bucket.state, other)} ${did} ${amount}${
            kind === 'copied' ? ` between accounts: ${other}` : ''
          }`,
          reason: `${why} Named: ${listed(group.things)}.`,
        },
      ];
    });
}

function isKind(text: string): text is Kind {
  return Object.hasOwn(words, text);
}

function strangerIn(state: Spree, other: string): string {
  if (other === 'ANONYMOUS_PRINCIPAL') return 'Somebody without credentials';
  const { kind, name, account } = actorIn(state);
  const who =
    kind === 'role' || kind === 'user' ? `${kind === 'role' ? 'Role' : 'IAM user'} ${name}` : name;
  return account === state.account ? who : `${who} of account ${account}`;
}
