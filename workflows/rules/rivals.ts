import type { Metric } from '../contracts/score.ts';
import { floorOf, type SeedValues, type Spread, withoutPair } from './spread.ts';
import { pairedComparison, pairedDifferences } from './statistics.ts';

export interface RivalInput {
  readonly metric: Metric;
  /** Scores of the baselines on the exploring seeds. */
  readonly baselines: readonly { readonly id: string; readonly values: SeedValues }[];
  /** Residuals of a table on these seeds that holds every one of them; null where it was not measured. */
  readonly noise: Spread | null;
}

/** Chance that the truly strongest baseline is not among those that `mayBeStrongest` names. */
export const missedError = 0.05;

/**
 * Baselines that exploring does not exclude from being the strongest, the strongest by measurement first: subset selection (S. Gupta,
 * Technometrics 7, 1965). One is left out where the leader beats it at level `missedError` over the number of the others, which is
 * Bonferroni's bound for Gupta's constant: the strongest is lost only if some other one beats it by luck. All of them are of the table that
 * the noise was measured on, so that it tells of both sides. One that cannot be compared stays.
 */
export const mayBeStrongest = ({ metric, baselines, noise }: RivalInput): readonly string[] => {
  const [leader] = baselines;
  if (leader === undefined) return [];
  const gainOf = ({ values }: RivalInput['baselines'][number]): number =>
    meanOf(pairedDifferences({ metric, candidate: values, reference: leader.values }));
  const ranked = baselines.map((one) => ({ ...one, gain: gainOf(one) })).toSorted((a, b) => b.gain - a.gain);
  const [best, ...others] = ranked;
  if (best === undefined) return [];
  const confidence = 1 - (2 * missedError) / Math.max(1, others.length);
  const kept = others.filter(({ values }) => {
    const pair = { metric, candidate: best.values, reference: values };
    const beside = floorOf(withoutPair(noise, pairedDifferences(pair)));
    const lead = pairedComparison({ ...pair, noise: beside, areBothKnown: true, confidence })?.effect ?? null;
    return lead === null || lead.low <= 0;
  });
  return [best, ...kept].map(({ id }) => id);
};

/** One that shares no seed with the first has nothing that could place it, and goes last. */
const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? Number.NEGATIVE_INFINITY : values.reduce((sum, value) => sum + value, 0) / values.length;

/** What a "better" says of baselines that may be the strongest too and that the limit of the campaign left out; empty without any. */
export const leftOutWords = (names: readonly string[]): string =>
  names.length === 0
    ? ''
    : ` ${names.join(', ')} may be the strongest too, as far as exploring told, and ${names.length === 1 ? 'was' : 'were'} not trained on fresh seeds (setting confirmBaselines).`;
