// Policy documents in every form CloudTrail keeps them in.
import { describe, expect, it } from 'vitest';
import { decodeDocument, isJudgeable } from '../../src/core/iam/document.ts';
import { globMatches } from '../../src/core/iam/glob.ts';
import { plain } from '../../src/core/text.ts';
import { allow, document } from '../support/records.ts';

const text = document(allow('S3:Get*', '*'));
const object = JSON.parse(text) as unknown;

describe('decodeDocument', () => {
  const same: readonly (readonly [string, unknown])[] = [
    ['text', text],
    ['an object', object],
    ['text URL-encoded (fixture 11)', encodeURIComponent(text)],
    ['text URL-encoded twice', encodeURIComponent(encodeURIComponent(text))],
    ['text with a byte order mark', `\ufeff${text}`],
    ['text in blanks', `\n  ${text}\t`],
    ['text quoted once more', JSON.stringify(text)],
    ['a single statement object (fixture 12)', { Statement: allow('S3:Get*') }],
    [
      'keys in lower case',
      { statement: [{ effect: 'allow', action: ['S3:Get*'], resource: ['*'] }] },
    ],
  ];
  for (const [name, form] of same) {
    it(`reads ${name}`, () => {
      const decoded = decodeDocument(form);
      expect(isJudgeable(decoded) && decoded.statements).toMatchObject([
        { effect: 'allow', actions: ['s3:get*'], resources: ['*'], principals: undefined },
      ]);
    });
  }

  it('reads principals in all kinds (fixture 12)', () => {
    const decoded = decodeDocument({
      Statement: {
        Effect: 'Allow',
        Principal: {
          AWS: ['111122223333', 'AROAEXAMPLE', 444455556666],
          Service: 'ec2.amazonaws.com',
        },
        NotAction: 'iam:*',
        NotResource: 'arn:aws:s3:::b',
        Condition: { StringLike: { 'AWS:SourceIp': ['*'] } },
      },
    });
    expect(isJudgeable(decoded) && decoded.statements[0]).toMatchObject({
      principals: { everyone: false, aws: ['111122223333', 'AROAEXAMPLE', '444455556666'] },
      notActions: ['iam:*'],
      notResources: ['arn:aws:s3:::b'],
      conditions: [{ operator: 'stringlike', key: 'aws:sourceip', values: ['*'] }],
    });
  });

  const unread: readonly (readonly [string, unknown, RegExp])[] = [
    ['nothing', undefined, /not in the record/],
    ['a document cut short (fixture 15)', text.slice(0, 50), /cut short/],
    ['an encoded document cut short', encodeURIComponent(text).slice(0, 50), /cut short/],
    ['an encoded document cut inside an escape', '%7B%22Statement%2', /cut short/],
    ['a hidden document', 'HIDDEN_DUE_TO_SECURITY_REASONS', /hidden/],
    ['a document left out', { omitted: true }, /left out/],
    ['a huge document', `{"Statement":[${' '.repeat(200_000)}]}`, /too big/],
    [
      'a crowd of actions',
      { Statement: { Effect: 'Allow', Action: Array(5_000).fill('a:b') } },
      /too big/,
    ],
    ['no statement', {}, /no statement/],
    ['a statement without effect', { Statement: [{ Action: '*' }] }, /could not be read/],
    ['no JSON', 'allow all', /not JSON/],
    ['a number', 7, /neither/],
    ['null in a list', { Statement: [null] }, /could not be read/],
    ['a prototype', '{"__proto__":{"Statement":[]}}', /no statement/],
  ];
  for (const [name, form, reason] of unread) {
    it(`says why it does not judge ${name}`, () => {
      expect(decodeDocument(form)).toEqual({ unjudged: expect.stringMatching(reason) });
    });
  }
});

describe('globMatches', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['*', '', true],
    ['iam:*policy*', 'iam:createpolicyversion', true],
    ['*:put*', 'iam:putuserpolicy', true],
    ['iam:put?serpolicy', 'iam:putuserpolicy', true],
    ['iam:put', 'iam:putuserpolicy', false],
    ['?', '', false],
    ['a*b*c', 'axxbxxbc', true],
    ['a*b*c', 'axxbxx', false],
  ];
  for (const [pattern, value, expected] of table) {
    it(`${pattern} ${expected ? 'covers' : 'does not cover'} ${value || 'nothing'}`, () => {
      expect(globMatches(pattern, value)).toBe(expected);
    });
  }

  it('does not explode on a hostile pattern', () => {
    expect(globMatches(`${'a*'.repeat(500)}b`, 'a'.repeat(2_000))).toBe(false);
  });
});

describe('plain', () => {
  it('takes out controls, directions and line ends, and cuts without halving a character', () => {
    expect(plain('a\u0000b\u202ec\r\nd\u2028e')).toBe('a b c d e');
    expect([...plain('😀'.repeat(200))]).toHaveLength(128);
    expect(plain('😀'.repeat(200))).not.toMatch(/\p{Cs}/u);
    expect(plain(null)).toBe('');
  });
});
