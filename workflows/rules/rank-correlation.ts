import { mean } from './mean.ts';
import { normalUpper } from './normal.ts';
import { createRandom } from './random.ts';

export interface RankCorrelation {
  /** Spearman's rho. */
  readonly rho: number;
  /** Bounds of 95 %; null below four pairs, and where all ranks agree or all are reversed: Fisher's z is infinite there. */
  readonly low: number | null;
  readonly high: number | null;
  /** Chance of a correlation at least as large in size among random pairings. */
  readonly chance: number;
  readonly pairs: number;
}

type Pairs = readonly (readonly [number, number])[];

const exactUpTo = 7;
const numShuffles = 5000;

/**
 * Spearman's rank correlation (C. Spearman, Am. J. Psychol. 15, 1904), mean ranks for ties. The chance is a permutation test: all
 * orders up to seven pairs, 5,000 random ones from a fixed stream beyond. The interval is Fisher's z with the variance
 * (1 + rho²/2) / (n - 3) of D. Bonett and T. Wright (Psychometrika 65, 2000); with few pairs it is rough. Null below three
 * pairs, with a value that is not finite, or where one side is constant.
 */
export const rankCorrelation = (pairs: Pairs): RankCorrelation | null => {
  const rho = spearman(pairs);
  if (rho === null) return null;
  const hasBounds = pairs.length > 3 && Math.abs(rho) < 1 - 1e-12;
  const margin = hasBounds ? normalUpper(0.025) * Math.sqrt((1 + rho ** 2 / 2) / (pairs.length - 3)) : null;
  const bound = (by: number): number => Math.tanh(Math.atanh(rho) + by);
  return {
    rho,
    low: margin === null ? null : bound(-margin),
    high: margin === null ? null : bound(margin),
    chance: chanceOf(pairs, Math.abs(rho)),
    pairs: pairs.length,
  };
};

/** Null below three pairs, with a value that is not finite, or where one side is constant. */
export const spearman = (pairs: Pairs): number | null => {
  if (pairs.length < 3 || !pairs.flat().every(Number.isFinite)) return null;
  return pearson(ranks(pairs.map(([first]) => first)), ranks(pairs.map(([, second]) => second)));
};

const pearson = (a: readonly number[], b: readonly number[]): number | null => {
  const meanA = mean(a);
  const meanB = mean(b);
  const sum = (f: (x: number, y: number) => number) =>
    a.reduce((total, x, index) => total + f(x - meanA, (b[index] ?? 0) - meanB), 0);
  const spread = Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
  return spread === 0 ? null : Math.max(-1, Math.min(1, sum((x, y) => x * y) / spread));
};

/** Rank of each value from 1; equal values share their mean rank. */
const ranks = (values: readonly number[]): number[] =>
  values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });

const chanceOf = (pairs: Pairs, size: number): number => {
  const a = ranks(pairs.map(([first]) => first));
  const b = ranks(pairs.map(([, second]) => second));
  const isAsLarge = (order: readonly number[]): boolean => Math.abs(pearson(a, order) ?? 0) >= size - 1e-12;
  if (pairs.length <= exactUpTo) {
    const orders = permutations(b);
    return orders.filter(isAsLarge).length / orders.length;
  }
  const random = createRandom('rank-correlation');
  const hits = Array.from({ length: numShuffles }, () => isAsLarge(random.shuffle(b))).filter(Boolean).length;
  // The order that was observed is one of them (B. Phipson and G. Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010).
  return (hits + 1) / (numShuffles + 1);
};

const permutations = (values: readonly number[]): readonly (readonly number[])[] =>
  values.length <= 1
    ? [values]
    : values.flatMap((value, index) => permutations(values.toSpliced(index, 1)).map((rest) => [value, ...rest]));
