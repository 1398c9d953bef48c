// Texts as strangers wrote them, in databases that end a text at a NUL or refuse one.

const marker = '\u0001';

/**
 * Takes any text; gives one without NUL: a stranger may write one into an eventID. Such texts (and
 * those that look like what comes of it) are kept as marked JSON, which escapes it.
 */
export function kept(text: string): string {
  const isPlain = !text.includes('\u0000') && !text.startsWith(marker);
  return isPlain ? text : marker + JSON.stringify(text);
}

/** Takes what `kept` gave; gives the text it was given. */
export function given(text: string): string {
  return text.startsWith(marker) ? String(JSON.parse(text.slice(marker.length))) : text;
}
