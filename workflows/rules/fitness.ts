import type { Effect } from '../contracts/analysis.ts';
import type { NoiseFloor } from '../contracts/campaign.ts';
import type { Fitness } from '../contracts/experiment.ts';
import type { Metric, Score } from '../contracts/score.ts';
import { mean, pairedDifferences, pairedEffect, type SeedValues } from './statistics.ts';

export type ScoreRow = Pick<Score, 'metric' | 'seed' | 'value'>;

export interface FitnessInput {
  /** Score rows of the judged architecture and of the reference baseline; rows of other seeds are passed over. */
  readonly candidate: readonly ScoreRow[];
  readonly reference: readonly ScoreRow[];
  /** Seeds that count; without them, every seed that the reference has a row of. */
  readonly seeds?: readonly number[];
  readonly noise: readonly NoiseFloor[];
}

/** A failure is a value of its own and never a number: a missing or non-finite score must not be ranked. */
export type FitnessResult<Terms = undefined> = { readonly ok: true; readonly fitness: Fitness; readonly terms: Terms } | Failure;
interface Failure {
  readonly ok: false;
  /** For a person: whose score, which metric and seed. */
  readonly reason: string;
}

/** Bits per byte gained over the reference, mean over the common seeds. */
export const pairedGainFitness = (input: FitnessInput): FitnessResult => {
  const scores = metricScores(input, 'bits-per-byte');
  if (!scores.ok) return scores;
  const value = mean(pairedDifferences({ metric: 'bits-per-byte', ...scores }));
  return { ok: true, fitness: { rule: 'paired-gain', value, effects: effectsOf(input) }, terms: undefined };
};

export interface AsiArchTerms {
  /** Sigmoid terms in (0, 1). */
  readonly loss: number;
  readonly benchmark: number;
  /** In [0, 1]; null where no judge was asked: the term is absent, not zero quality. */
  readonly judge: number | null;
}

/**
 * Fitness of ASI-Arch (arXiv 2507.18074, section 3.1 and its released code): sigmoid(6 clip((L0 - L) / 0.1 L0)) + sigmoid(6
 * clip((B - B0) / 0.1 B0)) + (judge - 1) / 9 with clip to [-1, 1]. Loss is held-out bits per byte and the benchmark is recall
 * accuracy here, 0 marking the reference. The released code turns a missing or NaN loss into the best loss score; here it is a
 * failure.
 */
export const asiArchFitness = (input: FitnessInput & { readonly judge?: number | null }): FitnessResult<AsiArchTerms> => {
  const bits = metricScores(input, 'bits-per-byte');
  if (!bits.ok) return bits;
  const recall = metricScores(input, 'recall-accuracy');
  if (!recall.ok) return recall;
  const judge = input.judge ?? null;
  if (judge !== null && !(judge >= 1 && judge <= 10))
    return { ok: false, reason: `the judge gave ${judge}; right would be 1 to 10` };
  const terms: AsiArchTerms = {
    loss: windowed(-relativeChange(bits)),
    benchmark: windowed(relativeChange(recall)),
    judge: judge === null ? null : (judge - 1) / 9,
  };
  const value = terms.loss + terms.benchmark + (terms.judge ?? 0);
  return { ok: true, fitness: { rule: 'asi-arch', value, effects: effectsOf(input) }, terms };
};

/**
 * Gain over the reference for every metric that both have, with intervals; metrics of which nothing honest can be said are left
 * out.
 */
export const effectsOf = (input: FitnessInput): Effect[] =>
  [...new Set(input.candidate.map((row) => row.metric))].toSorted().flatMap((metric) => {
    const seeds = seedsOf(input);
    const effect = pairedEffect({
      metric,
      candidate: valuesOf(input.candidate, { metric, seeds }),
      reference: valuesOf(input.reference, { metric, seeds }),
      noise: input.noise.find((floor) => floor.metric === metric) ?? null,
    });
    return effect === null ? [] : [effect];
  });

const seedsOf = ({ seeds, reference }: FitnessInput): readonly number[] =>
  seeds ?? [...new Set(reference.map((row) => row.seed))];

interface RowQuery {
  readonly metric: Metric;
  readonly seeds: readonly number[];
}

/** Rows of one metric and these seeds, by seed. */
const valuesOf = (rows: readonly ScoreRow[], { metric, seeds }: RowQuery): SeedValues =>
  new Map(rows.filter((row) => row.metric === metric && seeds.includes(row.seed)).map((row) => [row.seed, row.value]));

interface MetricScores {
  readonly candidate: SeedValues;
  readonly reference: SeedValues;
}

/** Both sides' scores on every seed that counts, or which one is missing or not finite. */
const metricScores = (input: FitnessInput, metric: Metric): ({ readonly ok: true } & MetricScores) | Failure => {
  const seeds = seedsOf(input);
  if (seeds.length === 0) return { ok: false, reason: 'the reference has no scores' };
  for (const side of ['candidate', 'reference'] as const) {
    const values = valuesOf(input[side], { metric, seeds });
    for (const seed of seeds) {
      const value = values.get(seed);
      if (value === undefined) return { ok: false, reason: `the ${side} has no ${metric} score on seed ${seed}` };
      if (!Number.isFinite(value))
        return {
          ok: false,
          reason: `the ${side} has the ${metric} score ${value} on seed ${seed}, which is not a finite number`,
        };
    }
  }
  return {
    ok: true,
    candidate: valuesOf(input.candidate, { metric, seeds }),
    reference: valuesOf(input.reference, { metric, seeds }),
  };
};

/**
 * Change of the mean in windows, a window being a tenth of the reference. At a reference of 0 any change is a whole window,
 * which is the limit for ever smaller references.
 */
const relativeChange = ({ candidate, reference }: MetricScores): number => {
  const from = mean([...reference.values()]);
  const change = mean([...candidate.values()]) - from;
  return change === 0 ? 0 : change / (0.1 * Math.abs(from));
};

const windowed = (share: number): number => 1 / (1 + Math.exp(-6 * Math.max(-1, Math.min(1, share))));
