// From what the user named to files in the order of reading. Days are held, not the files in them.
import { type Dirent, realpathSync, type Stats, statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SentrailError } from '../core/errors.ts';
import { globbed, isGlob } from './glob.ts';
import {
  byCodeUnit,
  byDelivery,
  dayOfFile,
  dayOfFolder,
  slashed,
  type TrailFile,
  trailFile,
} from './trail-layout.ts';

/** A file or folder to begin at; `path` is absolute, its folders are free of links. */
export interface Root {
  readonly path: string;
  readonly isFolder: boolean;
}

/**
 * What is read together: the files of one day, or (`day` is '') those of no day, which come last.
 */
export interface FileGroup {
  readonly day: string;
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/**
 * Takes files, folders and globs; gives where to begin: sorted, each once, none below another.
 * Throws `SentrailError` (input) for a path that is not there, cannot be looked at or is neither
 * file nor folder, and for a glob that matches nothing. A path that exists is itself, even if it
 * looks like a glob.
 */
export function rootsOf(paths: readonly string[]): Root[] {
  const found = new Map<string, Root>();
  for (const path of paths) {
    const stats = statsOf(path);
    if (stats !== undefined) add(found, path, stats);
    else if (isGlob(path)) for (const one of matches(path)) add(found, one, statsOf(one));
    else {
      const message = `there is no file or folder ${path}; check the path, and quote globs`;
      throw new SentrailError('input', message);
    }
  }
  const roots = [...found.values()].filter((root) => !isWithin(root.path, found));
  return roots.sort((a, b) => byCodeUnit(a.path, b.path));
}

function matches(pattern: string): string[] {
  const all = globbed(slashed(pattern));
  if (all.length > 0) return all;
  const message = `nothing matches ${pattern}; check the pattern, or name a folder`;
  throw new SentrailError('input', message);
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    const message = `looking at ${path}: ${codeOf(cause)}; check the path and its permissions`;
    throw new SentrailError('input', message, { cause });
  }
}

function add(found: Map<string, Root>, given: string, stats: Stats | undefined): void {
  const full = resolve(given);
  const isFolder = stats?.isDirectory() ?? false;
  // A link that leads nowhere is a file that cannot be read, and is told of as such.
  if (stats !== undefined && !isFolder && !stats.isFile()) {
    const message = `${given} is neither file nor folder; pipe it to standard input (-) instead`;
    throw new SentrailError('input', message);
  }
  // A file keeps its own name, which may hold its stamp where the file it links to has another.
  const real = isFolder ? realpathSync(full) : join(realpathSync(dirname(full)), basename(full));
  const path = slashed(real);
  found.set(path, { path, isFolder });
}

/** True for what reading another folder finds anyway; dot names are not found so. */
function isWithin(path: string, found: ReadonlyMap<string, Root>): boolean {
  for (let at = path.lastIndexOf('/'); at >= 0; at = path.lastIndexOf('/', at - 1)) {
    if (path[at + 1] === '.') return false;
    if (found.get(at === 0 ? '/' : path.slice(0, at))?.isFolder) return true;
    if (at === 0) return false;
  }
  return false;
}

/**
 * Takes where to begin; gives the groups in the order of reading: days, oldest first, then what has
 * no day. Folders of the day layout are not opened yet. Never throws for what is on the disk.
 */
export async function groupsOf(roots: readonly Root[]): Promise<FileGroup[]> {
  const days = new Map<string, { folders: string[]; files: string[] }>();
  const groupOf = (day: string) => {
    const group = days.get(day) ?? { folders: [], files: [] };
    days.set(day, group);
    return group;
  };
  const file = (path: string) => groupOf(dayOfFile(path)).files.push(path);
  for (const root of roots) if (!root.isFolder) file(root.path);
  const folders = roots.filter((root) => root.isFolder).map((root) => root.path);
  const enters = (folder: string): boolean => {
    const day = dayOfFolder(folder);
    if (day !== undefined) groupOf(day).folders.push(folder);
    return day === undefined;
  };
  await walk(folders, enters, file);
  const order = [...days.keys()].sort((a, b) => (a === '' ? 1 : b === '' ? -1 : byCodeUnit(a, b)));
  return order.map((day) => ({ day, ...groupOf(day) }));
}

/**
 * Takes a group; gives its files in the order of reading. A file in a day folder is read with that
 * day whatever its stamp says, so that a day can be listed when its turn comes. Never throws.
 */
export async function filesOfGroup(group: FileGroup): Promise<TrailFile[]> {
  const paths = new Set(group.files);
  await walk(
    group.folders,
    () => true,
    (path) => paths.add(path),
  );
  return [...paths].map(trailFile).sort(byDelivery);
}

/**
 * Visits what is below folders. Each folder is entered once, under its own name before those that
 * link to it, so that links that lead in a circle end. A folder that cannot be listed is handed to
 * `file`: opening it fails for the same reason, and that is how it is told of.
 */
async function walk(
  roots: readonly string[],
  enters: (folder: string) => boolean,
  file: (path: string) => void,
): Promise<void> {
  const seen = new Set<string>();
  const folders = [...roots].reverse();
  const links: string[] = [];
  for (;;) {
    const folder = folders.pop() ?? links.shift();
    if (folder === undefined) return;
    const real = await realpath(folder).catch(() => folder);
    if (seen.has(real)) continue;
    seen.add(real);
    if (!enters(folder)) continue;
    const entries = await entriesOf(folder);
    if (entries === undefined) file(folder);
    for (const entry of entries ?? []) {
      const path = `${folder === '/' ? '' : folder}/${entry.name}`;
      const kind = await kindOf(entry, path);
      if (kind === 'file') file(path);
      if (kind === 'folder') (entry.isSymbolicLink() ? links : folders).push(path);
    }
  }
}

async function entriesOf(folder: string): Promise<Dirent[] | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  // Dot files are the desktop's, never CloudTrail's.
  const shown = entries?.filter((entry) => !entry.name.startsWith('.'));
  return shown?.sort((a, b) => byCodeUnit(a.name, b.name));
}

/** Pipes, sockets and devices are no logs, and opening one may wait for ever. */
async function kindOf(entry: Dirent, path: string): Promise<'file' | 'folder' | 'other'> {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return 'other';
  const target = await stat(path).catch(() => undefined);
  if (target === undefined || target.isFile()) return 'file';
  return target.isDirectory() ? 'folder' : 'other';
}

/** Takes what was thrown; gives its code, or its message where it has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
