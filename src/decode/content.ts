// An id for what carries none: a hash of what it says, not of how it was written.
import { createHash } from 'node:crypto';

/**
 * Takes a parsed JSON value that nests within bounds; gives 32 hex digits (128 bits of SHA-256). The
 * order of keys, blanks and escapes change nothing, so that one record has one id by every route.
 */
export function contentHash(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 32);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, sorted(one)]),
  );
}
