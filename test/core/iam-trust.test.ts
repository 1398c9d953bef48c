// Who a trust policy or a resource policy lets in.
import { describe, expect, it } from 'vitest';
import { decodeDocument, isJudgeable, type Statement } from '../../src/core/iam/document.ts';
import { judgeResourcePolicy } from '../../src/core/iam/resource-policy.ts';
import { judgeTrust } from '../../src/core/iam/trust.ts';
import { account, stranger, trusts } from '../support/records.ts';

const self = `arn:aws:iam::${account}:role/app`;
const ground = { account, knownAccounts: ['777788889999'], self };

function statementsOf(statement: unknown): readonly Statement[] {
  const decoded = decodeDocument({ Statement: statement });
  if (!isJudgeable(decoded)) throw new Error(decoded.unjudged);
  return decoded.statements;
}

const github = 'token.actions.githubusercontent.com';
const provider = (host: string) => ({ Federated: `arn:aws:iam::${account}:oidc-provider/${host}` });
const web = 'sts:AssumeRoleWithWebIdentity';
const aud = { [`${github}:aud`]: 'sts.amazonaws.com' };
const sub = (value: unknown) => ({ StringEquals: aud, StringLike: { [`${github}:sub`]: value } });
const id = { StringEquals: { 'sts:ExternalId': 'a1b2' } };
const cognito = { Federated: 'cognito-identity.amazonaws.com' };
const pool = { 'cognito-identity.amazonaws.com:aud': 'eu-central-1:pool' };
const amr = (value: string) => ({
  'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': value },
});
const saml = { Federated: `arn:aws:iam::${account}:saml-provider/idp` };

type Row = readonly [name: string, statement: unknown, severity: string | undefined, what?: RegExp];

const trustTable: readonly Row[] = [
  ['everybody', trusts('*'), 'critical', /any AWS account/],
  ['everybody under AWS', trusts({ AWS: ['*'] }), 'critical'],
  ['every account by wildcard', trusts({ AWS: 'arn:aws:iam::*:root' }), 'critical'],
  [
    'everybody it does not name',
    { Effect: 'Allow', NotPrincipal: { AWS: self }, Action: 'sts:*' },
    'critical',
  ],
  [
    'everybody of an organisation',
    trusts('*', { StringEquals: { 'aws:PrincipalOrgID': 'o-x' } }),
    'medium',
  ],
  [
    'everybody but one organisation',
    trusts('*', { StringNotEquals: { 'aws:PrincipalOrgID': 'o-x' } }),
    'critical',
  ],
  ['everybody with an external id', trusts('*', id), 'high'],
  ['the own account', trusts({ AWS: `arn:aws:iam::${account}:root` }), undefined],
  ['a known account', trusts({ AWS: '777788889999' }), undefined],
  [
    'a stranger by number (fixture 12)',
    trusts({ AWS: [stranger, 'AROAEXAMPLE'] }),
    'high',
    /which was deleted/,
  ],
  ['a stranger in China', trusts({ AWS: `arn:aws-cn:iam::${stranger}:role/x` }), 'high'],
  ['a stranger with an external id', trusts({ AWS: stranger }, id), 'medium'],
  [
    'a stranger with any external id',
    trusts({ AWS: stranger }, { StringLike: { 'sts:ExternalId': '*' } }),
    'high',
  ],
  [
    'a stranger within the organisation',
    trusts({ AWS: stranger }, { StringEquals: { 'aws:PrincipalOrgID': 'o-x' } }),
    'low',
  ],
  [
    'a stranger who may tag sessions',
    trusts({ AWS: stranger }, id, ['sts:AssumeRole', 'sts:TagSession']),
    'medium',
    /session tags/,
  ],
  ['a stranger who is denied', { ...trusts({ AWS: stranger }), Effect: 'Deny' }, undefined],
  ['itself', trusts({ AWS: self }), 'medium', /assume itself/],
  ['deleted principals', trusts({ AWS: 'AIDAEXAMPLEEXAMPLE' }), 'info'],
  ['a service', trusts({ Service: 'ec2.amazonaws.com' }), undefined],
  ['a service of many customers', trusts({ Service: 'sns.amazonaws.com' }), 'low'],
  [
    'the same for one account',
    trusts({ Service: 'sns.amazonaws.com' }, { StringEquals: { 'aws:SourceAccount': account } }),
    undefined,
  ],
  [
    'GitHub with aud only (fixture 16)',
    trusts(provider(github), { StringEquals: aud }, web),
    'critical',
  ],
  ['GitHub with any subject', trusts(provider(github), sub('*'), web), 'critical'],
  ['GitHub with any repository', trusts(provider(github), sub('repo:*'), web), 'critical'],
  [
    'GitHub with one good and one open subject',
    trusts(provider(github), sub(['repo:a/b:*', 'repo:*']), web),
    'critical',
  ],
  ['GitHub with a half owner', trusts(provider(github), sub('repo:exam*/app:*'), web), 'high'],
  ['GitHub with one owner', trusts(provider(github), sub('repo:example/*'), web), 'medium'],
  [
    'GitHub with one repository',
    trusts(provider(github), sub('repo:example/app:ref:refs/heads/main'), web),
    undefined,
  ],
  [
    'GitHub without aud',
    trusts(provider(github), { StringEquals: { [`${github}:sub`]: 'repo:a/b:*' } }, web),
    'medium',
  ],
  [
    'GitHub by IfExists',
    trusts(
      provider(github),
      { StringEquals: aud, StringLikeIfExists: { [`${github}:sub`]: 'repo:a/b:*' } },
      web,
    ),
    'critical',
  ],
  [
    'GitLab.com without subject',
    trusts(provider('gitlab.com'), { StringEquals: { 'gitlab.com:aud': 'x' } }, web),
    'high',
  ],
  [
    'GitLab.com with a project',
    trusts(provider('gitlab.com'), { StringLike: { 'gitlab.com:sub': 'project_path:a/b:*' } }, web),
    undefined,
  ],
  [
    'Google with an audience',
    trusts(
      { Federated: 'accounts.google.com' },
      { StringEquals: { 'accounts.google.com:aud': '1' } },
      web,
    ),
    undefined,
  ],
  ['Google without', trusts({ Federated: 'accounts.google.com' }, undefined, web), 'high'],
  [
    'a cluster without subject',
    trusts(provider('oidc.eks.eu-central-1.amazonaws.com/id/A'), undefined, web),
    'medium',
  ],
  ['Cognito without pool', trusts(cognito, amr('authenticated'), web), 'high'],
  [
    'Cognito with visitors',
    trusts(cognito, { StringEquals: pool, ...amr('unauthenticated') }, web),
    'high',
  ],
  [
    'Cognito done right',
    trusts(cognito, { StringEquals: pool, ...amr('authenticated') }, web),
    undefined,
  ],
  ['SAML without audience', trusts(saml, undefined, 'sts:AssumeRoleWithSAML'), 'medium'],
  [
    'SAML with audience',
    trusts(
      saml,
      { StringEquals: { 'SAML:aud': 'https://signin.aws.amazon.com/saml' } },
      'sts:AssumeRoleWithSAML',
    ),
    undefined,
  ],
];

const resourceTable: readonly Row[] = [
  ['everybody reading', trusts('*', undefined, 's3:GetObject'), 'high'],
  ['everybody writing', trusts('*', undefined, 's3:PutObject'), 'critical'],
  [
    'everybody reading secrets',
    trusts('*', undefined, 'secretsmanager:GetSecretValue'),
    'critical',
  ],
  [
    'everybody from one network',
    trusts('*', { StringEquals: { 'aws:SourceVpce': 'vpce-1' } }, 's3:*'),
    'low',
  ],
  [
    'everybody over TLS',
    trusts('*', { Bool: { 'aws:SecureTransport': 'true' } }, 's3:*'),
    'critical',
  ],
  [
    'the default policy of a topic',
    trusts({ AWS: '*' }, { StringEquals: { 'AWS:SourceOwner': account } }, 'SNS:Publish'),
    'low',
  ],
  [
    'the default policy of a key',
    trusts({ AWS: `arn:aws:iam::${account}:root` }, undefined, 'kms:*'),
    undefined,
  ],
  ['a stranger', trusts({ AWS: stranger }, undefined, 'kms:Decrypt'), 'high'],
  [
    'the load balancers of AWS',
    trusts({ AWS: 'arn:aws:iam::127311923021:root' }, undefined, 's3:PutObject'),
    undefined,
  ],
  [
    'the same reading',
    trusts({ AWS: 'arn:aws:iam::127311923021:root' }, undefined, 's3:GetObject'),
    'high',
  ],
  [
    'an origin access identity',
    trusts(
      { AWS: 'arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1' },
      undefined,
      's3:GetObject',
    ),
    undefined,
  ],
  ['a canonical user', trusts({ CanonicalUser: 'abc' }, undefined, 's3:GetObject'), 'medium'],
  [
    'a service',
    trusts({ Service: 'logging.s3.amazonaws.com' }, undefined, 's3:PutObject'),
    undefined,
  ],
];

describe('judgeTrust', () => {
  for (const [name, statement, severity, what] of trustTable) {
    it(`${name}: ${severity ?? 'nothing'}`, () => {
      const findings = judgeTrust(statementsOf(statement), ground);
      expect(findings[0]?.severity, JSON.stringify(findings)).toBe(severity);
      if (what) expect(findings.map((one) => one.what).join('\n')).toMatch(what);
    });
  }
});

describe('judgeResourcePolicy', () => {
  for (const [name, statement, severity, what] of resourceTable) {
    it(`${name}: ${severity ?? 'nothing'}`, () => {
      const findings = judgeResourcePolicy(statementsOf(statement), ground);
      expect(findings[0]?.severity, JSON.stringify(findings)).toBe(severity);
      if (what) expect(findings.map((one) => one.what).join('\n')).toMatch(what);
    });
  }
});
