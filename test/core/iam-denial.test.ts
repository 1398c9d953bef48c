// Authorisation errors as AWS words them.
import { describe, expect, it } from 'vitest';
import { parseDenial, targetOf } from '../../src/core/iam/denial.ts';

const user = 'arn:aws:iam::111122223333:user/alice';
const start = `User: ${user} is not authorized to perform:`;

describe('parseDenial', () => {
  it('reads who, what, on what and why (fixture 10)', () => {
    const why = 'because no identity-based policy allows the iam:CreateAccessKey action';
    expect(parseDenial(`${start} iam:CreateAccessKey on resource: user bob ${why}`)).toEqual({
      arn: user,
      action: 'iam:CreateAccessKey',
      resource: 'user bob',
      why: 'no identity-based policy allows',
    });
  });

  it('reads an explicit deny', () => {
    const role = 'arn:aws:iam::111122223333:role/a';
    const why = 'with an explicit deny in a service control policy';
    const text = `${start} iam:PassRole on resource: ${role} ${why}`;
    expect(parseDenial(text)).toMatchObject({
      resource: 'arn:aws:iam::111122223333:role/a',
      why: 'explicit deny in a service control policy',
    });
  });

  it('reads a message without resource and reason', () => {
    expect(parseDenial(`${start} s3:ListAllMyBuckets`)).toEqual({
      arn: user,
      action: 's3:ListAllMyBuckets',
    });
  });

  it('reads line ends and other wordings', () => {
    expect(parseDenial(`${start}\n ec2:RunInstances on resource: *`)?.resource).toBe('*');
    expect(parseDenial('You are not authorized to perform: kms:Decrypt')).toEqual({
      action: 'kms:Decrypt',
    });
  });

  it('gives nothing for what is no refusal', () => {
    for (const one of [undefined, null, 7, '', 'Access Denied', 'x'.repeat(100_000)]) {
      expect(parseDenial(one)).toBeUndefined();
    }
  });
});

describe('targetOf', () => {
  const table: readonly (readonly [string | undefined, unknown])[] = [
    ['user bob', { kind: 'user', name: 'bob' }],
    ['arn:aws:iam::111122223333:user/team/bob', { kind: 'user', name: 'bob' }],
    ['arn:aws-cn:iam::111122223333:role/app', { kind: 'role', name: 'app' }],
    [
      'policy arn:aws:iam::111122223333:policy/p',
      { kind: 'policy', name: 'arn:aws:iam::111122223333:policy/p' },
    ],
    ['arn:aws:s3:::docs-example', { kind: 'bucket', name: 'docs-example' }],
    ['arn:aws:lambda:eu-central-1:111122223333:function:f', { kind: 'function', name: 'f' }],
    ['*', undefined],
    [undefined, undefined],
  ];
  for (const [resource, expected] of table) {
    it(`reads ${resource ?? 'nothing'}`, () => expect(targetOf(resource)).toEqual(expected));
  }
});
