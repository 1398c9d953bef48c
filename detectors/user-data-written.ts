// The start-up script of an instance was changed, and perhaps run by stopping and starting it.
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
  diarySchema,
  type Entry,
  emptyDiary,
  instancesIn,
  isWritten,
  nameOf,
  namesIn,
  signalOf,
  written,
} from '../src/core/instances.ts';
import type { Severity } from '../src/core/severity.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isByAws } from '../src/core/telling.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'user-data-written',
  title: 'The start-up script of an instance was changed',
  severity: 'medium',
  practice: 'instance-roles',
  what: 'Somebody wrote new user data to an existing instance (ModifyInstanceAttribute), and on the same day stopped it before and started it after.',
  why: 'User data runs as root at the next start. Whoever may write it and restart the instance runs any code with the role of the instance, without ever having had that role.',
  innocent: [
    'Terraform changes user data in place: it stops the instance, writes, and starts it.',
    'An administrator repairs the start-up script of one server.',
  ],
  firstSteps: [
    'Ask whoever changed it for the ticket. Read the script: ec2 describe-instance-attribute --attribute userData.',
    'If it is not theirs: isolate the instance, deny older sessions of its role by aws:TokenIssueTime, and read what the role did since the start.',
    'Take ec2:ModifyInstanceAttribute from those who do not need it.',
  ],
  attack: attack({
    T1059: 'Command and Scripting Interpreter',
    T1037: 'Boot or Logon Initialization Scripts',
    T1578: 'Modify Cloud Compute Infrastructure',
  }),
  cis: [],
  gaps: [
    'CloudTrail hides the script itself.',
    'A stop and a start by another principal, or on another UTC day, are not joined with the change.',
    'A new version of a launch template is not judged: deployments make them all day.',
  ],
};

const config = z.strictObject({
  instances: z
    .int()
    .min(2)
    .default(3)
    .describe(
      'Instances of one principal changed and restarted in one day (UTC) that make it high.',
    ),
});
type Config = z.infer<typeof config>;

export default folding<Config, Diary>({
  meta,
  on: [
    'ec2.amazonaws.com:ModifyInstanceAttribute',
    'ec2.amazonaws.com:StopInstances',
    'ec2.amazonaws.com:StartInstances',
  ],
  config,
  state: {
    version: 1,
    schema: diarySchema,
    scope: 'account',
    bucketMs: dayMs,
    lifetimeMs: 8 * dayMs,
    reachMs: 0,
    key(event) {
      if (isByAws(event)) return 'an AWS service acted by itself';
      if (entriesOf(event).length === 0) return 'no start-up script was written, none restarted';
      return { key: event.principal.key };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeDay(bucket, settings)),
});

function entriesOf(event: Event): readonly Entry[] {
  if (event.name === 'ModifyInstanceAttribute') {
    const data = event.field('requestParameters.userData');
    const isUserData = event.text('requestParameters.attribute') === 'userData';
    if (data === undefined && !isUserData) return [];
    const section = event.outcome === 'success' ? 'written' : 'refused';
    return [[section, event.text('requestParameters.instanceId') ?? 'an instance']];
  }
  if (event.outcome !== 'success') return [];
  const section = event.name === 'StopInstances' ? 'stopped' : 'started';
  return instancesIn(event)
    .slice(0, 20)
    .map((one) => [section, one]);
}

function judgeDay(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const { state } = bucket;
  const all = namesIn(state, 'written');
  const refused = namesIn(state, 'refused');
  if (all.length === 0 && refused.length === 0) return [];
  const restarted = all.filter((one) => isSequence(state, one));
  const shown = listed(all.length > 0 ? all : refused);
  const did =
    all.length === 0
      ? 'tried to change'
      : restarted.length > 0
        ? 'changed and restarted'
        : 'changed';
  const sections =
    restarted.length > 0 ? ['stopped', 'written', 'started'] : ['written', 'refused'];
  return [
    {
      ...signalOf(bucket, 'user data', sections),
      severity: severityOf(state, { written: all.length, restarted: restarted.length }, settings),
      title: `${nameOf(state)} ${did} the start-up script of ${shown}`,
      reason: reasonOf(all, restarted),
      facts: { instances: shown },
    },
  ];
}

/** Stopped before, started after: the script ran, or will have. */
function isSequence(state: Diary, instance: string): boolean {
  const at = (section: string) => state.sections[section]?.[instance]?.time;
  const [stop, write, start] = [at('stopped'), at('written'), at('started')];
  if (stop === undefined || write === undefined) return false;
  return stop <= write && (start === undefined || start >= write);
}

function reasonOf(all: readonly string[], restarted: readonly string[]): string {
  if (all.length === 0) return 'The call failed; nothing was changed.';
  if (restarted.length === 0) {
    return 'The script runs at a next start; no stop by the same principal was seen that day.';
  }
  return `${listed(restarted)} was stopped first, so that the new script runs as root with the role of the instance.`;
}

function severityOf(
  state: Diary,
  of: { written: number; restarted: number },
  settings: Config,
): Severity {
  if (of.written === 0 || of.restarted === 0) return 'low';
  // Pipelines act by role; a user who does it by key or console is rarely one.
  const isPerson = ['user', 'root'].includes(actorIn(state).kind);
  return isPerson || of.restarted >= settings.instances ? 'high' : 'medium';
}
