// Opens envelopes: what arrives around CloudTrail records and findings, one layer at a time.
import type { z } from 'zod';
import * as schemas from '../../schemas/envelopes.ts';
import { type Body, isObject } from './body.ts';

/** What an envelope carries: a JSON value, a text that holds some, or bytes in base64. */
export type Inner =
  | { readonly as: 'value'; readonly value: unknown }
  | { readonly as: 'text' | 'base64'; readonly text: string };

/** What an envelope is once it is open; `notice` only tells of a log file in S3. */
export type Opened =
  | { readonly kind: 'envelope'; readonly inner: readonly Inner[] }
  | { readonly kind: 'control' }
  | { readonly kind: 'notice' };

interface Shape {
  /** A field that every envelope of this shape has; the others are not asked. */
  readonly key: string;
  readonly open: (body: Body) => Opened | undefined;
}

/** Takes an object that is no record; opens it where it is an envelope. Never throws. */
export function openedEnvelope(body: Body): Opened | undefined {
  for (const { key, open } of shapes) {
    if (body[key] === undefined) continue;
    const opened = open(body);
    if (opened !== undefined) return opened;
  }
  return undefined;
}

const control: Opened = { kind: 'control' };
const notice: Opened = { kind: 'notice' };
/** What CloudTrail says to a topic when a trail is made. */
const validation = /^CloudTrail validation message\.?$/;

const shapes: readonly Shape[] = [
  shape('detail', schemas.eventBridgeEvent, ({ source, detail }) =>
    source === 'aws.s3' && tellsOfObject(detail) ? notice : carrying([valueOrText(detail)]),
  ),
  shape('Records', schemas.recordsWrapper, ({ Records }) => carrying(Records.map(value))),
  shape('messageType', schemas.logsMessage, (one) =>
    one.messageType === 'CONTROL_MESSAGE'
      ? control
      : carrying(one.logEvents.map((event) => ofField(event, 'message', 'text'))),
  ),
  shape('awslogs', schemas.logsForLambda, ({ awslogs }) => carrying([base64(awslogs.data)])),
  shape('kinesis', schemas.kinesisForLambda, ({ kinesis }) => carrying([base64(kinesis.data)])),
  shape('Data', schemas.kinesisRecord, ({ Data }) => carrying([base64(Data)])),
  shape('Type', schemas.snsMessage, (one) =>
    one.Type === 'Notification' ? notification(one.Message) : control,
  ),
  shape('Sns', schemas.snsForLambda, ({ Sns }) => notification(Sns.Message)),
  shape('Body', schemas.sqsMessage, ({ Body }) => carrying([text(Body)])),
  shape('body', schemas.sqsForLambda, ({ body }) => carrying([text(body)])),
  shape('Messages', schemas.sqsAnswer, ({ Messages }) =>
    carrying(Messages.map((one) => ofField(one, 'Body', 'text'))),
  ),
  shape('CloudTrailEvent', schemas.lookupEvent, (one) => carrying([text(one.CloudTrailEvent)])),
  shape('Events', schemas.lookupAnswer, ({ Events }) =>
    carrying(Events.map((one) => ofField(one, 'CloudTrailEvent', 'text'))),
  ),
  shape('payload', schemas.connectMessage, ({ schema, payload }) =>
    payload === null ? control : carrying([payloadOf(payload, schema?.type)]),
  ),
  shape('records', schemas.firehoseOrKafka, ({ records }) => {
    if (Array.isArray(records)) return carrying(records.map((one) => ofField(one, 'data')));
    const messages = Object.values(records).flat();
    return carrying(messages.filter(hasValue).map((one) => ofField(one, 'value')));
  }),
  shape('findings', schemas.findingsDetail, ({ findings }) => carrying(findings.map(value))),
  shape('Findings', schemas.findingsAnswer, ({ Findings }) => carrying(Findings.map(value))),
  shape('Event', schemas.s3TestEvent, () => control),
  shape('s3ObjectKey', schemas.logFileNotice, () => notice),
  shape('events', schemas.logEventsAnswer, ({ events }) =>
    carrying(events.map((one) => ofField(one, 'message', 'text'))),
  ),
  shape('message', schemas.logLine, ({ message }) => carrying([text(message)])),
];

function shape<T>(key: string, schema: z.ZodType<T>, open: (body: T) => Opened): Shape {
  return {
    key,
    open: (body) => {
      const found = schema.safeParse(body);
      return found.success ? open(found.data) : undefined;
    },
  };
}

function carrying(inner: readonly Inner[]): Opened {
  return { kind: 'envelope', inner };
}

/** Calls to S3 that CloudTrail logged come from `aws.s3` too. */
function tellsOfObject(detail: unknown): boolean {
  return isObject(detail) && isObject(detail['object']) && detail['eventName'] === undefined;
}

function notification(message: string): Opened {
  return validation.test(message) ? control : carrying([text(message)]);
}

/** What a field of an element holds; an element without it is looked at as a whole. */
function ofField(element: unknown, name: string, as: 'text' | 'base64' = 'base64'): Inner {
  const field = isObject(element) ? element[name] : undefined;
  return typeof field === 'string' ? { as, text: field } : value(element);
}

/** A message of Kafka without a value is a tombstone: it carries nothing. */
function hasValue(message: unknown): boolean {
  return !isObject(message) || (message['value'] !== null && message['value'] !== undefined);
}

function payloadOf(payload: unknown, type: unknown): Inner {
  return type === 'bytes' && typeof payload === 'string' ? base64(payload) : valueOrText(payload);
}

function valueOrText(one: unknown): Inner {
  return typeof one === 'string' ? text(one) : value(one);
}

function value(one: unknown): Inner {
  return { as: 'value', value: one };
}

function text(one: string): Inner {
  return { as: 'text', text: one };
}

function base64(one: string): Inner {
  return { as: 'base64', text: one };
}
