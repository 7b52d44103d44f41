import type { Comparison, Effect } from '../../workflows/contracts/analysis.ts';
import type { NoiseFloor } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { metrics, type Score } from '../../workflows/contracts/score.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { median, pairedEffect, type SeedValues } from '../../workflows/rules/statistics.ts';

export type MeasuredTrial = Pick<Trial, 'experimentId' | 'tokensPerSecond'>;

export interface Measurements {
  /** Rows of the experiment and of everything it is compared with. */
  readonly scores: readonly Score[];
  /** Trials of the same; their speed is a side effect worth telling. */
  readonly trials: readonly MeasuredTrial[];
  readonly noise: readonly NoiseFloor[];
}

/** One relative in one role, from measured rows on common seeds; effects are positive where the experiment is better. */
export const compareWith = (
  experiment: Experiment,
  other: { readonly against: Comparison['against']; readonly experiment: Experiment },
  measured: Measurements,
): Comparison => ({
  against: other.against,
  experimentId: other.experiment.id,
  name: nameOf(other.experiment),
  effects: effectsOver(experiment.id, other.experiment.id, measured),
  timeRatio: ratio(secondsPerToken(experiment.id, measured), secondsPerToken(other.experiment.id, measured)),
  parameterRatio: ratio(parametersOf(experiment), parametersOf(other.experiment)),
});

export const nameOf = (experiment: Experiment): string => experiment.proposal?.name ?? experiment.id;

const effectsOver = (id: string, otherId: string, { scores, noise }: Measurements): Effect[] =>
  metrics.flatMap((metric) => {
    const valuesOf = (experimentId: string): SeedValues =>
      new Map(
        scores
          .filter((row) => row.metric === metric && row.trialId.startsWith(`${experimentId}/`))
          .map((row) => [row.seed, row.value]),
      );
    const effect = pairedEffect({
      metric,
      candidate: valuesOf(id),
      reference: valuesOf(otherId),
      noise: noise.find((floor) => floor.metric === metric) ?? null,
    });
    return effect === null ? [] : [effect];
  });

const ratio = (own: number | null, other: number | null): number | null => (own === null || other === null ? null : own / other);

/** Median over trials: one trial that shared its core with something else does not decide. */
const secondsPerToken = (experimentId: string, { trials }: Measurements): number | null => {
  const seconds = trials.flatMap((trial) =>
    trial.experimentId === experimentId && trial.tokensPerSecond !== null && trial.tokensPerSecond > 0
      ? [1 / trial.tokensPerSecond]
      : [],
  );
  return seconds.length === 0 ? null : median(seconds);
};

/** Of the byte model, or of the first task where a rung has none. */
export const sizeOf = (experiment: Experiment) => {
  const sizes = experiment.architecture?.sizes ?? null;
  return sizes?.find((size) => size.task === 'bytes') ?? sizes?.[0] ?? null;
};
const parametersOf = (experiment: Experiment): number | null => sizeOf(experiment)?.parameters ?? null;
