// A JSON object, as everything in decoding looks at it.

/** An object from JSON.parse. */
export type Body = Readonly<Record<string, unknown>>;

/** Takes a parsed JSON value; gives whether it is an object. */
export function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
