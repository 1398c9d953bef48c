// What every AWS client of ours is made with: region, credentials, and the handler for other endpoints.
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Where a source of AWS is; the keys of its config. */
export interface AwsOptions {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly role?: string | undefined;
}

const connectTimeoutMs = 5_000;
const requestTimeoutMs = 30_000;

/**
 * Takes region, endpoint and role; gives what a client's constructor takes. Credentials are those of
 * the environment (SDK default chain), or of the role assumed with them. Behind another endpoint the
 * client speaks HTTP/1.1: servers made for tests break on the HTTP/2 that Kinesis prefers.
 */
export function awsClient(options: AwsOptions) {
  const { region, endpoint, role } = options;
  const sts = {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  return {
    ...sts,
    ...(role === undefined
      ? {}
      : {
          credentials: fromTemporaryCredentials({
            params: { RoleArn: role, RoleSessionName: 'sentrail' },
            clientConfig: sts,
          }),
        }),
    ...(endpoint === undefined
      ? {}
      : {
          requestHandler: new NodeHttpHandler({
            connectionTimeout: connectTimeoutMs,
            requestTimeout: requestTimeoutMs,
          }),
        }),
  };
}
