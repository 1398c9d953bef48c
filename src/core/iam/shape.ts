// Reads values of unknown shape without throwing: CloudTrail fields change type between services.

/** An object from outside: its keys are known to be strings, its values are not known. */
export type Fields = Readonly<Record<string, unknown>>;

const none: Fields = Object.freeze({});

/** Takes anything; gives it as an object, an empty one for whatever is none. Arrays are none. */
export function fieldsOf(value: unknown): Fields {
  const isFields = typeof value === 'object' && value !== null && !Array.isArray(value);
  // Objects of JSON have string keys; what they hold stays unknown.
  return isFields ? (value as Fields) : none;
}

/**
 * Takes anything; gives a list: the array itself, nothing for null and undefined, else one item.
 */
export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

/** Takes anything; gives its strings, and numbers and booleans as text (account ids occur bare). */
export function textsOf(value: unknown): readonly string[] {
  const texts: string[] = [];
  for (const item of listOf(value)) {
    if (typeof item === 'string') texts.push(item);
    else if (typeof item === 'number' || typeof item === 'boolean') texts.push(String(item));
  }
  return texts;
}

/** Takes an object and a key; gives the own value, under any spelling of upper and lower case. */
export function valueAt(fields: Fields, key: string): unknown {
  if (Object.hasOwn(fields, key)) return fields[key];
  const wanted = key.toLowerCase();
  const found = Object.keys(fields).find((one) => one.toLowerCase() === wanted);
  return found === undefined ? undefined : fields[found];
}

/** Takes an object and a key; gives the text there, '' when it is no string. */
export function textAt(fields: Fields, key: string): string {
  const value = valueAt(fields, key);
  return typeof value === 'string' ? value : '';
}
