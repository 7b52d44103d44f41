import type { Trial } from '../contracts/trial.ts';

type Curve = readonly Pick<Trial['curve'][number], 'task' | 'step' | 'loss'>[];

/**
 * Relative to a loss. Rounding alone moves the first report of a training by at most a tenth of `first`, and what follows by some per cent in
 * the end; outputs larger by a ten-thousandth move the first report by three times as much (`quick`, deltanet and gla).
 */
const within = { first: 1e-7, later: 0.1 } as const;
/** One number may agree by chance. */
const leastPoints = 2;

/**
 * Whether two trainings with the same seed on the same rung are those of one function: the first report of each task differs by no more than
 * rounding, and so, what rounding grows to, do the others. A changed copy of a program shows so whatever its text is.
 */
export const areSameTraining = (one: Curve, other: Curve): boolean => {
  if (one.length < leastPoints || one.length !== other.length) return false;
  return one.every((point, index) => {
    const twin = other[index];
    if (twin === undefined || twin.task !== point.task || twin.step !== point.step) return false;
    if (twin.loss === null || point.loss === null) return false;
    const isFirst = one[index - 1]?.task !== point.task;
    return Math.abs(point.loss - twin.loss) <= (isFirst ? within.first : within.later) * Math.abs(twin.loss);
  });
};
