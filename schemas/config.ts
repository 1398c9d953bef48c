// The one configuration file (YAML), every key with its default and the reason for it.
import { z } from 'zod';
import { duration } from './duration.ts';
import { kafkaCluster, secret, sourceConfig } from './sources.ts';

export const severity = z.enum(['info', 'low', 'medium', 'high', 'critical']);

const exception = z
  .strictObject({
    id: z.string().min(1).max(64).describe('A name of yours; the counts of what it hid carry it.'),
    detector: z.string().default('*').describe('A detector id, or * for all.'),
    principal: z
      .string()
      .default('*')
      .describe('Key, name or ARN of the principal; * stands for any run of characters.'),
    person: z
      .string()
      .default('*')
      .describe(
        'Key, name or ARN of the person behind it, as proven by the chain; a hint never counts.',
      ),
    account: z.string().default('*').describe('A 12-digit account id, or * for all.'),
    owner: z.string().min(1).describe('Who answers for this exception.'),
    reason: z.string().min(1).describe('Why what it hides is not worth an alert.'),
    expires: z.iso.date().describe('First day (UTC, event time) on which it hides nothing more.'),
  })
  .refine(
    (one) => [one.detector, one.principal, one.person, one.account].some((text) => text !== '*'),
    {
      message:
        'an exception must name a detector, a principal, a person or an account; this one hides everything',
    },
  );

const fileSink = z.strictObject({
  type: z.literal('file'),
  path: z
    .string()
    .min(1)
    .describe(
      'Alerts are appended to this file, one JSON line a revision; {lane} stands for the lane, and must where there are several.',
    ),
});
const stdoutSink = z.strictObject({ type: z.literal('stdout') });

const detectorConfig = z
  .looseObject({
    enabled: z.boolean().default(true).describe('false switches the detector off.'),
    severity: severity.optional().describe('Overrides the severity of every signal it gives.'),
  })
  .describe(
    'Settings of one detector, by its id; its own keys are listed by `sentrail detectors`.',
  );

export const configSchema = z.strictObject({
  lateness: duration('15m').describe(
    'How far an event may come behind the newest one and still count in order; up to 10m were measured.',
  ),
  ahead: duration('5m').describe(
    'An event further than this ahead of its arrival stamp moves no watermark.',
  ),
  alerts: z
    .strictObject({
      window: duration('1d').describe(
        'Signals about one principal in one such window are one alert.',
      ),
      signalsMax: z.int().min(1).max(10_000).default(500).describe('Signals kept in one alert.'),
      evidenceMax: z
        .int()
        .min(1)
        .max(1_000)
        .default(20)
        .describe('Events kept as proof of a signal.'),
    })
    .prefault({}),
  duplicates: z
    .strictObject({
      span: duration('7d').describe('For how long (event time) an eventID is remembered.'),
      idsMax: z
        .int()
        .min(1_000)
        .default(2_000_000)
        .describe('How many eventIDs are remembered; each costs 21 to 43 bytes of memory.'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      recordBytesMax: z
        .int()
        .min(1_024)
        .default(2 * 1024 * 1024)
        .describe('Largest event read.'),
      depthMax: z.int().min(8).max(500).default(64).describe('Deepest nesting of an event.'),
      inflatedBytesMax: z
        .int()
        .min(1_024)
        .default(8 * 1024 ** 3)
        .describe('Largest size a compressed file may grow to.'),
      deadLetterBytesMax: z.int().min(0).default(65_536).describe('Bytes kept of a rejected item.'),
      sessionsMax: z
        .int()
        .min(1)
        .default(200_000)
        .describe(
          'Live sessions remembered, to follow credentials to the person; about 1 kB each.',
        ),
      keysMax: z.int().min(1).default(50_000).describe('State keys of one detector.'),
      accountsMax: z
        .int()
        .min(1)
        .default(10_000)
        .describe('Accounts with a watermark of their own.'),
      batchEventsMax: z.int().min(1).default(10_000).describe('Events judged between two commits.'),
    })
    .prefault({}),
  store: z
    .strictObject({
      path: z
        .string()
        .min(1)
        .optional()
        .describe(
          'The SQLite file; default .sentrail/live.sqlite for `run`, .sentrail/replay.sqlite for `replay`.',
        ),
      postgres: secret
        .optional()
        .describe(
          'Connection string of a PostgreSQL database in place of the file, for many workers.',
        ),
      retention: duration('400d').describe(
        'How long (wall clock) raw records, dead letters and delivered rows are kept.',
      ),
    })
    .prefault({}),
  sources: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-z0-9-]*$/, 'a source is named in small letters, digits and hyphens'),
      sourceConfig,
    )
    .default({})
    .describe('Where `sentrail run` reads records, by a name of yours; several are one stream.'),
  streams: z
    .strictObject({
      idle: duration('5s').describe(
        'An idle shard holds the others back for so long at most; then it is passed over.',
      ),
      skew: duration('2s').describe(
        'How far the clocks of the log and of this machine may differ.',
      ),
      commit: duration('1s').describe('Longest time between two commits while records come.'),
      stop: duration('20s').describe(
        'How long a stop may take; what is not committed by then is read again.',
      ),
    })
    .prefault({}),
  rekey: z
    .strictObject({
      ...kafkaCluster,
      topic: z
        .string()
        .regex(/^[a-zA-Z0-9._-]{1,249}$/)
        .describe('The topic keyed by account.'),
      sessions: z
        .string()
        .regex(/^[a-zA-Z0-9._-]{1,249}$/)
        .optional()
        .describe(
          'A topic of one partition that gets a copy of every event that begins a session.',
        ),
    })
    .optional()
    .describe('Where `sentrail rekey` writes.'),
  http: z
    .strictObject({
      listen: z
        .string()
        .regex(/^[^\s]+:\d{1,5}$/, 'host:port')
        .default('127.0.0.1:9464')
        .describe('Address of /metrics, /healthz and /readyz.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    })
    .prefault({}),
  sinks: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]*$/, 'a sink is named in small letters, digits and hyphens'),
      z.discriminatedUnion('type', [fileSink, stdoutSink]),
    )
    .default({})
    .describe('Where alerts go, by a name of yours.'),
  detectors: z.record(z.string(), detectorConfig).default({}),
  exceptions: z.array(exception).default([]).describe('What must not alert, with owner and end.'),
});

/** The configuration after defaults; durations in milliseconds. */
export type Config = z.infer<typeof configSchema>;
export type ExceptionConfig = Config['exceptions'][number];
export type SinkConfig = Config['sinks'][string];
