import type { Rung } from '../contracts/rung.ts';
import type { Trial } from '../contracts/trial.ts';

type Point = Pick<Trial['curve'][number], 'task' | 'step' | 'loss'>;

/** Share of the first task's steps that a training is repeated for. */
export const repeatedShare = 0.1;

/** Steps of the first task after which a repetition has seen enough. */
export const stepsToRepeat = ({ tasks }: Pick<Rung, 'tasks'>): number => Math.ceil((tasks[0]?.steps ?? 0) * repeatedShare);

/** Whether a repetition that came to this point has seen enough: a later task begins where the first has ended. */
export const isRepeatedEnough = ({ task, step }: Point, { tasks }: Pick<Rung, 'tasks'>): boolean =>
  task !== tasks[0]?.kind || step >= stepsToRepeat({ tasks });

/**
 * Where a training with the same seed on the same machine went another way, in a sentence; null where every point that both have is the same
 * number, to the last bit. A mixer that draws from torch's own generator repeats itself so, dropout included.
 */
export const firstDifference = (curve: Trial['curve'], again: readonly Point[]): string | null => {
  for (const { task, step, loss } of again) {
    const first = curve.find((point) => point.task === task && point.step === step);
    if (first === undefined)
      return `trained again from the same seed, it reported task ${task} at step ${step}, which it did not before`;
    if (first.loss !== loss)
      return `trained again from the same seed, its loss of task ${task} at step ${step} was ${loss} instead of ${first.loss}; a mixer may draw from torch's own generator alone`;
  }
  return null;
};
