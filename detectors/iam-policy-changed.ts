// Every call that alters permissions, with a judgement of what it made possible.
import { z } from 'zod';
import { type DetectorMeta, signalFrom, stateless } from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import type { Asked, Change } from '../src/core/iam/changes/change.ts';
import { isIdentityCenterProvisioning } from '../src/core/iam/changes/federation.ts';
import { changeOf, changingCalls } from '../src/core/iam/changes/index.ts';
import { sentenceOf, worstOf } from '../src/core/iam/finding.ts';
import { type Severity, severities, severityRank, worst } from '../src/core/severity.ts';
import type { SignalDraft } from '../src/core/signal.ts';
import { plain } from '../src/core/text.ts';

const meta: DetectorMeta = {
  id: 'iam-policy-changed',
  title: 'IAM policy changed',
  severity: 'low',
  practice: 'least-privilege',
  what:
    'Somebody changed, or tried to change, who may do what: the content of a policy, where it is ' +
    'attached, a permissions boundary, the trust of a role, a membership, an ' +
    'identity provider, a ' +
    'permission set, or the policy or sharing of a resource. The document in the ' +
    'call was read, and ' +
    'the severity follows what it makes possible.',
  why:
    'An intruder who can write a policy soon holds the account. Rights that nobody meant to give ' +
    'stay until somebody looks.',
  innocent: [
    'A deployment tool applies a change that was reviewed.',
    'An administrator sets up a person, a role or an integration with a partner.',
    'An AWS service or Identity Center keeps its own roles in order; these are shown as info.',
  ],
  firstSteps: [
    'Read the reason: it names what became possible, and whether the caller gave it to itself.',
    'Ask the person behind the session whether they made this change, over a channel ' +
      'outside of AWS.',
    'If nobody did: detach or revert the policy, then disable the key or revoke the ' +
      'sessions of the caller.',
    'Look at what the target has done since the change, in the timeline of its own alert.',
    'Where a denied attempt is shown: look for what the same caller tried before and after.',
  ],
  attack: [
    { version: '18.1', technique: 'T1098', name: 'Account Manipulation' },
    {
      version: '18.1',
      technique: 'T1098.003',
      name: 'Account Manipulation: Additional Cloud Roles',
    },
    {
      version: '18.1',
      technique: 'T1548.005',
      name: 'Abuse Elevation Control Mechanism: Temporary Elevated Cloud Access',
    },
    {
      version: '18.1',
      technique: 'T1484.002',
      name: 'Domain or Tenant Policy Modification: Trust Modification',
    },
    { version: '18.1', technique: 'T1199', name: 'Trusted Relationship' },
    { version: '18.1', technique: 'T1537', name: 'Transfer Data to Cloud Account' },
  ],
  cis: [
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '4.4' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '4.8' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '1.15' },
  ],
  gaps: [
    'The content of a customer-managed policy that is attached, or whose version is ' +
      'switched, is not ' +
      'in the call; stored-policy-took-effect judges it where its content was seen earlier.',
    'What a policy gives together with the other policies of its holder is not known.',
    'Conditions are taken at their word; whether a tag or an address can be forged is not tested.',
    'A member of the organisation counts as a stranger until its account is among knownAccounts.',
    'A group or a permission set is known by name only.',
  ],
};

const config = z.strictObject({
  /** Accounts of the same owner: trust in them and sharing with them is not from outside. */
  knownAccounts: z
    .array(z.string().regex(/^\d{12}$/))
    .max(10_000)
    .default([]),
});

const nothingSeen = 'Nothing in the call by itself is known to be dangerous.';
const requestMissing = 'The request is not in the record, so what was given could not be judged.';

type Config = z.infer<typeof config>;

function detect(event: Event, { knownAccounts }: Config): SignalDraft | string {
  const read = changeOf(event, knownAccounts);
  if (typeof read === 'string') return read;
  const { change, asked } = read;
  const isSelf = change.grants && isOwn(event, change);
  const judged = judge(event, asked, change, isSelf);
  const facts = factsOf(event, change, isSelf);
  return {
    ...signalFrom(event),
    severity: judged.severity,
    title: titleOf(event, change),
    reason: judged.sentences.filter((one) => one !== '').join(' ') || nothingSeen,
    facts,
  };
}

interface Judged {
  readonly severity: Severity;
  readonly sentences: readonly string[];
}

function judge(event: Event, asked: Asked, change: Change, isSelf: boolean): Judged {
  const isHidden = isRequestHidden(event, asked, change);
  const found = worst([worstOf(change.findings) ?? change.base, isHidden ? 'medium' : 'info']);
  const content = sentenceOf(change.subject, change.findings);
  const self = selfSentence(event, isSelf);
  if (event.outcome === 'denied') return denied(asked, found, isSelf, [hadItWorked(content), self]);
  if (event.outcome === 'failure') return failed(event, found, [hadItWorked(content), self]);
  const sentences = [content, isHidden ? requestMissing : '', change.note ?? '', self];
  if (change.evenByAws !== true) {
    const byAws = actsForAws(event, asked);
    if (byAws !== undefined) return { severity: 'info', sentences: [byAws, ...sentences] };
  }
  const raised = isSelf ? raisedByOne(found) : found;
  if (!isCloudFormation(event))
    return { severity: raised, sentences: [...sentences, viaService(event)] };
  // What a stack does routinely is noise; what it does that is grave is its user's deed all the
  // same.
  const isGrave = severityRank(raised) >= severityRank('high');
  const severity = isGrave ? raised : loweredByOne(raised);
  return { severity, sentences: [...sentences, 'The call came through CloudFormation.'] };
}

// CloudTrail leaves out a request that is too big, which an intruder can bring about.
function isRequestHidden(event: Event, asked: Asked, change: Change): boolean {
  if (event.outcome !== 'success' || !change.grants) return false;
  return Object.keys(asked.request).every((key) => key === 'omitted' || key === 'reason');
}

function hadItWorked(content: string): string {
  return content === '' ? '' : `Had it worked: ${content}`;
}

function denied(
  asked: Asked,
  found: Severity,
  isSelf: boolean,
  sentences: readonly string[],
): Judged {
  const isGrave = severityRank(found) >= severityRank('high');
  const isWorse = isGrave || isSelf;
  const why = plain(asked.denial?.why);
  const refusal = why === '' ? 'AWS refused it.' : `AWS refused it: ${why}.`;
  // A base that stands for what a success would do says nothing of an attempt with unknown content.
  return { severity: isWorse ? 'medium' : 'low', sentences: [refusal, ...sentences] };
}

function failed(event: Event, found: Severity, sentences: readonly string[]): Judged {
  const code = plain(event.errorCode);
  const isProbe = /Malformed|NoSuchEntity|NotFound/i.test(code);
  const isGrave = severityRank(found) >= severityRank('high');
  const probe =
    isProbe && event.name === 'UpdateAssumeRolePolicy'
      ? 'Many such failures together can tell which principals exist in other accounts.'
      : '';
  const failure = `It failed with ${code || 'an error'} and changed nothing.`;
  return {
    severity: isProbe || isGrave ? 'low' : 'info',
    sentences: [failure, ...sentences, probe],
  };
}

/** Gives why the call is AWS's own housekeeping, undefined where a person or workload made it. */
function actsForAws(event: Event, asked: Asked): string | undefined {
  if (event.principal.kind === 'service') return 'An AWS service made the call by itself.';
  // Only AWS can put a role under this path; a name alone could be anybody's.
  if (event.principal.arn?.includes(':role/aws-service-role/') === true) {
    return 'A service-linked role of AWS made the call.';
  }
  return isIdentityCenterProvisioning(asked) ? 'Identity Center provisioned it.' : undefined;
}

function isCloudFormation(event: Event): boolean {
  // Both are written by AWS; the user agent is the caller's and counts for nothing.
  return [event.invokedBy, event.origin.text].includes('cloudformation.amazonaws.com');
}

function viaService(event: Event): string {
  const isService = /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(event.invokedBy);
  return isService ? `The call came through ${plain(event.invokedBy)}.` : '';
}

function isOwn(event: Event, change: Change): boolean {
  const { principal } = event;
  const { target } = change;
  if (target === undefined || principal.account !== event.account) return false;
  if (target.kind !== 'user' && target.kind !== 'role') return false;
  // IAM does not tell names apart by case.
  return (
    target.kind === principal.kind && target.name.toLowerCase() === principal.name.toLowerCase()
  );
}

function selfSentence(event: Event, isSelf: boolean): string {
  if (!isSelf) return '';
  const what =
    event.principal.kind === 'user' ? 'the caller itself' : 'the role the caller acts as';
  return `The target is ${what}.`;
}

function raisedByOne(severity: Severity): Severity {
  return severities[severityRank(severity) + 1] ?? 'critical';
}

function loweredByOne(severity: Severity): Severity {
  return severities[severityRank(severity) - 1] ?? 'info';
}

function titleOf(event: Event, change: Change): string {
  const who = plain(event.principal.name) || 'somebody';
  const [now, past] = change.verb;
  if (event.outcome === 'success') return `${who} ${past} ${change.object}`;
  const end = event.outcome === 'denied' ? 'was denied' : 'failed';
  return `${who} tried to ${now} ${change.object} and ${end}`;
}

function factsOf(event: Event, change: Change, isSelf: boolean): Record<string, string> {
  const paths = change.findings.map((one) => one.path).filter((one) => one !== undefined);
  const facts: Record<string, string> = {
    action: `${event.source.replace('.amazonaws.com', '')}:${plain(event.name)}`,
    outcome: event.outcome,
  };
  if (change.target !== undefined) {
    facts['target'] = plain(change.target.name, 256);
    facts['targetKind'] = change.target.kind;
  }
  if (change.policy !== undefined && change.policy !== '')
    facts['policy'] = plain(change.policy, 256);
  if (paths.length > 0) facts['paths'] = paths.slice(0, 20).join(',');
  if (isSelf) facts['self'] = 'true';
  return facts;
}

export default stateless({ meta, on: changingCalls, config, detect });
