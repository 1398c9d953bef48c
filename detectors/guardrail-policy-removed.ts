// A policy whose name says that it limits somebody was detached or deleted.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { parseDenial, targetOf } from '../src/core/iam/denial.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, isByAws, isServiceLinked, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'guardrail-policy-removed',
  title: 'Guardrail policy removed',
  severity: 'medium',
  practice: 'least-privilege',
  what: 'An IAM policy whose name speaks of a limit (deny, boundary, guardrail, restrict, lockdown, quarantine, require MFA) was detached from a user, role or group, or deleted.',
  why: 'Such a policy takes rights away. Without it the holder can do what somebody once decided it must not, and no grant shows in the trail.',
  innocent: [
    'A guardrail is renamed or replaced by a new one: the new one is attached within minutes.',
    'A stack with its own deny policy is removed; shown as low for roles of tools.',
    'An incident is over, and the deny policy of the response is taken off again.',
  ],
  firstSteps: [
    'Ask the owner of the guardrail whether it was replaced, and see whether the holder has another one now.',
    'If not: attach it again; a deleted policy is in the version control or, as text, in its CreatePolicy event.',
    'Read what the holder did since then, above all what the policy used to forbid.',
  ],
  attack: attack({
    T1098: 'Account Manipulation',
    'T1548.005': 'Abuse Elevation Control Mechanism: Temporary Elevated Cloud Access',
    'T1562.001': 'Impair Defenses: Disable or Modify Tools',
  }),
  cis: [],
  gaps: [
    'A policy is known by its name; one that denies under a plain name passes unseen.',
    'A new version that denies less is told by iam-policy-changed, as are permissions boundaries and the quarantine of AWS itself.',
  ],
};

const config = z.strictObject({
  words: z
    .array(z.string().min(2).max(40))
    .min(1)
    .max(40)
    .default([
      'deny',
      'boundary',
      'guardrail',
      'restrict',
      'lockdown',
      'quarantine',
      'forcemfa',
      'requiremfa',
      'enforcemfa',
    ])
    .describe('A policy whose name holds one of these, whatever case and dashes, is a guardrail.'),
});
type Config = z.infer<typeof config>;

export default stateless<Config>({
  meta,
  on: [
    'iam.amazonaws.com:DetachUserPolicy',
    'iam.amazonaws.com:DetachRolePolicy',
    'iam.amazonaws.com:DetachGroupPolicy',
    'iam.amazonaws.com:DeleteUserPolicy',
    'iam.amazonaws.com:DeleteRolePolicy',
    'iam.amazonaws.com:DeleteGroupPolicy',
    'iam.amazonaws.com:DeletePolicy',
  ],
  config,
  detect(event, { words }) {
    if (isByAws(event) || isServiceLinked(event)) return 'a service of AWS acted by itself';
    const name = policyIn(event);
    if (name === '') return 'the record names no policy';
    if (/^AWSCompromisedKeyQuarantine/.test(name)) return 'iam-policy-changed tells of this one';
    const folded = name.toLowerCase().replace(/[-_.\s]/g, '');
    const word = words.find((one) => folded.includes(one.toLowerCase().replace(/[-_.\s]/g, '')));
    if (word === undefined) return 'the name of the policy speaks of no limit';
    return told(event, name);
  },
});

function told(event: Event, name: string) {
  const holder = holderOf(event);
  const isOwn = holder !== undefined && isActor(event, holder);
  const isDone = event.outcome === 'success';
  const verb = event.name.startsWith('Detach') ? ['detached', 'detach'] : ['deleted', 'delete'];
  const from = holder === undefined ? '' : ` from ${isOwn ? 'itself' : shown(holder)}`;
  const does = isDone ? verb[0] : `tried to ${verb[1]}`;
  const failure = plain(event.errorCode) || 'an error';
  return said(event, {
    severity: severityOf(event, isOwn),
    title: `${actorOf(event)} ${does} guardrail policy ${name}${from}`,
    reason: isDone
      ? `By its name the policy is a limit, and ${holder === undefined ? 'it can be attached no more' : 'its holder is free of it'}. ${handOf(event)} The call came from ${originOf(event)}.`
      : `The call from ${originOf(event)} failed with ${failure}; the policy stands.`,
    facts: { policy: name, ...(holder === undefined ? {} : { target: shown(holder) }) },
  });
}

function severityOf(event: Event, isOwn: boolean): Severity {
  if (event.outcome !== 'success') return 'low';
  if (isOwn) return 'high';
  return isTool(event) ? 'low' : 'medium';
}

function handOf(event: Event): string {
  return isTool(event) ? 'A role that deploys may do so.' : 'It was done by hand or with a key.';
}

/** Gives true for a role that is not a person's session of Identity Center or an instance's. */
function isTool(event: Event): boolean {
  const { kind, name } = event.principal;
  const session = event.text('userIdentity.principalId')?.split(':')[1] ?? '';
  const isInstance = /^i-[0-9a-f]{8,17}$/.test(session);
  return kind === 'role' && !name.startsWith('AWSReservedSSO_') && !isInstance;
}

function policyIn(event: Event): string {
  const denied = parseDenial(event.errorMessage)?.resource;
  const target = event.name === 'DeletePolicy' ? targetOf(denied)?.name : undefined;
  const named =
    event.text('requestParameters.policyArn') ??
    event.text('requestParameters.policyName') ??
    target ??
    '';
  return plain(named.slice(named.lastIndexOf('/') + 1));
}

interface Holder {
  readonly kind: 'user' | 'role' | 'group';
  readonly name: string;
}

function holderOf(event: Event): Holder | undefined {
  for (const kind of ['user', 'role', 'group'] as const) {
    const name = event.text(`requestParameters.${kind}Name`);
    if (name !== undefined) return { kind, name: plain(name) };
  }
  return undefined;
}

function isActor({ principal, account }: Event, { kind, name }: Holder): boolean {
  const isSame = principal.name.toLowerCase() === name.toLowerCase();
  return principal.account === account && principal.kind === kind && isSame;
}

function shown({ kind, name }: Holder): string {
  return `${kind} ${name}`;
}
