import { median } from './statistics.ts';

/** One finished proposal of a search operator. */
export interface OperatorOutcome {
  readonly operator: string;
  /** Gain over its parent in any one unit; null for one that was rejected or failed by its own fault. */
  readonly gain: number | null;
}

export interface CreditInput {
  readonly operators: readonly string[];
  /** Oldest first. */
  readonly outcomes: readonly OperatorOutcome[];
  /** Gain that counts as one full success; without it the middle size of all gains, so that the unit does not matter. */
  readonly fullGain?: number;
}

/** An outcome loses half of its say with each so many outcomes after it. */
const halfLife = 20;
/** Trust of a prior of no effect, in outcomes: one lucky draw does not make an operator. */
const priorOutcomes = 2;
const failureCredit = -0.5;
const maxFactor = 4;

/**
 * Factor on the chance of each operator, from measured gains; adaptive operator selection by decaying credit (Á. Fialho,
 * "Adaptive Operator Selection for Optimization", 2010). Credit is the mean of gain / fullGain cut to [-1, 1], recent outcomes
 * counting more, shrunk towards none; the factor is 4^credit. So a factor lies in [1/4, 4], is 1 without evidence, goes back to
 * 1 as evidence ages, and is never zero.
 */
export const operatorCredit = ({ operators, outcomes, fullGain }: CreditInput): ReadonlyMap<string, number> => {
  const scale = fullGain ?? typicalGain(outcomes);
  return new Map(
    operators.map((operator) => {
      let says = priorOutcomes;
      let credits = 0;
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.operator !== operator) continue;
        const say = 0.5 ** ((outcomes.length - 1 - index) / halfLife);
        says += say;
        credits += say * creditOf(outcome.gain, scale);
      }
      return [operator, maxFactor ** (credits / says)];
    }),
  );
};

const isMeasured = (gain: number | null): gain is number => gain !== null && Number.isFinite(gain);

const creditOf = (gain: number | null, scale: number): number =>
  isMeasured(gain) ? Math.max(-1, Math.min(1, gain / scale)) : failureCredit;

/** Never zero: where no gain has a size, all of them earn nothing whatever they are divided by. */
const typicalGain = (outcomes: readonly OperatorOutcome[]): number => {
  const sizes = outcomes.flatMap(({ gain }) => (isMeasured(gain) && gain !== 0 ? [Math.abs(gain)] : []));
  return sizes.length === 0 ? 1 : median(sizes);
};
