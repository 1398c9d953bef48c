// The address an operator's tools ask: metrics, and whether the worker lives and is ready.
import Fastify, { type FastifyInstance } from 'fastify';
import { SentrailError } from './core/errors.ts';
import type { Metrics } from './metrics.ts';

/** How the worker stands; times are milliseconds since 1970. */
export interface Standing {
  /** Lanes that run now. */
  lanes: Set<string>;
  /** True once the store is open and the sources are being read, or stood by for. */
  isReady: boolean;
  isStopping: boolean;
  lastCommit: number | undefined;
}

/** Takes `host:port`, metrics and the standing; gives the server, which listens. Throws `SentrailError`. */
export async function serveHealth(
  listen: string,
  metrics: Metrics,
  standing: Readonly<Standing>,
): Promise<FastifyInstance> {
  const server = Fastify({ logger: false, bodyLimit: 1_024 });
  server.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const { isReady, isStopping, lanes, lastCommit } = standing;
    const status = isStopping ? 'stopping' : isReady ? 'ready' : 'starting';
    if (status !== 'ready') reply.code(503);
    const last = lastCommit === undefined ? null : new Date(lastCommit).toISOString();
    return { status, lanes: [...lanes].sort(), lastCommit: last };
  });
  const at = listen.lastIndexOf(':');
  const host = listen.slice(0, at).replace(/^\[|\]$/g, '');
  try {
    await server.listen({ host, port: Number(listen.slice(at + 1)) });
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it failed';
    const message = `listening at ${listen} for /metrics and /healthz: ${why}; set http.listen to another address`;
    throw new SentrailError('config', message, { cause });
  }
  return server;
}
