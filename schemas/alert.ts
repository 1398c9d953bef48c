// The JSON that leaves: signals and alerts, versioned. Published as JSON Schema in schemas/json/.
import { z } from 'zod';
import { severity } from './config.ts';

/** The version of this contract; a field may be added within it, none changes or goes. */
export const alertSchemaVersion = 'sentrail.alert/1';
export const signalSchemaVersion = 'sentrail.signal/1';

const time = z.iso.datetime().describe('UTC, event time.');

export const principalSchema = z.strictObject({
  key: z.string().describe('Stable and bounded; never a session name.'),
  kind: z.enum([
    'root',
    'user',
    'role',
    'federated',
    'identity-center',
    'external',
    'service',
    'unknown',
  ]),
  account: z.string().describe('The account the principal belongs to.'),
  name: z.string(),
  arn: z.string().exactOptional(),
});

const standing = z
  .enum(['proven', 'hinted', 'unknown'])
  .describe('hinted: only a name that a caller chose says so.');

const chainSchema = z.strictObject({
  session: z.string().describe('Access key of the session; empty where the record names none.'),
  principal: z.string().describe('Key of the principal the session acts as.'),
  person: principalSchema.exactOptional().describe('Where the chain ends; absent when unknown.'),
  standing: standing.describe("The weakest step's."),
  hops: z
    .array(
      z.strictObject({
        how: z.string().describe('The call that handed credentials on; empty for none.'),
        principal: principalSchema,
        event: z.string().exactOptional().describe('eventID that proves the step.'),
        standing,
        basis: z.enum([
          'access key',
          'shared event',
          'identity',
          'session and time',
          'source identity',
          'session name',
          'nothing',
        ]),
      }),
    )
    .describe('From the session back to the person, the nearest step first.'),
});

const personEntry = z.strictObject({ principal: principalSchema, standing });

const timelineEntry = z.strictObject({
  time,
  event: z.string().describe('eventID; `sentrail explain ID --raw` prints the record.'),
  who: z.string(),
  person: z.string().exactOptional().describe('Who stands behind `who`, where it is another.'),
  what: z.string().describe('service:Call'),
  from: z.string(),
  region: z.string(),
  outcome: z.enum(['success', 'failure', 'denied']),
  signals: z.array(z.string()).describe('Ids of the signals this event proves.'),
});

const signalFields = {
  id: z.string(),
  detector: z.string(),
  severity,
  time: time.describe('Time of the first event that proves it.'),
  account: z.string(),
  principal: principalSchema,
  title: z.string(),
  reason: z.string(),
  events: z.array(z.string()).describe('eventIDs that prove it, the earliest first.'),
  count: z.int().describe('How many events prove it, also those beyond the limit of `events`.'),
  facts: z.record(z.string(), z.string()),
  chains: z.array(chainSchema).describe('One for each session among its events, up to five.'),
  late: z.boolean().describe('An event beyond the lateness bound made or changed it.'),
  limited: z.boolean().describe('A limit cut what stands behind it.'),
};

export const signalInAlertSchema = z.strictObject(signalFields);
export const signalSchema = z.strictObject({
  schema: z.literal(signalSchemaVersion),
  alert: z.string().describe('Id of the alert it is in.'),
  ...signalFields,
});

export const alertSchema = z.strictObject({
  schema: z.literal(alertSchemaVersion),
  id: z.string(),
  revision: z.int().min(1),
  severity,
  title: z.string(),
  account: z.string(),
  principal: principalSchema,
  persons: z
    .array(personEntry)
    .describe('Who stands behind the signals, each once, the surest first; empty when unknown.'),
  status: z.enum(['open', 'closed', 'withdrawn', 'merged']),
  window: z.strictObject({ from: time, to: time }).describe('End exclusive.'),
  from: time.describe('First event.'),
  to: time.describe('Last event kept as proof.'),
  signals: z.array(signalInAlertSchema),
  signalsOverLimit: z.int().describe('Signals that did not fit.'),
  findings: z.array(z.unknown()).describe("GuardDuty's findings; empty until they are merged."),
  related: z
    .array(z.string())
    .describe('Ids of alerts of the same principal in the windows beside.'),
  exceptions: z.array(
    z.strictObject({
      id: z.string(),
      owner: z.string(),
      reason: z.string(),
      expires: z.string(),
      hidden: z.int().describe('How many signals it hid from this alert.'),
    }),
  ),
  timeline: z.array(timelineEntry),
});

export type AlertJson = z.infer<typeof alertSchema>;
export type SignalJson = z.infer<typeof signalSchema>;
export type SignalInAlertJson = z.infer<typeof signalInAlertSchema>;
export type TimelineEntry = z.infer<typeof timelineEntry>;
