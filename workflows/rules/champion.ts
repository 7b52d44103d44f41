import type { Verdict } from '../contracts/experiment.ts';
import type { Metric } from '../contracts/score.ts';
import { floorOf, type SeedValues, type Spread } from './spread.ts';
import { pairedEffect } from './statistics.ts';
import { signed } from './verdict.ts';

export interface ChampionInput {
  readonly metric: Metric;
  /** The finalist's verdict on the promotion set. */
  readonly verdict: Verdict;
  /** Scores on the champion set, of the same trials. */
  readonly candidate: SeedValues;
  readonly baselines: readonly { readonly name: string; readonly values: SeedValues }[];
  /** What seeds alone did while exploring; null where that was not measured. */
  readonly noise: Spread | null;
}

/** Two-sided; the verdict before it bears the campaign's error, so that this one need share it with nobody. */
const confidence = 0.95;

/**
 * Whether a "better" holds again on text that was looked at once, by this question alone: gain above zero, interval and all,
 * against every compared baseline. A "better" that does not hold falls back to not distinguishable, with the reason; any other
 * verdict stays as it is. It can only take a "better" away, so that the campaign's error does not grow.
 */
export const confirmOnChampion = ({ metric, verdict, candidate, baselines, noise }: ChampionInput): Verdict => {
  if (verdict.verdict !== 'better') return verdict;
  const compared = baselines.map(({ name, values }) => ({
    name,
    effect: pairedEffect({ metric, candidate, reference: values, noise: floorOf(noise), confidence }),
  }));
  const unscored = compared.find(({ effect }) => effect === null);
  if (unscored !== undefined) return fallBack(verdict, `it could not be compared with ${unscored.name} on the champion set`);
  const lost = compared.find(({ effect }) => effect !== null && effect.low <= 0);
  if (lost?.effect != null) {
    const { mean, low, high } = lost.effect;
    return {
      ...fallBack(verdict, `against ${lost.name} the champion set gives ${signed(mean)} [${signed(low)}, ${signed(high)}]`),
      against: lost.name,
      effect: lost.effect,
    };
  }
  const least = compared.reduce((low, { effect }) => Math.min(low, effect?.mean ?? low), Number.POSITIVE_INFINITY);
  if (!Number.isFinite(least)) return fallBack(verdict, 'nothing was scored on the champion set');
  return { ...verdict, statement: `${verdict.statement} It held on the champion set: ${signed(least)} at least.` };
};

const fallBack = (verdict: Verdict, why: string): Verdict => ({
  ...verdict,
  verdict: 'not-distinguishable',
  statement: `Not distinguishable after the champion set: ${why}. On the promotion set it was ${verdict.statement.charAt(0).toLowerCase()}${verdict.statement.slice(1)}`,
});
