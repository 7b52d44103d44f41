import type { Metric } from '../contracts/score.ts';
import type { RungCorrelation } from './rung-correlations.ts';

const axes: Readonly<Partial<Record<Metric, string>>> = { 'bits-per-byte': 'bits per byte', 'recall-auc': 'recall loss' };

/** `tiny and quick, bits per byte`. */
export const rungPairWords = ({ rungs: [small, large], metric }: RungCorrelation): string =>
  `${small} and ${large}, ${axes[metric] ?? metric}`;

/** The correlation with its interval, or what is missing for them. */
export const rungCorrelationWords = ({ correlation, programs }: RungCorrelation): string => {
  const known = `${programs} ${programs === 1 ? 'program' : 'programs'} on both`;
  if (correlation === null)
    return programs < 3
      ? `${known}: too few to rank, three are needed`
      : `${known}: all equal on one of the rungs, so that they have no rank`;
  const { rho, low, high, chance } = correlation;
  const shown = `${known}: rank correlation ${signed(rho)}`;
  const odds = `chance of one as large among random orders ${chance < 0.001 ? 'below 0.001' : chance.toFixed(3)}`;
  return low === null || high === null
    ? `${shown}, too few for an interval; ${odds}`
    : `${shown}, 95 % interval [${signed(low)}, ${signed(high)}]; ${odds}`;
};

/** What is said where no program was measured twice. */
export const noRungMet =
  'No program was measured on two rungs of these data in any campaign of this machine, so that nothing is known of whether they rank alike.';

const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(2)}`;
