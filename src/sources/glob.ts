// Globs for quoted arguments and for shells without them: *, **, ?, [a-z], {a,b}. Node 20 has none.
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { SentrailError } from '../core/errors.ts';

/** Alternatives that one pattern may spell out; nested braces multiply. */
const alternativesMax = 1_000;

/** Takes a path; gives whether it holds characters of a glob. */
export function isGlob(path: string): boolean {
  return /[*?[{]/.test(path);
}

/**
 * Takes a pattern with forward slashes; gives the paths that match, sorted, each once. Names that
 * begin with a dot match only where the pattern says the dot, and `**` follows no links. Throws
 * `SentrailError` (input) for a pattern that spells out too much.
 */
export function globbed(pattern: string): string[] {
  const found = new Set<string>();
  for (const one of alternatives(pattern)) {
    const isAbsolute = one.startsWith('/');
    const segments = one.split('/').filter((segment) => segment !== '');
    collect(isAbsolute ? '/' : '', segments, found);
  }
  return [...found].sort();
}

/** Takes a pattern; gives the patterns without braces that it stands for. Throws as `globbed`. */
export function alternatives(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0) {
    if (open.length + done.length > alternativesMax) {
      const advice = 'name a folder instead, or use * for the braces';
      throw new SentrailError('input', `the pattern ${pattern} spells out too much; ${advice}`);
    }
    const one = open.pop()!;
    const braces = firstBraces(one);
    if (braces === undefined) done.push(one);
    else open.push(...braces);
  }
  return done.sort();
}

/** The pattern once for each choice of its first braces; undefined where there are none. */
function firstBraces(pattern: string): string[] | undefined {
  const start = pattern.indexOf('{');
  if (start < 0) return undefined;
  const cuts = [start];
  let depth = 0;
  for (let at = start; at < pattern.length; at++) {
    const one = pattern[at];
    if (one === '{') depth++;
    if (one === ',' && depth === 1) cuts.push(at);
    if (one !== '}' || --depth > 0) continue;
    const ends = [...cuts.slice(1), at];
    const [head, tail] = [pattern.slice(0, start), pattern.slice(at + 1)];
    return cuts.map((cut, index) => `${head}${pattern.slice(cut + 1, ends[index])}${tail}`);
  }
  // A brace that is never closed is a character like any other.
  return undefined;
}

/** Takes one segment of a pattern, without braces and slashes; gives the expression for a name. */
export function segmentExpression(segment: string): RegExp {
  let source = '';
  for (let at = 0; at < segment.length; at++) {
    const one = segment[at]!;
    const close = one === '[' ? segment.indexOf(']', at + 2) : -1;
    if (one === '*') source += '.*';
    else if (one === '?') source += '.';
    else if (close > 0) {
      source += classOf(segment.slice(at + 1, close));
      at = close;
    } else source += literal(one);
  }
  const noDot = segment.startsWith('.') ? '' : '(?!\\.)';
  return new RegExp(`^${noDot}${source}$`, 'su');
}

function classOf(inside: string): string {
  const isNegated = inside.startsWith('!') || inside.startsWith('^');
  const body = (isNegated ? inside.slice(1) : inside).replace(/[\\\]^[]/g, '\\$&');
  const source = `[${isNegated ? '^' : ''}${body}]`;
  try {
    new RegExp(source, 'u');
    return source;
  } catch {
    // A range that runs backwards matches nothing, as in a shell.
    return '(?!)';
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function collect(folder: string, segments: readonly string[], found: Set<string>): void {
  const [segment, ...rest] = segments;
  if (segment === undefined) return;
  if (segment === '**') {
    collectBelow(folder, rest, found);
    return;
  }
  if (!isGlob(segment)) {
    const path = joined(folder, segment);
    if (rest.length > 0) collect(path, rest, found);
    else if (statSync(path, { throwIfNoEntry: false }) !== undefined) found.add(path);
    return;
  }
  const expression = segmentExpression(segment);
  for (const entry of entriesOf(folder)) {
    if (!expression.test(entry.name)) continue;
    const path = joined(folder, entry.name);
    if (rest.length === 0) found.add(path);
    else if (!entry.isFile()) collect(path, rest, found);
  }
}

/** `**` stands for no folder, and for every folder below. */
function collectBelow(folder: string, rest: readonly string[], found: Set<string>): void {
  const after = rest.length === 0 ? ['*'] : rest;
  collect(folder, after, found);
  for (const entry of entriesOf(folder)) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    collectBelow(joined(folder, entry.name), rest, found);
  }
}

/** A folder that cannot be listed matches nothing. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function joined(folder: string, name: string): string {
  return folder === '' || folder === '/' ? `${folder}${name}` : `${folder}/${name}`;
}
