import type { Spent, Trial } from '../contracts/trial.ts';

/** What is known of a trial's runs. Records of older versions hold sums alone, which then stand for one run. */
export const spentSoFar = ({ spent, usage, cpuSeconds }: Pick<Trial, 'spent' | 'usage' | 'cpuSeconds'>): readonly Spent[] => {
  if (spent !== undefined) return spent;
  const trained = usage?.trainSeconds ?? 0;
  const older: readonly Spent[] = [
    { runId: 'earlier', work: 'train', seconds: trained },
    { runId: 'earlier, beside it', work: 'repeat', seconds: Math.max(0, cpuSeconds - trained) },
  ];
  return older.filter(({ seconds }) => seconds > 0);
};

/** With what one run has used by now. A run only ever uses more: a late word of less changes nothing. */
export const withRun = (spent: readonly Spent[], run: Spent): readonly Spent[] => {
  const known = spent.find(({ runId }) => runId === run.runId);
  if (known === undefined) return [...spent, run];
  return known.seconds >= run.seconds ? spent : spent.map((one) => (one === known ? run : one));
};

/** Of every run. */
export const secondsSpent = (spent: readonly Spent[]): number => spent.reduce((sum, { seconds }) => sum + seconds, 0);
