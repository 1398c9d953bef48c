// Steps: a bounded, order-free list of what was done about one thing, so that a fold detector can judge
// sequences (a password set, then a login) whatever the order of arrival. Also reads console logins.
import { z } from 'zod';
import { type Bucket, evidenceOf, type JudgedSignal, type StateSpec } from './detector.ts';
import type { Event } from './event.ts';
import type { Principal } from './principal.ts';
import { evidenceSchema, principalSchema } from './tally.ts';
import { plain } from './text.ts';

const stepSchema = z.object({
  kind: z.string(),
  account: z.string(),
  actor: principalSchema,
  proof: evidenceSchema,
  notes: z.record(z.string(), z.string()),
});
const stepsSchema = z.object({ steps: z.array(stepSchema), isCut: z.boolean() });

/** One thing that was done: its kind, who did it, the proof, and what the detector noted of it. */
export type Step = z.infer<typeof stepSchema>;
export type Steps = z.infer<typeof stepsSchema>;

/** Steps kept of one bucket; the earliest stay. A person reads no more. */
const stepsMax = 100;

/** Takes key, width and lifetime; gives the state of a detector that keeps steps. */
export function stepsState(
  how: Pick<StateSpec<Steps>, 'key' | 'bucketMs' | 'lifetimeMs'> &
    Partial<Pick<StateSpec<Steps>, 'scope' | 'reachMs'>>,
): StateSpec<Steps> {
  return {
    version: 1,
    schema: stepsSchema,
    scope: 'account',
    ...how,
    empty: () => ({ steps: [], isCut: false }),
  };
}

/** Takes an event, what kind of step it is and what to note; keeps it. Gives true when that changed. */
export function addStep(
  state: Steps,
  event: Event,
  kind: string,
  notes: Readonly<Record<string, string>> = {},
): boolean {
  if (isPastCut(event, state)) return false;
  const actor = { ...event.principal };
  const step = { kind, account: plain(event.account), actor, proof: evidenceOf(event), notes };
  const all = [...state.steps, step].sort(inOrder);
  state.isCut ||= all.length > stepsMax;
  state.steps = all.slice(0, stepsMax);
  return true;
}

/** Takes an event and steps; gives true when so many earlier ones are kept that it would change nothing. */
export function isPastCut(event: Event, state: Steps): boolean {
  const last = state.steps.at(-1);
  if (!state.isCut || last === undefined) return false;
  const id = plain(event.id);
  return event.time > last.proof.time || (event.time === last.proof.time && id >= last.proof.id);
}

/** Takes buckets; gives their steps, the earliest first. */
export function stepsOf(buckets: readonly Bucket<Steps>[]): readonly Step[] {
  return buckets.flatMap(({ state }) => state.steps).sort(inOrder);
}

/** Takes the step a signal is about and others that belong to it; gives what follows from them. */
export function stepSignal(
  step: Step,
  others: readonly Step[] = [],
): Omit<JudgedSignal, 'severity' | 'title' | 'reason'> {
  const all = [step, ...others].sort(inOrder);
  return {
    key: step.proof.id,
    time: step.proof.time,
    account: step.account,
    principal: actorOfStep(step),
    evidence: all.map(({ proof }) => proof).slice(0, evidenceMax),
    count: all.length,
    facts: { from: step.proof.from },
    limited: all.length > evidenceMax,
  };
}

const evidenceMax = 20;

/** Takes a step; gives who took it. */
export function actorOfStep({ actor }: Step): Principal {
  const { arn, ...rest } = actor;
  return arn === undefined ? rest : { ...rest, arn };
}

/** Takes a step and others; gives those after it, no later than `withinMs`. */
export function after(step: Step, others: readonly Step[], withinMs: number): readonly Step[] {
  const { time } = step.proof;
  return others.filter(({ proof }) => proof.time >= time && proof.time - time <= withinMs);
}

function inOrder(a: Step, b: Step): number {
  return a.proof.time - b.proof.time || (a.proof.id < b.proof.id ? -1 : 1);
}

/** What a console login of an IAM user says. */
export interface UserSignIn {
  /** Undefined where CloudTrail hides the name, because nobody has it. */
  readonly user: string | undefined;
  readonly succeeded: boolean;
  /** Whether a second factor was asked for; undefined where the record does not say. */
  readonly mfa: 'yes' | 'no' | undefined;
}

/** Takes a ConsoleLogin; gives what it says when an IAM user signed in, or why it is not looked at. */
export function userSignIn(event: Event): UserSignIn | string {
  if (event.identityType !== 'IAMUser') return 'not the login of an IAM user';
  const result = event.text('responseElements.ConsoleLogin');
  if (result !== 'Success' && result !== 'Failure') return 'the record does not say how it ended';
  const name = event.text('userIdentity.userName');
  const mfa = event.text('additionalEventData.MFAUsed')?.toLowerCase();
  return {
    user: name === undefined || name === hiddenName ? undefined : plain(name),
    succeeded: result === 'Success' && event.outcome === 'success',
    mfa: mfa === 'yes' || mfa === 'no' ? mfa : undefined,
  };
}

const hiddenName = 'HIDDEN_DUE_TO_SECURITY_REASONS';
