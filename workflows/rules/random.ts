/** A deterministic stream of draws: the same seed gives the same draws on every machine and on every replay. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
  /** Uniform whole number in [0, n). n is a whole number from 1 to 2^32. */
  int(n: number): number;
  /** One item, uniformly. Throws RangeError when there is none. */
  pick<T>(items: readonly T[]): T;
  /** A new list in random order. */
  shuffle<T>(items: readonly T[]): T[];
  /** One item with a chance proportional to its weight. Weights are finite and not negative, and one at least is above zero. */
  weighted<T>(items: readonly T[], weights: readonly number[]): T;
  /** A stream of its own that depends on the seed and the label only, not on how many draws were made before. */
  fork(label: string): Random;
}

/**
 * Generator: xoshiro128** 1.1 (D. Blackman and S. Vigna, arXiv 1805.01407). Its 128 bits of state come from the seed's text by
 * four FNV-1a passes with different offsets, each finished by MurmurHash3's mixing step, so that near seeds give unrelated
 * streams. Not for secrets.
 */
export const createRandom = (seed: number | string): Random => {
  const text = String(seed);
  const nextWord = wordsFrom([hash(text, 0x811c9dc5), hash(text, 0x9e3779b9), hash(text, 0x243f6a88), hash(text, 0xb7e15162)]);
  const next = (): number => {
    const high = nextWord() >>> 5;
    const low = nextWord() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  };
  const int = (n: number): number => {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) throw new RangeError(`int(${n}): n must be a whole number from 1 to 2^32`);
    // Words past the last whole multiple of n are drawn again, else low numbers would come up more often.
    const limit = 2 ** 32 - (2 ** 32 % n);
    let word = nextWord();
    while (word >= limit) word = nextWord();
    return word % n;
  };
  const at = <T>(items: readonly T[], index: number): T => items[index] as T; // Every caller draws the index below items.length.
  return {
    next,
    int,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('pick: there is nothing to pick from');
      return at(items, int(items.length));
    },
    shuffle: (items) => {
      const mixed = [...items];
      for (let last = mixed.length - 1; last > 0; last--) {
        const other = int(last + 1);
        [mixed[last], mixed[other]] = [at(mixed, other), at(mixed, last)];
      }
      return mixed;
    },
    weighted: (items, weights) => at(items, weightedIndex({ numItems: items.length, weights, draw: next() })),
    fork: (label) => createRandom(`${text}/${label}`),
  };
};

interface WeightedDraw {
  readonly numItems: number;
  readonly weights: readonly number[];
  readonly draw: number;
}

const weightedIndex = ({ numItems, weights, draw }: WeightedDraw): number => {
  if (weights.length !== numItems) throw new RangeError(`weighted: ${numItems} items and ${weights.length} weights`);
  const wrong = weights.find((weight) => !Number.isFinite(weight) || weight < 0);
  if (wrong !== undefined) throw new RangeError(`weighted: weight ${wrong}; a weight is a finite number that is not negative`);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) throw new RangeError('weighted: no weight is above zero');
  let left = draw * total;
  const index = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  // Rounding may leave a crumb after the last weight.
  return index === -1 ? weights.findLastIndex((weight) => weight > 0) : index;
};

const wordsFrom =
  ([a, b, c, d]: [number, number, number, number]) =>
  (): number => {
    const word = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return word;
  };

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

/** FNV-1a over the bytes of UTF-16 code units (Fowler, Noll, Vo), then the finaliser of MurmurHash3 (Appleby). */
const hash = (text: string, basis: number): number => {
  let value = basis;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    value = Math.imul(value ^ (unit & 0xff), 0x01000193);
    value = Math.imul(value ^ (unit >>> 8), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
};
