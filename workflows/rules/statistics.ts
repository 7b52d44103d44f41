import type { Effect } from '../contracts/analysis.ts';
import type { NoiseFloor } from '../contracts/campaign.ts';
import type { Metric } from '../contracts/score.ts';
import { detectableGain } from './detectable.ts';
import { tQuantile } from './student-t.ts';

/** Value of one metric by trial seed, of one architecture. */
export type SeedValues = ReadonlyMap<number, number>;

/**
 * The same table as `lowerIsBetter` of the contracts, without its schemas: rules run inside workflows. A test keeps the two
 * alike.
 */
const direction: Readonly<Record<Metric, 1 | -1>> = {
  'bits-per-byte': -1,
  'recall-auc': -1,
  'recall-accuracy': 1,
  'copy-loss': -1,
};

/** Candidate minus reference on every common seed, signed so that positive is better, by rising seed. */
export const pairedDifferences = ({ metric, candidate, reference }: Pick<PairedInput, 'metric' | 'candidate' | 'reference'>) =>
  [...candidate]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([seed, value]) => {
      const other = reference.get(seed);
      return other === undefined ? [] : [direction[metric] * (value - other)];
    });

export interface PairedInput {
  readonly metric: Metric;
  readonly candidate: SeedValues;
  readonly reference: SeedValues;
  /** What seeds alone do, of the same metric; without it one seed says nothing. */
  readonly noise?: NoiseFloor | null;
  /** Two-sided; 0.95 unless told. */
  readonly confidence?: number;
}

/**
 * Mean paired difference with its Student interval. Both architectures see the same data in the same order under one seed, so
 * what the seed does to both cancels.
 *
 * With n common seeds and no noise floor: t with n - 1 degrees on the sample variance. With a noise floor of m degrees: the two
 * variances are pooled by their degrees, m + n - 1 in all, and the sample's own variance is taken where it is larger, because a
 * candidate may be noisier than the baselines were. Null where nothing honest can be said: no common seed, one seed without a
 * noise floor, or a value that is not finite.
 */
export const pairedEffect = ({ metric, candidate, reference, noise, confidence = 0.95 }: PairedInput): Effect | null => {
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`confidence ${confidence}; right would be between 0 and 1`);
  const differences = pairedDifferences({ metric, candidate, reference });
  const seeds = differences.length;
  if (seeds === 0 || !differences.every(Number.isFinite)) return null;
  const floor = noise != null && noise.degreesOfFreedom > 0 ? noise : null;
  const degrees = seeds - 1 + (floor?.degreesOfFreedom ?? 0);
  if (degrees === 0) return null;
  const own = seeds > 1 ? sampleVariance(differences) : 0;
  const pooled = floor === null ? own : (own * (seeds - 1) + floor.pairedSd ** 2 * floor.degreesOfFreedom) / degrees;
  const standardError = Math.sqrt(Math.max(pooled, own) / seeds);
  const half = tQuantile((1 + confidence) / 2, degrees) * standardError;
  const centre = mean(differences);
  const variance = floor === null ? '' : seeds > 1 ? ', variance pooled with the noise floor' : ', variance of the noise floor';
  const method = `paired t on ${seeds} common ${seeds === 1 ? 'seed' : 'seeds'}${variance}, ${degrees} df, ${percent(confidence)} %`;
  return { metric, mean: centre, low: centre - half, high: centre + half, seeds, method };
};

export interface NoiseInput {
  readonly metric: Metric;
  /** Exploring scores of the baselines: name to value by seed. */
  readonly baselines: ReadonlyMap<string, SeedValues>;
  /** Fresh seeds of the confirming comparison. */
  readonly confirmSeeds: number;
  /** Finalists that share the campaign's error; 1 unless told. */
  readonly numFinalists?: number;
}

/**
 * What seeds alone do. Values are architecture effect + seed effect + residual; the residual's variance, (A - 1)(S - 1) degrees,
 * is what a paired comparison cannot remove, and a difference of two runs has twice of it. With one baseline the seed effect
 * cannot be told apart, and the plain variance over seeds stands in for it: an upper estimate. Null with fewer than two common
 * seeds.
 *
 * `minimumDetectable`: a true gain of this size is found nine times in ten, at a two-sided error of 0.05 shared among the
 * finalists.
 */
export const noiseFloor = ({ metric, baselines, confirmSeeds, numFinalists = 1 }: NoiseInput): NoiseFloor | null => {
  const { rows, seeds } = completeBlock([...baselines.values()].filter((values) => [...values.values()].every(Number.isFinite)));
  if (seeds.length < 2) return null;
  const table = rows.map((row) => seeds.map((seed) => row.get(seed) ?? 0)); // Every row has every seed of the block.
  const rowMeans = table.map(mean);
  const total = mean(rowMeans);
  const seedEffects = seeds.map((_, column) => (rows.length > 1 ? mean(table.map((row) => row[column] ?? 0)) - total : 0));
  const squares = table.flatMap((row, index) =>
    row.map((value, column) => (value - (rowMeans[index] ?? 0) - (seedEffects[column] ?? 0)) ** 2),
  );
  const degreesOfFreedom = Math.max(1, rows.length - 1) * (seeds.length - 1);
  const pairedSd = Math.sqrt((2 * squares.reduce((sum, square) => sum + square, 0)) / degreesOfFreedom);
  const confidence = 1 - 0.05 / numFinalists;
  const gain = detectableGain({ numSeeds: confirmSeeds, floorDegrees: degreesOfFreedom, confidence });
  return { metric, pairedSd, degreesOfFreedom, minimumDetectable: gain * pairedSd };
};

/**
 * The baselines and the seeds that all of them have; the one with the fewest seeds is left out while fewer than two are common.
 */
const completeBlock = (
  rows: readonly SeedValues[],
): { readonly rows: readonly SeedValues[]; readonly seeds: readonly number[] } => {
  const kept = rows.toSorted((a, b) => b.size - a.size);
  while (kept.length > 0) {
    const seeds = [...(kept[0]?.keys() ?? [])].filter((seed) => kept.every((row) => row.has(seed)));
    if (seeds.length >= 2) return { rows: kept, seeds };
    kept.pop();
  }
  return { rows: [], seeds: [] };
};

/** Spearman's rank correlation with mean ranks for ties; null below three pairs or where one side is constant. */
export const spearman = (pairs: readonly (readonly [number, number])[]): number | null => {
  if (pairs.length < 3) return null;
  const a = ranks(pairs.map(([first]) => first));
  const b = ranks(pairs.map(([, second]) => second));
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

/** Arithmetic mean of a list that is not empty. */
export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Middle value, or the mean of the two in the middle, of a list that is not empty. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

const sampleVariance = (values: readonly number[]): number => {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
};

const percent = (share: number): string => String(Number((100 * share).toFixed(2)));
