// A trail for measuring: the sample trail's records, repeated under new ids and later times, as files.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** What was made: sizes in bytes, and how many events. */
export interface BenchTrail {
  readonly folder: string;
  readonly events: number;
  readonly bytes: number;
  readonly packedBytes: number;
}

const recordsAFile = 1_500;
const dayMs = 86_400_000;

/**
 * Takes the sample trail's folder, where to write, and how many bytes of JSON are wanted; writes files
 * in the S3 layout. Every repetition is a week later, with event ids of its own.
 */
export function makeBenchTrail(sample: string, folder: string, bytesWanted: number): BenchTrail {
  const records = sampleRecords(sample);
  let bytes = 0;
  let packedBytes = 0;
  let events = 0;
  for (let week = 0; bytes < bytesWanted; week++) {
    for (let at = 0; at < records.length && bytes < bytesWanted; at += recordsAFile) {
      const slice = records.slice(at, at + recordsAFile).map((one) => shifted(one, week));
      const text = Buffer.from(`{"Records":[${slice.map((one) => one.text).join(',')}]}`);
      const newest = Math.max(...slice.map((one) => one.time));
      packedBytes += write(folder, newest, text, `${week}-${at}`);
      bytes += text.length;
      events += slice.length;
    }
  }
  return { folder, events, bytes, packedBytes };
}

interface Sampled {
  readonly text: string;
  readonly time: number;
}

function sampleRecords(sample: string): Sampled[] {
  const entries = readdirSync(sample, { recursive: true, withFileTypes: true });
  const files = entries.filter((one) => one.isFile() && /_CloudTrail_.*\.gz$/.test(one.name));
  const records = files.flatMap((one) => {
    const parsed: { Records: { eventTime: string }[] } = JSON.parse(
      gunzipSync(readFileSync(join(one.parentPath, one.name))).toString(),
    );
    return parsed.Records;
  });
  return records
    .map((one) => ({ text: JSON.stringify(one), time: Date.parse(one.eventTime) }))
    .sort((a, b) => a.time - b.time);
}

/** The same record a number of weeks later, all ids in it replaced by others of the same form. */
function shifted({ text, time }: Sampled, weeks: number): Sampled {
  const later = time + weeks * 7 * dayMs;
  const moved = text
    .replace(/"eventTime":"[^"]+"/, `"eventTime":"${new Date(later).toISOString().slice(0, 19)}Z"`)
    .replace(/"(eventID|requestID|sharedEventID)":"([^"]+)"/g, (_, name, id) => {
      return `"${name}":"${otherUuid(id, weeks)}"`;
    });
  return { text: moved, time: later };
}

function otherUuid(id: string, weeks: number): string {
  const hex = createHash('md5').update(`${id}/${weeks}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function write(folder: string, newest: number, text: Buffer, name: string): number {
  const stamp = new Date(newest + 300_000).toISOString();
  const day = join(folder, ...stamp.slice(0, 10).split('-'));
  mkdirSync(day, { recursive: true });
  const minute = `${stamp.slice(0, 16).replace(/[-:]/g, '')}Z`;
  const packed = gzipSync(text);
  writeFileSync(join(day, `111122223333_CloudTrail_us-east-1_${minute}_${name}.json.gz`), packed);
  return packed.length;
}
