// An endpoint for EventBridge API destinations: a post is answered with 200 when the inbox has it, not before.
import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { PushConfig } from '../../schemas/sources.ts';
import { SentrailError } from '../core/errors.ts';
import type { Source } from '../core/ports.ts';
import { nameOf, type Wait } from './aws-retry.ts';
import { type Inbox, type Intake, inboxSource } from './inbox.ts';

/** What the source takes; `secret` is what the header must say, to the letter. */
export interface PushSourceOptions {
  readonly name: string;
  readonly config: PushConfig;
  readonly secret: string;
  readonly inbox: Inbox;
  readonly clock: () => number;
  readonly wait?: Wait;
  readonly onNotice?: (text: string) => void;
}

/** The source, and where it listens. */
export interface PushSource extends Source {
  /** The port, undefined while it does not listen. */
  port(): number | undefined;
}

/** Posts whose bodies are held at once; with the largest body this bounds the memory. */
const postsAtOnceMax = 64;
const connectionsMax = 512;
/** A sender that dawdles for longer holds a connection for nothing; API destinations give up in 5 s. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 20_000;
const keepAliveMs = 30_000;
const headerBytesMax = 16 * 1024;
/** How often dawdlers are looked for. */
const dawdleCheckMs = 2_000;
/** When a sender that was refused for lack of room should come back. */
const retryAfterSeconds = '5';
/** For how long a stop waits for posts that are being kept. */
const graceMs = 500;
const graceStepMs = 10;

/**
 * Takes the config of an endpoint, its secret and an inbox; gives the source. It listens from the
 * begin of `read` to its end. A post's body, as it came, is one row and one record: an envelope, an
 * array, lines, or gzip of these. Arrival is when it was kept.
 *
 * Answers: 200 when the inbox has it; 400 without a body; 401 without the secret; 404 elsewhere; 413
 * when it is too large; 503 with Retry-After when as many posts wait as may. Nothing of a post is
 * ever logged. Throws `SentrailError`: config where the secret is empty; source where it cannot
 * listen; and what the inbox throws, which the sender sees as 503.
 */
export function pushSource(options: PushSourceOptions): PushSource {
  const { name, inbox, clock, wait, config, secret } = options;
  if (secret === '')
    throw new SentrailError(
      'config',
      `source ${name}: its secret is empty; set one, or all may post`,
    );
  const endpoint = new Endpoint(options);
  const source = inboxSource({
    name,
    inbox,
    clock,
    unreadMax: config.unreadMax,
    wait,
    bring: (intake, signal) => endpoint.serve(intake, signal),
  });
  return {
    name,
    read: (progress, stop) => source.read(progress, stop),
    acknowledge: (progress) => source.acknowledge(progress),
    progress: () => source.progress(),
    lag: () => source.lag(),
    close: () => source.close(),
    port: () => endpoint.port,
  };
}

class Endpoint {
  port: number | undefined;
  readonly #options: PushSourceOptions;
  readonly #digest: Buffer;
  #open = 0;

  constructor(options: PushSourceOptions) {
    this.#options = options;
    this.#digest = digestOf(options.secret);
  }

  /** Serves until the signal aborts or the inbox fails; throws what it threw. */
  async serve(intake: Intake, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const onStop = () => over.abort();
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
    let failure: { readonly error: unknown } | undefined;
    const app = this.#app(intake, over, (error) => {
      failure = { error };
    });
    try {
      await this.#listen(app);
      await aborted(over.signal);
      const until = performance.now() + graceMs;
      while (this.#open > 0 && performance.now() < until) await sleep(graceStepMs);
    } finally {
      signal.removeEventListener('abort', onStop);
      this.port = undefined;
      await app.close();
    }
    if (failure !== undefined) throw failure.error;
  }

  #app(intake: Intake, over: AbortController, onFailure: (error: unknown) => void) {
    const { config } = this.#options;
    const app = fastify({
      logger: false,
      bodyLimit: config.bytesMax,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      http: {
        headersTimeout: headersTimeoutMs,
        connectionsCheckingInterval: dawdleCheckMs,
        maxHeaderSize: headerBytesMax,
      },
    });
    app.server.maxConnections = connectionsMax;
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
    const refuses = (request: FastifyRequest, reply: FastifyReply) =>
      this.#refuses(request, reply, intake, over.signal);
    app.addHook('onRequest', async (request, reply) => {
      if (refuses(request, reply)) return reply;
      this.#open++;
      reply.raw.once('close', () => this.#open--);
      return undefined;
    });
    app.post('*', async ({ body }, reply) => {
      if (!(body instanceof Uint8Array) || body.length === 0) return answer(reply, 400);
      // Others may have taken the room while this body came in.
      if (intake.isFull) return busy(reply);
      try {
        await intake.put(body);
      } catch (error) {
        onFailure(error);
        over.abort();
        return busy(reply);
      }
      return answer(reply, 200);
    });
    app.setNotFoundHandler((_, reply) => answer(reply, 404));
    app.setErrorHandler((error, _, reply) => answer(reply, codeOf(error)));
    return app;
  }

  /** Answers what is not to be taken, before its body is. */
  #refuses(
    { method, url, headers }: FastifyRequest,
    reply: FastifyReply,
    intake: Intake,
    over: AbortSignal,
  ): boolean {
    const { config } = this.#options;
    const path = url.split('?', 1)[0];
    const isWanted = method === 'POST' && path === config.path;
    const said = headers[config.header.toLowerCase()];
    const isKnown = typeof said === 'string' && timingSafeEqual(digestOf(said), this.#digest);
    // An endpoint that tells strangers which paths it has tells too much, so the secret comes first.
    if (!isKnown) answer(reply, 401);
    else if (!isWanted) answer(reply, 404);
    else if (over.aborted || intake.isFull || this.#open >= postsAtOnceMax) busy(reply);
    else return false;
    return true;
  }

  async #listen(app: FastifyInstance): Promise<void> {
    const { listen, path } = this.#options.config;
    const at = listen.lastIndexOf(':');
    const host = listen.slice(0, at).replace(/^\[(.*)\]$/, '$1');
    try {
      const address = await app.listen({ host, port: Number(listen.slice(at + 1)) });
      this.port = Number(new URL(address).port);
      this.#options.onNotice?.(`${this.#options.name} listens at ${listen} for posts to ${path}`);
    } catch (cause) {
      const message = `listening at ${listen}: ${nameOf(cause)}; choose a free port of this machine`;
      throw new SentrailError('source', message, { cause });
    }
  }
}

function answer(reply: FastifyReply, code: number): FastifyReply {
  // A body that was not read stands in the way of the next request.
  if (code === 401 || code === 413 || code === 503) reply.header('connection', 'close');
  return reply.code(code).send();
}

function busy(reply: FastifyReply): FastifyReply {
  return answer(reply.header('retry-after', retryAfterSeconds), 503);
}

/** Only a code that says whose fault it was leaves; what a body held does not. */
function codeOf(error: unknown): number {
  const isError = typeof error === 'object' && error !== null && 'statusCode' in error;
  const code = isError ? error.statusCode : 500;
  return typeof code === 'number' && code >= 400 && code < 600 ? code : 500;
}

/** Digests are of one length, so that comparing them tells nothing of the secret's. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
