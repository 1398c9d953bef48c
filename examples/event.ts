// One CloudTrail event as the service writes it: its fields, their order, and what each AWS service
// does in its own way. AWS CloudTrail User Guide, "CloudTrail record contents".
import type { Random } from './random.ts';

/** Anything JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** One event of the trail, in the order of fields in which CloudTrail writes them. */
export interface TrailEvent extends JsonObject {
  readonly eventTime: string;
  readonly eventID: string;
  readonly eventName: string;
  readonly awsRegion: string;
  readonly recipientAccountId: string;
}

/** Who calls, from where, with what, and over which way the call reaches AWS. */
export interface Caller {
  readonly identity: JsonObject;
  readonly address: string;
  readonly agent: string;
  readonly way: 'sdk' | 'console' | 'service';
}

/** One call, without what CloudTrail adds by itself. */
export interface Call {
  /** Seconds since 1970. */
  readonly time: number;
  readonly account: string;
  readonly region: string;
  /** The first part of eventSource. */
  readonly service: string;
  readonly name: string;
  readonly by: Caller;
  readonly request?: Json;
  readonly response?: Json;
  readonly extra?: JsonObject;
  readonly error?: { readonly code?: string; readonly message: string };
  readonly resources?: readonly JsonObject[];
  readonly readOnly?: boolean;
  readonly type?: 'AwsApiCall' | 'AwsServiceEvent' | 'AwsConsoleSignIn';
  readonly details?: JsonObject;
  /** Given when the same action is recorded in more than one account. */
  readonly shared?: string;
}

// The version depends on the service, not only on the date: these have not moved on yet.
const versions: Readonly<Record<string, string>> = {
  signin: '1.08',
  sso: '1.08',
  elasticbeanstalk: '1.08',
  health: '1.08',
  ce: '1.08',
  support: '1.08',
  dms: '1.09',
  'kendra-ranking': '1.10',
};
const usEastOnly = new Set(['iam', 'organizations', 'cloudfront', 'route53', 'ce', 'health']);
const worldwideHosts = new Set(['iam', 'cloudfront', 'route53']);
const hosts: Readonly<Record<string, string>> = {
  ecr: 'api.ecr',
  sso: 'portal.sso',
};
const s3Console =
  '[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.788 Linux/5.10.244 ' +
  'OpenJDK_64-Bit_Server_VM/25.462-b08 java/1.8.0_462 cfg/retry-mode/standard]';
// The console calls these through its own servers, which leaves no TLS of the browser.
const forwardedByConsole = new Set(['s3', 'kms', 'health', 'ce']);
const readsByNature =
  /^(Get|List|Describe|Head|Filter|StartQuery|AssumeR|Decrypt|Generate(DataKey|CredentialReport))/;

/** Takes a call; gives the event CloudTrail writes. Global services land in us-east-1. */
export function eventOf(call: Call, random: Random): TrailEvent {
  const { service, name, by } = call;
  const region = usEastOnly.has(service) ? 'us-east-1' : call.region;
  const type = call.type ?? 'AwsApiCall';
  const isCopy = call.shared !== undefined;
  const tls = tlsDetails(call, region, random);
  const extra = additionalData(call, region, random);
  return {
    eventVersion: versions[service] ?? '1.11',
    userIdentity: by.identity,
    eventTime: isoTime(call.time),
    eventSource: `${service}.amazonaws.com`,
    eventName: name,
    awsRegion: region,
    sourceIPAddress: by.address,
    userAgent: agentOf(call),
    ...(call.error?.code === undefined ? {} : { errorCode: call.error.code }),
    ...(call.error === undefined ? {} : { errorMessage: call.error.message }),
    requestParameters: call.request ?? null,
    responseElements: call.response ?? null,
    ...(extra === undefined ? {} : { additionalEventData: extra }),
    ...(type === 'AwsConsoleSignIn' ? {} : { requestID: requestId(call, random) }),
    eventID: random.uuid(isCopy ? 3 : 4),
    readOnly: call.readOnly ?? (type === 'AwsApiCall' && readsByNature.test(name)),
    ...(call.resources === undefined ? {} : { resources: call.resources }),
    eventType: type,
    ...(service === 'elasticloadbalancing' ? { apiVersion: '2015-12-01' } : {}),
    managementEvent: true,
    recipientAccountId: call.account,
    ...(call.shared === undefined ? {} : { sharedEventID: call.shared }),
    ...(call.details === undefined ? {} : { serviceEventDetails: call.details }),
    ...endpointOf(call),
    eventCategory: 'Management',
    ...(tls === undefined ? {} : { tlsDetails: tls }),
    ...(by.way === 'console' && type === 'AwsApiCall'
      ? { sessionCredentialFromConsole: 'true' }
      : {}),
  };
}

/** Takes seconds since 1970; gives the time as CloudTrail writes it. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** Takes seconds since 1970; gives a date as IAM writes it in its answers. */
export function spokenTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const month = [
    'Jan',
    'Feb',
    'Mar',
    'Apr',
    'May',
    'Jun',
    'Jul',
    'Aug',
    'Sep',
    'Oct',
    'Nov',
    'Dec',
  ];
  const hours = date.getUTCHours();
  const clock = [
    hours % 12 || 12,
    twoDigits(date.getUTCMinutes()),
    twoDigits(date.getUTCSeconds()),
  ];
  const day = `${month[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}`;
  return `${day}, ${clock.join(':')} ${hours < 12 ? 'AM' : 'PM'}`;
}

/** Takes a time as CloudTrail writes it; gives seconds since 1970. */
export function secondsOf(iso: string): number {
  return Date.parse(iso) / 1000;
}

/** Takes what a list names; gives it as the `resources` of an event. */
export function resource(account: string, type: string, arn: string): JsonObject {
  return { accountId: account, type, ARN: arn };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

// S3 puts the agent into brackets, and its console pages speak through a server of their own.
function agentOf({ service, by }: Call): string {
  if (service !== 's3' || by.way === 'service') return by.agent;
  return by.way === 'sdk' ? `[${by.agent}]` : s3Console;
}

// S3 has ids of sixteen capitals and digits, all others UUIDs.
function requestId(call: Call, random: Random): string {
  if (call.service !== 's3') return random.uuid();
  return random.text(16, 'ABCDEFGHJKMNPQRSTVWXYZ0123456789');
}

function tlsDetails(call: Call, region: string, random: Random): JsonObject | undefined {
  const { service, by, type } = call;
  if (by.way === 'service' || type === 'AwsServiceEvent') return undefined;
  if (by.way === 'console' && forwardedByConsole.has(service)) return undefined;
  const name = hosts[service] ?? service;
  const regional = `${name}.${region}.amazonaws.com`;
  const host = worldwideHosts.has(service) ? `${service}.amazonaws.com` : regional;
  const login =
    region === 'us-east-1' ? 'signin.aws.amazon.com' : `${region}.signin.aws.amazon.com`;
  return {
    tlsVersion: 'TLSv1.3',
    cipherSuite: 'TLS_AES_128_GCM_SHA256',
    clientProvidedHostHeader: service === 'signin' ? login : host,
    ...(service === 'sts' && random.chance(0.5) ? { keyExchange: 'X25519MLKEM768' } : {}),
  };
}

function additionalData(call: Call, region: string, random: Random): JsonObject | undefined {
  if (call.service === 's3') return { ...s3Data(call, random), ...call.extra };
  if (call.service === 'sts') return { ...stsData(call, region, random), ...call.extra };
  return call.extra;
}

function s3Data(call: Call, random: Random): JsonObject {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return {
    SignatureVersion: 'SigV4',
    CipherSuite: 'TLS_AES_128_GCM_SHA256',
    bytesTransferredIn: 0,
    AuthenticationMethod: 'AuthHeader',
    'x-amz-id-2': `${random.text(55, letters)}=`,
    bytesTransferredOut: call.error === undefined ? random.whole(180, 900) : 243,
  };
}

function stsData(call: Call, region: string, random: Random): JsonObject {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const moment = call.time * 1000 + random.whole(0, 999);
  const id = `1:${region}:S:${moment}:R:${random.text(8, letters)}`;
  return {
    ExtendedRequestId: Buffer.from(id).toString('base64'),
    ...(call.by.way === 'service'
      ? {}
      : { RequestDetails: { awsServingRegion: region, endpointType: 'regional' } }),
  };
}

// CloudTrail's own look at its bucket is marked with the service's name in place of an endpoint.
function endpointOf(call: Call): JsonObject {
  if (call.name !== 'GetBucketAcl' || call.by.way !== 'service') return {};
  return { vpcEndpointId: call.by.address, vpcEndpointAccountId: call.by.address };
}
