// What a trail's bucket holds: day folders of all accounts and regions, and the objects of a day in order.
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { SentrailError } from '../core/errors.ts';
import { dayMs, formatTime } from '../core/time.ts';
import { causeOf, nameOf, type Patience, patiently } from './aws-retry.ts';
import { nameOfObject, type S3Object, unquoted } from './s3-objects.ts';
import { arrivalOf, byDelivery, type TrailFile } from './trail-layout.ts';

/** What is listed, and by whom. Absent accounts or regions are all there are. */
export interface ListingOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  readonly patience: Patience;
}

/** Days as in folders, `2026/11/09`; `to` is the first that is not meant. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** A listed object; its ETag and size are the mark of what it holds. */
export interface ListedObject extends S3Object, TrailFile {
  readonly size: number;
  readonly etag: string;
}

/** Lists under way at once: S3 allows 5,500 a second a prefix, and the sockets of a client are 50. */
const listsAtOnce = 16;
/** So few days are asked for by name; of more it is asked which there are. */
const namedDaysMax = 3;
/** Folders of a region in the layout: account, kind, region; then year, month, day. */
const regionDepth = 3;
const dayDepth = 6;
const root = 'AWSLogs/';

/** The listing of one trail. */
export class S3Listing {
  readonly #options: ListingOptions;
  readonly #start: string;

  constructor(options: ListingOptions) {
    this.#options = options;
    const { prefix } = options;
    // A prefix may also lead into the layout: to one account, or to a month.
    this.#start = `/${prefix}`.includes(`/${root}`) ? prefix : `${prefix}${root}`;
  }

  /**
   * Takes days; gives those that have folders, oldest first, each with its folders. Throws
   * `SentrailError` (source) where listing is refused or fails for long.
   */
  async days(days: Days, signal: AbortSignal): Promise<[day: string, folders: string[]][]> {
    const found = new Map<string, string[]>();
    let level = [this.#start];
    while (level.length > 0) {
      const below = await atOnce(level, (folder) => this.#below(folder, days, signal));
      level = [];
      for (const folder of below.flat()) {
        const parts = partsOfFolder(folder);
        if (parts === undefined || !this.#admits(parts, days)) continue;
        if (parts.length < dayDepth) level.push(folder);
        else add(found, parts.slice(regionDepth).join('/'), folder);
      }
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Takes the folders of a day; gives their objects in the order of reading. Throws as `days` does. */
  async objects(folders: readonly string[], signal: AbortSignal): Promise<ListedObject[]> {
    const all = await atOnce(folders, (folder) => this.#objectsBelow(folder, signal));
    return all.flat().sort(byDelivery);
  }

  /** The folders in a folder; day folders that are few are named without asking. */
  async #below(folder: string, days: Days, signal: AbortSignal): Promise<string[]> {
    const parts = partsOfFolder(folder);
    // The prefix itself may be a day.
    if (parts?.length === dayDepth) return [folder];
    if (parts?.length === regionDepth) {
      const named = namedDays(days);
      if (named !== undefined) return named.map((day) => `${folder}${day}/`);
    }
    const folders: string[] = [];
    for await (const page of this.#pages(folder, '/', signal))
      for (const { Prefix } of page.CommonPrefixes ?? [])
        if (Prefix !== undefined) folders.push(Prefix);
    return folders;
  }

  async #objectsBelow(folder: string, signal: AbortSignal): Promise<ListedObject[]> {
    const { bucket } = this.#options;
    const objects: ListedObject[] = [];
    for await (const page of this.#pages(folder, undefined, signal)) {
      for (const { Key: key, Size: size = 0, ETag } of page.Contents ?? []) {
        // What ends in a slash is a folder that a console made.
        if (key === undefined || key.endsWith('/')) continue;
        const shard = nameOfObject({ bucket, key });
        const etag = unquoted(ETag) ?? '';
        objects.push({ bucket, key, path: key, shard, size, etag, arrival: arrivalOf(key) });
      }
    }
    return objects;
  }

  async *#pages(Prefix: string, Delimiter: string | undefined, signal: AbortSignal) {
    const { client, bucket: Bucket, patience } = this.#options;
    const where = `listing s3://${Bucket}/${Prefix}`;
    let ContinuationToken: string | undefined;
    do {
      const input = { Bucket, Prefix, Delimiter, ContinuationToken };
      const page = await patiently(
        where,
        (abortSignal) => client.send(new ListObjectsV2Command(input), { abortSignal }),
        patience,
        signal,
      ).catch((error: unknown) => {
        throw signal.aborted ? error : failure(where, error);
      });
      yield page;
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  #admits([account, kind, region, ...date]: readonly string[], { from, to }: Days): boolean {
    const { accounts, regions } = this.#options;
    if (account !== undefined && !/^\d{12}$/.test(account)) return false;
    if (account !== undefined && accounts?.includes(account) === false) return false;
    // Its siblings hold other services' logs.
    if (kind !== undefined && !/^CloudTrail(?:-[A-Za-z]+)*$/.test(kind)) return false;
    if (region !== undefined && regions?.includes(region) === false) return false;
    const day = date.join('/');
    if (!/^(?:\d{4}(?:\/\d\d(?:\/\d\d)?)?)?$/.test(day)) return false;
    // A year or a month that holds the first day is not before it.
    const isBefore = day !== '' && day < from.slice(0, day.length);
    const isBehind = day !== '' && day >= to;
    return !isBefore && !isBehind;
  }
}

/** What stands behind AWSLogs/ but the organisation; undefined where a folder is not below it. */
function partsOfFolder(folder: string): string[] | undefined {
  const at = `/${folder}`.lastIndexOf(`/${root}`);
  if (at < 0) return undefined;
  const parts = folder.slice(at + root.length).split('/');
  parts.pop();
  return /^o-[a-z0-9]+$/.test(parts[0] ?? '') ? parts.slice(1) : parts;
}

function namedDays({ from, to }: Days): string[] | undefined {
  const days: string[] = [];
  const first = Date.parse(from.replaceAll('/', '-'));
  if (Number.isNaN(first)) return undefined;
  for (let at = first; dayOf(at) < to; at += dayMs) {
    if (days.length === namedDaysMax) return undefined;
    days.push(dayOf(at));
  }
  return days;
}

/** Takes a time; gives the day folder it falls in. */
export function dayOf(timeMs: number): string {
  return formatTime(timeMs).slice(0, 10).replaceAll('-', '/');
}

function add(found: Map<string, string[]>, day: string, folder: string): void {
  const folders = found.get(day);
  if (folders === undefined) found.set(day, [folder]);
  else folders.push(folder);
}

/** Does something for each, some at a time; gives what came of it in the order of what was given. */
async function atOnce<In, Out>(
  all: readonly In[],
  does: (one: In) => Promise<Out>,
): Promise<Out[]> {
  const results = new Array<Out>(all.length);
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < all.length; at = next++) results[at] = await does(all[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(listsAtOnce, all.length) }, worker));
  return results;
}

function failure(where: string, error: unknown): SentrailError {
  if (error instanceof SentrailError) return error;
  const name = nameOf(error);
  const hint =
    name === 'NoSuchBucket'
      ? 'check the name of the bucket'
      : name === 'AccessDenied'
        ? 'grant s3:ListBucket on it, s3:GetObject and kms:Decrypt on its objects, or the role'
        : 'check credentials, region and role';
  return new SentrailError('source', `${where}: ${name}; ${hint}`, { cause: causeOf(error) });
}
