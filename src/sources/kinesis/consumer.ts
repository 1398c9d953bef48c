// The consumer of enhanced fan-out: found by its name or registered, and waited for until active.
import {
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  RegisterStreamConsumerCommand,
} from '@aws-sdk/client-kinesis';
import { SentrailError } from '../../core/errors.ts';
import { nameOf } from '../aws-retry.ts';
import type { KinesisStream } from './stream.ts';
import type { Trouble } from './trouble.ts';

/**
 * Registering takes some seconds; a consumer that is not active after so many looks will not be.
 */
const looksMax = 120;
const betweenLooksMs = 1_000;

/**
 * A consumer by its ARN. `forget` is told that the ARN is of no use: it is then looked for again.
 */
export interface Consumer {
  arn(signal: AbortSignal): Promise<string>;
  forget(arn: string): void;
}

/**
 * Takes a stream and a consumer's name; gives the consumer, which is looked for once for all
 * readers. `arn` retries what passes; throws `SentrailError` (source) where AWS refuses or it does
 * not become active, and what a call threw once the signal has aborted.
 */
export function consumerOf(stream: KinesisStream, name: string): Consumer {
  let known: string | undefined;
  let looking: Promise<string> | undefined;
  return {
    async arn(signal) {
      if (known !== undefined) return known;
      looking ??= activeArn(stream, name, signal).finally(() => {
        looking = undefined;
      });
      known = await looking;
      return known;
    },
    forget(arn) {
      if (known === arn) known = undefined;
    },
  };
}

async function activeArn(
  stream: KinesisStream,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const trouble = stream.trouble();
  const input = { StreamARN: await streamArn(stream, trouble, signal), ConsumerName: name };
  for (let looks = 0; looks < looksMax; looks++) {
    const found = await described(stream, input, trouble, signal);
    if (found?.ConsumerStatus === 'ACTIVE' && found.ConsumerARN !== undefined)
      return found.ConsumerARN;
    if (found === undefined) await register(stream, input, trouble, signal);
    await stream.parts.wait(betweenLooksMs, signal);
    if (signal.aborted) throw new Error('stopped');
  }
  const hint = 'look at its state in the console, or leave `consumer` out to read by polling';
  throw new SentrailError('source', `the consumer ${name} did not become active; ${hint}`);
}

interface ConsumerId {
  readonly StreamARN: string | undefined;
  readonly ConsumerName: string;
}

async function streamArn(stream: KinesisStream, trouble: Trouble, signal: AbortSignal) {
  if ('StreamARN' in stream.id) return stream.id.StreamARN;
  const command = new DescribeStreamSummaryCommand(stream.id);
  const summary = await trouble.until(
    'describing',
    (given) => stream.client.send(command, { abortSignal: given }),
    signal,
  );
  return summary.StreamDescriptionSummary?.StreamARN;
}

async function described(
  stream: KinesisStream,
  input: ConsumerId,
  trouble: Trouble,
  signal: AbortSignal,
) {
  const command = new DescribeStreamConsumerCommand(input);
  try {
    const answer = await trouble.until(
      `describing the consumer ${input.ConsumerName}`,
      (given) => stream.client.send(command, { abortSignal: given }),
      signal,
      { handled: /^ResourceNotFound/ },
    );
    return answer.ConsumerDescription;
  } catch (error) {
    if (signal.aborted || !/^ResourceNotFound/.test(nameOf(error))) throw error;
    return undefined;
  }
}

async function register(
  stream: KinesisStream,
  input: ConsumerId,
  trouble: Trouble,
  signal: AbortSignal,
): Promise<void> {
  const command = new RegisterStreamConsumerCommand(input);
  try {
    await trouble.until(
      `registering the consumer ${input.ConsumerName}`,
      (given) => stream.client.send(command, { abortSignal: given }),
      signal,
      { handled: /^ResourceInUse/ },
    );
  } catch (error) {
    // Another process may have registered it in between.
    if (signal.aborted || !/^ResourceInUse/.test(nameOf(error))) throw error;
  }
}
