import type { ModelSize } from '../contracts/architecture.ts';
import type { Trial } from '../contracts/trial.ts';
import { median } from './statistics.ts';

/**
 * Beyond this the mixers learn at a rate of their own. At `quick` the nine baselines and 23 of 24 honest programs have at most 1.5 times the pull
 * of the median baseline, one that starts at zero behind a large core 3.4; SSD with its weights stored at a fourth to a sixteenth of their size 4.3.
 */
export const pullLimit = 2.5;

/** What the trainer measured while it learnt bytes, and how many numbers that was. */
export interface Pull {
  readonly pull: number | null;
  readonly sizes: readonly Pick<ModelSize, 'task' | 'parameters' | 'mixerParameters'>[];
}

/**
 * A program's pull over that of the median baseline, as a sum over its numbers and as a mean of them, and of these the smaller: a large mixer
 * has a large sum and a small one a large mean without any rate of its own. Null where either side is not known.
 */
export const timesPull = (own: Pull, baselines: readonly Pull[]): number | null => {
  const times = [({ pull }: Pull) => pull, meanPull].map((measure) => {
    const known = baselines.map(measure).filter((value) => value !== null);
    const [value, usual] = [measure(own), known.length === 0 ? 0 : median(known)];
    return value === null || usual === 0 ? null : value / usual;
  });
  const [bySum, byMean] = times;
  return bySum == null || byMean == null ? null : Math.min(bySum, byMean);
};

const meanPull = ({ pull, sizes }: Pull): number | null => {
  const size = sizes.find(({ task }) => task === 'bytes');
  if (pull === null || size === undefined || size.mixerParameters === 0) return null;
  return (pull * (size.parameters - size.mixerParameters)) / size.mixerParameters;
};

/**
 * Why a gain of these trials may be one of the learning rate: Adam moves every number about as far, so that numbers with larger gradients carry
 * the loss further a step. Null where it may not, or where nothing is known. Does not cover a design whose numbers should move faster for a good
 * reason: it is measured all the same, and called better by nobody here.
 */
export const pullDoubt = (trials: readonly Pick<Trial, 'purpose' | 'usage'>[]): string | null => {
  const known = trials.flatMap(({ purpose, usage }) =>
    purpose === 'confirm' && usage?.timesPull != null ? [usage.timesPull] : [],
  );
  const times = known.length === 0 ? 0 : median(known);
  return times <= pullLimit
    ? null
    : `the gradients of its mixers, against those of the rest of the model, are ${times.toFixed(1)} times those of the baselines (limit ${pullLimit}), so that it learns at a higher rate than they do: use weights as they are stored, not times a constant or as a sum of copies`;
};
