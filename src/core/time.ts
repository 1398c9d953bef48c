// Times are milliseconds since 1970 in UTC; this file reads and writes the spellings CloudTrail uses.

export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

const iso =
  /^\s*(\d{4})-(\d{2})-(\d{2})[T ]\s*(\d{2}):\s*(\d{2}):\s*(\d{2})(?:\.(\d{1,9}))?\s*(Z|[+-]\d{2}:?\d{2})?\s*$/;
const basic = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})?Z$/;

/**
 * Takes a time as CloudTrail writes it: ISO 8601, the same with blanks or a space for the T (seen in
 * exports), or `YYYYMMDDTHHmm[ss]Z` (session creation dates, file names). No zone means UTC.
 * Gives milliseconds, or undefined for anything else; never throws.
 */
export function parseTime(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const usual = usualTime(text);
  if (usual !== undefined) return usual;
  const match = iso.exec(text) ?? basic.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone = 'Z'] = match;
  const at = Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second);
  if (Number.isNaN(at) || +month! > 12 || +month! < 1 || +day! > 31 || +hour! > 24)
    return undefined;
  return at + Math.trunc(+`0.${fraction || '0'}` * 1000) - zoneOffset(zone);
}

/** Days are few and events many, so the calendar is asked once a day: `2026-11-24` to its first ms. */
const days = new Map<string, number>();
const daysMax = 10_000;

/** `2026-11-24T02:46:52Z`, as nearly every event has it; undefined sends the rest to the patterns. */
function usualTime(text: string): number | undefined {
  if (text.length !== 20 || text[10] !== 'T' || text[19] !== 'Z') return undefined;
  if (text[13] !== ':' || text[16] !== ':') return undefined;
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  if (!(hour < 24 && minute < 60 && second < 60)) return undefined;
  const name = text.slice(0, 10);
  let day = days.get(name);
  if (day === undefined) {
    if (!/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/.test(name)) return undefined;
    day = Date.UTC(+name.slice(0, 4), +name.slice(5, 7) - 1, +name.slice(8));
    if (days.size < daysMax) days.set(name, day);
  }
  return day + hour * hourMs + minute * minuteMs + second * 1000;
}

/** The number two digits make; NaN, which is less than nothing, for anything else. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function zoneOffset(zone: string): number {
  if (zone === 'Z') return 0;
  const digits = zone.replace(':', '');
  const minutes = +digits.slice(1, 3) * 60 + +digits.slice(3, 5);
  return (digits.startsWith('-') ? -minutes : minutes) * minuteMs;
}

/** Takes milliseconds; gives `2026-11-24T02:46:52Z`, with a fraction only where there is one. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** Takes a time and a width; gives the start of the tumbling window that holds it. */
export function windowStart(timeMs: number, widthMs: number): number {
  return Math.floor(timeMs / widthMs) * widthMs;
}
