// The sample trail is what its generator makes, and is shaped like CloudTrail to the last field.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secondsOf, type TrailEvent } from '../../examples/event.ts';
import { writeTrail } from '../../examples/make-trail.ts';
import { organisation } from '../../examples/organisation.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
/** The zlib the committed files were compressed with; another one may choose other matches. */
const packedBy = '1.3.1-e00f703 x64';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[34][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const documentationAddress =
  /^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}$|^2001:db8:[0-9a-f:]+$/;
const service = /^([a-z0-9.-]+\.amazonaws\.com|AWS Internal)$/;
const arn = /^arn:aws:[a-z0-9-]+:([a-z]{2}-[a-z]+-\d)?:(\d{12}|aws)?:[^\s]+$/;
const fileName = /^(\d{12})_CloudTrail_([a-z0-9-]+)_(\d{8}T\d{4}Z)_[A-Za-z0-9]{16}\.json\.gz$/;

interface Placed {
  readonly path: string;
  readonly delivered: number;
  readonly account: string;
  readonly region: string;
  readonly events: readonly TrailEvent[];
}

interface Digest {
  readonly digestS3Object: string;
  readonly previousDigestS3Object: string | null;
  readonly previousDigestHashValue: string | null;
  readonly logFiles: readonly { readonly s3Object: string; readonly hashValue: string }[];
}

const files = trailFiles(join(examples, 'trail'));
const logs = files.filter((path) => path.includes('/CloudTrail/')).map(read);
const events = logs.flatMap((log) => log.events.map((event) => ({ log, event })));
const byId = grouped(events, ({ event }) => event.eventID);

describe('the generator', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentrail-trail-'));
  beforeAll(() => void writeTrail(folder));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('makes exactly the committed files and stories', () => {
    expect(trailFiles(join(folder, 'trail'))).toEqual(files);
    const different = files.filter((path) => {
      const made = gunzipSync(readFileSync(join(folder, 'trail', path)));
      return !made.equals(gunzipSync(bytesOf(path)));
    });
    expect(different).toEqual([]);
    const stories = readFileSync(join(folder, 'stories.json'), 'utf8');
    expect(stories).toBe(readFileSync(join(examples, 'stories.json'), 'utf8'));
  });

  it.skipIf(`${process.versions.zlib} ${process.arch}` !== packedBy)(
    'compresses them to the same bytes, with the zlib they were made with',
    () => {
      const different = files.filter(
        (path) => !readFileSync(join(folder, 'trail', path)).equals(bytesOf(path)),
      );
      expect(different).toEqual([]);
    },
  );
});

describe('the trail', () => {
  it('is small enough to commit', () => {
    const size = files.reduce((sum, path) => sum + bytesOf(path).length, 0);
    expect(files.length).toBeLessThan(600);
    expect(size).toBeLessThan(3_000_000);
    expect(byId.size).toBeGreaterThan(6_000);
    expect(byId.size).toBeLessThan(12_000);
  });

  it('names its files as CloudTrail does, with no time in the gzip header', () => {
    for (const { path, account, region, delivered } of logs) {
      const day = new Date(delivered * 1000).toISOString().slice(0, 10).replaceAll('-', '/');
      const folder = `AWSLogs/${organisation}/${account}/CloudTrail/${region}/${day}/`;
      expect(path.startsWith(folder), path).toBe(true);
    }
    for (const path of files) expect(bytesOf(path).readUInt32LE(4)).toBe(0);
  });

  it('keeps each event with the account and Region of its path', () => {
    for (const { log, event } of events) {
      expect([event.recipientAccountId, event.awsRegion]).toEqual([log.account, log.region]);
    }
  });

  it('delivers two to eight minutes after the event, a repetition 300 seconds later', () => {
    let repeated = 0;
    for (const copies of byId.values()) {
      const [first, again, ...more] = copies.sort((a, b) => a.log.delivered - b.log.delivered);
      const wait = (first?.log.delivered ?? 0) - secondsOf(first?.event.eventTime ?? '');
      expect(wait).toBeGreaterThanOrEqual(120);
      expect(wait).toBeLessThanOrEqual(480);
      expect(more).toEqual([]);
      if (again === undefined) continue;
      repeated++;
      expect(again.log.delivered - (first?.log.delivered ?? 0)).toBe(300);
      expect(JSON.stringify(again.event)).toBe(JSON.stringify(first?.event));
    }
    expect(repeated / byId.size).toBeGreaterThan(0.006);
    expect(repeated / byId.size).toBeLessThan(0.015);
  });

  it('has files that are not in order, and events in the folder of the next day', () => {
    const unsorted = logs.filter(({ events: inside }) =>
      inside.some((event, at) => event.eventTime < (inside[at - 1]?.eventTime ?? '')),
    );
    expect(unsorted.length).toBeGreaterThan(logs.length / 2);
    const late = events.filter(
      ({ log, event }) => dayOf(log.delivered) !== event.eventTime.slice(0, 10),
    );
    expect(late.length).toBeGreaterThan(50);
  });
});

describe('every event', () => {
  it('has ids and times of the right form', () => {
    for (const { event } of events) {
      expect(event.eventID).toMatch(uuid);
      expect(event.eventTime).toMatch(/^2026-11-(09|1[0-5])T\d\d:\d\d:\d\dZ$/);
      expect(event['eventVersion']).toMatch(/^1\.(08|09|10|11)$/);
      const requestId = event['requestID'];
      const isS3 = event['eventSource'] === 's3.amazonaws.com';
      if (event['eventType'] === 'AwsConsoleSignIn') expect(requestId).toBeUndefined();
      else expect(requestId).toMatch(isS3 ? /^[A-Z0-9]{16}$/ : uuid);
      expect(typeof event['readOnly']).toBe('boolean');
      expect([event['managementEvent'], event['eventCategory']]).toEqual([true, 'Management']);
      expect([undefined, 'true']).toContain(event['sessionCredentialFromConsole']);
    }
  });

  it('comes from a service or a documentation address', () => {
    for (const { event } of events) {
      const address = String(event['sourceIPAddress']);
      expect(documentationAddress.test(address) || service.test(address), address).toBe(true);
      // RFC 5737: no part of an address is above 255.
      expect(Math.max(0, ...(address.match(/\d+(?=\.|$)/g) ?? []).map(Number))).toBeLessThan(256);
    }
  });

  it('holds well-formed ARNs, and unique ids that are plainly examples', () => {
    for (const text of new Set(events.flatMap(({ event }) => textsOf(event)))) {
      if (text.startsWith('arn:')) expect(text).toMatch(arn);
      if (/^(AKIA|ASIA)[A-Z0-9]+$/.test(text)) expect(text).toMatch(/^.{4}[A-Z2-7]{9}EXAMPLE$/);
      if (/^(AROA|AIDA|ANPA)[A-Z0-9]+(:|$)/.test(text)) expect(text).toMatch(/^.{14}EXAMPLE(:|$)/);
    }
  });

  it('shares its id with its copy in another account, or with a service outside', () => {
    const shared = events.filter(({ event }) => event['sharedEventID'] !== undefined);
    const groups = grouped(shared, ({ event }) => String(event['sharedEventID']));
    let pairs = 0;
    for (const [id, group] of groups) {
      expect(id).toMatch(uuid);
      const first = new Map(group.map(({ event }) => [event.eventID, event]));
      const accounts = new Set([...first.values()].map((event) => event.recipientAccountId));
      expect(accounts.size).toBe(first.size);
      const types = [...first.values()].map((event) => identityOf(event)['type']).sort();
      if (types.length === 2) pairs++;
      expect([['AWSService'], ['AWSAccount', 'AssumedRole']]).toContainEqual(types);
    }
    expect(pairs).toBeGreaterThan(50);
  });
});

describe('the stories', () => {
  const stories: { eventIds: string[]; accounts: string[]; quiet: boolean; story: string }[] =
    JSON.parse(readFileSync(join(examples, 'stories.json'), 'utf8'));

  it('name events of the trail, in the accounts they say', () => {
    expect(stories.length).toBeGreaterThanOrEqual(7);
    for (const { eventIds, accounts, story } of stories) {
      expect(eventIds.length, story).toBeGreaterThan(0);
      for (const id of eventIds) {
        expect(accounts, story).toContain(byId.get(id)?.[0]?.event.recipientAccountId);
      }
    }
  });

  it('tell of central root access by one key, without the mark assumedRoot', () => {
    const ids = stories.find(({ story }) => story === 'central-root-access')?.eventIds ?? [];
    const [taken, ...calls] = ids.map((id) => byId.get(id)?.[0]?.event);
    const key = /"accessKeyId":"(ASIA\w+)"/.exec(JSON.stringify(taken?.['responseElements']))?.[1];
    expect(key).toBeDefined();
    for (const call of calls) {
      expect(identityOf(call)['accessKeyId']).toBe(key);
      expect(JSON.stringify(call)).not.toContain('assumedRoot');
    }
  });

  it('tell of a night whose calls all began with the sign-in', () => {
    const ids = stories.find(({ story }) => story === 'root-by-night')?.eventIds ?? [];
    const night = ids.map((id) => byId.get(id)?.[0]?.event);
    const login = night[0]?.eventTime;
    const console = night.filter((event) => event?.['sessionCredentialFromConsole'] === 'true');
    expect(console.length).toBeGreaterThan(5);
    for (const event of console) {
      expect(JSON.stringify(event)).toContain(`"creationDate":"${login}"`);
    }
  });
});

describe('the digests', () => {
  const digests = files.filter((path) => path.includes('/CloudTrail-Digest/'));

  it('list the files of their hour with true hashes, and follow one another', () => {
    expect(digests.length).toBeGreaterThan(0);
    for (const path of digests) {
      const body: Digest = JSON.parse(textOf(path));
      expect(body.digestS3Object).toBe(path);
      for (const { s3Object, hashValue } of body.logFiles) {
        expect(sha256(textOf(s3Object))).toBe(hashValue);
      }
      const before = body.previousDigestS3Object;
      const hash = before === null ? null : sha256(textOf(before));
      expect(body.previousDigestHashValue).toBe(hash);
    }
  });
});

function trailFiles(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  const plain = all.filter((entry) => entry.isFile());
  const names = plain.map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  return names.map((name) => name.replaceAll(sep, '/')).sort();
}

function bytesOf(path: string): Buffer {
  return readFileSync(join(examples, 'trail', path));
}

function textOf(path: string): string {
  return gunzipSync(bytesOf(path)).toString('utf8');
}

function read(path: string): Placed {
  const [, account, region, stamp] = fileName.exec(path.slice(path.lastIndexOf('/') + 1)) ?? [];
  if (account === undefined || region === undefined || stamp === undefined) {
    throw new Error(`the file ${path} is not named as CloudTrail names files`);
  }
  const iso = stamp.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:00Z');
  const { Records }: { Records: TrailEvent[] } = JSON.parse(textOf(path));
  return { path, account, region, delivered: secondsOf(iso), events: Records };
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function identityOf(event: TrailEvent | undefined): Record<string, unknown> {
  return { ...Object(event?.['userIdentity']) };
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
