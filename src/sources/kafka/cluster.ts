// How a Kafka cluster is reached: TLS, sign-in, patience. Here alone kafkajs's client is made.
import { readFileSync } from 'node:fs';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import {
  generateAuthToken,
  generateAuthTokenFromCredentialsProvider,
} from 'aws-msk-iam-sasl-signer-js';
import { type KafkaConfig as ClientConfig, Kafka, logLevel, type SASLOptions } from 'kafkajs';
import type { KafkaClusterConfig, SecretConfig } from '../../../schemas/sources.ts';
import { SentrailError } from '../../core/errors.ts';
import { prepareKafkajs } from './codecs.ts';

/** What reaching a cluster needs from outside. */
export interface ClusterParts {
  readonly secrets: (secret: SecretConfig) => string;
  readonly onNotice: (text: string) => void;
}

const connectionTimeoutMs = 5_000;
const requestTimeoutMs = 30_000;
/** kafkajs tries this often inside itself; what is still wrong then is told of and tried again by us. */
const retries = 8;

/** Takes where a cluster is; gives its client. Throws `SentrailError` (config) for a missing secret. */
export function kafkaOf(config: KafkaClusterConfig, parts: ClusterParts): Kafka {
  prepareKafkajs();
  const ssl = tlsOf(config, parts);
  const sasl = config.sasl === undefined ? undefined : saslOf(config.sasl, parts);
  return new Kafka({
    clientId: 'sentrail',
    brokers: config.brokers,
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: { retries, initialRetryTime: 200, maxRetryTime: 10_000 },
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    logLevel: logLevel.ERROR,
    // Its lines may quote configuration, so only the text of an error goes on.
    logCreator:
      () =>
      ({ log }) =>
        parts.onNotice(`kafkajs: ${log.message}`),
  });
}

function tlsOf({ tls }: KafkaClusterConfig, parts: ClusterParts): ClientConfig['ssl'] {
  if (typeof tls === 'boolean') return tls ? true : undefined;
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it failed';
      throw new SentrailError('config', `reading the certificate ${path}: ${why}`, { cause });
    }
  };
  return {
    ...(tls.ca === undefined ? {} : { ca: [read(tls.ca)] }),
    ...(tls.cert === undefined ? {} : { cert: read(tls.cert) }),
    ...(tls.key === undefined ? {} : { key: parts.secrets(tls.key) }),
  };
}

function saslOf(sasl: NonNullable<KafkaClusterConfig['sasl']>, parts: ClusterParts): SASLOptions {
  if (sasl.mechanism === 'msk-iam') {
    const { region, role } = sasl;
    return {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => {
        const { token } = await (role === undefined
          ? generateAuthToken({ region })
          : generateAuthTokenFromCredentialsProvider({
              region,
              awsCredentialsProvider: fromTemporaryCredentials({
                params: { RoleArn: role, RoleSessionName: 'sentrail' },
                clientConfig: { region },
              }),
            }));
        return { value: token };
      },
    };
  }
  const { mechanism, username } = sasl;
  return { mechanism, username, password: parts.secrets(sasl.password) };
}

/** Faults that no waiting mends, and what to try. */
const hopeless: readonly (readonly [RegExp, string])[] = [
  [/SASL|Authentication/i, 'check username, password and mechanism under sasl'],
  [/AUTHORIZATION_FAILED|not authorized/i, 'grant this user to read the topic and its group'],
  [/UNKNOWN_TOPIC|does not host this topic/i, 'check the name of the topic, or create it'],
  [/UNSUPPORTED_SASL|ILLEGAL_SASL/i, 'check what the listener of the broker offers'],
  [
    /certificate|CERT_|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/i,
    'check the address of the broker, its certificate, and the files under tls',
  ],
  [
    /INCONSISTENT_GROUP_PROTOCOL/,
    'give all workers of the group the same `keyed`, and other programs another group',
  ],
  [/INVALID_SESSION_TIMEOUT/, 'choose a sessionTimeout that the brokers allow'],
];
/** kafkajs says that the sign-in failed, too, when the connection broke under it; that passes. */
const brokeOff = /SASL \S+ authentication failed: .*(?:clos|time[d ]*out|ECONN|EPIPE|socket)/i;

/** Takes what kafkajs threw and what was being done; gives an error for what no waiting mends. */
export function fatalOf(error: unknown, doing: string): SentrailError | undefined {
  if (error instanceof SentrailError) return error;
  const text = textOf(error);
  if (brokeOff.test(text)) return undefined;
  const found = hopeless.find(([pattern]) => pattern.test(text));
  if (found === undefined) return undefined;
  const message = `${doing}: ${reasonOf(error)}; ${found[1]}`;
  return new SentrailError('source', message, { cause: error });
}

/** Takes what kafkajs threw; gives its sentence. Its messages hold addresses and names, no secrets. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it gave no reason';
}

/** Names and types along the causes: kafkajs wraps what the broker said. */
function textOf(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < 20; at = at.cause) {
    parts.push(at.name, at.message);
    if ('type' in at) parts.push(String(at.type));
    if ('code' in at) parts.push(String(at.code));
  }
  return parts.join(' ');
}
