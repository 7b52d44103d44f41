import type { Archive } from '../../services/archive/archive.ts';
import type { TrainProgress, Trial } from '../../workflows/contracts/trial.ts';

/** The curve of a running trial, written to the record as it grows, so that people can watch it and a stopped run keeps it. */
export interface LiveCurve {
  readonly onProgress: (line: TrainProgress) => void;
  /** Waits for a write under way; no other follows. Gives back every point, those of earlier attempts included. */
  end(): Promise<Trial['curve']>;
}

/** `gapMs`: shortest time between two writes. */
export const createLiveCurve = (options: {
  readonly archive: Pick<Archive, 'updateTrial'>;
  readonly trial: Trial;
  readonly gapMs: number;
  readonly now: () => Date;
}): LiveCurve => {
  const { archive, trial, gapMs, now } = options;
  let curve: Trial['curve'] = trial.curve;
  let nextWriteAtMs = 0;
  let writing: Promise<unknown> = Promise.resolve();
  let isIdle = true;
  let ended = false;
  const write = (): void => {
    isIdle = false;
    nextWriteAtMs = now().getTime() + gapMs;
    // A refused write means that another worker holds the trial now; an unwritable archive shows at the end of the trial. Neither may stop a training.
    writing = archive.updateTrial(trial.id, trial.epoch, { curve }).then(
      () => {
        isIdle = true;
      },
      () => {
        isIdle = true;
      },
    );
  };
  return {
    onProgress: ({ task, step, loss, cpuSeconds }) => {
      // A resumed attempt reports again what came after its checkpoint.
      const kept = curve.filter((point) => point.task !== task || point.step < step);
      curve = [...kept, { task, step, loss, cpuSeconds }];
      if (!ended && isIdle && now().getTime() >= nextWriteAtMs) write();
    },
    end: async () => {
      ended = true;
      await writing;
      return curve;
    },
  };
};
