import type { CampaignSettings } from '../contracts/settings.ts';
import { nominalErrors } from './alpha-spending.ts';

/** When the fresh seeds are looked at, and how strict each look is. Fixed before the first of them is trained. */
export interface ConfirmationDesign {
  /** Fresh seeds of each finalist at each look, rising. */
  readonly looks: readonly number[];
  /** One-sided level of each look, of one finalist. */
  readonly levels: readonly number[];
  readonly numFinalists: number;
}

/** One-sided share of campaigns without a true improvement that may say better. */
export const campaignError = 0.025;
/** More looks cost more of the error than their sooner answers save. */
const mostFurtherLooks = 3;

export type ConfirmationSettings = Pick<CampaignSettings, 'confirmSeeds' | 'confirmSeedsMax' | 'finalists'>;

/**
 * First look at `confirmSeeds`, then at most three more, evenly spaced, up to `confirmSeedsMax` (which counts as no less). The
 * campaign's error is shared among the finalists (Bonferroni) and spent over the looks (`nominalErrors`). Finalists share
 * baselines, so that their tests hang together, and Bonferroni's bound holds for that too.
 */
export const confirmationDesign = ({ confirmSeeds, confirmSeedsMax, finalists }: ConfirmationSettings): ConfirmationDesign => {
  const further = Math.max(0, confirmSeedsMax - confirmSeeds);
  const numFurther = Math.min(mostFurtherLooks, further);
  const looks = [
    confirmSeeds,
    ...Array.from({ length: numFurther }, (_, index) => confirmSeeds + Math.round(((index + 1) * further) / numFurther)),
  ];
  return { looks, levels: nominalErrors({ looks, error: campaignError / finalists }), numFinalists: finalists };
};

/** Two-sided confidence of the interval that a look shows; all looks together hold at the campaign's error. */
export const confidenceAt = (design: ConfirmationDesign, look: number): number => 1 - 2 * (design.levels[look] ?? 0);
