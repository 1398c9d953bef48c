// Servers that could not be started: said clearly, skipped on a machine that lacks them, failed in CI.
import { describe } from 'vitest';

/** Why a server is not there, and what would bring it. */
export interface Missing {
  readonly missing: string;
}

/** Takes what a start gave; tells whether there is no server. */
export function isMissing(server: object): server is Missing {
  return 'missing' in server;
}

/**
 * Takes the name of a suite, what the start of its server gave, and the suite. Without a server the
 * suite is skipped with the reason; under CI it fails, for there nothing may be skipped.
 */
export function withServer<Server extends object>(
  name: string,
  server: Server | Missing,
  suite: (server: Server) => void,
): void {
  if (!isMissing(server)) {
    describe(name, () => suite(server));
    return;
  }
  if (process.env['CI'] === 'true') throw new Error(`${name}: ${server.missing}`);
  console.warn(`${name} is skipped: ${server.missing}`);
  describe.skip(`${name} (${server.missing})`, () => {});
}
