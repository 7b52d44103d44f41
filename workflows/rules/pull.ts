import type { Trial } from '../contracts/trial.ts';
import { median } from './statistics.ts';

/**
 * Beyond this the mixers learn at a rate of their own. By `timesPull` the nine baselines at `quick` have at most 1.1 and 30 honest programs 1.9, the
 * most of them one that starts at zero behind a large core; SSD with its weights stored at a third of their size 2.5, at a fourth to a sixteenth 3.1,
 * with idle weights beside them 3.6, and behind a gate that a stored number opens 240 times as fast 3.9
 * (`python -m asi_kernels.bench.pulls FILE ...`).
 */
export const pullLimit = 2.2;

/** How much harder one number may pull than `pullLimit` allows to all: among honest programs it is at most 2.4 times that of the median baseline. */
const slackOfOne = 3.2;

/** What the trainer measured while it learnt bytes; of records of older versions `pullOfOne` is not known. */
export interface Pull {
  readonly pull: number | null;
  readonly pullOfOne: number | null;
}

/**
 * A program's pull over that of the median baseline, of all its numbers together and of one of them, and of these the smaller: a large mixer
 * has a large sum, and one with a few strong numbers a large one, without any rate of its own. Few numbers that pull much harder than those of any
 * baseline can have a rate of their own and shut the others' gradients in, so that they count by themselves past `slackOfOne`. What is not known
 * bars nobody from the other. Null where the sum of either side is not known.
 */
export const timesPull = (own: Pull, baselines: readonly Pull[]): number | null => {
  const times = (['pull', 'pullOfOne'] as const).map((measure) => {
    const known = baselines.map((one) => one[measure]).filter((value) => value !== null);
    const [value, usual] = [own[measure], known.length === 0 ? 0 : median(known)];
    return value === null || usual === 0 ? null : value / usual;
  });
  const [ofAll, ofOne] = times;
  if (ofAll == null) return null;
  return ofOne == null ? ofAll : Math.max(Math.min(ofAll, ofOne), ofOne / slackOfOne);
};

/**
 * Why a gain of these trials may be one of the learning rate: Adam moves every number about as far, so that numbers with larger gradients carry
 * the loss further a step. Null where it may not, or where nothing is known. Does not cover a design whose numbers should move faster for a good
 * reason: it is measured all the same, and called better by nobody here.
 */
export const pullDoubt = (trials: readonly Pick<Trial, 'purpose' | 'usage'>[]): string | null => {
  // By either kind of seed: a program can know which it is trained on.
  const times = Math.max(...(['explore', 'confirm'] as const).map((purpose) => middleOf(trials, purpose)));
  return times <= pullLimit
    ? null
    : `the gradients of its mixers, or of a few numbers in them, which count for a third, are against those of the rest of the model ${times.toFixed(1)} times those of the baselines (limit ${pullLimit}), so that it learns at a higher rate than they do: use weights as they are stored, not times a constant`;
};

const middleOf = (trials: readonly Pick<Trial, 'purpose' | 'usage'>[], purpose: Trial['purpose']): number => {
  const known = trials.flatMap((trial) =>
    trial.purpose === purpose && trial.usage?.timesPull != null ? [trial.usage.timesPull] : [],
  );
  return known.length === 0 ? 0 : median(known);
};
