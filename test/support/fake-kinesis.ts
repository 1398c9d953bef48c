// Kinesis as a server within the test: what it answers, refuses and counts, and faults on demand.
import { createServer, type ServerResponse } from 'node:http';
import { operations, type Page } from './fake-kinesis-operations.ts';
import { forget, Refusal, type Stream, shardOf, trim } from './fake-kinesis-streams.ts';

/** What a fault does to a call: answers an error of AWS, or drops the connection. */
export type Fault = 'throttle' | 'expired' | 'internal' | 'drop' | 'denied' | 'gone';

/** A call that came, with its time by the server's clock; `outcome` is ok, drop or an error's name. */
export interface KinesisCall {
  readonly operation: string;
  readonly shard: string | undefined;
  readonly at: number;
  readonly outcome: string;
}

/** `pageSize` is how many shards a page lists at most; `clock` gives milliseconds. */
export interface FakeKinesisOptions {
  readonly clock?: () => number;
  readonly pageSize?: number;
  /** GetRecords a second and shard, further ones are throttled as AWS does at 5; no limit unless given. */
  readonly readsPerSecond?: number;
}

/** The server. `trim` and `forget` need no stream's name while there is one stream only. */
export interface FakeKinesis {
  readonly endpoint: string;
  readonly calls: KinesisCall[];
  readonly faults: {
    /** The next calls of an operation fail, of one shard where it is named; once unless told. */
    next(operation: string, fault: Fault, times?: number, shard?: string): void;
    clear(): void;
  };
  /** Calls of an operation, of one shard where it is named. */
  callsOf(operation: string, shard?: string): readonly KinesisCall[];
  /** Removes the oldest records of a shard. */
  trim(shard: string, count: number, stream?: string): void;
  /** Removes a closed shard from listings and answers; throws for an open one. */
  forget(shard: string, stream?: string): void;
  close(): Promise<void>;
}

/** A fault that waits for its call. */
interface Waiting {
  readonly operation: string;
  readonly fault: Fault;
  readonly shard: string | undefined;
  times: number;
}

const errors: Readonly<Record<Exclude<Fault, 'drop'>, string>> = {
  throttle: 'ProvisionedThroughputExceededException',
  expired: 'ExpiredIteratorException',
  internal: 'InternalFailure',
  denied: 'AccessDeniedException',
  gone: 'ResourceNotFoundException',
};
/** As AWS lists at most where it is not told less. */
const pageSizeMax = 1_000;

/** Starts a Kinesis without streams, on a free port of the loopback. */
export async function startFakeKinesis(options: FakeKinesisOptions = {}): Promise<FakeKinesis> {
  const { clock = Date.now, readsPerSecond = Number.POSITIVE_INFINITY } = options;
  const page: Page = { size: options.pageSize ?? pageSizeMax };
  const streams = new Map<string, Stream>();
  const calls: KinesisCall[] = [];
  const waiting: Waiting[] = [];
  const callsOf = (operation: string, shard?: string) =>
    calls.filter((one) => one.operation === operation && (shard ?? one.shard) === one.shard);

  const answer = (target: string, text: string, response: ServerResponse) => {
    const [service, operation = ''] = target.split('.');
    const at = clock();
    let shard: string | undefined;
    let outcome = 'ok';
    try {
      const found = service === 'Kinesis_20131202' ? operations[operation] : undefined;
      if (found === undefined) throw new Refusal('UnknownOperationException', operation);
      const asked = found(text);
      shard = asked.shard;
      const fault = taken(waiting, operation, shard);
      if (fault === 'drop') {
        outcome = fault;
        response.socket?.destroy();
        return;
      }
      if (fault !== undefined) throw new Refusal(errors[fault], 'as told by the test');
      if (operation === 'GetRecords' && shard !== undefined) {
        const lately = callsOf(operation, shard).filter(
          (one) => one.outcome === 'ok' && one.at > at - 1_000,
        );
        if (lately.length >= readsPerSecond) throw new Refusal(errors.throttle, 'too many reads');
      }
      send(response, 200, asked.answer(streams, at, page));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      outcome = error.type;
      const body = { __type: error.type, message: error.message };
      send(response, error.type === errors.internal ? 500 : 400, body);
    } finally {
      calls.push({ operation, shard, at, outcome });
    }
  };
  const { endpoint, close } = await listen(answer);
  return {
    endpoint,
    calls,
    faults: {
      next: (operation, fault, times = 1, shard) => {
        waiting.push({ operation, fault, times, shard });
      },
      clear: () => {
        waiting.length = 0;
      },
    },
    callsOf,
    trim: (shard, count, stream) => trim(shardOf(named(streams, stream), shard), count),
    forget: (shard, stream) => forget(named(streams, stream), shard),
    close,
  };
}

/** The oldest fault that this call meets; one that is used up goes. */
function taken(waiting: Waiting[], operation: string, shard?: string): Fault | undefined {
  const index = waiting.findIndex(
    (one) => one.operation === operation && (one.shard ?? shard) === shard,
  );
  const found = waiting[index];
  if (found === undefined) return undefined;
  found.times--;
  if (found.times <= 0) waiting.splice(index, 1);
  return found.fault;
}

function named(streams: ReadonlyMap<string, Stream>, name: string | undefined): Stream {
  const [only, another] = streams.values();
  const stream = name === undefined && another === undefined ? only : streams.get(name ?? '');
  if (stream === undefined) throw new Error(`which stream? there are ${[...streams.keys()]}`);
  return stream;
}

function send(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}

async function listen(
  answer: (target: string, text: string, response: ServerResponse) => void,
): Promise<Pick<FakeKinesis, 'endpoint' | 'close'>> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const target = String(request.headers['x-amz-target']);
      answer(target, Buffer.concat(chunks).toString(), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const close = async () => {
    const gone = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await gone;
  };
  return { endpoint: `http://127.0.0.1:${address.port}`, close };
}
