import type { Trial } from '../contracts/trial.ts';
import { median } from './statistics.ts';

/**
 * Beyond this the mixers learn at a rate of their own. At `quick` the nine baselines and 23 of 24 honest programs have 0.6 to 1.6 times the pull of
 * the median baseline, one that starts at zero behind a large core 3.4; SSD with its weights stored at a fourth to a sixteenth of their size 4.6.
 */
export const pullLimit = 2.5;

/** A program's pull over that of the baselines; null where either is not known. */
export const timesPull = (own: number | null | undefined, baselines: readonly (number | null | undefined)[]): number | null => {
  const known = baselines.filter((pull) => pull != null);
  const usual = known.length === 0 ? 0 : median(known);
  return own == null || usual === 0 ? null : own / usual;
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
