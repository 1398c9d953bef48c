// A role assumed itself again and again from the session it had just got: the session never ends.
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
  signalOf,
  written,
} from '../src/core/instances.ts';
import type { Evidence } from '../src/core/signal.ts';
import { listed } from '../src/core/tally.ts';
import { attack, isServiceLinked } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime, hourMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'role-session-renewed-itself',
  title: 'Role session renewed itself',
  severity: 'medium',
  practice: 'temporary-credentials',
  what: 'A session of a role assumed the same role, the new session did so again, and so on, for longer than one session may last.',
  why: 'A chained session lasts an hour at most, so that stolen credentials die by themselves. Renewing one from the other keeps them alive without going back to where they were stolen.',
  innocent: [
    'A long-running job that renews its credentials this way on purpose. It should take them from its instance, task or pipeline instead.',
  ],
  firstSteps: [
    'Find where the first session of the row came from (the chain of this alert) and ask its owner.',
    'If it is foreign: put a deny on older tokens on the role (aws:TokenIssueTime); with the row cut it cannot renew.',
    'Take the role itself out of its own trust policy.',
  ],
  attack: attack({
    'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
    'T1078.004': 'Valid Accounts: Cloud Accounts',
  }),
  cis: [],
  gaps: [
    'Two roles that renew each other in turn are not seen.',
    'A row is followed within one UTC day; of a role that assumes itself for other reasons more than sixty times a day, some steps are not kept.',
  ],
};

const config = z.strictObject({
  steps: z.int().min(2).max(60).default(3).describe('Renewals in a row that make a signal.'),
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
    bucketMs: dayMs,
    lifetimeMs: 2 * dayMs,
    reachMs: 0,
    key(event) {
      if (event.identityType !== 'AssumedRole') return 'not the session of a role';
      if (event.outcome !== 'success') return 'it did not succeed';
      if (isServiceLinked(event)) return 'a service of AWS';
      if (!isSameRole(event)) return 'another role';
      if (stepOf(event) === undefined) return 'the record does not say which keys';
      return { key: event.principal.key };
    },
    empty: emptyDiary,
  },
  isKnown: (event, state) => isWritten(state, event, entriesOf(event)),
  fold: (event, state) => written(state, event, entriesOf(event)),
  judge: (buckets, settings) => buckets.flatMap((bucket) => judgeDay(bucket, settings)),
});

function isSameRole(event: Event): boolean {
  const target = event.text('requestParameters.roleArn');
  return target !== undefined && target === event.principal.arn;
}

function stepOf(event: Event): string | undefined {
  const next = event.text('responseElements.credentials.accessKeyId');
  if (next === undefined || event.accessKeyId === '') return undefined;
  return `${plain(event.accessKeyId, 40)} ${plain(next, 40)}`;
}

function entriesOf(event: Event): readonly Entry[] {
  const step = stepOf(event);
  return step === undefined ? [] : [['steps', step]];
}

interface Row {
  readonly steps: number;
  readonly first: Evidence;
  readonly last: Evidence;
}

function judgeDay(bucket: Bucket<Diary>, settings: Config): JudgedSignal[] {
  const row = longestRow(bucket.state.sections['steps'] ?? {});
  if (row === undefined || row.steps < settings.steps) return [];
  const lastedMs = row.last.time - row.first.time;
  if (lastedMs < hourMs) return [];
  const signal = signalOf(bucket, 'row', ['steps']);
  const from = listed([...new Set(signal.evidence.map((one) => one.from))].sort());
  const hours = (lastedMs / hourMs).toFixed(1);
  return [
    {
      ...signal,
      severity: 'medium',
      title: `${nameOf(bucket.state)} renewed its own session ${row.steps} times in a row`,
      reason: `Each session assumed the same role again, from ${formatTime(row.first.time)} for ${hours} hours; a chained session alone ends after one. From ${from}.`,
      facts: { steps: String(row.steps), hours, from },
    },
  ];
}

/** Steps are taken in order of time, so that a row always exists before its next step. */
function longestRow(steps: Readonly<Record<string, Evidence>>): Row | undefined {
  const rows = new Map<string, Row>();
  let longest: Row | undefined;
  const inOrder = Object.entries(steps).sort(
    ([a, one], [b, two]) => one.time - two.time || (a < b ? -1 : 1),
  );
  for (const [name, proof] of inOrder) {
    const [by = '', next = ''] = name.split(' ');
    const before = rows.get(by);
    const row = { steps: (before?.steps ?? 0) + 1, first: before?.first ?? proof, last: proof };
    rows.set(next, row);
    if (longest === undefined || row.steps > longest.steps) longest = row;
  }
  return longest;
}
