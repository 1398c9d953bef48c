// What carries CloudTrail records and findings on their way: envelopes of AWS services, of Lambda and
// of Kafka, as loosely as they can be opened. What they carry is told apart once it is out.
import { z } from 'zod';

/** Elements are looked at one by one, so that a broken one costs only itself. */
const list = z.array(z.unknown());

/** A log file of S3; what AWS hands to a Lambda; the answer of Kinesis GetRecords. */
export const recordsWrapper = z.object({ Records: list });

/** EventBridge. Rules that reshape events often keep no more than `detail`. */
export const eventBridgeEvent = z.object({
  source: z.unknown().optional(),
  detail: z.custom<object | string>(
    (one) => typeof one === 'string' || (typeof one === 'object' && one !== null),
  ),
});

/** CloudWatch Logs subscription. `logEvents` hold `message` and sometimes `extractedFields`. */
export const logsMessage = z.discriminatedUnion('messageType', [
  z.object({ messageType: z.literal('CONTROL_MESSAGE') }),
  z.object({ messageType: z.literal('DATA_MESSAGE'), logEvents: list }),
]);
/** The same for a Lambda: base64 of gzip. */
export const logsForLambda = z.object({ awslogs: z.object({ data: z.string() }) });
/** The answer of FilterLogEvents and GetLogEvents. */
export const logEventsAnswer = z.object({ events: list });
/** One event of a log, or a line as a log shipper wraps it. */
export const logLine = z.object({ message: z.string().regex(/^\s*[{["]/) });

/** SNS over HTTP or in SQS without raw delivery. */
export const snsMessage = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), Message: z.string() }),
  z.object({ Type: z.enum(['SubscriptionConfirmation', 'UnsubscribeConfirmation']) }),
]);
/** The same for a Lambda. */
export const snsForLambda = z.object({ Sns: z.object({ Message: z.string() }) });

/** The answer of SQS ReceiveMessage, and one message. */
export const sqsAnswer = z.object({ Messages: list });
export const sqsMessage = z.object({ MessageId: z.string(), Body: z.string() });
/** The same for a Lambda. */
export const sqsForLambda = z.object({ messageId: z.string(), body: z.string() });

/** A record of Kinesis for a Lambda, and one of GetRecords as the AWS CLI prints it: base64. */
export const kinesisForLambda = z.object({ kinesis: z.object({ data: z.string() }) });
export const kinesisRecord = z.object({ Data: z.string(), PartitionKey: z.string() });

/** Firehose for a Lambda or an HTTP endpoint: a list. Kafka for a Lambda: lists by partition. */
export const firehoseOrKafka = z.object({
  records: z.union([list, z.record(z.string(), list)]),
});

/** Kafka Connect with schemas enabled; the payload of `bytes` is base64. */
export const connectMessage = z.object({
  schema: z.object({ type: z.unknown().optional() }).nullable(),
  payload: z.unknown(),
});

/** The answer of LookupEvents, and one event of it. */
export const lookupAnswer = z.object({ Events: list });
export const lookupEvent = z.object({ CloudTrailEvent: z.string() });

/** Findings in a row: GetFindings of GuardDuty and Security Hub, Security Hub in EventBridge. */
export const findingsAnswer = z.object({ Findings: list });
export const findingsDetail = z.object({ findings: list });

/** S3's word that it may write to a queue or topic. */
export const s3TestEvent = z.object({ Event: z.literal('s3:TestEvent') });
/** What CloudTrail itself tells a topic of a new log file. */
export const logFileNotice = z.object({ s3Bucket: z.string(), s3ObjectKey: z.unknown() });
