// Calls of IAM that alter the content of managed policies.
import { plain } from '../../text.ts';
import type { Finding } from '../finding.ts';
import { policyArn } from '../managed-policies.ts';
import {
  type Asked,
  judgedPolicy,
  limitHint,
  named,
  nameIn,
  policyShown,
  quietly,
  type Reader,
  type Readers,
  targetIn,
} from './change.ts';

const createPolicy: Reader = (asked) => {
  const name = nameIn(asked, 'policyName');
  const arn = asked.event.text('responseElements.policy.arn') ?? name;
  return {
    verb: ['create', 'created'],
    object: named('managed policy', name || policyShown(arn)),
    subject: 'The policy',
    base: 'low',
    ...notYet(
      judgedPolicy(asked, asked.request['policyDocument']),
      'Nobody holds it until it is attached.',
    ),
    grants: false,
    policy: arn,
  };
};

const createVersion: Reader = (asked) => {
  const arn = policyIn(asked);
  if (isWrittenByAws(asked, arn)) return 'AWS keeps its own managed policies up to date';
  const isDefault = String(asked.request['setAsDefault']).toLowerCase() === 'true';
  const content = judgedPolicy(asked, asked.request['policyDocument']);
  return {
    verb: ['write', 'wrote'],
    object: `a new ${isDefault ? 'default ' : ''}version of ${named('policy', policyShown(arn))}`,
    subject: 'The version',
    base: 'low',
    ...(isDefault
      ? content
      : notYet(content, 'It is not the default version, so it is not in force yet.')),
    grants: isDefault,
    policy: arn,
  };
};

// What is not attached gives nobody anything: one step lower than what is in force at once.
function notYet(
  content: { readonly findings: readonly Finding[]; readonly note?: string },
  note: string,
): { readonly findings: readonly Finding[]; readonly note: string } {
  const findings = content.findings.map((one) =>
    one.severity === 'critical' ? { ...one, severity: 'high' as const } : one,
  );
  return { findings, note: content.note === undefined ? note : `${content.note} ${note}` };
}

const setDefault: Reader = (asked) => {
  const arn = policyIn(asked);
  if (isWrittenByAws(asked, arn)) return 'AWS keeps its own managed policies up to date';
  const version = nameIn(asked, 'versionId');
  return {
    verb: ['switch', 'switched'],
    object: `${named('policy', policyShown(arn))} to ${plain(version) || 'another version'}`,
    subject: 'The version',
    findings: [],
    base: 'medium',
    note:
      'Whoever holds the policy has at once what that version allows; its content is ' +
      'not in this event.',
    grants: true,
    policy: arn,
  };
};

function deletePolicy(isVersion: boolean): Reader {
  return (asked) => {
    const arn = policyIn(asked);
    const version = plain(nameIn(asked, 'versionId')) || 'a version';
    const policy = named(isVersion ? 'policy' : 'managed policy', policyShown(arn));
    return {
      ...quietly('delete', 'deleted'),
      object: isVersion ? `${version} of ${policy}` : policy,
      base: 'low',
      note: isVersion
        ? 'Only a version that is not in force can be deleted.'
        : `Only a policy attached nowhere can be deleted.${limitHint(arn)}`,
      policy: arn,
    };
  };
}

function policyIn(asked: Asked): string {
  return nameIn(asked, 'policyArn') || targetIn(asked, 'policy', 'policyArn')?.name || '';
}

function isWrittenByAws(asked: Asked, arn: string): boolean {
  return policyArn(arn)?.isAwsManaged === true && asked.event.principal.kind === 'service';
}

/** The calls of IAM on managed policies and their versions. */
export const policyReaders: Readers = {
  CreatePolicy: createPolicy,
  CreatePolicyVersion: createVersion,
  SetDefaultPolicyVersion: setDefault,
  DeletePolicy: deletePolicy(false),
  DeletePolicyVersion: deletePolicy(true),
};
