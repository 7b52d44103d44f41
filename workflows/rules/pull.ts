import type { Trial } from '../contracts/trial.ts';
import { median } from './statistics.ts';

/**
 * Beyond this the mixers learn at a rate of their own. At `quick` the nine baselines and 23 of 24 honest programs have at most 1.5 times the pull
 * of the median baseline, one that starts at zero behind a large core 3.3; SSD with its weights stored at a fourth to a sixteenth of their size 5.8,
 * and with idle weights beside them 6.8.
 */
export const pullLimit = 2.5;

/** What the trainer measured while it learnt bytes; of records of older versions `pullOfOne` is not known. */
export interface Pull {
  readonly pull: number | null;
  readonly pullOfOne: number | null;
}

/**
 * A program's pull over that of the median baseline, of all its numbers together and of one of them, and of these the smaller: a large mixer
 * has a large sum, and one with a few strong numbers a large one, without any rate of its own. What is not known bars nobody from the other. Null where
 * the sum of either side is not known.
 */
export const timesPull = (own: Pull, baselines: readonly Pull[]): number | null => {
  const times = (['pull', 'pullOfOne'] as const).map((measure) => {
    const known = baselines.map((one) => one[measure]).filter((value) => value !== null);
    const [value, usual] = [own[measure], known.length === 0 ? 0 : median(known)];
    return value === null || usual === 0 ? null : value / usual;
  });
  const [ofAll, ofOne] = times;
  return ofAll == null ? null : Math.min(ofAll, ofOne ?? ofAll);
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
