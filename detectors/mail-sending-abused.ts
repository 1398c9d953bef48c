// Somebody explores or opens the sending of mail or SMS with credentials that look stolen.
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

const meta: DetectorMeta = {
  id: 'mail-sending-abused',
  title: 'Sending of mail or SMS abused',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'Within an hour a long-term key asked SES or SNS for quotas, identities and whether sending is on, in several calls or regions; or somebody asked for production access, switched sending on, raised the SMS limit or made a sender beside such questions.',
  why: 'Stolen keys are first tried for mail: phishing sent from your domain passes all filters, costs money, and gets the domain blocked.',
  innocent: [
    'A dashboard or a mail application that watches its quota with a key of its own: give it an exception.',
    'A person sets up mail for a new project: low without the questions of a stranger.',
  ],
  firstSteps: [
    'Ask the owner of the key whether it has to do with mail.',
    'If not: deactivate it, and switch sending off in the regions named (aws sesv2 put-account-sending-attributes --no-sending-enabled).',
    'Delete identities that were made, and look at bounces and complaints since.',
    'Look for where the key was leaked: code, an .env file, a web server.',
  ],
  attack: attack({
    'T1496.004': 'Resource Hijacking: Cloud Service Hijacking',
    T1526: 'Cloud Service Discovery',
  }),
  cis: [],
  gaps: [
    'Mail that was sent is not in the trail unless data events of SES are on.',
    'Questions by a role are not told: dashboards ask them all day.',
  ],
};

const config = z.strictObject({
  questions: z
    .int()
    .min(2)
    .max(50)
    .default(3)
    .describe('Different questions (call and region) of a long-term key that make a signal.'),
});
type Config = z.infer<typeof config>;

const looked = [
  'ses.amazonaws.com:GetSendQuota',
  'ses.amazonaws.com:GetSendStatistics',
  'ses.amazonaws.com:GetAccount',
  'ses.amazonaws.com:GetAccountSendingEnabled',
  'ses.amazonaws.com:ListIdentities',
  'ses.amazonaws.com:ListEmailIdentities',
  'ses.amazonaws.com:GetIdentityVerificationAttributes',
  'sns.amazonaws.com:GetSMSAttributes',
  'sns.amazonaws.com:GetSMSSandboxAccountStatus',
  'sns.amazonaws.com:ListOriginationNumbers',
] as const satisfies readonly CallPattern[];
const opened = [
  'ses.amazonaws.com:PutAccountDetails',
  'ses.amazonaws.com:UpdateAccountSendingEnabled',
  'ses.amazonaws.com:PutAccountSendingAttributes',
  'sns.amazonaws.com:SetSMSAttributes',
] as const satisfies readonly CallPattern[];
const made = [
  'ses.amazonaws.com:VerifyEmailIdentity',
  'ses.amazonaws.com:VerifyDomainIdentity',
  'ses.amazonaws.com:CreateEmailIdentity',
] as const satisfies readonly CallPattern[];

export default folding<Config, Spree>({
  meta,
  on: [...looked, ...opened, ...made],
  config,
  state: spreeState((event) => {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS asked';
    return undefined;
  }),
  isKnown: (event, state) =>
    kindsOf(event).every((kind) => isInSpree(state, kind, [thingOf(event)], event)),
  fold: (event, state) =>
    kindsOf(event)
      .map((kind) => spreeAdd(state, kind, [thingOf(event)], event))
      .includes(true),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeHour(bucket, settings)),
});

function kindsOf(event: Event): readonly string[] {
  const call = `${event.source}:${event.name}`;
  const isIn = (list: readonly string[]) => list.includes(call);
  const kind = isIn(opened) ? 'opened' : isIn(made) ? 'made' : 'looked';
  const isSuccess = event.outcome === 'success';
  if (kind !== 'looked' && !isSuccess) return ['refused'];
  return event.accessKeyId.startsWith('AKIA') ? [kind, `${kind} by key`] : [kind];
}

function thingOf(event: Event): string {
  return `${event.name} in ${event.region || 'an unknown region'}`;
}

function judgeHour(bucket: Bucket<Spree>, { questions }: Config): readonly JudgedSignal[] {
  const { state } = bucket;
  const size = (name: string) => groupsOf(state, name).things.length;
  const isAsking = size('looked by key') >= questions;
  const isChanged = size('opened') > 0 || (isAsking && size('made') > 0);
  if (!isAsking && !isChanged && size('refused') < 2) return [];
  const who = nameOf(actorIn(state));
  const changes = groupsOf(state, 'opened', 'made');
  if (isChanged) {
    const isOdd = isAsking || size('opened by key') > 0;
    return [
      {
        ...spreeSignal(bucket, 'opened', groupsOf(state, 'opened', 'made', 'looked')),
        severity: isOdd ? 'medium' : 'low',
        title: `${who} opened the sending of mail or SMS`,
        reason: `Changed: ${listed(changes.things)}.${
          isOdd
            ? ' A long-term key did it or asked around in the same hour, as thieves do.'
            : ' Nothing else points to a stranger.'
        }`,
      },
    ];
  }
  const told = isAsking ? 'looked by key' : 'refused';
  const group = groupsOf(state, told, 'refused');
  return [
    {
      ...spreeSignal(bucket, told, group),
      severity: 'low',
      title: isAsking
        ? `${who} explored the sending of mail or SMS with a long-term key`
        : `${who} failed to open the sending of mail or SMS`,
      reason: `Calls: ${listed(group.things)}. Nothing was changed.`,
    },
  ];
}
