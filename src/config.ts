// Reads the configuration file: YAML, every key checked, mistakes named with their line and the nearest key.
import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Config, configSchema } from '../schemas/config.ts';
import type { Detector } from './core/detector.ts';
import { SentrailError } from './core/errors.ts';

/** Gives the configuration with nothing set. */
export function defaultConfig(): Config {
  return configSchema.parse({});
}

/**
 * Takes the path of a YAML file and the detectors whose keys it may set; gives the configuration.
 * Throws `SentrailError` (config) with one line for each mistake: file, line, what is wrong, and the
 * nearest right key.
 */
export function readConfig(path: string, detectors: readonly Detector[]): Config {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SentrailError('config', `reading the configuration ${path}: ${why}`, { cause });
  }
  return parseConfig(text, path, detectors);
}

/** As `readConfig`, from text; `name` stands for the file in messages. */
export function parseConfig(text: string, name: string, detectors: readonly Detector[]): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const broken = document.errors[0];
  if (broken !== undefined) {
    const what = broken.message.split('\n')[0] ?? 'not YAML';
    throw new SentrailError('config', `${name}:${lineAt(broken.pos[0])}: ${what}`);
  }
  const given: unknown = document.toJS() ?? {};
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      const range = rangeOf(node);
      if (range !== undefined) return lineAt(range);
    }
    return 1;
  };
  const mistakes = [
    ...problems(given, lineOf, lines, text),
    ...ownKeys(given, detectors, lineOf, text),
  ];
  if (mistakes.length > 0) {
    const list = [...new Set(mistakes)].map((one) => `${name}:${one}`);
    throw new SentrailError('config', list.join('\n'));
  }
  return configSchema.parse(given);
}

type LineOf = (path: readonly PropertyKey[]) => number;

function problems(given: unknown, lineOf: LineOf, _lines: LineCounter, text: string): string[] {
  const parsed = configSchema.safeParse(given);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue) => {
    const unknownKeys = issue.code === 'unrecognized_keys' ? issue.keys : undefined;
    if (unknownKeys !== undefined) {
      return unknownKeys.map((key) =>
        unknown(key, [...issue.path, key], keysAt(issue.path), lineOf, text),
      );
    }
    const where = issue.path.map(String).join('.') || 'the file';
    return [`${lineOf(issue.path)}: ${where}: ${issue.message}`];
  });
}

function ownKeys(
  given: unknown,
  detectors: readonly Detector[],
  lineOf: LineOf,
  text: string,
): string[] {
  const parsed = configSchema.safeParse(given);
  if (!parsed.success) return [];
  const ids = detectors.map((one) => one.meta.id);
  return Object.entries(parsed.data.detectors).flatMap(([id, settings]) => {
    const detector = detectors.find((one) => one.meta.id === id);
    if (detector === undefined) return [unknown(id, ['detectors', id], ids, lineOf, text)];
    const { enabled: _enabled, severity: _severity, ...own } = settings;
    const result = detector.config.safeParse(own);
    if (result.success) return [];
    return result.error.issues.flatMap((issue) => {
      const path = ['detectors', id, ...issue.path];
      if (issue.code !== 'unrecognized_keys') {
        return [`${lineOf(path)}: ${path.map(String).join('.')}: ${issue.message}`];
      }
      const known = ['enabled', 'severity', ...shapeKeys(detector.config)];
      return issue.keys.map((key) => unknown(key, [...path, key], known, lineOf, text));
    });
  });
}

function unknown(
  key: string,
  path: readonly PropertyKey[],
  known: readonly string[],
  lineOf: LineOf,
  text: string,
): string {
  const near = nearest(key, known);
  const hint = near === undefined ? `known are: ${known.join(', ')}` : `did you mean '${near}'?`;
  return `${keyLine(key, text) ?? lineOf(path)}: there is no key '${path.map(String).join('.')}'; ${hint}`;
}

/** The line that holds the key itself: a key's value may begin on the next one. */
function keyLine(key: string, text: string): number | undefined {
  const at = text
    .split('\n')
    .findIndex((line) => line.trimStart().replace(/^- /, '').startsWith(`${key}:`));
  return at < 0 ? undefined : at + 1;
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  const { range } = node;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : undefined;
}

/** The keys the schema knows at a path; a number or a name of the user's own stands for any. */
function keysAt(path: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = configSchema;
  for (const part of path) schema = childOf(schema, part);
  return shapeKeys(schema);
}

interface Definition {
  readonly type?: string;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly options?: readonly unknown[];
}

function definition(schema: unknown): Definition {
  if (typeof schema !== 'object' || schema === null || !('_zod' in schema)) return {};
  // Zod documents `_zod.def` as the schema's definition, for tools that walk schemas.
  const def = (schema as z.core.$ZodType)._zod.def as Definition;
  if (def.innerType !== undefined) return definition(def.innerType);
  if (def.type === 'pipe') return definition(def.in);
  return def;
}

function childOf(schema: unknown, part: PropertyKey): unknown {
  const def = definition(schema);
  return def.shape?.[String(part)] ?? def.element ?? def.valueType;
}

function shapeKeys(schema: unknown): readonly string[] {
  const def = definition(schema);
  if (def.options !== undefined) return [...new Set(def.options.flatMap(shapeKeys))];
  return Object.keys(def.shape ?? {});
}

/** The known word fewest edits away, when that is at most a third of its length or two. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const one of known) {
    const edits = distance(word.toLowerCase(), one.toLowerCase());
    if (edits < least && edits <= Math.max(2, one.length / 3)) {
      least = edits;
      best = one;
    }
  }
  return best;
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
