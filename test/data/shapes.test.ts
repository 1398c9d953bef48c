// The shapes on the wire as others recorded them, where they are at hand: every finding decodes, and
// every envelope opens or says in a sentence why it holds no events.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/core/finding.ts';
import { createDecoder, defaultDecodeLimits } from '../../src/decode/decoder.ts';
import { findingOf, isFinding } from '../../src/decode/finding.ts';

const folder =
  process.env['SENTRAIL_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data');
const isThere = existsSync(join(folder, 'raw')) && existsSync(join(folder, 'guardduty'));
if (!isThere) console.warn(`no shapes at ${folder}: set SENTRAIL_TEST_DATA to test with them`);

function filesIn(under: string): string[] {
  return readdirSync(join(folder, under), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => relative(folder, join(one.parentPath, one.name)))
    .sort();
}

interface Decoded {
  readonly kinds: readonly string[];
  readonly ids: readonly string[];
  readonly details: readonly string[];
  readonly findings: readonly Finding[];
}

function decodedBytes(bytes: Uint8Array): Decoded {
  const kinds: string[] = [];
  const ids: string[] = [];
  const details: string[] = [];
  const findings: Finding[] = [];
  const record = { shard: 'a', sequence: '0', arrival: undefined, isFirst: true, isLast: true };
  for (const item of createDecoder(defaultDecodeLimits).decode({ ...record, bytes }, 0)) {
    kinds.push(item.kind);
    if (item.kind === 'event') ids.push(item.event.id);
    if (item.kind === 'rejected') details.push(item.detail);
    if (item.kind === 'finding') findings.push(item.finding);
  }
  return { kinds, ids, details, findings };
}
const bytesOf = (file: string) => readFileSync(join(folder, file));
const decodedFile = (file: string) => decodedBytes(bytesOf(file));

/** How often each kind came from the files whose path matches. */
function tally(under: string, path: RegExp): Record<string, number> {
  const out: Record<string, number> = {};
  for (const file of filesIn(under).filter((one) => path.test(one))) {
    for (const kind of decodedFile(file).kinds) out[kind] = (out[kind] ?? 0) + 1;
  }
  return out;
}

type Entry = Record<string, unknown> & { readonly file: string; readonly shape: string };
/** What those who collected the findings read in them. */
function manifest(): Entry[] {
  const entries: Entry[] = JSON.parse(bytesOf('guardduty/manifest.json').toString());
  return entries;
}

/** The findings of a file as JSON values, envelopes taken off by hand. */
function valuesIn(file: string): Record<string, unknown>[] {
  const text = bytesOf(join('guardduty', file)).toString();
  const lines = file.endsWith('.jsonl') ? text.trim().split('\n') : [text];
  return lines.map((line) => {
    const value: Record<string, unknown> = JSON.parse(line);
    const detail = value['detail'];
    return typeof detail === 'object' && detail !== null ? { ...detail } : value;
  });
}

/** One is an envelope with nothing in it, as a test of another product has it. */
const isEmpty = (file: string) => file.includes('030-unknown');
const own = /^(?:eventbridge|bare-camelcase|getfindings-pascalcase|asff-guardduty|derived-pairs)\//;

describe.skipIf(!isThere)('findings of GuardDuty', () => {
  const files = isThere
    ? filesIn('guardduty')
        .map((one) => relative('guardduty', one))
        .filter((one) => own.test(one) && !isEmpty(one))
    : [];

  it.each(files)('%s is recognised and decoded', (file) => {
    const { kinds } = decodedFile(join('guardduty', file));
    expect(kinds).toHaveLength(1);
    expect(kinds[0]).toMatch(/^(finding|sample)$/);
    const [value] = valuesIn(file);
    expect(isFinding(value!)).toBe(true);
    const found = findingOf(value!, new Uint8Array(0));
    expect(found.isSample).toBe(kinds[0] === 'sample');
    expect(found.type).toMatch(/^[A-Za-z]+:[A-Za-z0-9]+\/\S+$/);
    expect(found.severity).toBeGreaterThan(0);
    expect(found.account).toMatch(/^\d{12}$/);
    for (const text of [found.id, found.region, found.title, found.detectorId]) {
      expect(text).not.toBe('');
    }
    for (const time of [found.createdAt, found.updatedAt, found.firstSeen, found.lastSeen]) {
      expect(time).toBeGreaterThan(Date.parse('2016-01-01T00:00:00Z'));
    }
  });

  it('are the same by every shape and envelope, as often as they are nested', () => {
    for (const file of files) {
      const [value] = valuesIn(file);
      const text = JSON.stringify(value);
      const event = { 'detail-type': 'GuardDuty Finding', detail: value };
      const notice = { Type: 'Notification', Message: JSON.stringify(event) };
      const kinesis = { Records: [{ kinesis: { data: gzipSync(text).toString('base64') } }] };
      const ways = [value, event, { Findings: [value] }, { detail: { findings: [value] } }, notice];
      const [first, ...rest] = [...ways, kinesis].map((one) => {
        const { kinds, findings } = decodedBytes(Buffer.from(JSON.stringify(one)));
        return { kinds, findings: findings.map((found) => ({ ...found, bytes: '' })) };
      });
      for (const other of rest) expect({ file, ...other }).toEqual({ file, ...first });
    }
  });

  it('say what those who collected them read in them', () => {
    const fields = ['id', 'type', 'account', 'region', 'severity', 'count', 'resourceType'];
    const names = [...fields, 'accessKeyId', 'principalId', 'userName', 'userType', 'instanceId'];
    let compared = 0;
    for (const entry of manifest().filter((one) => own.test(one.file) && !isEmpty(one.file))) {
      if (entry.shape.startsWith('asff')) continue;
      const found = findingOf(valuesIn(entry.file)[0]!, new Uint8Array(0));
      for (const [name, value] of [...Object.entries(found)]) {
        if (!names.includes(name) || entry[name] === null || entry[name] === undefined) continue;
        expect({ file: entry.file, [name]: value }).toEqual({
          file: entry.file,
          [name]: entry[name],
        });
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(150);
  });

  it('are told from those of other products, which are rejected by name', () => {
    for (const file of filesIn('guardduty').filter((one) => one.includes('asff-other/'))) {
      expect(decodedFile(file).details).toEqual([
        'it is a finding of Security Hub, but not of GuardDuty',
      ]);
    }
  });
});

describe.skipIf(!isThere)('records on the wire', () => {
  it('opens EventBridge; one event has no time, and that is all', () => {
    expect(tally('raw/eventbridge', /extracted|cloud-custodian/)).toEqual({
      event: 30,
      rejected: 1,
    });
  });

  it('opens CloudWatch Logs, also as a Lambda gets them', () => {
    expect(tally('raw/cloudwatch-logs', /cloudwatch_log_cloudtrail\.json$/)).toEqual({ event: 7 });
    const lambda = filesIn('raw').find((one) => one.endsWith('cloudwatch-logs-event.json'))!;
    const { details } = decodedFile(lambda);
    expect(details).toEqual(['it is not JSON', 'it is not JSON']);
  });

  it('opens what LookupEvents gave', () => {
    const file = filesIn('raw').find((one) =>
      one.endsWith('plaso/test_data/jsonl/aws_cloudtrail.jsonl'),
    );
    const { kinds, ids } = decodedFile(file!);
    expect(new Set(kinds)).toEqual(new Set(['event']));
    const named = bytesOf(file!).toString().trim().split('\n');
    expect(ids).toEqual(named.map((line) => JSON.parse(line)['EventId']));
  });

  it('rejects notifications of S3 with the way to read them, and passes their tests', () => {
    const files = filesIn('raw/s3-notifications');
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const { kinds, details } = decodedFile(file);
      if (file.includes('test-event'))
        expect({ file, kinds }).toEqual({ file, kinds: ['control'] });
      else {
        const said = new Set(details.map((one) => one.replace(/.*source of type sqs$/, 'sqs')));
        expect({ file, said: [...said].filter((one) => one !== 'it is not JSON') }).toEqual({
          file,
          said: ['sqs'],
        });
      }
    }
  });

  it('opens what Kinesis, Firehose and Kafka hand to a Lambda, though it is greetings', () => {
    const lambda = filesIn('raw/kinesis').filter((one) => one.endsWith('.json'));
    const wrong = lambda.flatMap((file) =>
      decodedFile(file)
        .details.filter((one) => one.includes('notification of AWS'))
        .map((detail) => ({ file, detail })),
    );
    // Streams of DynamoDB come in the same wrapper and are no log.
    expect(wrong.filter((one) => !one.file.includes('dynamodb'))).toEqual([]);
    const greetings = lambda.find((one) =>
      one.endsWith('aws-lambda-go/events/testdata/kinesis-event.json'),
    );
    expect(decodedFile(greetings!).details).toEqual(['it is not JSON', 'it is not JSON']);
  });
});
