// What a parsed JSON value is: a CloudTrail record, another kind that is kept, or an envelope to open.
import type { KeptKind, PassedKind, RejectReason } from '../core/item.ts';
import { parseTime } from '../core/time.ts';
import { refusal } from './guard.ts';

/** An object from JSON.parse. */
export type Body = Readonly<Record<string, unknown>>;

/** What a value is. `inner` holds the values an envelope carries, each to be classified again. */
export type Classified =
  | { readonly kind: 'event'; readonly body: Body; readonly time: number }
  | { readonly kind: KeptKind | PassedKind }
  | { readonly kind: 'envelope'; readonly inner: readonly unknown[] }
  | { readonly kind: 'rejected'; readonly reason: RejectReason; readonly detail: string };

/** Takes a parsed JSON value; says what it is. Never throws. */
export function classify(value: unknown): Classified {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return rejected('not-cloudtrail', 'it is not a JSON object');
  }
  // An object from JSON.parse has string keys.
  const body = value as Body;
  if (typeof body['eventName'] === 'string' && body['eventType'] !== 'AwsCloudTrailInsight') {
    return record(body);
  }
  return otherKind(body) ?? record(body);
}

function record(body: Body): Classified {
  const why = refusal(body);
  if (why !== undefined) return otherKind(body) ?? rejected('not-cloudtrail', why);
  if (body['eventSource'] === 'aws:s3') {
    return rejected(
      'not-cloudtrail',
      'it is an S3 notification, which names a log file and is none',
    );
  }
  // Logstash's CloudTrail codec moves eventTime to @timestamp.
  const time = parseTime(body['eventTime']) ?? parseTime(body['@timestamp']);
  if (time === undefined) return rejected('no-event-time', 'eventTime is missing or is no time');
  return { kind: 'event', body, time };
}

function otherKind(body: Body): Classified | undefined {
  if (Array.isArray(body['Records'])) return { kind: 'envelope', inner: body['Records'] };
  if (body['detail'] !== undefined && typeof body['detail-type'] === 'string') {
    return { kind: 'envelope', inner: [body['detail']] };
  }
  if (body['messageType'] === 'CONTROL_MESSAGE' || body['Event'] === 's3:TestEvent') {
    return { kind: 'control' };
  }
  if (body['messageType'] === 'DATA_MESSAGE' && Array.isArray(body['logEvents'])) {
    return { kind: 'envelope', inner: body['logEvents'].map(messageOf) };
  }
  if (body['eventType'] === 'AwsCloudTrailInsight' || isObject(body['insightDetails'])) {
    return { kind: 'insight' };
  }
  if (body['eventType'] === 'AwsAggregatedEvent' || body['eventCategory'] === 'Aggregated') {
    return { kind: 'aggregated' };
  }
  if (typeof body['digestS3Object'] === 'string') return { kind: 'digest' };
  if (isFinding(body)) return { kind: isSample(body) ? 'sample' : 'finding' };
  return undefined;
}

/** The record within a CloudWatch log event; text that is no JSON stays text and is rejected as such. */
function messageOf(logEvent: unknown): unknown {
  const message = isObject(logEvent) ? logEvent['message'] : undefined;
  if (typeof message !== 'string') return message;
  try {
    return JSON.parse(message);
  } catch {
    return message;
  }
}

function isFinding(body: Body): boolean {
  const service = body['service'] ?? body['Service'];
  if (!isObject(service)) return false;
  const isTyped = typeof (body['type'] ?? body['Type']) === 'string';
  const name = service['serviceName'] ?? service['ServiceName'];
  return (
    isTyped &&
    (name === 'guardduty' || (service['detectorId'] ?? service['DetectorId']) !== undefined)
  );
}

function isSample(body: Body): boolean {
  const title = body['title'] ?? body['Title'];
  if (typeof title === 'string' && title.startsWith('[SAMPLE]')) return true;
  const service = body['service'] ?? body['Service'];
  const more = isObject(service)
    ? (service['additionalInfo'] ?? service['AdditionalInfo'])
    : undefined;
  return isObject(more) && more['sample'] === true;
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function rejected(reason: RejectReason, detail: string): Classified {
  return { kind: 'rejected', reason, detail };
}
