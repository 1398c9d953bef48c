// What a message of SQS says: that objects of S3 were created, in any of the ways AWS puts it.
import { z } from 'zod';
import type { S3Object } from './s3-objects.ts';

/** Objects to read; none where the message only tests the way; undefined where it is no notice. */
export type Notice = readonly S3Object[] | undefined;

/** S3 straight to SQS, or by SNS with raw delivery. Keys come encoded as in a query. */
const byS3 = z.object({
  Records: z.array(
    z.object({
      eventSource: z.literal('aws:s3'),
      eventName: z.string(),
      s3: z.object({
        bucket: z.object({ name: z.string() }),
        object: z.object({ key: z.string() }),
      }),
    }),
  ),
});
const byCloudTrail = z.object({ s3Bucket: z.string(), s3ObjectKey: z.array(z.string()) });
const byEventBridge = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.string(),
  detail: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({ key: z.string() }),
  }),
});
const bySns = z.object({ Type: z.literal('Notification'), Message: z.string() });
const test = z.object({ Event: z.literal('s3:TestEvent') });
/** CloudTrail sends this text when a trail is given a topic. */
const cloudTrailTest = /^"?CloudTrail validation message\.?"?$/;
/** A message is wrapped once; a topic that feeds a topic wraps it twice. */
const wrappersMax = 3;

/**
 * Takes the text of a message; gives the objects it tells of, in its order. Events of CloudTrail
 * that were sent themselves are no notice. Never throws.
 */
export function noticeOf(text: string, wrappers = 0): Notice {
  if (cloudTrailTest.test(text.trim())) return [];
  const value = parsed(text);
  if (value === undefined) return undefined;
  const s3 = byS3.safeParse(value).data;
  if (s3 !== undefined) return s3.Records.flatMap(createdObject);
  const trail = byCloudTrail.safeParse(value).data;
  if (trail !== undefined) return trail.s3ObjectKey.map((key) => ({ bucket: trail.s3Bucket, key }));
  const bridge = byEventBridge.safeParse(value).data;
  if (bridge !== undefined) {
    const { bucket, object } = bridge.detail;
    const isCreated = bridge['detail-type'] === 'Object Created';
    return isCreated ? [{ bucket: bucket.name, key: object.key }] : [];
  }
  if (test.safeParse(value).success) return [];
  const sns = bySns.safeParse(value).data;
  if (sns === undefined || wrappers >= wrappersMax) return undefined;
  return noticeOf(sns.Message, wrappers + 1);
}

function createdObject({ eventName, s3 }: z.infer<typeof byS3>['Records'][number]): S3Object[] {
  // Other names say that an object was removed, restored or tagged.
  if (!/^(?:s3:)?ObjectCreated:/.test(eventName)) return [];
  return [{ bucket: s3.bucket.name, key: decodedKey(s3.object.key) }];
}

function decodedKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    // A key with a bare percent sign was not encoded at all.
    return key;
  }
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value ?? undefined;
  } catch {
    return undefined;
  }
}
