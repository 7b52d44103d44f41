import type { BudgetChange } from '../contracts/messages.ts';

export interface ExplorationState {
  readonly inFlight: number;
  readonly maxInFlight: number;
  readonly candidatesStarted: number;
  readonly budget: Required<BudgetChange>;
  readonly minutesUsed: number;
  /** Settled and reserved. */
  readonly trialSecondsUsed: number;
  readonly paused: boolean;
  readonly stopRequested: boolean;
  /** Best gain over the reference so far, bits per byte. */
  readonly bestGain: number | null;
  readonly targetGain: number | null;
}

/** start: propose another candidate now. wait: for an experiment to end or a message. finish: propose nothing more. */
export type Move = { readonly kind: 'start' | 'wait' | 'finish'; readonly reason: string };

/** What an exploring campaign does next; whichever cap is met first ends it. */
export const nextMove = (state: ExplorationState): Move => {
  const end = endReason(state);
  if (end !== null) return { kind: 'finish', reason: end };
  if (state.paused) return { kind: 'wait', reason: 'paused' };
  if (state.inFlight >= state.maxInFlight) return { kind: 'wait', reason: 'every place is taken' };
  return { kind: 'start', reason: 'a place is free' };
};

const endReason = ({ budget, ...state }: ExplorationState): string | null => {
  if (state.stopRequested) return 'stopped by a person';
  if (state.targetGain !== null && state.bestGain !== null && state.bestGain >= state.targetGain) {
    return `target reached: a gain of ${state.bestGain.toFixed(4)} bits per byte`;
  }
  if (state.candidatesStarted >= budget.experiments) return `budget of ${budget.experiments} candidates used`;
  if (state.minutesUsed >= budget.minutes) return `budget of ${budget.minutes} minutes used`;
  if (state.trialSecondsUsed >= budget.trialSeconds) return `budget of ${budget.trialSeconds} trial seconds used`;
  return null;
};
