// IAM's wildcards: `*` for any run of characters, `?` for exactly one.

/**
 * Takes a pattern and a text, both in the case to be compared; gives whether the pattern covers the
 * text. Two pointers instead of a RegExp: a hostile pattern costs at most their product.
 */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0;
  let inText = 0;
  let star = -1;
  let resume = 0;
  while (inText < text.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      at += 1;
      resume = inText;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[inText])) {
      at += 1;
      inText += 1;
    } else if (star >= 0) {
      resume += 1;
      inText = resume;
      at = star + 1;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** Takes patterns and a text; gives whether one of them covers it. */
export function anyGlobMatches(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => globMatches(pattern, text));
}

/** Takes a pattern; gives whether it is nothing but stars, and so covers every text. */
export function coversAll(pattern: string): boolean {
  return /^\*+$/.test(pattern);
}
