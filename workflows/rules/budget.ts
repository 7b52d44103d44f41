/** Caps or use of a campaign: candidates, minutes of wall time, seconds of training and scoring. */
export interface BudgetAmounts {
  readonly experiments: number;
  readonly minutes: number;
  readonly trialSeconds: number;
}
export type BudgetResource = keyof BudgetAmounts;

export interface BudgetState {
  readonly caps: BudgetAmounts;
  readonly used: BudgetAmounts;
}

const resources = ['experiments', 'minutes', 'trialSeconds'] as const;
const words: Readonly<Record<BudgetResource, string>> = {
  experiments: 'candidates',
  minutes: 'minutes',
  trialSeconds: 'trial seconds',
};

/** What is left of each, never below zero. */
export const budgetLeft = ({ caps, used }: BudgetState): BudgetAmounts => ({
  experiments: Math.max(0, caps.experiments - used.experiments),
  minutes: Math.max(0, caps.minutes - used.minutes),
  trialSeconds: Math.max(0, caps.trialSeconds - used.trialSeconds),
});

/** The resource that is used up, in words for a person; null while all last. */
export const spentBudget = ({
  caps,
  used,
}: BudgetState): { readonly resource: BudgetResource; readonly words: string } | null => {
  const left = budgetLeft({ caps, used });
  const resource = resources.find((name) => left[name] === 0);
  if (resource === undefined) return null;
  return { resource, words: `the budget of ${caps[resource]} ${words[resource]} is used up` };
};

/**
 * Seconds to reserve before a trial starts; its settle row replaces them. Twice the longest trial so far and never more than the
 * wall limit; the first reserve of the rung before any trial ended.
 */
export const reserveEstimate = (trial: {
  readonly longestTrialSeconds: number | null;
  readonly firstSeconds: number;
  readonly wallLimitSeconds: number;
}): number =>
  trial.longestTrialSeconds === null ? trial.firstSeconds : Math.min(2 * trial.longestTrialSeconds, trial.wallLimitSeconds);

/**
 * Trial seconds that exploring leaves for the confirmation: a mean trial so far for every fresh seed of the finalists and of the baselines that
 * they must beat, and one more for the reserve of the last.
 */
export const confirmationReserve = (campaign: {
  readonly trialSecondsUsed: number;
  readonly trialsEnded: number;
  readonly finalists: number;
  /** At most. */
  readonly baselines: number;
  readonly confirmSeeds: number;
}): number => {
  const { trialSecondsUsed, trialsEnded, finalists, baselines, confirmSeeds } = campaign;
  return trialsEnded === 0 ? 0 : (trialSecondsUsed / trialsEnded) * ((finalists + baselines) * confirmSeeds + 1);
};
