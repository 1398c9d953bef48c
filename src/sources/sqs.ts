// Notices of new objects from SQS: kept in the inbox, then deleted from the queue, then read from S3.
import { S3Client } from '@aws-sdk/client-s3';
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SqsConfig } from '../../schemas/sources.ts';
import { SentrailError } from '../core/errors.ts';
import type { InboxRow, Source, SourceRecord } from '../core/ports.ts';
import { awsClient } from './aws.ts';
import { causeOf, nameOf, type Patience, patiently, realWait, type Wait } from './aws-retry.ts';
import { endOfRow, type Inbox, type Intake, inboxSource, moreOfRow } from './inbox.ts';
import { defaultInflatedBytesMax, nameOfObject, type S3Object, S3Objects } from './s3-objects.ts';
import { noticeOf } from './sqs-notice.ts';
import { arrivalOf } from './trail-layout.ts';

/** What the source takes. */
export interface SqsSourceOptions {
  readonly name: string;
  readonly config: SqsConfig;
  readonly inbox: Inbox;
  readonly inflatedBytesMax?: number;
  readonly clock: () => number;
  readonly wait?: Wait;
  readonly random?: () => number;
  readonly onNotice?: (text: string) => void;
}

/** What SQS gives at once, and the longest it waits for it. */
const messagesAtOnce = 10;
const longPollSeconds = 20;
/** Messages kept and not yet read: SQS keeps the others, for days, at no cost. */
const unreadMax = 100;
/** How long deleting may take, */
const deleteTimeoutMs = 20_000;
/** and for how long a stop is held up by it. */
const lastDeleteTimeoutMs = 500;

/**
 * Takes the config of a queue and an inbox; gives the source. A message is committed to the inbox
 * and deleted after that, never before: the commit of the inbox is the commit. What is not deleted
 * comes again, and its events are duplicates. A shard is `name`; a sequence is the row, or `row.n`
 * for the objects of a notice with several. Arrival is the delivery minute in the key, else the
 * row's.
 *
 * Notices that tell of no new object are deleted. A message that is no notice is a record itself. An
 * object that cannot be read is a record with `broken`, and a notice to the operator. Throws
 * `SentrailError` (source) when the queue is not there or refused, or AWS fails for long, and what
 * the inbox throws.
 */
export function sqsSource(options: SqsSourceOptions): Source {
  const { name, inbox, clock, wait = realWait, random = Math.random } = options;
  const queue = new Queue(options, { wait, random });
  const objects = new Objects(options, { wait, random });
  const source = inboxSource({
    name,
    inbox,
    clock,
    unreadMax,
    wait,
    bring: (intake, signal) => queue.take(intake, signal),
    open: (row, after, signal) => objects.records(row, after, signal),
  });
  return {
    name,
    read: (progress, stop) => source.read(progress, stop),
    acknowledge: (progress) => source.acknowledge(progress),
    progress: () => source.progress(),
    lag: () => source.lag(),
    close: async () => {
      queue.close();
      objects.close();
      await source.close();
    },
  };
}

/** Takes messages from the queue into the inbox. */
class Queue {
  readonly #options: SqsSourceOptions;
  readonly #patience: Patience;
  readonly #client: SQSClient;

  constructor(options: SqsSourceOptions, patience: Patience) {
    this.#options = options;
    this.#patience = patience;
    const { queue, region = regionOf(queue) } = options.config;
    this.#client = new SQSClient(awsClient({ ...options.config, region }));
  }

  async take(intake: Intake, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await intake.room(signal);
      if (signal.aborted) return;
      const messages = await this.#receive(signal);
      const kept: Message[] = [];
      try {
        for (const message of messages) {
          const { Body = '' } = message;
          if (noticeOf(Body)?.length !== 0) await intake.put(Buffer.from(Body));
          kept.push(message);
        }
      } finally {
        // Also when told to stop: what is kept should not come again.
        if (kept.length > 0) await this.#remove(kept, signal);
      }
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #receive(signal: AbortSignal): Promise<readonly Message[]> {
    const { queue: QueueUrl, visibility } = this.#options.config;
    const command = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: messagesAtOnce,
      WaitTimeSeconds: longPollSeconds,
      VisibilityTimeout: Math.ceil(visibility / 1000),
    });
    const call = (abortSignal: AbortSignal) => this.#client.send(command, { abortSignal });
    try {
      const { Messages } = await patiently('reading the queue', call, this.#patience, signal);
      return Messages ?? [];
    } catch (error) {
      if (signal.aborted) return [];
      throw failure(QueueUrl, error);
    }
  }

  async #remove(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    const { config, onNotice } = this.#options;
    const QueueUrl = config.queue;
    const Entries = messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
    const command = new DeleteMessageBatchCommand({ QueueUrl, Entries });
    const tell = (why: string) =>
      onNotice?.(`${this.#options.name}: deleting messages: ${why}; they will come again`);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), deleteTimeoutMs);
    const onStop = () => setTimeout(() => late.abort(), lastDeleteTimeoutMs).unref();
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
    try {
      const { Failed = [] } = await this.#client.send(command, { abortSignal: late.signal });
      if (Failed.length > 0) tell(Failed[0]?.Code ?? 'refused');
    } catch (error) {
      // They are kept, so nothing is lost; their events are duplicates when they come again.
      tell(nameOf(error));
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onStop);
    }
  }
}

/** Reads the objects that rows tell of. */
class Objects {
  readonly #options: SqsSourceOptions;
  readonly #client: S3Client;
  readonly #objects: S3Objects;

  constructor(options: SqsSourceOptions, patience: Patience) {
    this.#options = options;
    const { queue, endpoint, region = regionOf(queue) } = options.config;
    const { inflatedBytesMax = defaultInflatedBytesMax } = options;
    this.#client = new S3Client({
      ...awsClient({ ...options.config, region }),
      followRegionRedirects: true,
      forcePathStyle: endpoint !== undefined,
    });
    this.#objects = new S3Objects({ client: this.#client, inflatedBytesMax, patience });
  }

  close(): void {
    this.#client.destroy();
  }

  /** A row's records, behind the one of sequence `after`. */
  async *records(
    row: InboxRow,
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<SourceRecord> {
    const { name: shard } = this.#options;
    const objects = noticeOf(Buffer.from(row.bytes).toString());
    if (objects === undefined) {
      const { bytes, arrival } = row;
      const sequence = String(row.row);
      yield { shard, sequence, arrival, bytes, isFirst: true, isLast: true, done: endOfRow };
      return;
    }
    const first = after === undefined ? 0 : Number(after.split('.')[1] ?? '0') + 1;
    for (let at = first; at < objects.length; at++) {
      const sequence = objects.length === 1 ? String(row.row) : `${row.row}.${at}`;
      const done = at === objects.length - 1 ? endOfRow : moreOfRow;
      const arrival = arrivalOf(objects[at]!.key) ?? row.arrival;
      const base = { shard, sequence, arrival };
      try {
        yield* this.#parts(objects[at]!, base, done, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }

  async *#parts(
    object: S3Object,
    base: Pick<SourceRecord, 'shard' | 'sequence' | 'arrival'>,
    done: string,
    signal: AbortSignal,
  ): AsyncGenerator<SourceRecord> {
    const opened = await this.#objects.open(object, signal);
    let isFirst = true;
    for await (const part of this.#objects.parts(opened, signal)) {
      if (part.broken?.reason === 'unreadable')
        this.#options.onNotice?.(`${nameOfObject(object)}: ${part.broken.detail}`);
      yield { ...base, ...part, isFirst, ...(part.isLast ? { done } : {}) };
      isFirst = false;
    }
  }
}

/** A queue's address names its region; it need not be configured again. */
function regionOf(queue: string): string | undefined {
  return /^sqs\.([a-z0-9-]+)\.amazonaws\.com/.exec(new URL(queue).hostname)?.[1];
}

function failure(queue: string, error: unknown): SentrailError {
  if (error instanceof SentrailError) return error;
  const name = nameOf(error);
  const hint = /NonExistentQueue|QueueDoesNotExist/.test(name)
    ? "check the queue's URL and region"
    : /AccessDenied/.test(name)
      ? 'grant sqs:ReceiveMessage and sqs:DeleteMessage on it, and kms:Decrypt on its key'
      : 'check credentials, region and role';
  return new SentrailError('source', `reading ${queue}: ${name}; ${hint}`, {
    cause: causeOf(error),
  });
}
