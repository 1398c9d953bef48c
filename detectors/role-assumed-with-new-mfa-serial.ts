// A user presented an MFA device to STS that it had not used before: perhaps one an intruder registered.
import { z } from 'zod';
import { type DetectorMeta, folding, type JudgedSignal } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import {
  addStep,
  type Step,
  type Steps,
  stepSignal,
  stepsOf,
  stepsState,
} from '../src/core/steps.ts';
import { actorOf, attack } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';
import { dayMs, formatTime } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'role-assumed-with-new-mfa-serial',
  title: 'Role assumed with an MFA device not used before',
  severity: 'low',
  practice: 'mfa',
  what: 'An IAM user assumed a role or got a session token with the serial number of an MFA device, and it had shown only another device before, for at least a day.',
  why: 'An intruder with a key registers a device of their own and passes every policy that asks for MFA. The new serial number is where it shows.',
  innocent: ['A new phone or a security key: then it was registered shortly before.'],
  firstSteps: [
    'Look up who registered the device and when (EnableMFADevice in the timeline of the user), and ask the user.',
    'If nobody knows it: deactivate it, deactivate the keys of the user, and revoke the sessions of the role that was assumed.',
  ],
  attack: attack({
    'T1556.006': 'Modify Authentication Process: Multi-Factor Authentication',
    'T1098.005': 'Account Manipulation: Device Registration',
  }),
  cis: [],
  gaps: [
    'The first device a user shows is taken for the known one; what was shown over 90 days ago is forgotten.',
    'A device that replaced another under the same name has the same serial number.',
  ],
};

const config = z.strictObject({
  knownDays: z
    .int()
    .min(0)
    .max(30)
    .default(1)
    .describe('Days that another device must have been known before a new one is a signal.'),
});
type Config = z.infer<typeof config>;

export default folding<Config, Steps>({
  meta,
  on: ['sts.amazonaws.com:AssumeRole', 'sts.amazonaws.com:GetSessionToken'],
  config,
  state: stepsState({
    bucketMs: 30 * dayMs,
    lifetimeMs: 90 * dayMs,
    key(event) {
      if (event.identityType !== 'IAMUser') return 'not an IAM user';
      if (event.outcome !== 'success') return 'the call failed: the code may have been wrong';
      return serialOf(event) === undefined ? 'no MFA device shown' : { key: event.principal.key };
    },
  }),
  isKnown(event, state) {
    const known = state.steps.find(({ kind }) => kind === serialOf(event));
    if (known === undefined) return false;
    const { time, id } = known.proof;
    return time < event.time || (time === event.time && id <= plain(event.id));
  },
  fold(event, state) {
    const serial = serialOf(event) ?? '';
    const notes = { who: actorOf(event), role: roleOf(event) };
    // Of each device only the first use counts, whatever the order of arrival.
    const changed = addStep(state, event, serial, notes);
    state.steps = firstOfEach(state.steps);
    return changed;
  },
  judge(buckets, settings) {
    const firsts = firstOfEach(stepsOf(buckets));
    return firsts.flatMap((step, at) => judgeFirst(step, firsts.slice(0, at), settings));
  },
});

function serialOf(event: Event): string | undefined {
  const serial = event.text('requestParameters.serialNumber');
  return serial === undefined ? undefined : plain(serial);
}

function roleOf(event: Event): string {
  const role = event.text('requestParameters.roleArn');
  return role === undefined
    ? 'a session token'
    : `role ${plain(role.slice(role.lastIndexOf('/') + 1))}`;
}

function firstOfEach(steps: readonly Step[]): Step[] {
  const firsts = new Map<string, Step>();
  for (const step of steps) if (!firsts.has(step.kind)) firsts.set(step.kind, step);
  return [...firsts.values()];
}

function judgeFirst(
  step: Step,
  earlier: readonly Step[],
  settings: Config,
): readonly JudgedSignal[] {
  const known = earlier[0];
  if (known === undefined) return [];
  if (step.proof.time - known.proof.time < settings.knownDays * dayMs) return [];
  const since = formatTime(known.proof.time);
  const others = earlier.map(({ kind }) => kind).join(', ');
  return [
    {
      ...stepSignal(step, [known]),
      key: step.kind,
      severity: 'low',
      title: `${step.notes['who']} took ${step.notes['role']} with an MFA device not used before`,
      reason: `The device ${step.kind} is new; since ${since} the user had shown ${plain(others)}. The call came from ${step.proof.from}.`,
      facts: { from: step.proof.from, device: step.kind },
    },
  ];
}
