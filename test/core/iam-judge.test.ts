// What an identity policy makes possible.
import { describe, expect, it } from 'vitest';
import { decodeDocument, isJudgeable } from '../../src/core/iam/document.ts';
import { escalationPaths } from '../../src/core/iam/escalation-paths.ts';
import { judgePolicy } from '../../src/core/iam/judge.ts';
import { isQuarantine, managedPolicy } from '../../src/core/iam/managed-policies.ts';
import { account, allow } from '../support/records.ts';

function judge(...statements: readonly unknown[]) {
  const decoded = decodeDocument({ Statement: statements });
  if (!isJudgeable(decoded)) throw new Error(decoded.unjudged);
  return judgePolicy(decoded.statements);
}

const roles = `arn:aws:iam::${account}:role/*`;
const passedTo = (service: string) => ({ StringEquals: { 'iam:PassedToService': service } });
const mfa = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } };
const deny = (action: unknown, condition?: unknown) => ({
  ...allow(action, '*', condition),
  Effect: 'Deny',
});
const ownUser = `arn:aws:iam::*:user/${['$', '{aws:username}'].join('')}`;

type Row = readonly [
  name: string,
  statements: readonly unknown[],
  severity: string | undefined,
  what?: RegExp,
];

const table: readonly Row[] = [
  ['full admin', [allow('*')], 'critical', /every action on every resource/],
  ['*:*', [allow('*:*')], 'critical'],
  ['full admin in a list', [allow(['s3:GetObject', '*'], ['arn:aws:s3:::b', '*'])], 'critical'],
  [
    'NotAction that leaves IAM (fixture 13)',
    [{ Effect: 'Allow', NotAction: ['s3:*'], Resource: '*' }],
    'critical',
    /IAM included/,
  ],
  [
    'NotAction without IAM',
    [{ Effect: 'Allow', NotAction: ['iam:*', 'organizations:*'], Resource: '*' }],
    'high',
  ],
  [
    'NotResource',
    [{ Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::b' }],
    'critical',
    /but those it excepts/,
  ],
  ['iam:*', [allow('iam:*')], 'critical', /administration of IAM/],
  [
    'all of IAM in parts',
    [allow(['iam:Attach*', 'iam:Put*', 'iam:Create*', 'iam:Update*'])],
    'critical',
  ],
  ['admin less IAM', [allow('*'), deny('iam:*')], 'high'],
  [
    'admin less IAM unless MFA, which is no loss',
    [allow('*'), deny('iam:*', { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } })],
    'critical',
  ],
  ['admin under MFA', [allow('*', '*', mfa)], 'medium', /multifactorauthpresent/],
  [
    'admin under an open condition',
    [allow('*', '*', { StringLike: { 'aws:PrincipalArn': '*' } })],
    'critical',
  ],
  [
    'admin under IfExists',
    [allow('*', '*', { StringEqualsIfExists: { 'aws:PrincipalOrgID': 'o-x' } })],
    'critical',
  ],
  [
    'admin from everywhere',
    [allow('*', '*', { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } })],
    'critical',
  ],
  [
    'admin but not from one address',
    [allow('*', '*', { NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' } })],
    'critical',
  ],
  [
    'iam:CreatePolicyVersion',
    [allow('iam:CreatePolicyVersion')],
    'high',
    /on every policy: holder can make itself administrator \(iam-001\)/,
  ],
  ['a wildcard in the middle', [allow('iam:*PolicyVersion')], 'high', /iam-001/],
  ['*:Put*', [allow('*:Put*')], 'high', /iam-007/],
  [
    'a path on a narrow role',
    [allow('iam:PutRolePolicy', `arn:aws:iam::${account}:role/app`)],
    undefined,
  ],
  ['a path on all roles', [allow('iam:PutRolePolicy', roles)], 'high', /iam-005/],
  ['a user path on roles only', [allow('iam:PutUserPolicy', roles)], undefined],
  ['a path on the own user', [allow('iam:PutUserPolicy', ownUser)], 'high', /iam-007/],
  ['keys of the own user', [allow('iam:CreateAccessKey', ownUser)], undefined],
  ['iam:PASSROLE (fixture 14)', [allow('iam:PASSROLE')], 'high', /PassRole of every role/],
  [
    'PassRole to one service',
    [allow('iam:PassRole', '*', passedTo('glue.amazonaws.com'))],
    undefined,
  ],
  [
    'PassRole to EC2 with RunInstances',
    [allow('iam:PassRole', roles, passedTo('ec2.amazonaws.com')), allow('ec2:RunInstances')],
    'high',
    /ec2-001/,
  ],
  [
    'PassRole to Glue with RunInstances',
    [allow('iam:PassRole', roles, passedTo('glue.amazonaws.com')), allow('ec2:RunInstances')],
    undefined,
  ],
  [
    'PassRole and CreateFunction in two statements',
    [allow('iam:PassRole'), allow(['lambda:CreateFunction', 'lambda:InvokeFunction'])],
    'high',
    /lambda-001/,
  ],
  ['a path that is denied', [allow('iam:CreateAccessKey'), deny('iam:Create*')], undefined],
  ['s3:*', [allow('s3:*')], 'high', /s3:\* on every resource/],
  ['s3:* on one bucket', [allow('s3:*', ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'])], undefined],
  ['logs:*', [allow('logs:*')], 'low'],
  ['every secret', [allow('secretsmanager:Get*')], 'medium', /every secret/],
  [
    'sts:AssumeRole on one role',
    [allow('sts:AssumeRole', `arn:aws:iam::${account}:role/x`)],
    undefined,
  ],
  ['deny only', [deny('*')], undefined],
  ['a narrow read', [allow('s3:GetObject', 'arn:aws:s3:::b/*')], undefined],
  ['no action at all', [{ Effect: 'Allow', Resource: '*' }], undefined],
];

describe('judgePolicy', () => {
  for (const [name, statements, severity, what] of table) {
    it(`${name}: ${severity ?? 'nothing'}`, () => {
      const findings = judge(...statements);
      expect(findings[0]?.severity, JSON.stringify(findings)).toBe(severity);
      if (what) expect(findings.map((one) => one.what).join('\n')).toMatch(what);
    });
  }

  for (const path of escalationPaths) {
    it(`knows ${path.id} from its actions, each in a statement of its own`, () => {
      const findings = judge(...path.shown.map((action) => allow(action.toUpperCase())));
      const matched = findings.map((one) => one.path).filter((one) => one !== undefined);
      // A shorter path inside of this one says the same; either must be named.
      expect(matched.length, path.id).toBeGreaterThan(0);
      expect(findings[0]?.severity).toBe('high');
    });
  }

  it('names no path twice', () => {
    expect(new Set(escalationPaths.map((one) => one.id)).size).toBe(escalationPaths.length);
  });
});

describe('managed policies', () => {
  it('are known in every partition and only when AWS owns them', () => {
    expect(managedPolicy('arn:aws-us-gov:iam::aws:policy/AdministratorAccess')?.severity).toBe(
      'critical',
    );
    expect(managedPolicy(`arn:aws:iam::${account}:policy/AdministratorAccess`)).toBeUndefined();
    expect(managedPolicy('arn:aws:iam::aws:policy/job-function/ViewOnlyAccess')?.severity).toBe(
      'info',
    );
    expect(managedPolicy('nonsense')).toBeUndefined();
  });

  it('tell a quarantine of AWS from a policy that bears its name', () => {
    expect(isQuarantine('arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine')).toBe(true);
    expect(isQuarantine('arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV4')).toBe(true);
    expect(isQuarantine('arn:aws:iam::aws:policy/AWSExposedCredentialPolicy_DO_NOT_REMOVE')).toBe(
      true,
    );
    expect(isQuarantine(`arn:aws:iam::${account}:policy/AWSCompromisedKeyQuarantineV2`)).toBe(
      false,
    );
  });
});
