// A policy that, by its name, asks for MFA was taken away, or rewritten so that it no longer does.
import { z } from 'zod';
import { type DetectorMeta, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { decodeDocument, isJudgeable } from '../src/core/iam/document.ts';
import type { Severity } from '../src/core/severity.ts';
import { actorOf, attack, cis, isByAws, isSelf, originOf, said } from '../src/core/telling.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'mfa-enforcement-removed',
  title: 'Policy that enforces MFA removed',
  severity: 'medium',
  practice: 'mfa',
  what: 'A policy whose name says that it enforces MFA (such as RequireMFA, ForceMFA, DenyAllIfNoMFA) was detached or deleted, a user was taken out of a group of such a name, or the policy got a document without any condition on MFA.',
  why: 'Such a policy is what makes MFA compulsory: without it a password or a key alone does everything again. An intruder without a device needs it out of the way.',
  innocent: [
    'The policy is renamed or moved, from users to a group or to an SCP: another one is attached in the same minutes.',
    'A machine user for which MFA is not possible is taken out.',
  ],
  firstSteps: [
    'Look whether another policy now enforces MFA for the same users (aws iam simulate-principal-policy with aws:MultiFactorAuthPresent false).',
    'Ask the caller for the ticket; if there is none, attach the policy again and revoke the sessions of the caller.',
    'List calls of the users concerned since, from sessions without MFA.',
  ],
  attack: attack({
    'T1556.006': 'Modify Authentication Process: Multi-Factor Authentication',
    T1098: 'Account Manipulation',
  }),
  cis: [...cis('3.0.0', '1.10', '4.4'), ...cis('5.0.0', '1.9', '4.4')],
  gaps: [
    'A policy whose name does not speak of MFA is not recognised.',
    'Detaching an SCP names it only by its id; what attached policies held before is not in the record.',
    'A switch to an older version (SetDefaultPolicyVersion) is judged by stored-policy-took-effect.',
  ],
};

const config = z.strictObject({});

/** What a call takes away, and where its name stands. */
interface Shape {
  readonly name: string;
  readonly verb: string;
  /** Where the new document stands, for calls that write one. */
  readonly document?: string;
}

const detached: Shape = { name: 'policyArn', verb: 'detached' };
const deleted: Shape = { name: 'policyName', verb: 'deleted' };
const written: Shape = { name: 'policyName', verb: 'rewrote', document: 'policyDocument' };
const shapes: Readonly<Record<string, Shape>> = {
  'iam.amazonaws.com:DetachUserPolicy': detached,
  'iam.amazonaws.com:DetachGroupPolicy': detached,
  'iam.amazonaws.com:DetachRolePolicy': detached,
  'iam.amazonaws.com:DeleteUserPolicy': deleted,
  'iam.amazonaws.com:DeleteGroupPolicy': deleted,
  'iam.amazonaws.com:DeleteRolePolicy': deleted,
  'iam.amazonaws.com:DeletePolicy': { name: 'policyArn', verb: 'deleted' },
  'iam.amazonaws.com:RemoveUserFromGroup': { name: 'groupName', verb: 'took a user out of group' },
  'iam.amazonaws.com:PutUserPolicy': written,
  'iam.amazonaws.com:PutGroupPolicy': written,
  'iam.amazonaws.com:PutRolePolicy': written,
  'iam.amazonaws.com:CreatePolicyVersion': {
    name: 'policyArn',
    verb: 'rewrote',
    document: 'policyDocument',
  },
  'organizations.amazonaws.com:UpdatePolicy': {
    name: 'name',
    verb: 'rewrote',
    document: 'content',
  },
};

export default stateless<z.infer<typeof config>>({
  meta,
  // The keys are sources and names of calls, as the table above writes them.
  on: Object.keys(shapes) as `${string}:${string}`[],
  config,
  detect(event) {
    const shape = shapes[`${event.source}:${event.name}`];
    if (shape === undefined || isByAws(event)) return 'not a call of a person';
    if (event.outcome === 'failure') return 'the call failed and changed nothing';
    const name = nameIn(event, shape);
    if (!enforces(name)) return 'the name does not say that it enforces MFA';
    if (event.outcome === 'denied') return refused(event, shape, name);
    if (shape.document !== undefined) {
      const kept = whyKept(event, shape.document);
      if (kept !== undefined) return kept;
    }
    return removed(event, shape, name);
  },
});

function nameIn(event: Event, shape: Shape): string {
  const found =
    event.text(`requestParameters.${shape.name}`) ??
    (shape.name === 'name' ? event.text('responseElements.policy.policySummary.name') : undefined);
  return plain(found?.slice(found.lastIndexOf('/') + 1));
}

const mfa = /mfa|multi[-_ ]?factor/i;
const force = /forc|require|need|must|deny|mandat|without|ifno|unless/i;

/** Policies that let users manage their own devices speak of MFA too, but enforce nothing. */
function enforces(name: string): boolean {
  return mfa.test(name) && force.test(name.replace(/-|_|\s/g, ''));
}

/** Gives why a rewritten policy still asks for MFA or cannot be judged; undefined when it does not. */
function whyKept(event: Event, path: string): string | undefined {
  const isVersion = event.name === 'CreatePolicyVersion';
  const isDefault = /^true$/i.test(plain(event.field('requestParameters.setAsDefault')));
  if (isVersion && !isDefault) return 'the new version is not in force';
  const decoded = decodeDocument(event.field(`requestParameters.${path}`));
  if (!isJudgeable(decoded)) return `the document ${decoded.unjudged}`;
  const asks = decoded.statements.some(({ conditions }) =>
    conditions.some(({ key }) => key.startsWith('aws:multifactorauth')),
  );
  return asks ? 'the new document still asks for MFA' : undefined;
}

function refused(event: Event, shape: Shape, name: string) {
  const what = shape.document === undefined ? 'remove' : 'rewrite';
  return said(event, {
    severity: 'low',
    title: `${actorOf(event)} tried to ${what} ${name}, which enforces MFA, and was refused`,
    reason: `${plain(event.name)} from ${originOf(event)} lacked the right.`,
  });
}

function removed(event: Event, shape: Shape, name: string) {
  const user = event.text('requestParameters.userName');
  const isOwn = isSelf(event, user);
  const target =
    user ?? event.text('requestParameters.groupName') ?? event.text('requestParameters.roleName');
  const isGroupName = shape.name === 'groupName';
  const from = target === undefined || (isGroupName && user === undefined) ? '' : plain(target);
  const whose = from === '' ? '' : `${isGroupName ? ':' : ', from'} ${from}`;
  const own = isOwn ? ' The caller freed itself from it.' : '';
  return said(event, {
    severity: severityOf(event, isOwn),
    title: `${actorOf(event)} ${shape.verb} ${name}, which enforces MFA${whose}`,
    reason: `${because(event, shape)}${own} The call came from ${originOf(event)}.`,
    facts: { policy: name, ...(from === '' ? {} : { target: from }) },
  });
}

function because(event: Event, shape: Shape): string {
  if (shape.document !== undefined) return 'The new document has no condition on MFA any more.';
  return event.name === 'DeletePolicy'
    ? 'A managed policy can be deleted only once it is attached to nobody.'
    : 'Whom it bound can now act without MFA, unless another policy asks for it.';
}

function severityOf(event: Event, isOwn: boolean): Severity {
  if (event.name === 'DeletePolicy') return 'low';
  return isOwn ? 'high' : 'medium';
}
