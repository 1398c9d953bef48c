// CloudTrail's event history as a server: pages newest first, two calls a second a region, throttling.
import { createServer } from 'node:http';
import { z } from 'zod';

/** An event of the history; times are whole seconds, in milliseconds. */
export interface PastEvent {
  readonly id: string;
  readonly region: string;
  readonly time: number;
}

/** The server, its events, and what was asked. */
export interface FakeCloudTrail {
  readonly endpoint: string;
  readonly events: PastEvent[];
  /** Regions that refuse, with the code they say. */
  readonly refusals: Map<string, string>;
  /** Calls that were answered or throttled, by region, with the time by the server's clock. */
  readonly calls: { readonly region: string; readonly at: number; readonly isThrottled: boolean }[];
  /** How many calls more are answered by a throttling error, whatever the rate. */
  throttles: number;
  close(): Promise<void>;
}

const pageSize = 50;
const callsMax = 2;
const requestBody = z.object({
  StartTime: z.number(),
  EndTime: z.number(),
  MaxResults: z.number().max(pageSize).optional(),
  NextToken: z.string().optional(),
});

/**
 * Takes a clock in milliseconds; gives the server. It throttles a region's third call within a
 * second, as AWS does, and refuses a token with another slice than it was given for.
 */
export async function fakeCloudTrail(clock: () => number): Promise<FakeCloudTrail> {
  const events: PastEvent[] = [];
  const refusals = new Map<string, string>();
  const calls: { region: string; at: number; isThrottled: boolean }[] = [];
  const state = { throttles: 0 };
  const answer = (region: string, target: string, text: string): [number, object] => {
    if (target !== 'CloudTrail_20131101.LookupEvents') return [400, named('InvalidAction')];
    const refusal = refusals.get(region);
    if (refusal !== undefined) return [400, named(refusal)];
    const at = clock();
    const lately = calls.filter((one) => one.region === region && one.at > at - 1_000).length;
    const isThrottled = lately >= callsMax || state.throttles > 0;
    calls.push({ region, at, isThrottled });
    if (isThrottled) {
      state.throttles = Math.max(0, state.throttles - 1);
      return [400, named('ThrottlingException')];
    }
    return page(events, region, requestBody.parse(JSON.parse(text)));
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { authorization = '', 'x-amz-target': target = '' } = request.headers;
      const region = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\//.exec(authorization)?.[1] ?? '';
      const [code, body] = answer(region, String(target), Buffer.concat(chunks).toString());
      response.writeHead(code, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    events,
    refusals,
    calls,
    get throttles() {
      return state.throttles;
    },
    set throttles(count) {
      state.throttles = count;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function named(type: string): object {
  return { __type: type, message: 'as told by the test' };
}

function page(
  events: readonly PastEvent[],
  region: string,
  { StartTime, EndTime, NextToken }: z.infer<typeof requestBody>,
): [number, object] {
  const slice = `${StartTime}-${EndTime}`;
  const [tokenSlice, offset = '0'] = NextToken?.split(':') ?? [slice];
  if (tokenSlice !== slice) return [400, named('InvalidNextTokenException')];
  const found = events
    .filter((one) => one.region === region)
    .filter(({ time }) => time >= StartTime * 1000 && time <= EndTime * 1000)
    .sort((a, b) => b.time - a.time);
  const from = Number(offset);
  const to = from + pageSize;
  const Events = found.slice(from, to).map(({ id, time }) => ({
    EventId: id,
    EventName: 'GetCallerIdentity',
    EventTime: time / 1000,
    EventSource: 'sts.amazonaws.com',
    CloudTrailEvent: JSON.stringify({ eventID: id, awsRegion: region }),
  }));
  return [200, to < found.length ? { Events, NextToken: `${slice}:${to}` } : { Events }];
}
