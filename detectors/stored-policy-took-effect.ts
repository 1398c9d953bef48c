// A powerful customer-managed policy, seen when it was written, is attached or switched on later.
// Kept as law 3 asks: a fold into sets of versions and uses, judged from the sets alone.
import { z } from 'zod';
import {
  type Bucket,
  type DetectorMeta,
  evidenceOf,
  folding,
  type JudgedSignal,
} from '../src/core/detector.ts';
import type { Event } from '../src/core/event.ts';
import { decodeDocument, isJudgeable } from '../src/core/iam/document.ts';
import { sentenceOf, worstOf } from '../src/core/iam/finding.ts';
import { judgePolicy } from '../src/core/iam/judge.ts';
import { policyArn } from '../src/core/iam/managed-policies.ts';
import { severities, severityRank } from '../src/core/severity.ts';
import { evidenceSchema, principalSchema } from '../src/core/tally.ts';
import { plain } from '../src/core/text.ts';
import { dayMs } from '../src/core/time.ts';

const meta: DetectorMeta = {
  id: 'stored-policy-took-effect',
  title: 'Powerful stored policy took effect',
  severity: 'high',
  practice: 'least-privilege',
  what:
    'A managed policy whose content was read when it was written, and found ' +
    'powerful, was attached ' +
    'to somebody, or a powerful version of it was made the one in force.',
  why:
    'Writing a policy and putting it into force are two calls, hours or weeks apart. ' +
    'The second one ' +
    'names only the policy, so by itself it looks harmless.',
  innocent: [
    'A deployment tool creates a policy for administrators and attaches it in the same run.',
    'A change is rolled back to a version that was broader than it should have been.',
  ],
  firstSteps: [
    'Read both events: who wrote the policy, and who put it into force; are they the ' +
      'same principal?',
    'Ask whether the change was meant. If not, detach the policy or set the older ' +
      'version as default.',
    'Look at what every holder of the policy has done since.',
  ],
  attack: [
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
  ],
  cis: [
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '1.15' },
    { framework: 'CIS AWS Foundations', version: '5.0.0', control: '4.4' },
  ],
  gaps: [
    'A version written more than 30 days before it is used, or before the log ' +
      'begins, is not known.',
    'Permission sets and boundaries that name a customer-managed policy are not followed.',
  ],
};

const on = [
  'iam.amazonaws.com:CreatePolicy',
  'iam.amazonaws.com:CreatePolicyVersion',
  'iam.amazonaws.com:SetDefaultPolicyVersion',
  'iam.amazonaws.com:AttachUserPolicy',
  'iam.amazonaws.com:AttachRolePolicy',
  'iam.amazonaws.com:AttachGroupPolicy',
  'iam.amazonaws.com:DetachUserPolicy',
  'iam.amazonaws.com:DetachRolePolicy',
  'iam.amazonaws.com:DetachGroupPolicy',
] as const;

const config = z.strictObject({
  versionsMax: z
    .int()
    .min(1)
    .max(1_000)
    .default(32)
    .describe('Versions kept of one policy and day; IAM itself keeps five at a time.'),
  usesMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(128)
    .describe('Attachments, detachments and switches kept of one policy and day.'),
});

type Config = z.infer<typeof config>;

const seen = z.object({
  identity: z.string(),
  isCorrection: z.boolean(),
  evidence: evidenceSchema,
});
const version = seen.extend({
  version: z.string(),
  isDefault: z.boolean(),
  severity: z.enum(severities),
  says: z.string(),
  paths: z.string(),
});
const use = seen.extend({
  kind: z.enum(['attach', 'detach', 'switch']),
  /** `user alice`; empty for a switch. */
  target: z.string(),
  isSelf: z.boolean(),
  /** The version a switch puts into force. */
  version: z.string(),
  /** True for a switch that is part of writing the version. */
  isWritten: z.boolean(),
  account: z.string(),
  principal: principalSchema,
});
const schema = z.object({
  versions: z.array(version),
  uses: z.array(use),
  limited: z.boolean(),
});

type Seen = z.infer<typeof seen>;
type Version = z.infer<typeof version>;
type Use = z.infer<typeof use>;
type State = z.infer<typeof schema>;

// An ARN of IAM has a path of at most 512 and a name of at most 128 characters.
const keyCharactersMax = 700;

function key(event: Event): { readonly key: string } | string {
  if (event.outcome !== 'success') return 'the call did not succeed';
  const arn = arnOf(event);
  if (arn === '') return 'the record does not name the policy';
  const policy = policyArn(arn);
  if (policy === undefined || arn.length > keyCharactersMax) return 'that is no ARN of a policy';
  return policy.isAwsManaged ? 'AWS keeps the content of its managed policies' : { key: arn };
}

function arnOf(event: Event): string {
  const asked = event.text('requestParameters.policyArn');
  if (asked !== undefined) return asked;
  const made = event.text('responseElements.policy.arn');
  if (made !== undefined || event.name !== 'CreatePolicy') return made ?? '';
  const name = event.text('requestParameters.policyName');
  const path = event.text('requestParameters.path') ?? '/';
  const partition = /^arn:([^:]+):/.exec(event.principal.arn ?? '')?.[1] ?? 'aws';
  return name === undefined ? '' : `arn:${partition}:iam::${event.account}:policy${path}${name}`;
}

const state = {
  version: 1,
  schema,
  scope: 'account',
  isReplacing: true,
  bucketMs: dayMs,
  lifetimeMs: 30 * dayMs,
  key,
  empty: (): State => ({ versions: [], uses: [], limited: false }),
} as const;

function fold(event: Event, bucket: State, { versionsMax, usesMax }: Config): boolean {
  if (typeof key(event) === 'string') return false;
  const written = versionIn(event);
  const used = useIn(event, written);
  const isVersionNew = written !== undefined && add(bucket.versions, written, versionsMax, bucket);
  const isUseNew = used !== undefined && add(bucket.uses, used, usesMax, bucket);
  return isVersionNew || isUseNew;
}

/**
 * Adds one to a set by identity; a correction replaces what it corrects. Gives whether it changed.
 */
function add<Kind extends Seen>(set: Kind[], one: Kind, max: number, bucket: State): boolean {
  const at = set.findIndex((other) => other.identity === one.identity);
  const known = set[at];
  if (known !== undefined) {
    if (!replaces(one, known)) return false;
    set[at] = one;
    set.sort(byTime);
    return true;
  }
  set.push(one);
  set.sort(byTime);
  if (set.length <= max) return true;
  const wasLimited = bucket.limited;
  bucket.limited = true;
  return set.pop() !== one || !wasLimited;
}

// Of two corrections of one event the smaller id stands, whichever came first.
function replaces(one: Seen, known: Seen): boolean {
  if (one.isCorrection !== known.isCorrection) return one.isCorrection;
  return one.isCorrection && one.evidence.id < known.evidence.id;
}

function byTime(a: Seen, b: Seen): number {
  if (a.evidence.time !== b.evidence.time) return a.evidence.time - b.evidence.time;
  return a.identity < b.identity ? -1 : a.identity > b.identity ? 1 : 0;
}

function seenIn(event: Event): Seen {
  const { identity, isCorrection } = event;
  return { identity, isCorrection, evidence: evidenceOf(event) };
}

function versionIn(event: Event): Version | undefined {
  const isFirst = event.name === 'CreatePolicy';
  if (!isFirst && event.name !== 'CreatePolicyVersion') return undefined;
  const id = isFirst ? 'v1' : event.text('responseElements.policyVersion.versionId');
  // Without its number a version cannot be told from the others when it is switched on.
  if (id === undefined) return undefined;
  const decoded = decodeDocument(event.field('requestParameters.policyDocument'));
  const findings = isJudgeable(decoded) ? judgePolicy(decoded.statements) : [];
  const paths = findings.map((one) => one.path).filter((one) => one !== undefined);
  return {
    ...seenIn(event),
    version: plain(id, 16),
    isDefault: isFirst || isSetAsDefault(event),
    severity: worstOf(findings) ?? 'info',
    says: sentenceOf('It', findings),
    paths: paths.slice(0, 20).join(','),
  };
}

function isSetAsDefault(event: Event): boolean {
  return String(event.field('requestParameters.setAsDefault')).toLowerCase() === 'true';
}

function useIn(event: Event, written: Version | undefined): Use | undefined {
  const { account, principal } = event;
  const common = { ...seenIn(event), account, principal };
  const none = { target: '', isSelf: false, version: '', isWritten: false };
  if (written !== undefined) {
    if (event.name === 'CreatePolicy' || !written.isDefault) return undefined;
    return { ...common, ...none, kind: 'switch', version: written.version, isWritten: true };
  }
  if (event.name === 'SetDefaultPolicyVersion') {
    const id = plain(event.text('requestParameters.versionId'), 16);
    return { ...common, ...none, kind: 'switch', version: id };
  }
  const match = /^(Attach|Detach)(User|Role|Group)Policy$/.exec(event.name);
  if (match === null) return undefined;
  const kind = match[2]!.toLowerCase();
  const name = plain(event.text(`requestParameters.${kind}Name`));
  const isSelf = principal.kind === kind && principal.name.toLowerCase() === name.toLowerCase();
  const verb = match[1] === 'Attach' ? 'attach' : 'detach';
  return { ...common, ...none, kind: verb, target: `${kind} ${name}`.trim(), isSelf };
}

function judge(buckets: readonly Bucket<State>[], _config: Config): readonly JudgedSignal[] {
  const versions = buckets.flatMap((one) => one.state.versions).sort(byTime);
  const uses = buckets.flatMap((one) => one.state.uses).sort(byTime);
  const limited = buckets.some((one) => one.state.limited);
  const arn = buckets[0]?.key ?? '';
  const signals: JudgedSignal[] = [];
  for (const one of uses) {
    if (one.kind === 'detach') continue;
    const holders = one.kind === 'attach' ? [one.target] : holdersAt(one, uses);
    // A new version of a policy that nobody is known to hold may be in the hands of nobody.
    if (one.isWritten && holders.length === 0) continue;
    const content = worstContent(one, versions, uses);
    if (content === undefined) continue;
    signals.push({ ...signalOf(arn, one, content, holders), ...(limited ? { limited } : {}) });
  }
  return signals;
}

/** The content a use put into force: of several candidates in one second the worst counts. */
function worstContent(
  one: Use,
  versions: readonly Version[],
  uses: readonly Use[],
): Version | undefined {
  const at = one.evidence.time;
  const ids = one.kind === 'switch' ? [one.version] : defaultsAt(at, versions, uses);
  const contents = ids
    .map((id) => versions.findLast((each) => each.version === id && each.evidence.time <= at))
    .filter((each) => each !== undefined)
    .sort((a, b) => severityRank(b.severity) - severityRank(a.severity) || byTime(a, b));
  const worst = contents[0];
  const isPowerful = worst !== undefined && severityRank(worst.severity) >= severityRank('high');
  return isPowerful ? worst : undefined;
}

// CloudTrail stamps whole seconds: within the last one, the order of switches is not known.
function defaultsAt(
  at: number,
  versions: readonly Version[],
  uses: readonly Use[],
): readonly string[] {
  const switches = [...versions.filter((each) => each.isDefault), ...uses.filter(isSwitch)].filter(
    (each) => each.evidence.time <= at,
  );
  const last = Math.max(...switches.map((each) => each.evidence.time));
  return switches.filter((each) => each.evidence.time === last).map((each) => each.version);
}

function isSwitch(one: Use): boolean {
  return one.kind === 'switch';
}

function holdersAt(one: Use, uses: readonly Use[]): readonly string[] {
  const held = new Set<string>();
  for (const each of uses) {
    if (each.evidence.time > one.evidence.time) break;
    if (each.kind === 'attach') held.add(each.target);
    if (each.kind === 'detach') held.delete(each.target);
  }
  return [...held].sort();
}

function signalOf(
  arn: string,
  one: Use,
  content: Version,
  holders: readonly string[],
): JudgedSignal {
  const isSelf = one.isSelf && one.kind === 'attach';
  const rank = severityRank(content.severity) + (isSelf ? 1 : 0);
  const policy = plain(policyArn(arn)?.name);
  const who = plain(one.principal.name) || 'somebody';
  const title =
    one.kind === 'attach'
      ? `${who} attached the powerful policy ${policy} to ${one.target}`
      : `${who} put the powerful version ${content.version} of policy ${policy} into force`;
  const proofs = new Map([content, one].map((each) => [each.identity, each.evidence]));
  const writer = `${plain(content.evidence.who)} wrote its content as ${content.version}.`;
  const whom = holders.length > 0 ? listed(holders) : 'whoever holds it; no attachment was seen';
  const self = isSelf ? ' That is the caller itself.' : '';
  return {
    key: one.identity,
    severity: severities[Math.min(rank, severities.length - 1)] ?? 'critical',
    time: one.evidence.time,
    account: one.account,
    principal: one.principal,
    title,
    reason: `${content.says} ${writer} It took effect for ${whom}.${self}`,
    evidence: [...proofs.values()].sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1)),
    count: proofs.size,
    facts: {
      policy: plain(arn, 256),
      version: content.version,
      ...(holders.length > 0 ? { target: listed(holders) } : {}),
      ...(content.paths === '' ? {} : { paths: content.paths }),
    },
  };
}

function listed(holders: readonly string[]): string {
  const shown = holders.slice(0, 5);
  const rest = holders.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

export default folding({ meta, on, config, state, fold, judge });
