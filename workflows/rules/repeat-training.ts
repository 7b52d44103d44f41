import type { Rung } from '../contracts/rung.ts';
import type { Trial } from '../contracts/trial.ts';

type Point = Pick<Trial['curve'][number], 'task' | 'step' | 'loss'>;

/** Share of the first task's steps that each part of a repetition has. */
export const repeatedShare = 0.1;

/** Steps that each part of a repetition has. */
export const stepsToRepeat = ({ tasks }: Pick<Rung, 'tasks'>): number => Math.ceil((tasks[0]?.steps ?? 0) * repeatedShare);

/** A step of a task. */
export interface Place {
  readonly task: Point['task'];
  readonly step: number;
}

/** Places of a task that a training has a checkpoint no further before than `every` steps: where, its trainer draws. */
export const checkpointsOf = ({ tasks }: Pick<Rung, 'tasks'>, every: number): readonly Place[] =>
  tasks.flatMap(({ kind, steps }) =>
    Array.from({ length: Math.ceil(steps / every) - 1 }, (_, index) => ({ task: kind, step: (index + 1) * every })),
  );

/** Whether a training that reports this point has kept a checkpoint at `place` or before it: a report comes before what its step keeps. */
export const isPast = ({ task, step }: Pick<Point, 'task' | 'step'>, place: Place, { tasks }: Pick<Rung, 'tasks'>): boolean => {
  const indexOf = (kind: Point['task']): number => tasks.findIndex((one) => one.kind === kind);
  return task === place.task ? step > place.step : indexOf(task) > indexOf(place.task);
};

/** Whether a repetition that began at `from` has seen enough: its part is over, or its task is. */
export const isRepeatedEnough = ({ task, step }: Pick<Point, 'task' | 'step'>, from: Place, rung: Pick<Rung, 'tasks'>): boolean =>
  task !== from.task || step - from.step >= stepsToRepeat(rung);

/**
 * Where a training with the same seed on the same machine went another way, in a sentence; null where every point that both have is the same
 * number, to the last bit. `how`: what was done again. A mixer that draws from torch's own generator repeats itself so, dropout included.
 */
export const firstDifference = (curve: Trial['curve'], again: readonly Point[], how: string): string | null => {
  for (const { task, step, loss } of again) {
    const first = curve.find((point) => point.task === task && point.step === step);
    if (first === undefined) return `${how}, it reported task ${task} at step ${step}, which it did not before`;
    if (first.loss !== loss)
      return `${how}, its loss of task ${task} at step ${step} was ${loss} instead of ${first.loss}; a mixer may draw from torch's own generator alone and keep what it goes on from in its buffers`;
  }
  return null;
};
