// Durations as a person writes them.
import { z } from 'zod';

/** Milliseconds in one of the units a duration may be written in. */
const unitMs: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

/** A duration written as `90s`, `15m`, `24h` or `7d`; parses to milliseconds. */
export function duration(defaultText: string) {
  return z
    .string()
    .regex(/^\d{1,6}[smhd]$/, 'a duration is a whole number and one of s, m, h, d: 15m, 24h, 7d')
    .default(defaultText)
    .transform((text) => Number(text.slice(0, -1)) * (unitMs[text.slice(-1)] ?? 0));
}
