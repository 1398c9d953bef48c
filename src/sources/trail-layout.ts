// What names say: the delivery minute of a file, the day of a folder, and the order they are read
// in. AWS CloudTrail User Guide, "Finding your CloudTrail log files". Nothing here touches a disk.
import { relative, sep } from 'node:path';
import { dayMs, formatTime, parseTime, windowStart } from '../core/time.ts';

/** A file to read: its shard name, where it is, and the delivery minute in its name. */
export interface TrailFile {
  readonly shard: string;
  readonly path: string;
  readonly arrival: number | undefined;
}

/** The stamp that stands last counts: a digest's name also holds the name of its trail. */
const stamped = /^\d{12}_CloudTrail(?:-[A-Za-z]+)*_.*?(\d{8}T\d{4}(?:\d{2})?Z)(?!.*\d{8}T\d{4,6}Z)/;
const ending = /\.json(?:\.gz)?$/;
const dayAtEnd = /(?:^|\/)(\d{4}\/(?:0[1-9]|1[0-2])\/(?:0[1-9]|[12]\d|3[01]))$/;

/** Takes a file's name or path; gives the delivery time CloudTrail wrote into it, or undefined. */
export function arrivalOf(path: string): number | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return ending.test(name) ? parseTime(stamped.exec(name)?.[1]) : undefined;
}

/** Takes a folder's path; gives `2026/11/09` where it ends as the layout's day folders do. */
export function dayOfFolder(folder: string): string | undefined {
  return dayAtEnd.exec(folder)?.[1];
}

/**
 * Takes the path of a file that was not found through a day folder; gives the day it is read with:
 * that of the folder it stands in, else that of its stamp, else '' for those that are read after
 * all days.
 */
export function dayOfFile(path: string): string {
  const day = dayOfFolder(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
  if (day !== undefined) return day;
  const arrival = arrivalOf(path);
  if (arrival === undefined) return '';
  return formatTime(windowStart(arrival, dayMs)).slice(0, 10).replaceAll('-', '/');
}

/** Takes an absolute path with forward slashes; gives the file as it is read. */
export function trailFile(path: string): TrailFile {
  return { shard: shardOf(path), path, arrival: arrivalOf(path) };
}

/** Orders files by delivery minute, then by path; those without a minute come last, by path. */
export function byDelivery(a: TrailFile, b: TrailFile): number {
  const never = Number.MAX_SAFE_INTEGER;
  const difference = (a.arrival ?? never) - (b.arrival ?? never);
  return difference === 0 ? byCodeUnit(a.path, b.path) : difference;
}

/** Orders texts by code unit, so that no locale has a say. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Takes a path of this machine; gives it with forward slashes. */
export function slashed(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}

/**
 * Below the working folder, relative to it, so that a trail may move with the folder it is read
 * from.
 */
function shardOf(path: string): string {
  const near = slashed(relative(process.cwd(), path));
  return near === '..' || near.startsWith('../') || /^[A-Za-z]:/.test(near) ? path : near;
}
