// A small random source with a seed, so that the sample trail is the same on every machine and day.
// xmur3 and sfc32, both in the public domain; Math.random cannot be seeded.

/** Random values from a seed: the same seed gives the same values in the same order, for ever. */
export interface Random {
  /** A number from 0 to below 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  /** One of the items; throws when there is none. */
  pick<T>(items: readonly T[]): T;
  /** True in the given share of calls. */
  chance(share: number): boolean;
  /** The items in another order. */
  shuffled<T>(items: readonly T[]): T[];
  /** So many characters of the alphabet. */
  text(length: number, alphabet: string): string;
  /** So many lower-case hexadecimal digits. */
  hex(length: number): string;
  /** A UUID of version 4, or of version 3 as CloudTrail gives to copies of an event. */
  uuid(version?: 3 | 4): string;
  /** A source of its own, so that a change in one part of the trail leaves the others alone. */
  fork(label: string): Random;
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Takes a seed; gives its random source. */
export function randomFrom(seed: string): Random {
  const next = numbersFrom(seed);
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const text = (length: number, alphabet: string) =>
    Array.from({ length }, () => alphabet[whole(0, alphabet.length - 1)]).join('');
  const hex = (length: number) => text(length, '0123456789abcdef');
  return {
    next,
    whole,
    text,
    hex,
    chance: (share) => next() < share,
    pick(items) {
      const found = items[whole(0, items.length - 1)];
      if (found === undefined) throw new Error('picking from nothing; give at least one item');
      return found;
    },
    shuffled(items) {
      const keyed = items.map((item) => ({ item, key: next() }));
      return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
    },
    uuid: (version = 4) =>
      [hex(8), hex(4), `${version}${hex(3)}`, `${text(1, '89ab')}${hex(3)}`, hex(12)].join('-'),
    fork: (label) => randomFrom(`${seed}/${label}`),
  };
}

/** An id of AWS's form that is plainly nobody's: its prefix, random letters, EXAMPLE. */
export function exampleId(random: Random, prefix: string, length = 20): string {
  return `${prefix}${random.text(length - prefix.length - 7, base32)}EXAMPLE`;
}

function numbersFrom(seed: string): () => number {
  const start = hashesOf(seed);
  let [a, b, c, d] = [start(), start(), start(), start()];
  const step = () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  // The first values still resemble the seed.
  for (let round = 0; round < 15; round++) step();
  return step;
}

function hashesOf(text: string): () => number {
  let hash = 1_779_033_703 ^ text.length;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 3_432_918_353);
    hash = (hash << 13) | (hash >>> 19);
  }
  return () => {
    hash = Math.imul(hash ^ (hash >>> 16), 2_246_822_507);
    hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_909);
    hash ^= hash >>> 16;
    return hash >>> 0;
  };
}
