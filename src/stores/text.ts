// Texts as strangers wrote them, in databases that end a text at a NUL or refuse one, and that keep
// halves of surrogate pairs as one and the same mark.

const marker = '\u0001';
/** A NUL, or half of a surrogate pair. */
const unkept = /\0|\p{Surrogate}/u;

/**
 * Takes any text; gives one without NUL and without half a surrogate pair: a stranger may write either
 * into an eventID. Such texts (and those that look like what comes of it) are kept as marked JSON,
 * which escapes both.
 */
export function kept(text: string): string {
  const isPlain = !text.startsWith(marker) && !unkept.test(text);
  return isPlain ? text : marker + JSON.stringify(text);
}

/** Takes what `kept` gave; gives the text it was given. */
export function given(text: string): string {
  return text.startsWith(marker) ? String(JSON.parse(text.slice(marker.length))) : text;
}
