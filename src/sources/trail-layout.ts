// Which files a trail is made of, and in which order: by the delivery minute in their names, across
// accounts and regions. AWS CloudTrail User Guide, "Finding your CloudTrail log files".
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { SentrailError } from '../core/errors.ts';
import { parseTime } from '../core/time.ts';

/** A file to read: its shard name, where it is, and the delivery minute in its name. */
export interface TrailFile {
  readonly shard: string;
  readonly path: string;
  readonly arrival: number | undefined;
}

/** A group of files whose turn comes together: the files of one day, or all without a day. */
export interface FileGroup {
  /** `2026/11/09`, or '' for what stands in no day folder. */
  readonly day: string;
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

const stamp = /_CloudTrail(?:-[A-Za-z]+)?_.*?_(\d{8}T\d{4}(?:\d{2})?Z)/;
const dayFolder = /(?:^|\/)(\d{4}\/\d{2}\/\d{2})$/;

/** Takes a file's name; gives the delivery minute CloudTrail wrote into it, or undefined. */
export function arrivalOf(name: string): number | undefined {
  const found = stamp.exec(name.slice(name.lastIndexOf('/') + 1))?.[1];
  return parseTime(found);
}

/**
 * Takes files, folders and globs; gives groups in the order of reading: days first, oldest first,
 * then what stands in no day folder. Only folders of days are held, never all names of a trail.
 * Throws `SentrailError` (input) for a path that is not there and a glob that matches nothing.
 */
export function fileGroups(paths: readonly string[]): FileGroup[] {
  const days = new Map<string, { folders: Set<string>; files: Set<string> }>();
  const groupOf = (day: string) => {
    const group = days.get(day) ?? { folders: new Set<string>(), files: new Set<string>() };
    days.set(day, group);
    return group;
  };
  const walked = new Set<string>();
  const walk = (folder: string): void => {
    const real = realpathSync(folder);
    // A link that leads back up would never end.
    if (walked.has(real)) return;
    walked.add(real);
    const day = dayFolder.exec(slashed(folder))?.[1];
    if (day !== undefined) groupOf(day).folders.add(folder);
    for (const entry of entriesOf(folder)) {
      const path = `${folder}${sep}${entry.name}`;
      if (isFolder(entry, path)) walk(path);
      else if (day === undefined) groupOf('').files.add(path);
    }
  };
  for (const path of paths.flatMap(expand)) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined)
      throw new SentrailError('input', `there is no file or folder ${path}; check the path`);
    const full = resolve(path);
    if (stat.isDirectory()) walk(full);
    else
      groupOf(dayFolder.exec(slashed(full.slice(0, full.lastIndexOf(sep))))?.[1] ?? '').files.add(
        full,
      );
  }
  const order = [...days.keys()].sort((a, b) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1));
  return order.map((day) => {
    const { folders, files } = groupOf(day);
    return { day, folders: [...folders], files: [...files] };
  });
}

/** Takes a group; gives its files in order: by delivery minute, then by name; without one, last. */
export function filesOf(group: FileGroup): TrailFile[] {
  const all = new Set(group.files);
  for (const folder of group.folders) {
    for (const entry of entriesOf(folder)) {
      const path = `${folder}${sep}${entry.name}`;
      if (!isFolder(entry, path)) all.add(path);
    }
  }
  const files = [...all].map((path) => ({
    shard: shardOf(path),
    path,
    arrival: arrivalOf(slashed(path)),
  }));
  return files.sort(inOrder);
}

function inOrder(a: TrailFile, b: TrailFile): number {
  const later = Number.POSITIVE_INFINITY;
  const byTime = (a.arrival ?? later) - (b.arrival ?? later);
  if (byTime !== 0 && !Number.isNaN(byTime)) return byTime;
  return a.shard < b.shard ? -1 : a.shard > b.shard ? 1 : 0;
}

/** A name that is the same however the path was spelled: below the working folder, relative to it. */
function shardOf(path: string): string {
  const near = relative(process.cwd(), path);
  return slashed(near.startsWith('..') ? path : near);
}

function entriesOf(folder: string): Dirent[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SentrailError('input', `listing the folder ${folder}: ${why}`, { cause });
  }
  // Dot files are the desktop's, never CloudTrail's.
  return entries.filter((one) => !one.name.startsWith('.'));
}

function isFolder(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** A glob becomes the paths it matches; any other path is itself. */
function expand(path: string): string[] {
  if (!/[*?[{]/.test(path) || statSync(path, { throwIfNoEntry: false }) !== undefined)
    return [path];
  const parts = slashed(path).split('/');
  const firstWild = parts.findIndex((part) => /[*?[{]/.test(part));
  const root = parts.slice(0, firstWild).join('/') || (path.startsWith('/') ? '/' : '.');
  const expression = globExpression(parts.slice(firstWild).join('/'));
  const found: string[] = [];
  const walk = (folder: string, below: string): void => {
    for (const entry of entriesOf(folder)) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      const full = `${folder}/${entry.name}`;
      if (expression.test(name)) found.push(full);
      else if (entry.isDirectory()) walk(full, name);
    }
  };
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory()) walk(root, '');
  if (found.length > 0) return found;
  throw new SentrailError('input', `nothing matches ${path}; quote it, or check the path`);
}

/** Takes a glob with `*`, `**`, `?`, `[…]` and `{a,b}`; gives the expression for a whole path. */
export function globExpression(glob: string): RegExp {
  let source = '';
  let braces = 0;
  for (let at = 0; at < glob.length; at++) {
    const one = glob[at]!;
    if (one === '*' && glob[at + 1] === '*') {
      at += glob[at + 2] === '/' ? 2 : 1;
      source += glob[at] === '/' ? '(?:.*/)?' : '.*';
    } else if (one === '*') source += '[^/]*';
    else if (one === '?') source += '[^/]';
    else if (one === '[') {
      const end = glob.indexOf(']', at + 2);
      if (end < 0) source += '\\[';
      else {
        source += `[${glob
          .slice(at + 1, end)
          .replace(/^!/, '^')
          .replaceAll('\\', '\\\\')}]`;
        at = end;
      }
    } else if (one === '{') {
      braces++;
      source += '(?:';
    } else if (one === '}' && braces > 0) {
      braces--;
      source += ')';
    } else if (one === ',' && braces > 0) source += '|';
    else source += one.replace(/[.+^$()|\\\]{}]/g, '\\$&');
  }
  return new RegExp(`^${source}${')'.repeat(braces)}$`);
}

function slashed(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}
