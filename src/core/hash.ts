// Ids come from content (law 6): one short hash for names of things.
import { createHash } from 'node:crypto';

/**
 * Takes any number of strings; gives 20 hex digits (80 bits of SHA-256). The parts are
 * length-prefixed, so that ('ab','c') and ('a','bc') differ.
 */
export function contentId(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex').slice(0, 20);
}
