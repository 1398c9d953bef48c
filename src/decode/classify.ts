// What a parsed JSON value is: a CloudTrail record, another kind that is kept, or an envelope.
import type { KeptKind, PassedKind, RejectReason } from '../core/item.ts';
import { parseTime } from '../core/time.ts';
import { refusal } from './guard.ts';

/** An object from JSON.parse. */
export type Body = Readonly<Record<string, unknown>>;

/**
 * What a value is. `inner` holds what an envelope carries, each to be classified again; `isText`
 * says that these are JSON texts still to be parsed.
 */
export type Classified =
  | { readonly kind: 'event'; readonly body: Body; readonly time: number }
  | { readonly kind: KeptKind | PassedKind }
  | { readonly kind: 'envelope'; readonly inner: readonly unknown[]; readonly isText: boolean }
  | { readonly kind: 'rejected'; readonly reason: RejectReason; readonly detail: string };

/** Takes a parsed JSON value; says what it is. Never throws. */
export function classify(value: unknown): Classified {
  if (!isObject(value)) return rejected('not-cloudtrail', 'it is not a JSON object');
  return isPlainRecord(value) ? record(value) : (otherKind(value) ?? record(value));
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
  // `aws:s3`, `aws:kinesis`: what AWS hands to a Lambda has these two fields as well.
  const source = body['eventSource'];
  if (typeof source === 'string' && source.startsWith('aws:')) {
    return rejected('not-cloudtrail', 'it is a notification of AWS, which is no record of a log');
  }
  // Logstash's CloudTrail codec moves eventTime to @timestamp.
  const time = parseTime(body['eventTime']) ?? parseTime(body['@timestamp']);
  if (time === undefined) return rejected('no-event-time', 'eventTime is missing or is no time');
  return { kind: 'event', body, time };
}

function otherKind(body: Body): Classified | undefined {
  return envelope(body) ?? cloudtrailKind(body) ?? findingKind(body);
}

function envelope(body: Body): Classified | undefined {
  if (Array.isArray(body['Records'])) {
    return { kind: 'envelope', inner: body['Records'], isText: false };
  }
  if (body['detail'] !== undefined && typeof body['detail-type'] === 'string') {
    return { kind: 'envelope', inner: [body['detail']], isText: false };
  }
  if (body['messageType'] === 'CONTROL_MESSAGE' || body['Event'] === 's3:TestEvent') {
    return { kind: 'control' };
  }
  if (body['messageType'] === 'DATA_MESSAGE' && Array.isArray(body['logEvents'])) {
    return { kind: 'envelope', inner: body['logEvents'].map(messageOf), isText: true };
  }
  return undefined;
}

function messageOf(logEvent: unknown): unknown {
  return isObject(logEvent) ? logEvent['message'] : logEvent;
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

/** A GuardDuty finding: camelCase from EventBridge and S3, PascalCase from its API. */
function findingKind(body: Body): Classified | undefined {
  const service = body['service'] ?? body['Service'];
  if (!isObject(service) || typeof (body['type'] ?? body['Type']) !== 'string') return undefined;
  const name = service['serviceName'] ?? service['ServiceName'];
  const hasVersion = (body['schemaVersion'] ?? body['SchemaVersion']) !== undefined;
  const hasDetector = (service['detectorId'] ?? service['DetectorId']) !== undefined;
  if (name !== 'guardduty' && !(hasVersion && hasDetector)) return undefined;
  return { kind: isSample(body, service) ? 'sample' : 'finding' };
}

function isSample(body: Body, service: Body): boolean {
  const title = body['title'] ?? body['Title'];
  if (typeof title === 'string' && title.startsWith('[SAMPLE]')) return true;
  const more = service['additionalInfo'] ?? service['AdditionalInfo'];
  if (!isObject(more)) return false;
  if (more['sample'] === true || more['Sample'] === true) return true;
  // Newer findings carry the same as a JSON text beside it.
  const text = more['value'] ?? more['Value'];
  return typeof text === 'string' && /"sample"\s*:\s*true/.test(text);
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function rejected(reason: RejectReason, detail: string): Classified {
  return { kind: 'rejected', reason, detail };
}
