// From events to the objects in the bucket: which file, when, in which order inside, and twice
// where CloudTrail delivers twice. Also the digests. CloudTrail User Guide, "log file integrity".
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { isoTime, type JsonObject, secondsOf, type TrailEvent } from './event.ts';
import { home, organisation, trailBucket, trailName } from './organisation.ts';
import type { Random } from './random.ts';

/** An object of the bucket: its key, its text, and when it was delivered. */
export interface Delivered {
  readonly key: string;
  readonly text: string;
  readonly delivered: number;
}

/** CloudTrail writes every five minutes; an event waits two minutes at least. */
const everySeconds = 300;
const leastWaitSeconds = 120;
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Takes events in any order; gives the log files, with about one event in a hundred twice. */
export function logFiles(events: readonly TrailEvent[], random: Random): Delivered[] {
  const files = new Map<string, TrailEvent[]>();
  for (const event of events) {
    const place = placeOf(event, deliveryOf(secondsOf(event.eventTime)));
    files.set(place, [...(files.get(place) ?? []), event]);
  }
  repeatSome(files, random);
  return [...files.keys()].sort().map((place) => {
    const [account = '', region = '', stamp = ''] = place.split(' ');
    const delivered = Number(stamp);
    const text = JSON.stringify({ Records: random.shuffled(files.get(place) ?? []) });
    const unique = `${minuteOf(delivered)}_${random.text(16, letters)}`;
    const name = `${account}_CloudTrail_${region}_${unique}`;
    return {
      key: `${folder(account, 'CloudTrail', region, delivered)}/${name}.json.gz`,
      text,
      delivered,
    };
  });
}

// A repeated event is byte-equal and comes 300 seconds later: in the next file of its Region.
function repeatSome(files: Map<string, TrailEvent[]>, random: Random): void {
  const places = [...files.keys()].sort();
  const first = new Map(places.map((place) => [place, files.get(place) ?? []]));
  const followed = places.filter((place) => files.has(next(place)));
  const open = followed.reduce((sum, place) => sum + (first.get(place)?.length ?? 0), 0);
  const all = places.reduce((sum, place) => sum + (first.get(place)?.length ?? 0), 0);
  for (const place of followed) {
    const again = (first.get(place) ?? []).filter(() => random.chance((0.01 * all) / open));
    files.set(next(place), [...(files.get(next(place)) ?? []), ...again]);
  }
}

function next(place: string): string {
  const [account = '', region = '', delivered = ''] = place.split(' ');
  return `${account} ${region} ${Number(delivered) + everySeconds}`;
}

function placeOf(event: TrailEvent, delivered: number): string {
  return `${event.recipientAccountId} ${event.awsRegion} ${delivered}`;
}

function deliveryOf(time: number): number {
  return Math.ceil((time + leastWaitSeconds) / everySeconds) * everySeconds;
}

function folder(account: string, kind: string, region: string, time: number): string {
  const day = isoTime(time).slice(0, 10).replaceAll('-', '/');
  return `AWSLogs/${organisation}/${account}/${kind}/${region}/${day}`;
}

function minuteOf(time: number): string {
  return `${isoTime(time).slice(0, 16).replaceAll(/[-:]/g, '')}Z`;
}

/**
 * Takes log files and the moment from which digests are kept; gives two hourly digests of every
 * account and Region. Hashes are true. Signatures are invented: a real one needs the key of AWS.
 */
export function digests(files: readonly Delivered[], from: number, random: Random): Delivered[] {
  const streams = new Set(files.map(({ key }) => key.split('/').slice(2, 5).join(' ')));
  return [...streams].sort().flatMap((stream) => {
    const [account = '', , region = ''] = stream.split(' ');
    const own = files.filter(({ key }) => key.includes(`/${account}/CloudTrail/${region}/`));
    const chain = { account, region, random, fingerprint: random.fork(`key ${region}`).hex(32) };
    const first = digest(chain, own, from, undefined);
    return [first, digest(chain, own, from + 3600, first)];
  });
}

interface Chain {
  readonly account: string;
  readonly region: string;
  readonly random: Random;
  readonly fingerprint: string;
}

function digest(
  { account, region, random, fingerprint }: Chain,
  files: readonly Delivered[],
  start: number,
  previous: Delivered | undefined,
): Delivered {
  const end = start + 3600;
  const covered = files.filter(({ delivered }) => delivered >= start && delivered < end);
  const key = digestKey(account, region, end);
  const listed = covered.map(({ key: s3Object, text }) => ({
    s3Bucket: trailBucket,
    s3Object,
    hashValue: sha256(text),
    hashAlgorithm: 'SHA-256',
    ...span([text]),
  }));
  const body: JsonObject = {
    awsAccountId: account,
    digestStartTime: isoTime(start),
    digestEndTime: isoTime(end),
    digestS3Bucket: trailBucket,
    digestS3Object: key,
    digestPublicKeyFingerprint: fingerprint,
    digestSignatureAlgorithm: 'SHA256withRSA',
    ...span(covered.map(({ text }) => text)),
    previousDigestS3Bucket: previous === undefined ? null : trailBucket,
    previousDigestS3Object: previous?.key ?? null,
    previousDigestHashValue: previous === undefined ? null : sha256(previous.text),
    previousDigestHashAlgorithm: previous === undefined ? null : 'SHA-256',
    previousDigestSignature: previous === undefined ? null : random.hex(512),
    logFiles: listed,
  };
  return { key, text: JSON.stringify(body), delivered: end };
}

function digestKey(account: string, region: string, end: number): string {
  const stamp = isoTime(end).replaceAll(/[-:]/g, '');
  const name = `${account}_CloudTrail-Digest_${region}_${trailName}_${home}_${stamp}`;
  return `${folder(account, 'CloudTrail-Digest', region, end)}/${name}.json.gz`;
}

function span(texts: readonly string[]): JsonObject {
  const times = texts.flatMap((text) => text.match(/(?<="eventTime":")[^"]+/g) ?? []).sort();
  return { newestEventTime: times.at(-1) ?? null, oldestEventTime: times[0] ?? null };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Takes a text; gives it compressed, the same bytes on every system that has this zlib. */
export function packed(text: string): Buffer {
  const bytes = gzipSync(text, { level: 9 });
  // Node leaves the time at zero; the tenth byte names the operating system: 255 is unknown.
  bytes[9] = 255;
  return bytes;
}
