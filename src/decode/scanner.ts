// Finds where a JSON value ends, byte by byte. Slow and sure: asked when guessing failed.

const quote = 0x22;
const backslash = 0x5c;

/** A scan that can be taken up again with the next bytes. */
export class ValueScan {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** Takes how many brackets are open already. */
  constructor(depth = 0) {
    this.#depth = depth;
  }

  /** Takes bytes from `from` to `to`; gives the value's end (exclusive), or -1 when it goes on. */
  next(bytes: Uint8Array, from: number, to: number): number {
    let depth = this.#depth;
    let isInString = this.#isInString;
    let isEscaped = this.#isEscaped;
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (isInString) {
        if (isEscaped) isEscaped = false;
        else if (byte === backslash) isEscaped = true;
        else if (byte === quote) isInString = false;
      } else if (byte === quote) isInString = true;
      else if (byte === 0x7b || byte === 0x5b) depth++;
      else if (byte === 0x7d || byte === 0x5d) {
        depth--;
        if (depth <= 0) return at + 1;
      }
    }
    this.#depth = depth;
    this.#isInString = isInString;
    this.#isEscaped = isEscaped;
    return -1;
  }
}

/** Takes a parsed value and a limit; gives whether it nests deeper. Looks no deeper itself. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels <= 0) return true;
  if (Array.isArray(value)) {
    for (const one of value) {
      if (typeof one === 'object' && one !== null && isDeeper(one, levels - 1)) return true;
    }
    return false;
  }
  // An object from JSON.parse has own, enumerable string keys only.
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    const one = fields[name];
    if (typeof one === 'object' && one !== null && isDeeper(one, levels - 1)) return true;
  }
  return false;
}

/** True for blanks, NULs of padding and the record separators of RFC 7464. */
export function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0x1e || byte === 0;
}

/** Takes a text; gives its JSON value, or undefined where it is none. Never throws. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
