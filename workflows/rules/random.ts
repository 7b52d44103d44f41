/** Seeded pseudo-random numbers for decisions that must be the same on every replay. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** Whole number in [0, n). */
  int(n: number): number;
  /** One of them; throws RangeError when there is none. */
  pick<T>(items: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
  /** One of them, with chances proportional to non-negative weights. */
  weighted<T>(items: readonly T[], weights: readonly number[]): T;
  /** An independent stream; the same label gives the same stream. */
  fork(label: string): Random;
}

/** FNV-1a over UTF-16 code units (Fowler, Noll, Vo), started from `basis` so that four runs give four independent words. */
const hash32 = (text: string, basis: number): number => {
  let hash = basis >>> 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  // Finaliser of MurmurHash3 (Appleby), so that near texts give far words.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

const rotateLeft = (word: number, bits: number): number => ((word << bits) | (word >>> (32 - bits))) >>> 0;

/** xoshiro128** 1.1 (Blackman and Vigna, arXiv 1805.01407), seeded by hashing the seed's text. */
export const createRandom = (seed: number | string): Random => {
  const text = String(seed);
  const state = [0x811c9dc5, 0x9e3779b9, 0x243f6a88, 0xb7e15162].map((basis) => hash32(text, basis));
  let [a = 1, b = 2, c = 3, d = 4] = state;
  const nextWord = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
  const next = (): number => nextWord() / 2 ** 32;
  const int = (n: number): number => {
    if (!(Number.isInteger(n) && n > 0)) throw new RangeError(`int(${n}): n must be a whole number above 0`);
    return Math.floor(next() * n);
  };
  const pick = <T>(items: readonly T[]): T => {
    if (items.length === 0) throw new RangeError('pick: there is nothing to pick from');
    return items[int(items.length)] as T;
  };
  return {
    next,
    int,
    pick,
    shuffle: (items) => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = int(last + 1);
        // Both indices lie inside the array.
        [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]] as [(typeof items)[number], (typeof items)[number]];
      }
      return shuffled;
    },
    weighted: (items, weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      if (items.length === 0 || items.length !== weights.length || !(total > 0)) {
        throw new RangeError(
          `weighted: ${items.length} items, ${weights.length} weights with sum ${total}; they must match and the sum be above 0`,
        );
      }
      let left = next() * total;
      const index = weights.findIndex((weight) => {
        left -= weight;
        return left < 0;
      });
      // Rounding may leave a crumb after the last weight.
      return items[index === -1 ? weights.findLastIndex((weight) => weight > 0) : index] as (typeof items)[number];
    },
    fork: (label) => createRandom(`${text}/${label}`),
  };
};
