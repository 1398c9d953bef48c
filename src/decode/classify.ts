// What a parsed JSON value is: a CloudTrail record, another kind that is kept, or an envelope.
import type { KeptKind, PassedKind, RejectReason } from '../core/item.ts';
import { parseTime } from '../core/time.ts';
import { type Body, isObject } from './body.ts';
import { type Inner, openedEnvelope } from './envelopes.ts';
import { isAsff, isFinding, isSample } from './finding.ts';
import { refusal } from './guard.ts';

/** What a value is. `inner` holds what an envelope carries, each to be classified again. */
export type Classified =
  | { readonly kind: 'event'; readonly body: Body; readonly time: number }
  | { readonly kind: 'finding'; readonly body: Body }
  | { readonly kind: Exclude<KeptKind, 'finding'> | PassedKind }
  | { readonly kind: 'envelope'; readonly inner: readonly Inner[] }
  | { readonly kind: 'rejected'; readonly reason: RejectReason; readonly detail: string };

/** Takes a parsed JSON value; says what it is. Never throws. */
export function classify(value: unknown): Classified {
  if (!isObject(value)) return unwrapped(value);
  return isPlainRecord(value) ? record(value) : (otherKind(value) ?? record(value));
}

/** JSON in a string, and lists that stand where a record should. */
function unwrapped(value: unknown): Classified {
  if (isText(value)) {
    return { kind: 'envelope', inner: [{ as: 'text', text: value }] };
  }
  // A list of numbers is one reject, not thousands.
  if (Array.isArray(value) && value.some((one) => typeof one === 'object' || isText(one))) {
    return { kind: 'envelope', inner: value.map((one) => ({ as: 'value', value: one })) };
  }
  return rejected('not-cloudtrail', 'it is not a JSON object');
}

/** JSON, or gzip in base64; any other string is prose. */
const holdsJson = /^\s*[{["]|^H4sI/;

function isText(value: unknown): value is string {
  return typeof value === 'string' && holdsJson.test(value);
}

/** The common case, told by few fields. Insight events of some exports carry an eventName too. */
function isPlainRecord(body: Body): boolean {
  return (
    typeof body['eventName'] === 'string' &&
    body['userIdentity'] !== undefined &&
    body['eventType'] !== 'AwsCloudTrailInsight' &&
    body['eventCategory'] !== 'Insight' &&
    body['eventCategory'] !== 'Aggregated'
  );
}

function record(body: Body): Classified {
  const why = refusal(body);
  if (why !== undefined) return rejected('not-cloudtrail', why);
  // `aws:s3`, `aws:dynamodb`: what AWS hands to a Lambda has these two fields as well.
  const source = body['eventSource'];
  if (source === 'aws:s3') return rejected('not-cloudtrail', noticeOfS3);
  if (typeof source === 'string' && source.startsWith('aws:')) {
    return rejected('not-cloudtrail', 'it is a notification of AWS, which is no record of a log');
  }
  // Logstash's CloudTrail codec moves eventTime to @timestamp.
  const time = parseTime(body['eventTime']) ?? parseTime(body['@timestamp']);
  if (time === undefined) return rejected('no-event-time', 'eventTime is missing or is no time');
  return { kind: 'event', body, time };
}

/** The object itself lies in S3, where decoding cannot reach. */
const noticeOfS3 =
  'it is a notification of S3 and holds no events; read the queue with a source of type sqs';

function otherKind(body: Body): Classified | undefined {
  return (isApiCall(body) ? undefined : envelope(body)) ?? cloudtrailKind(body) ?? finding(body);
}

/** A record without identity is no envelope, whatever fields an export gave it besides. */
function isApiCall(body: Body): boolean {
  const source = body['eventSource'];
  if (typeof source !== 'string' || typeof body['eventName'] !== 'string') return false;
  return source.endsWith('.amazonaws.com') || source.endsWith('.amazonaws.com.cn');
}

function envelope(body: Body): Classified | undefined {
  const opened = openedEnvelope(body);
  return opened?.kind === 'notice' ? rejected('not-cloudtrail', noticeOfS3) : opened;
}

function cloudtrailKind(body: Body): Classified | undefined {
  const category = body['eventCategory'];
  if (body['eventType'] === 'AwsCloudTrailInsight' || category === 'Insight') {
    return { kind: 'insight' };
  }
  if (isObject(body['insightDetails'])) return { kind: 'insight' };
  if (body['eventType'] === 'AwsAggregatedEvent' || category === 'Aggregated') {
    return { kind: 'aggregated' };
  }
  if (typeof body['digestS3Object'] === 'string' && Array.isArray(body['logFiles'])) {
    return { kind: 'digest' };
  }
  return undefined;
}

function finding(body: Body): Classified | undefined {
  if (isFinding(body)) return isSample(body) ? { kind: 'sample' } : { kind: 'finding', body };
  if (!isAsff(body)) return undefined;
  return rejected('not-cloudtrail', 'it is a finding of Security Hub, but not of GuardDuty');
}

function rejected(reason: RejectReason, detail: string): Classified {
  return { kind: 'rejected', reason, detail };
}
