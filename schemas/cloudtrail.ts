// A CloudTrail record, as loosely as it can be judged. CloudTrail User Guide, "record contents".
import { z } from 'zod';

/**
 * What must hold for a record to be judged. Everything else may be absent, null or of another type:
 * each of these has been seen so, and an event must not escape judgement by an odd user agent.
 */
export const cloudtrailRecord = z.looseObject({
  eventName: z.string().min(1),
  eventSource: z.string().min(1),
  /** Absent on Insight events and some service events; null in exports. */
  userIdentity: z.looseObject({}).nullish(),
  /** ISO 8601; Logstash moves it to @timestamp. */
  eventTime: z.unknown().optional(),
  eventID: z.unknown().optional(),
  recipientAccountId: z.unknown().optional(),
  /** A boolean; "true", "True" and "false" in exports. */
  readOnly: z.unknown().optional(),
  /** An object or null; a string in some exports. */
  requestParameters: z.unknown().optional(),
  responseElements: z.unknown().optional(),
});
