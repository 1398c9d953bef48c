// Systems Manager was used by hand, or by an instance, to run commands or open shells on many machines.
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
  diaryOfDay,
  type Entry,
  instanceOf,
  isByHand,
  isWritten,
  nameOf,
  namesIn,
  signalOf,
  textsAt,
  written,
} from '../src/core/instances.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws, isServiceLinked } from '../src/core/telling.ts';

const meta: DetectorMeta = {
  id: 'commands-run-by-ssm',
  title: 'Commands or shells on many machines through Systems Manager',
  severity: 'low',
  practice: 'instance-roles',
  what: 'One principal ran commands on, or opened sessions to, many instances in one day; or an instance did so on others; or many such calls were refused.',
  why: 'Systems Manager runs code as root on every managed machine. With it, rights in the account become the rights of every instance role.',
  innocent: [
    'An administrator patches or inspects a fleet by hand.',
    'A deployment runner on EC2 rolls out a version.',
  ],
  firstSteps: [
    'Read what was run: ssm get-command-invocation, and the session logs in S3 or CloudWatch Logs.',
    'Ask the principal. If nobody answers for it: ssm cancel-command, terminate-session, end its sessions or deactivate its key.',
    'Isolate the instances named here whose output is strange, and revoke sessions of their roles.',
  ],
  attack: attack({
    T1651: 'Cloud Administration Command',
    'T1021.007': 'Remote Services: Cloud Services',
  }),
  cis: [],
  gaps: [
    'CloudTrail hides the parameters of a command and what is typed in a session.',
    'Commands of roles that pipelines use are not counted, unless the role is that of an instance.',
    'A document that is shared with everybody is judged by iam-policy-changed.',
  ],
};

const config = z.strictObject({
  instances: z.int().min(2).default(10).describe('Machines in one day (UTC) that make a signal.'),
  instancesMany: z.int().min(2).default(30).describe('As many make it medium.'),
  refused: z.int().min(2).default(8).describe('Refused calls in one day (UTC) that make a signal.'),
});
type Config = z.infer<typeof config>;

const anything = /^(\*|all)$/i;

export default folding<Config, Diary>({
  meta,
  on: [
    'ssm.amazonaws.com:SendCommand',
    'ssm.amazonaws.com:StartSession',
    'ssm.amazonaws.com:ResumeSession',
  ],
  config,
  state: {
    ...diaryOfDay,
    key(event) {
      if (isByAws(event) || isServiceLinked(event)) return 'an AWS service acted by itself';
      if (event.invokedBy !== '') return 'an AWS service ran the command for the caller';
      if (entriesOf(event).length === 0) return 'not by hand, and not by an instance';
      return { key: event.principal.key };
    },
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeDay(bucket, settings)),
});

function entriesOf(event: Event): readonly Entry[] {
  if (event.outcome === 'denied') return [['refused', event.identity]];
  const from = instanceOf(event);
  if (event.outcome !== 'success' || (from === undefined && !isByHand(event))) return [];
  const kind = event.name === 'SendCommand' ? 'commands' : 'sessions';
  const targets = targetsOf(event).filter((one) => one.toLowerCase() !== from?.toLowerCase());
  const section = from === undefined ? kind : `${kind} of an instance`;
  return targets.map((one) => [section, one]);
}

function targetsOf(event: Event): string[] {
  if (event.name !== 'SendCommand') {
    const target = event.text('requestParameters.target');
    return target === undefined ? [] : [target];
  }
  const named = textsAt(event, 'requestParameters.instanceIds');
  const byTag = event.field('requestParameters.targets');
  const wide = !Array.isArray(byTag)
    ? []
    : byTag.slice(0, 5).flatMap((_, at) => {
        const key = event.text(`requestParameters.targets.${at}.key`) ?? '';
        const values = textsAt(event, `requestParameters.targets.${at}.values`);
        if (key.toLowerCase() !== 'instanceids') return [`${key}=${values.join(',')}`];
        return values.map((one) => (anything.test(one) ? 'every machine' : one));
      });
  return [...named, ...wide].slice(0, 50);
}

function judgeDay(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  return [
    ...judgeHand(bucket, settings),
    ...judgeInstance(bucket),
    ...judgeRefused(bucket, settings),
  ];
}

function judgeHand(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state } = bucket;
  return (['commands', 'sessions'] as const).flatMap((kind) => {
    const targets = namesIn(state, kind);
    const isAll = targets.includes('every machine');
    if (targets.length < settings.instances && !isAll) return [];
    const isUser = ['user', 'root'].includes(actorIn(state).kind);
    const isMany = targets.length >= settings.instancesMany || (isUser && kind === 'commands');
    const did = kind === 'commands' ? 'ran commands on' : 'opened sessions to';
    return [
      {
        ...signalOf(bucket, kind, [kind]),
        severity: isMany || isAll ? 'medium' : 'low',
        title: `${nameOf(state)} ${did} ${isAll ? 'every machine' : `${targets.length} machines`} through Systems Manager`,
        reason: `${isUser ? 'A user did so with a long-term key or from the console' : 'It was done by hand'}, in one day. Targets: ${listed(targets)}.`,
        facts: { targets: listed(targets) },
      } satisfies JudgedSignal,
    ];
  });
}

function judgeInstance(bucket: Bucket<Diary>): JudgedSignal[] {
  const { state } = bucket;
  const sessions = namesIn(state, 'sessions of an instance');
  const commands = namesIn(state, 'commands of an instance');
  if (sessions.length + commands.length === 0) return [];
  const targets = [...new Set([...sessions, ...commands])].sort();
  return [
    {
      ...signalOf(bucket, 'instance', ['sessions of an instance', 'commands of an instance']),
      severity: sessions.length > 0 ? 'medium' : 'low',
      title: `An instance with role ${actorIn(state).name} ${
        sessions.length > 0 ? 'opened sessions to' : 'ran commands on'
      } other machines`,
      reason: `${
        sessions.length > 0
          ? 'A session is a shell for a person; a program on an instance has no use for it.'
          : 'Deployment runners do this; other instances do not.'
      } Targets: ${listed(targets)}.`,
      facts: { targets: listed(targets) },
    },
  ];
}

function judgeRefused(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state } = bucket;
  const refused = namesIn(state, 'refused').length;
  if (refused < settings.refused) return [];
  return [
    {
      ...signalOf(bucket, 'refused', ['refused']),
      severity: 'medium',
      title: `${nameOf(state)} was refused commands or sessions on machines ${refused} times`,
      reason: 'Somebody who works with Systems Manager has the right to; this one tries without.',
    },
  ];
}
