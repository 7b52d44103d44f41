import type { Score } from '../contracts/score.ts';
import type { Trial } from '../contracts/trial.ts';
import { pullDoubt } from './pull.ts';
import { median } from './statistics.ts';

/**
 * Bits per byte that a score may lie below the last loss of its own training, beyond what those of the baselines do. Honest trials at `quick` lie
 * 0.3 apart in all; a program that brought a count model of Python's library along while it answered lay 0.7 to 1.2 below.
 */
export const aheadLimit = 0.4;

/**
 * How far the judged bits per byte lie below the loss that the trainer saw last, in bits per byte; null where either is not known. No program
 * reaches the trainer's loss, and held-out text is no easier for what was learnt than the text that it was learnt from.
 */
export const aheadOfTraining = (curve: Trial['curve'], rows: readonly Pick<Score, 'metric' | 'value'>[]): number | null => {
  const last = curve.filter(({ task }) => task === 'bytes').at(-1)?.loss ?? null;
  const judged = rows.find(({ metric }) => metric === 'bits-per-byte')?.value;
  return last === null || judged === undefined ? null : last / Math.LN2 - judged;
};

/** The same over what is usual for the baselines, whose held-out text may be easier; null where one side is not known. */
export const beyondBaselines = (own: number | null, baselines: readonly (number | null | undefined)[]): number | null => {
  const known = baselines.filter((value) => value != null);
  return own === null || known.length === 0 ? null : own - median(known);
};

/** Why the scores of these trials may be of something else than what was trained. Null where they may not, or where nothing is known. */
const aheadDoubt = (trials: readonly Pick<Trial, 'purpose' | 'usage'>[]): string | null => {
  const known = trials.flatMap(({ purpose, usage }) =>
    purpose === 'explore' && usage?.aheadOfBaselines != null ? [usage.aheadOfBaselines] : [],
  );
  const ahead = known.length === 0 ? 0 : median(known);
  return ahead <= aheadLimit
    ? null
    : `its scores lie ${ahead.toFixed(2)} bits per byte further below the loss of its own training than those of the baselines (limit ${aheadLimit}), so that it knew more while it answered than it had learnt`;
};

/** What the trainings of a finalist say against calling it better; null for nothing. */
export const trainingDoubt = (trials: readonly Pick<Trial, 'purpose' | 'usage'>[]): string | null =>
  pullDoubt(trials) ?? aheadDoubt(trials);
