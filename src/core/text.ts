// Names and messages from a trail are chosen by strangers; here they become safe to print.

/** How many characters of a foreign name a sentence carries. */
export const plainCharactersMax = 128;

// C0 and C1 controls, soft hyphen, zero-width and direction marks, line separators, lone surrogates:
// each can break a log line, hide a part of a name or turn its order round on the screen.
const unprintable =
  /[\p{Cc}\p{Cs}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]+/gu;

/**
 * Takes anything; gives its text without control and direction characters, runs of blanks made one,
 * cut at `charactersMax` with an ellipsis. Anything but a string, number or boolean gives ''.
 */
export function plain(value: unknown, charactersMax = plainCharactersMax): string {
  if (typeof value !== 'string') {
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
  }
  // Only a bounded part is looked at: a megabyte of blanks must not cost a megabyte of work.
  const near = value.slice(0, charactersMax * 4);
  const clean = near.replace(unprintable, ' ').replace(/\s+/gu, ' ').trim();
  const characters = [...clean];
  if (characters.length <= charactersMax) return clean;
  return `${characters.slice(0, charactersMax - 1).join('')}…`;
}
