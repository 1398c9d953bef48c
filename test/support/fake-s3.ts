// S3 and one SQS queue as a server, for tests that need troubles no real server makes on demand.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { z } from 'zod';

/** What the next answers for a key (or `list`) are instead: a status and S3's code for it. */
export interface Fault {
  readonly status: number;
  readonly code: string;
}

/** The server: objects of any bucket by `bucket/key`, messages of its queue, and what was asked. */
export interface FakeS3 {
  readonly endpoint: string;
  readonly queue: string;
  readonly objects: Map<string, Buffer>;
  readonly faults: Map<string, Fault[]>;
  /** Messages in the queue, and those that were handed out and not deleted. */
  readonly messages: string[];
  readonly hidden: Map<string, string>;
  /** Paths that were asked for, `GET key` with its range, `LIST prefix`, `Delete handle`. */
  readonly asked: string[];
  /** Hands hidden messages out again, as if their time had passed. */
  release(): void;
  /** Waits until polls whose readers went away cannot take the messages of the next test. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Keys in one page of a listing; small, so that every listing has pages. */
const pageSize = 3;
/** How long an empty queue lets its readers wait. */
const longPollMs = 100;

/** Gives a new server without objects or messages. */
export async function fakeS3(): Promise<FakeS3> {
  const state = {
    objects: new Map<string, Buffer>(),
    faults: new Map<string, Fault[]>(),
    messages: [] as string[],
    hidden: new Map<string, string>(),
    asked: [] as string[],
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const target = request.headers['x-amz-target'];
      const url = new URL(request.url ?? '/', 'http://fake');
      const answer =
        target === undefined
          ? objectAnswer(state, url, request.headers['range'], request.headers['if-match'])
          : await queueAnswer(state, String(target), Buffer.concat(chunks).toString());
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const endpoint = `http://127.0.0.1:${address.port}`;
  return {
    ...state,
    endpoint,
    queue: `${endpoint}/123456789012/notices`,
    release: () => {
      state.messages.unshift(...state.hidden.values());
      state.hidden.clear();
    },
    settled: () => new Promise((resolve) => setTimeout(resolve, longPollMs + 50)),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type State = Pick<FakeS3, 'objects' | 'faults' | 'messages' | 'hidden' | 'asked'>;
interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer;
}

/** Takes bytes; gives their ETag as S3 makes it. */
function etagOf(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

function xml(status: number, body: string): Answer {
  const text = `<?xml version="1.0" encoding="UTF-8"?>${body}`;
  return { status, headers: { 'content-type': 'application/xml' }, body: text };
}

function error({ status, code }: Fault): Answer {
  return xml(status, `<Error><Code>${code}</Code><Message>as told</Message></Error>`);
}

function objectAnswer(
  state: State,
  url: URL,
  range: string | undefined,
  ifMatch: string | undefined,
): Answer {
  const path = decodeURIComponent(url.pathname.slice(1));
  if (url.searchParams.get('list-type') === '2') return listAnswer(state, path, url);
  state.asked.push(`GET ${path} ${range}`);
  const fault = state.faults.get(path)?.shift();
  if (fault !== undefined) return error(fault);
  const bytes = state.objects.get(path);
  if (bytes === undefined) return error({ status: 404, code: 'NoSuchKey' });
  const etag = `"${etagOf(bytes)}"`;
  if (ifMatch !== undefined && ifMatch !== etag)
    return error({ status: 412, code: 'PreconditionFailed' });
  const [, from = '0', to = '0'] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  if (Number(from) >= bytes.length) return error({ status: 416, code: 'InvalidRange' });
  const body = bytes.subarray(Number(from), Number(to) + 1);
  const last = Number(from) + body.length - 1;
  const headers = { etag, 'content-range': `bytes ${from}-${last}/${bytes.length}` };
  return { status: 206, headers, body };
}

function listAnswer(state: State, path: string, url: URL): Answer {
  const bucket = path.replace(/\/$/, '');
  const prefix = url.searchParams.get('prefix') ?? '';
  const delimiter = url.searchParams.get('delimiter');
  state.asked.push(`LIST ${prefix}`);
  const fault = state.faults.get('list')?.shift();
  if (fault !== undefined) return error(fault);
  const keys = [...state.objects.keys()]
    .filter((one) => one.startsWith(`${bucket}/${prefix}`))
    .map((one) => one.slice(bucket.length + 1));
  const entries = new Set(
    keys.map((key) => {
      const at = delimiter === null ? -1 : key.indexOf(delimiter, prefix.length);
      return at < 0 ? key : key.slice(0, at + 1);
    }),
  );
  const after = url.searchParams.get('continuation-token') ?? '';
  const left = [...entries].sort().filter((one) => one > after);
  const page = left.slice(0, pageSize);
  const items = page.map((entry) => {
    const bytes = state.objects.get(`${bucket}/${entry}`);
    if (bytes === undefined) return `<CommonPrefixes><Prefix>${entry}</Prefix></CommonPrefixes>`;
    const etag = `&quot;${etagOf(bytes)}&quot;`;
    return `<Contents><Key>${entry}</Key><Size>${bytes.length}</Size><ETag>${etag}</ETag></Contents>`;
  });
  const hasMore = left.length > page.length;
  const next = hasMore ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  return xml(
    200,
    `<ListBucketResult><IsTruncated>${hasMore}</IsTruncated>${next}${items.join('')}</ListBucketResult>`,
  );
}

const deletion = z.object({
  Entries: z.array(z.object({ Id: z.string(), ReceiptHandle: z.string() })),
});

async function queueAnswer(state: State, target: string, text: string): Promise<Answer> {
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  if (target === 'AmazonSQS.DeleteMessageBatch') {
    const { Entries } = deletion.parse(JSON.parse(text));
    for (const { ReceiptHandle } of Entries) {
      state.asked.push(`Delete ${ReceiptHandle}`);
      state.hidden.delete(ReceiptHandle);
    }
    const Successful = Entries.map(({ Id }) => ({ Id }));
    return { status: 200, headers, body: JSON.stringify({ Successful, Failed: [] }) };
  }
  const fault = state.faults.get('receive')?.shift();
  if (fault !== undefined)
    return { status: fault.status, headers, body: JSON.stringify({ __type: fault.code }) };
  const until = performance.now() + longPollMs;
  while (state.messages.length === 0 && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const Messages = state.messages.splice(0, 10).map((Body) => {
    const ReceiptHandle = `handle ${state.hidden.size} ${Math.round(performance.now() * 1_000)}`;
    state.hidden.set(ReceiptHandle, Body);
    const MD5OfBody = createHash('md5').update(Body).digest('hex');
    return { MessageId: ReceiptHandle, ReceiptHandle, Body, MD5OfBody };
  });
  return { status: 200, headers, body: JSON.stringify({ Messages }) };
}
