import type { NoiseFloor } from '../contracts/campaign.ts';
import type { Rung } from '../contracts/rung.ts';
import type { Metric } from '../contracts/score.ts';
import { mean } from './mean.ts';
import type { SeedValues } from './spread.ts';
import { pairedDifferences } from './statistics.ts';

/** Scores by metric and seed of one architecture. */
export type ScoresByMetric = (metric: Metric) => SeedValues;

export interface PlausibilityInput {
  readonly rung: Rung;
  readonly candidate: ScoresByMetric;
  readonly baselines: readonly { readonly name: string; readonly scores: ScoresByMetric }[];
  readonly noise: readonly NoiseFloor[];
}

export interface Implausible {
  readonly metric: Metric;
  /** One sentence with the value seen and the limit. */
  readonly reason: string;
}

/**
 * What makes a result too good to be taken at its word. None of it refuses anything: the audit that follows does or does not.
 * `floorBits`: the best compressors of source text, with models thousands of times larger, come near 1 bit a byte. `noiseFloors`: better than
 * every baseline by so many deviations of a paired difference, and by no less than `leastGain`, which no pair of known mixers here reaches.
 */
export const plausibilityLimits = {
  floorBits: 1,
  noiseFloors: 8,
  leastGain: { 'bits-per-byte': 0.2, 'recall-auc': 0.5, 'recall-accuracy': 0.5, 'copy-loss': 0.5 },
  /** Before the largest number of pairs is trained on, a held-out loss below this share of the untrained one has no source. */
  earlyRecallShare: 0.5,
  /** Share of the run before the largest number of pairs comes in (kernels/asi_kernels/data/recall.py). */
  easyShare: 0.3,
} as const satisfies { readonly leastGain: Readonly<Record<Metric, number>>; readonly [name: string]: unknown };

/** Which way each metric gets better. */
const words = {
  'bits-per-byte': 'lower',
  'recall-auc': 'lower',
  'recall-accuracy': 'higher',
  'copy-loss': 'lower',
} as const satisfies Record<Metric, 'lower' | 'higher'>;
const metrics = ['bits-per-byte', 'recall-auc', 'recall-accuracy', 'copy-loss'] as const satisfies readonly Metric[];

/** Everything that is too good about an exploring result; empty for nearly all. */
export const implausible = (input: PlausibilityInput): readonly Implausible[] => [
  ...belowFloor('bits-per-byte', plausibilityLimits.floorBits, input),
  ...belowFloor('recall-auc', recallFloor(input.rung), input),
  ...metrics.flatMap((metric) => tooGood(metric, input)),
];

/** A floor that a baseline of ours passes too is none for these data. */
const belowFloor = (metric: Metric, floor: number, { candidate, baselines }: PlausibilityInput): readonly Implausible[] => {
  const least = Math.min(...candidate(metric).values());
  const known = Math.min(...baselines.flatMap(({ scores }) => [...scores(metric).values()]));
  if (!(least < floor) || known < floor) return [];
  return [
    { metric, reason: `${metric} of ${least.toFixed(4)} lies below ${floor.toFixed(4)}, which nothing of this size reaches` },
  ];
};

/**
 * Mean loss over the snapshots that not even a perfect learner goes below. Until `easyShare` of the steps only fewer pairs are trained on than
 * are asked for, so that the snapshots before keep a share of the loss of a guess, ln of the number of values (half of the vocabulary).
 */
const recallFloor = ({ tasks }: Rung): number => {
  const recall = tasks.find((task) => task.kind === 'recall');
  if (recall === undefined || recall.pairs.length < 2) return 0;
  const { snapshots, steps, vocabulary } = recall;
  const early = Array.from({ length: snapshots }, (_, index) =>
    Math.max(1, Math.round((steps * (index + 1)) / snapshots)),
  ).filter((step) => step <= Math.ceil(plausibilityLimits.easyShare * steps));
  return (early.length / snapshots) * plausibilityLimits.earlyRecallShare * Math.log(vocabulary / 2);
};

const tooGood = (metric: Metric, { candidate, baselines, noise }: PlausibilityInput): readonly Implausible[] => {
  const gains = baselines.flatMap(({ name, scores }) => {
    const differences = pairedDifferences({ metric, candidate: candidate(metric), reference: scores(metric) });
    return differences.length === 0 ? [] : [{ name, gain: mean(differences) }];
  });
  const closest = gains.reduce<(typeof gains)[number] | null>(
    (least, one) => (least === null || one.gain < least.gain ? one : least),
    null,
  );
  const pairedSd = noise.find((floor) => floor.metric === metric)?.pairedSd ?? 0;
  const limit = Math.max(plausibilityLimits.leastGain[metric], plausibilityLimits.noiseFloors * pairedSd);
  if (closest === null || closest.gain <= limit) return [];
  return [
    {
      metric,
      reason: `${metric} is ${closest.gain.toFixed(4)} ${words[metric]} than that of the best baseline, ${closest.name}; more than ${limit.toFixed(4)} is audited first`,
    },
  ];
};

/** Of a gain over the reference on the search set so much must be there on text and seeds that the search never saw. */
const keptShare = 0.5;

export interface DeeperLook {
  readonly metric: Metric;
  readonly search: { readonly candidate: SeedValues; readonly reference: SeedValues };
  /** The same trials, asked once more on fresh text and seeds with many more prefixes. */
  readonly champion: { readonly candidate: SeedValues; readonly reference: SeedValues };
}

/** Whether a gain is there on fresh data too, with both numbers; null where one of the four is missing. */
export const holdsUp = ({ metric, search, champion }: DeeperLook): { readonly held: boolean; readonly detail: string } | null => {
  const first = pairedDifferences({ metric, ...search });
  const again = pairedDifferences({ metric, ...champion });
  if (first.length === 0 || again.length === 0) return null;
  const [before, after] = [mean(first), mean(again)];
  return {
    held: after >= keptShare * before,
    detail: `over the reference it gained ${before.toFixed(4)} in ${metric} on the search set and ${after.toFixed(4)} on data that nothing had seen`,
  };
};
