// Where JSON may begin, and where it may begin again behind bytes that are broken.

import { isBlank } from './scanner.ts';

const lineFeed = 0x0a;
const brace = 0x7b;
const bracket = 0x5b;
const quote = 0x22;
/** An opening, with some blanks, fits in this. */
const openingBytesMax = 64;
const wrapper = /^\{\s*"Records"\s*:\s*\[/;
const object = /^\{\s*(?:["}]|$)/;
/** A string that holds JSON; other strings are prose. */
const text = /^"(?:\s|\\[nrt])*(?:[{[]|\\")/;
/** Of records, of arrays of them, or of strings that hold them; other brackets are prose. */
const array = /^\[\s*(?:[{\]]|$|(?:\[\s*){1,7}[{"]|"(?:\s|\\[nrt])*(?:[{[]|\\"))/;
const firstKey = /^\{\s*"[^"\\]{1,40}"/;

/** Nothing opens; not known yet; an object opens; an array; JSON in a string. More is a wrapper. */
export const opensNothing = 0;
export const opensUnknown = -1;
export const opensObject = 1;
export const opensArray = 2;
export const opensText = 3;

/**
 * Takes bytes, a place, and whether these are the last bytes; gives what opens there: one of the
 * constants above, or the length of `{"Records":[`. The same bytes give the same answer however
 * they were cut.
 */
export function openingAt(bytes: Buffer, at: number, isLast: boolean): number {
  const first = bytes[at];
  if (first === quote) return textAt(bytes, at, isLast);
  if (first !== brace && first !== bracket) return opensNothing;
  const third = bytes[at + 2];
  const isQuick = first === brace && bytes[at + 1] === 0x22 && third !== undefined;
  if (isQuick && third !== 0x52) return opensObject;
  if (bytes.length - at < openingBytesMax && !isLast) return opensUnknown;
  const text = bytes.toString('latin1', at, at + openingBytesMax);
  const length = wrapper.exec(text)?.[0].length;
  if (length !== undefined) return length;
  if (first === brace) return object.test(text) ? opensObject : opensNothing;
  return array.test(text) ? opensArray : opensNothing;
}

function textAt(bytes: Buffer, at: number, isLast: boolean): number {
  const second = bytes[at + 1] ?? 0;
  // Nearly every quote is decided by the byte behind it.
  if (second > 0x20 && second !== brace && second !== bracket && second !== 0x5c) {
    return opensNothing;
  }
  if (bytes.length - at < openingBytesMax && !isLast) return opensUnknown;
  return text.test(bytes.toString('latin1', at, at + openingBytesMax)) ? opensText : opensNothing;
}

/** Takes the place of an object; gives its bytes up to the end of its first key, or undefined. */
export function openerAt(bytes: Buffer, at: number): Buffer | undefined {
  const text = firstKey.exec(bytes.toString('latin1', at, at + openingBytesMax))?.[0];
  return text === undefined ? undefined : Buffer.from(text, 'latin1');
}

/** Fields of which an envelope has one among its first. */
const envelopeFields = [
  ...['Records', 'records', 'Messages', 'messageId', 'MessageId', 'messageType', 'logEvents'],
  ...['Events', 'EventId', 'detail', 'detail-type', 'findings', 'Findings', 'data', 'Data'],
  'payload',
];
const envelopeMark = new RegExp(`"(?:${envelopeFields.join('|')})"`);

/** Takes the place of an object; gives whether a field of envelopes stands in its first bytes. */
export function beginsAsEnvelope(bytes: Buffer, at: number, bytesMax: number): boolean {
  return envelopeMark.test(bytes.toString('latin1', at, at + Math.min(512, bytesMax)));
}

/** What a search goes by. */
export interface Search {
  readonly bytes: Buffer;
  readonly isLast: boolean;
  /** Bytes that records begin with; unescaped quotes cannot stand within a JSON string. */
  readonly openers: readonly Buffer[];
  /** True where a line of its own may be a value. */
  readonly isByLine: boolean;
  /** True within a broken object, where an object may belong to a key. */
  readonly isInObject: boolean;
  readonly lineBytesMax: number;
}

/** A place where reading goes on, or the place up to which there is certainly none. */
export interface Found {
  readonly at: number;
  readonly isFound: boolean;
}

/** Takes a search and where to begin; gives the first place behind broken bytes to read on at. */
export function nextOpening(search: Search, from: number): Found {
  const { bytes, isLast, openers, isInObject } = search;
  let best: Found = { at: bytes.length, isFound: false };
  for (const opener of openers) {
    // An opener may be cut by the end of the bytes.
    const cut = Math.max(from, bytes.length - opener.length + 1);
    const sure = isLast ? best.at : Math.min(best.at, cut);
    const upTo = bytes.subarray(0, Math.min(bytes.length, best.at + opener.length - 1));
    let found = upTo.indexOf(opener, from);
    while (found >= 0 && isInObject && before(bytes, found) === 0x3a) {
      found = upTo.indexOf(opener, found + 1);
    }
    if (found >= 0 && found < best.at) best = { at: found, isFound: true };
    else if (sure < best.at) best = { at: sure, isFound: false };
  }
  if (!search.isByLine) return best;
  // Last, because lines cost most: only those before anything else that opens are looked at.
  const line = nextLine(search, from, best.at);
  return line.at < best.at ? line : best;
}

/**
 * Takes bytes between the records of an array that are none; gives where they end: where anything
 * opens, or the array closes.
 */
export function elementEnd(bytes: Buffer, isLast: boolean, from: number): Found {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x5d) return { at, isFound: true };
    if (byte !== brace) continue;
    const opens = openingAt(bytes, at, isLast);
    if (opens !== opensNothing) return { at, isFound: opens !== opensUnknown };
  }
  return { at: bytes.length, isFound: false };
}

function nextLine(search: Search, from: number, upTo: number): Found {
  const { bytes, isLast } = search;
  // The line feed may stand just before the place to begin at.
  for (let feed = bytes.indexOf(lineFeed, from - 1); feed >= 0 && feed < upTo; ) {
    const at = feed + 1;
    if (at >= bytes.length && !isLast) return { at: Math.max(from, feed), isFound: false };
    const opens = openingAt(bytes, at, isLast);
    const isOwn = opens > 0 ? isOwnLine(search, at) : false;
    if (opens === opensUnknown || isOwn === undefined) {
      return { at: Math.max(from, feed), isFound: false };
    }
    if (isOwn && at >= from) return { at, isFound: true };
    feed = bytes.indexOf(lineFeed, at);
  }
  return { at: bytes.length, isFound: false };
}

/**
 * Whether the line is a value of its own. Behind a comma, colon or bracket it may be part of what
 * is broken, printed without indent; then it must be JSON by itself. Undefined when not known yet.
 */
function isOwnLine(search: Search, at: number): boolean | undefined {
  const { bytes, isLast, isInObject, lineBytesMax } = search;
  const last = before(bytes, at);
  if (!isInObject || (last !== 0x2c && last !== 0x3a && last !== bracket)) return true;
  const feed = bytes.indexOf(lineFeed, at);
  if (feed < 0 && !isLast && bytes.length - at <= lineBytesMax) return undefined;
  const end = feed < 0 ? bytes.length : feed;
  if (end - at > lineBytesMax) return false;
  const close = before(bytes, end);
  // Spares most of the failing parses, each of which costs an exception.
  if (close !== 0x7d && close !== 0x5d && !isBlank(close)) return false;
  try {
    JSON.parse(bytes.toString('utf8', at, end));
    return true;
  } catch {
    return false;
  }
}

/** How far back a search looks from a place. */
export const lookBackBytes = 64;

/** The last byte before a place that is not blank. */
function before(bytes: Buffer, at: number): number {
  let last = at - 1;
  const stop = at - lookBackBytes;
  while (last > stop && last > 0 && bytes[last]! <= 0x20) last--;
  return bytes[last] ?? 0;
}
