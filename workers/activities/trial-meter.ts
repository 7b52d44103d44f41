import type { Archive } from '../../services/archive/archive.ts';
import type { JobUse } from '../../services/dispatch/dispatcher.ts';
import type { Spent, Trial } from '../../workflows/contracts/trial.ts';
import { secondsSpent, spentSoFar, withRun } from '../../workflows/rules/spent.ts';

/** Of one run, so far or in all. */
export type RunUse = Pick<JobUse, 'runId' | 'cpuSeconds'>;

/** What a trial's runs have used, written to the record while they run, so that a worker or host that dies takes no second along. */
export interface TrialMeter {
  count(work: Spent['work'], used: RunUse): void;
  /** Waits for a write under way. */
  sums(): Promise<{ readonly spent: Spent[]; readonly cpuSeconds: number }>;
}

/** Shortest time between two writes. */
const gapMs = 1000;

/** `trial` as its holder claimed it: only that epoch is written to. */
export const createMeter = (options: {
  readonly archive: Pick<Archive, 'updateTrial'>;
  readonly trial: Trial;
  readonly now: () => Date;
}): TrialMeter => {
  const { archive, trial, now } = options;
  let spent = spentSoFar(trial);
  let nextWriteAtMs = now().getTime() + gapMs;
  let writing: Promise<unknown> | null = null;
  const write = (): void => {
    nextWriteAtMs = now().getTime() + gapMs;
    const done = (): void => {
      writing = null;
    };
    // A refused write means that another worker holds the trial now; an unwritable archive shows when the run ends. Neither may stop it.
    writing = archive.updateTrial(trial.id, trial.epoch, { spent: [...spent], cpuSeconds: secondsSpent(spent) }).then(done, done);
  };
  return {
    count(work, { runId, cpuSeconds }) {
      spent = withRun(spent, { runId, work, seconds: cpuSeconds });
      if (writing === null && now().getTime() >= nextWriteAtMs) write();
    },
    async sums() {
      await writing;
      return { spent: [...spent], cpuSeconds: secondsSpent(spent) };
    },
  };
};
