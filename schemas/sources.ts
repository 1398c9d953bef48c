// Where records come from: the sources of the configuration, every key with its default and reason.
import { z } from 'zod';
import { duration } from './duration.ts';

/** A secret by where it is kept; it is never written into the configuration itself. */
export const secret = z
  .union(
    [
      z.strictObject({ env: z.string().min(1).describe('Name of an environment variable.') }),
      z.strictObject({ file: z.string().min(1).describe('Path of a file that holds it alone.') }),
    ],
    { error: 'a secret is {env: NAME} or {file: PATH}, never the text itself' },
  )
  .describe('{env: NAME} or {file: PATH}');

const aws = {
  region: z.string().min(1).optional().describe('AWS region; default that of the environment.'),
  endpoint: z
    .url()
    .optional()
    .describe('Another address than AWS: a VPC endpoint, or a server for tests.'),
  role: z
    .string()
    .regex(/^arn:[^:]+:iam::\d{12}:role\/.+$/, 'a role is named by its ARN')
    .optional()
    .describe('ARN of a role to assume for reading.'),
};

/** When a stream that was never read begins: an instant is kept, so that a restart skips nothing. */
const start = z
  .union([z.enum(['latest', 'earliest']), z.iso.datetime({ offset: true })])
  .describe('Where to begin when there is no checkpoint: latest, earliest, or an ISO 8601 time.');

export const kinesisConfig = z.strictObject({
  type: z.literal('kinesis'),
  stream: z.string().min(1).describe('Name or ARN of the stream.'),
  ...aws,
  start: start.default('latest'),
  consumer: z
    .string()
    .regex(/^[a-zA-Z0-9_.-]{1,128}$/)
    .optional()
    .describe('Reads by enhanced fan-out under this consumer name; registered where it is absent.'),
  poll: duration('1s').describe('How often an idle shard is asked; five times a second at most.'),
  recordsMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(2_000)
    .describe('Records asked for at once; fewer where records are large.'),
});

const tls = z.union([
  z.boolean(),
  z.strictObject({
    ca: z.string().min(1).optional().describe('Path of the certificate authority (PEM).'),
    cert: z.string().min(1).optional().describe('Path of the client certificate (PEM).'),
    key: secret.optional().describe('The private key of the client certificate (PEM).'),
  }),
]);
const sasl = z.discriminatedUnion('mechanism', [
  z.strictObject({
    mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
    username: z.string().min(1),
    password: secret,
  }),
  z.strictObject({
    mechanism: z.literal('msk-iam'),
    region: z.string().min(1).describe('AWS region of the cluster.'),
    role: aws.role,
  }),
]);

/** How a Kafka cluster is reached; shared by the source and by what writes to a topic. */
export const kafkaCluster = {
  brokers: z
    .array(z.string().regex(/^[^\s]+:\d+$/, 'a broker is host:port'))
    .min(1)
    .describe('Where to ask for the cluster: a list of host:port.'),
  tls: tls.default(false).describe('true, or files of certificates.'),
  sasl: sasl.optional().describe('How to sign in.'),
};

export const kafkaConfig = z.strictObject({
  type: z.literal('kafka'),
  ...kafkaCluster,
  topic: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/)
    .describe('The topic that carries the records.'),
  group: z.string().min(1).default('sentrail').describe('The consumer group of all workers.'),
  keyed: z
    .boolean()
    .default(false)
    .describe(
      'true where messages are keyed by account (see `sentrail rekey`): a lane a partition, many workers. ' +
        'false merges all partitions into one lane; one worker reads, the others of the group stand by.',
    ),
  start: start.default('latest'),
  sessionTimeout: duration('30s').describe(
    'A worker not heard of for so long loses its partitions.',
  ),
  bufferBytesMax: z
    .int()
    .min(65_536)
    .default(8 * 1024 * 1024)
    .describe('Bytes of a partition read ahead; more waits at the broker.'),
});

const account = z.string().regex(/^\d{12}$/, 'an account is 12 digits');
export const s3Config = z.strictObject({
  type: z.literal('s3'),
  bucket: z.string().min(3).describe('Name of the bucket.'),
  prefix: z.string().default('').describe('What stands before AWSLogs/, with its slash.'),
  ...aws,
  accounts: z
    .array(account)
    .optional()
    .describe('Only these accounts; default all that are there.'),
  regions: z.array(z.string().min(1)).optional().describe('Only these regions; default all.'),
  from: z.iso.date().optional().describe('First day (UTC) of delivery to read.'),
  to: z.iso.date().optional().describe('First day no more read; absent to go on with new objects.'),
  poll: duration('1m').describe('How often to look for new objects.'),
  lookBack: duration('1d').describe(
    'How far back in delivery time a look finds objects that came late.',
  ),
});

export const sqsConfig = z.strictObject({
  type: z.literal('sqs'),
  queue: z.url().describe('URL of the queue that S3 notifies, directly or through SNS.'),
  ...aws,
  visibility: duration('5m').describe('For how long a message taken is hidden from other readers.'),
});

export const lookupConfig = z.strictObject({
  type: z.literal('lookup-events'),
  regions: z.array(z.string().min(1)).min(1).describe('Regions whose event history is read.'),
  endpoint: aws.endpoint,
  role: aws.role,
  days: z.int().min(1).max(90).default(90).describe('How many days back to begin.'),
  follow: z.boolean().default(true).describe('true goes on looking for new events; false ends.'),
  poll: duration('1m').describe('How often to look for new events.'),
});

export const pushConfig = z.strictObject({
  type: z.literal('push'),
  listen: z
    .string()
    .regex(/^[^\s]+:\d{1,5}$/, 'host:port')
    .describe('Address to listen at; put a proxy with TLS before it.'),
  path: z.string().startsWith('/').default('/events').describe('Path of the endpoint.'),
  header: z.string().min(1).default('authorization').describe('Header that carries the secret.'),
  secret: secret.describe(
    'What the header must say; EventBridge connections send it with every post.',
  ),
  bytesMax: z
    .int()
    .min(1_024)
    .default(1024 * 1024)
    .describe('Largest body taken.'),
  unreadMax: z.int().min(1).default(10_000).describe('Posts kept and not yet judged; then 503.'),
});

export const sourceConfig = z.discriminatedUnion('type', [
  kinesisConfig,
  kafkaConfig,
  s3Config,
  sqsConfig,
  lookupConfig,
  pushConfig,
]);

export type SecretConfig = z.infer<typeof secret>;
export type KinesisConfig = z.infer<typeof kinesisConfig>;
export type KafkaConfig = z.infer<typeof kafkaConfig>;
export type KafkaClusterConfig = Pick<KafkaConfig, 'brokers' | 'tls' | 'sasl'>;
export type S3Config = z.infer<typeof s3Config>;
export type SqsConfig = z.infer<typeof sqsConfig>;
export type LookupConfig = z.infer<typeof lookupConfig>;
export type PushConfig = z.infer<typeof pushConfig>;
export type SourceConfig = z.infer<typeof sourceConfig>;
