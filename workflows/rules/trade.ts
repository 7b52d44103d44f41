import type { Effect } from '../contracts/analysis.ts';
import { floorOf, type SeedValues, type Spread } from './spread.ts';
import { pairedEffect } from './statistics.ts';

export interface TradeInput {
  /** Recall losses on fresh seeds. */
  readonly candidate: SeedValues;
  readonly baselines: readonly { readonly name: string; readonly values: SeedValues }[];
  readonly noise: Spread | null;
}

/**
 * The baseline to which a finalist loses most in recall, where the 95 % interval lies below zero; null where it loses to none.
 * Loss and recall are two axes: a gain in one that is paid for in the other is a trade and not a plain gain. The error of this
 * warning is not shared out, since a warning too many is the cheaper mistake.
 */
export const recallLoss = ({
  candidate,
  baselines,
  noise,
}: TradeInput): { readonly against: string; readonly effect: Effect } | null => {
  return baselines
    .flatMap(({ name, values }) => {
      const effect = pairedEffect({ metric: 'recall-auc', candidate, reference: values, noise: floorOf(noise) });
      return effect !== null && effect.high < 0 ? [{ against: name, effect }] : [];
    })
    .reduce<{ readonly against: string; readonly effect: Effect } | null>(
      (most, next) => (most === null || next.effect.mean < most.effect.mean ? next : most),
      null,
    );
};

/** One sentence for the statement of a finalist that gains in bits per byte; empty where it does not trade. */
export const tradeWords = (loss: { readonly against: string; readonly effect: Effect } | null): string =>
  loss === null
    ? ''
    : ` It trades: in recall it loses ${Math.abs(loss.effect.mean).toFixed(3)} nats [${Math.abs(loss.effect.high).toFixed(3)}, ${Math.abs(loss.effect.low).toFixed(3)}] to ${loss.against}.`;
