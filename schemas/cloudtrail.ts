// A CloudTrail record, as loosely as it can be judged. AWS CloudTrail User Guide, "record contents".
import { z } from 'zod';

/** What must hold for a record to be judged; everything else may be absent, null or of another type. */
export const cloudtrailRecord = z.looseObject({
  eventName: z.string().min(1),
  eventSource: z.string().min(1),
  eventTime: z.string().optional(),
  eventID: z.string().optional(),
  recipientAccountId: z.string().nullish(),
  userIdentity: z.looseObject({}).nullish(),
  errorCode: z.string().nullish(),
  errorMessage: z.string().nullish(),
  sourceIPAddress: z.string().nullish(),
  userAgent: z.string().nullish(),
  awsRegion: z.string().nullish(),
  eventType: z.string().nullish(),
});
export type CloudtrailRecord = z.infer<typeof cloudtrailRecord>;
