import type { Verdict } from '../contracts/experiment.ts';
import type { BaselineName } from '../contracts/genome.ts';

/**
 * The verdict of what is a known baseline. It is no discovery whatever it scores, and a comparison with itself under other initial values
 * would call it better now and then; what was measured stays in the effect.
 */
export const asKnownBaseline = (verdict: Verdict, baseline: BaselineName): Verdict => ({
  ...verdict,
  verdict: 'known-baseline',
  against: baseline,
  statement: `The baseline ${baseline}, by its genome, by its program up to comments, layout and names, or by its training, and so no discovery. As measured: ${verdict.statement}`,
});
