// A Kinesis that pushes what a test tells it to: subscriptions event by event, ends and breaks.
import { createServer, type ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import { z } from 'zod';

/** A record as it is pushed. */
export interface Pushed {
  readonly sequence: string;
  readonly text: string;
  readonly at: number;
}

/** What one subscription does, in order. A subscription that is through its script stays open. */
export type Step =
  | {
      readonly records: readonly Pushed[];
      /** The number to go on behind; absent at the end of a shard. */
      readonly next?: string;
      readonly behindMs?: number;
      readonly children?: readonly { readonly id: string; readonly parents: readonly string[] }[];
    }
  | { readonly exception: string }
  | 'end'
  | 'break';

/** The answer to one call of SubscribeToShard: an error, or a subscription. */
export type Answer = { readonly refuse: string } | { readonly steps: readonly Step[] };

/** A call of SubscribeToShard as it came. */
export interface Subscribed {
  readonly consumer: string;
  readonly shard: string;
  readonly position: { readonly Type: string; readonly SequenceNumber?: string | undefined };
}

/** The server. `answers` are taken one a call; `shards` are listed; `consumers` are registered. */
export interface FakeKinesisPush {
  readonly endpoint: string;
  readonly answers: Answer[];
  readonly shards: { id: string; parents: readonly string[] }[];
  readonly consumers: Map<string, string>;
  readonly subscribed: Subscribed[];
  /** Subscriptions whose connection is open. */
  openCount(): number;
  close(): Promise<void>;
}

const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/pushed';
const subscribing = z.object({
  ConsumerARN: z.string(),
  ShardId: z.string(),
  StartingPosition: z.object({ Type: z.string(), SequenceNumber: z.string().optional() }),
});
const named = z.object({ ConsumerName: z.string() });

/** Gives a new server with one shard and no consumer, on a free port of the loopback. */
export async function startFakeKinesisPush(): Promise<FakeKinesisPush> {
  const answers: Answer[] = [];
  const shards: FakeKinesisPush['shards'] = [{ id: 'shardId-0', parents: [] }];
  const consumers = new Map<string, string>();
  const subscribed: Subscribed[] = [];
  const open = new Set<ServerResponse>();

  const subscribe = (text: string, response: ServerResponse) => {
    const body = subscribing.parse(JSON.parse(text));
    subscribed.push({
      consumer: body.ConsumerARN,
      shard: body.ShardId,
      position: body.StartingPosition,
    });
    const isKnown = [...consumers.values()].includes(body.ConsumerARN);
    const answer = isKnown ? answers.shift() : { refuse: 'ResourceNotFoundException' };
    if (answer === undefined || 'refuse' in answer)
      return refuse(response, answer?.refuse ?? 'ResourceInUseException');
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
    response.write(message({ ':message-type': 'event', ':event-type': 'initial-response' }, {}));
    open.add(response);
    response.on('close', () => open.delete(response));
    for (const step of answer.steps) perform(step, response);
  };
  const describe = (text: string, response: ServerResponse, isNew: boolean) => {
    const { ConsumerName } = named.parse(JSON.parse(text));
    if (isNew)
      consumers.set(ConsumerName, `${StreamARN}/consumer/${ConsumerName}:${Math.random()}`);
    const ConsumerARN = consumers.get(ConsumerName);
    if (ConsumerARN === undefined) return refuse(response, 'ResourceNotFoundException');
    const consumer = { ConsumerName, ConsumerARN, ConsumerCreationTimestamp: 1 };
    if (isNew) return send(response, { Consumer: { ...consumer, ConsumerStatus: 'CREATING' } });
    const ConsumerDescription = { ...consumer, ConsumerStatus: 'ACTIVE', StreamARN };
    return send(response, { ConsumerDescription });
  };
  const operations: Record<string, (text: string, response: ServerResponse) => void> = {
    SubscribeToShard: subscribe,
    DescribeStreamConsumer: (text, response) => describe(text, response, false),
    RegisterStreamConsumer: (text, response) => describe(text, response, true),
    DescribeStreamSummary: (_, response) =>
      send(response, { StreamDescriptionSummary: { StreamARN } }),
    ListShards: (_, response) => send(response, { Shards: shards.map(listed) }),
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
      const found = operations[operation];
      if (found === undefined) return refuse(response, 'UnknownOperationException');
      return found(Buffer.concat(chunks).toString(), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    ...{ answers, shards, consumers, subscribed },
    openCount: () => open.size,
    close: async () => {
      const gone = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await gone;
    },
  };
}

function listed({ id, parents: [parent, adjacent] }: FakeKinesisPush['shards'][number]): object {
  return {
    ShardId: id,
    ...(parent === undefined ? {} : { ParentShardId: parent }),
    ...(adjacent === undefined ? {} : { AdjacentParentShardId: adjacent }),
  };
}

function perform(step: Step, response: ServerResponse): void {
  if (step === 'end') {
    response.end();
    return;
  }
  if (step === 'break') {
    // After what was written has left, so that the break comes behind it.
    setTimeout(() => response.socket?.destroy(), 50);
    return;
  }
  if ('exception' in step) {
    const headers = { ':message-type': 'exception', ':exception-type': step.exception };
    response.write(message(headers, { message: 'as told by the test' }));
    return;
  }
  const { records, next, behindMs = 0, children } = step;
  const HashKeyRange = { StartingHashKey: '0', EndingHashKey: '1' };
  const body = {
    Records: records.map(({ sequence, text, at }) => ({
      SequenceNumber: sequence,
      ApproximateArrivalTimestamp: at / 1_000,
      Data: Buffer.from(text).toString('base64'),
      PartitionKey: 'k',
    })),
    MillisBehindLatest: behindMs,
    ...(next === undefined ? {} : { ContinuationSequenceNumber: next }),
    ...(children === undefined
      ? {}
      : {
          ChildShards: children.map(({ id, parents }) => ({
            ShardId: id,
            ParentShards: parents,
            HashKeyRange,
          })),
        }),
  };
  const headers = { ':message-type': 'event', ':event-type': 'SubscribeToShardEvent' };
  response.write(message(headers, body));
}

/** One message of AWS's event stream: lengths, headers and body, each part with its checksum. */
function message(headers: Readonly<Record<string, string>>, body: object): Buffer {
  const all = { ...headers, ':content-type': 'application/x-amz-json-1.1' };
  const head = Buffer.concat(
    Object.entries(all).flatMap(([name, value]) => {
      const text = Buffer.from(value);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(text.length);
      // Type 7 is a string.
      return [Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), length, text];
    }),
  );
  const payload = Buffer.from(JSON.stringify(body));
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(head.length + payload.length + 16, 0);
  prelude.writeUInt32BE(head.length, 4);
  const front = Buffer.concat([prelude, checksum(prelude), head, payload]);
  return Buffer.concat([front, checksum(front)]);
}

function checksum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}

function send(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, name: string): void {
  response.writeHead(name === 'InternalFailureException' ? 500 : 400, {
    'content-type': 'application/x-amz-json-1.1',
  });
  response.end(JSON.stringify({ __type: name, message: 'as told by the test' }));
}
