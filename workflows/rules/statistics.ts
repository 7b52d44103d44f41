import type { Effect } from '../contracts/analysis.ts';
import type { NoiseFloor } from '../contracts/campaign.ts';
import type { Metric } from '../contracts/score.ts';
import { detectableGain } from './detectable.ts';
import { mean } from './mean.ts';
import type { ConfirmationDesign } from './sequential-design.ts';
import { differenceSpread, pooled, residualSpread, type SeedValues, type Spread } from './spread.ts';
import { tQuantile } from './student-t.ts';
import { heldAgainst, largerOf } from './unequal-spread.ts';

export { mean } from './mean.ts';
export type { SeedValues } from './spread.ts';

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
  /** What seeds alone do, of the same metric, without this pair; without it one seed says nothing. */
  readonly noise?: Pick<NoiseFloor, 'pairedSd' | 'degreesOfFreedom'> | null;
  /** How the differences of this pair spread on other seeds, around their own mean. */
  readonly before?: Spread | null;
  /** Finalists among whom the error of `confidence` is shared; 1 unless told. */
  readonly sharedBy?: number;
  /** Both are of those whose spread the noise floor tells: two baselines. */
  readonly areBothKnown?: boolean;
  /** Two-sided; 0.95 unless told. */
  readonly confidence?: number;
}

/**
 * Mean paired difference with its Student interval. Both architectures see the same data in the same order under one seed, so
 * what the seed does to both cancels.
 *
 * With n common seeds and no noise floor: t with n - 1 degrees on the sample variance. With a noise floor the two variances are pooled
 * by their degrees, the pair's own is taken where it is larger, and the degrees are those of `heldAgainst`, because a candidate may be
 * noisier than the baselines were; two baselines have all degrees. Null where nothing honest can be said: no common seed, one seed without a noise floor, or a value
 * that is not finite.
 */
export const pairedEffect = (input: PairedInput): Effect | null => pairedComparison(input)?.effect ?? null;

/** The effect with what it was made of. */
export interface PairedComparison {
  readonly effect: Effect;
  /** Standard deviation of one paired difference, as used. */
  readonly sd: number;
  readonly degreesOfFreedom: number;
}

/** `pairedEffect` with its parts. */
export const pairedComparison = (input: PairedInput): PairedComparison | null => {
  const { metric, candidate, reference, noise, before, sharedBy = 1, areBothKnown = false, confidence = 0.95 } = input;
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`confidence ${confidence}; right would be between 0 and 1`);
  const differences = pairedDifferences({ metric, candidate, reference });
  const seeds = differences.length;
  if (seeds === 0 || !differences.every(Number.isFinite)) return null;
  const floor = noise != null && noise.degreesOfFreedom > 0 ? noise : null;
  const own = pooled([differenceSpread(differences), before ?? null]);
  const others = floor && { squares: floor.pairedSd ** 2 * floor.degreesOfFreedom, degreesOfFreedom: floor.degreesOfFreedom };
  const held = areBothKnown ? largerOf(own, others) : heldAgainst(own, others, sharedBy);
  if (held === null) return null;
  const { degreesOfFreedom } = held;
  const sd = Math.sqrt(held.variance);
  const half = (tQuantile((1 + confidence) / 2, degreesOfFreedom) * sd) / Math.sqrt(seeds);
  const centre = mean(differences);
  const isOwn = seeds > 1 || (before?.degreesOfFreedom ?? 0) > 0;
  const variance = floor === null ? '' : isOwn ? ', variance pooled with the noise floor' : ', variance of the noise floor';
  const method = `paired t on ${seeds} common ${seeds === 1 ? 'seed' : 'seeds'}${variance}, ${Number(degreesOfFreedom.toFixed(1))} df, ${percent(confidence)} %`;
  const effect = { metric, mean: centre, low: centre - half, high: centre + half, seeds, method };
  return { effect, sd, degreesOfFreedom };
};

export interface NoiseInput {
  readonly metric: Metric;
  /** Exploring scores of the baselines: name to value by seed. */
  readonly baselines: ReadonlyMap<string, SeedValues>;
  /** Looks and levels of the confirming comparison. */
  readonly design: ConfirmationDesign;
  /** Seeds that candidates are explored with. */
  readonly exploreSeeds: number;
}

/**
 * What seeds alone do, from a two-way table (`residualSpread`). Null with fewer than two common seeds.
 *
 * `minimumDetectable`: a true gain of this size is called better nine times in ten, with this floor alone; the degrees that the
 * search adds later make it smaller, and the conclusion says how small.
 */
export const noiseFloor = ({ metric, baselines, design, exploreSeeds }: NoiseInput): NoiseFloor | null => {
  const { rows, seeds } = completeBlock([...baselines.values()].filter((values) => [...values.values()].every(Number.isFinite)));
  const spread = residualSpread(rows, seeds);
  if (spread === null) return null;
  const { degreesOfFreedom } = spread;
  const pairedSd = Math.sqrt(spread.squares / degreesOfFreedom);
  return {
    metric,
    pairedSd,
    degreesOfFreedom,
    minimumDetectable: pairedSd * detectableGain({ design, floorDegrees: degreesOfFreedom, exploreSeeds }),
  };
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

/** Middle value, or the mean of the two in the middle, of a list that is not empty. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

const percent = (share: number): string => String(Number((100 * share).toFixed(2)));
