import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alternatives, globbed, segmentExpression } from '../../src/sources/glob.ts';

describe('a segment of a glob', () => {
  it.each([
    ['*', 'a.json', true],
    ['*', '.hidden', false],
    ['.*', '.hidden', true],
    ['*.json', 'a.json.gz', false],
    ['?.json', 'a.json', true],
    ['?.json', 'ab.json', false],
    ['[a-c]1', 'b1', true],
    ['[!a-c]1', 'b1', false],
    ['[^a]1', 'b1', true],
    ['[]]1', ']1', true],
    ['[z-a]1', 'b1', false],
    ['[a', '[a', true],
    ['a+(b)$^|', 'a+(b)$^|', true],
    ['a.b', 'axb', false],
  ])('%s on %s: %s', (segment, name, expected) => {
    expect(segmentExpression(segment).test(name)).toBe(expected);
  });
});

describe('braces', () => {
  it.each([
    ['a', ['a']],
    ['a{b,c}d', ['abd', 'acd']],
    ['{a,b}{1,2}', ['a1', 'a2', 'b1', 'b2']],
    ['{a,b{1,2}}', ['a', 'b1', 'b2']],
    ['a{,x}', ['a', 'ax']],
    ['a{b', ['a{b']],
    ['a}b', ['a}b']],
  ])('%s stands for %j', (pattern, expected) => {
    expect(alternatives(pattern)).toEqual(expected);
  });

  it('refuses to multiply without end', () => {
    expect(() => alternatives('{a,b}'.repeat(20))).toThrow(/spells out too much/);
  });
});

describe('a glob on a disk', () => {
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'sentrail-glob-'));
    for (const name of ['a/1.json', 'a/b/2.json', 'a/b/c/3.json.gz', 'a/.d/4.json', 'e/5.json']) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), '');
    }
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it.each([
    ['a/*.json', ['a/1.json']],
    ['*/*.json', ['a/1.json', 'e/5.json']],
    ['**/*.json', ['a/1.json', 'a/b/2.json', 'e/5.json']],
    ['a/**/[23].json{,.gz}', ['a/b/2.json', 'a/b/c/3.json.gz']],
    ['a/**', ['a/1.json', 'a/b', 'a/b/2.json', 'a/b/c', 'a/b/c/3.json.gz']],
    ['{a,e}', ['a', 'e']],
    ['a/1.json/*', []],
    ['nowhere/*', []],
  ])('%s', (pattern, expected) => {
    expect(globbed(`${root}/${pattern}`)).toEqual(expected.map((one) => `${root}/${one}`));
  });
});
