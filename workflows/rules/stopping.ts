import { type BudgetAmounts, spentBudget } from './budget.ts';

export interface ExplorationState {
  /** Experiments that were started and have not ended. */
  readonly inFlight: number;
  readonly maxInFlight: number;
  readonly candidatesStarted: number;
  readonly budget: BudgetAmounts;
  readonly minutesUsed: number;
  /** Settled and reserved. */
  readonly trialSecondsUsed: number;
  readonly paused: boolean;
  /** A trial was refused because no trial seconds are left. */
  readonly budgetSpent: boolean;
  /** A person asked to stop after what runs now. */
  readonly stopRequested: boolean;
  /** Best gain over the reference so far, bits per byte. */
  readonly bestGain: number | null;
  readonly targetGain: number | null;
}

/**
 * start: propose another candidate now. wait: for an experiment to end or a message. finish: propose nothing more. `reason` is
 * for a person.
 */
export interface Move {
  readonly kind: 'start' | 'wait' | 'finish';
  readonly reason: string;
}

/** What an exploring campaign does next; whichever cap is met first ends it. A pause holds everything but a request to stop. */
export const nextMove = (state: ExplorationState): Move => {
  if (state.stopRequested) return { kind: 'finish', reason: 'stopped by a person' };
  if (state.paused) return { kind: 'wait', reason: 'paused by a person' };
  const refused = state.budgetSpent
    ? `the budget of ${state.budget.trialSeconds} trial seconds leaves no room for another trial`
    : null;
  const end = targetReached(state) ?? refused ?? spentBudget({ caps: state.budget, used: usedOf(state) })?.words ?? null;
  if (end !== null) return { kind: 'finish', reason: end };
  if (state.inFlight >= state.maxInFlight) return { kind: 'wait', reason: `all ${state.maxInFlight} places are taken` };
  return { kind: 'start', reason: `a place is free for candidate ${state.candidatesStarted + 1} of ${state.budget.experiments}` };
};

const targetReached = ({ bestGain, targetGain }: ExplorationState): string | null =>
  targetGain === null || bestGain === null || bestGain < targetGain
    ? null
    : `target reached: a gain of ${bestGain.toFixed(4)} bits per byte, and ${targetGain} was asked for`;

const usedOf = (state: ExplorationState): BudgetAmounts => ({
  experiments: state.candidatesStarted,
  minutes: state.minutesUsed,
  trialSeconds: state.trialSecondsUsed,
});
