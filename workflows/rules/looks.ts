import type { RungName } from '../contracts/rung.ts';
import type { ScoreSet } from '../contracts/score.ts';

/**
 * Campaigns that may ask a held-out set of one text; null: no limit, since the search promises nothing. Each campaign errs with chance 0.025
 * (`campaignError`), and by Boole's inequality ten of them with 0.25 at most, four with 0.1: what a reader of all their verdicts should still
 * be able to bear, and stricter for the set that has the last word. More campaigns of one person on one text are more draws of one lottery,
 * and what the earlier ones taught makes it worse (C. Dwork et al., Science 349, 2015: a holdout that is used adaptively stops being one).
 */
export const lookBudget: Readonly<Record<ScoreSet, number | null>> = { search: null, promotion: 10, champion: 4 };

/**
 * Rungs whose trials wear nothing out: of a score that ranks nothing nobody reads a verdict, so that none can be wrong. A campaign counts from the
 * first trial of another rung that asks the set, whether its verdict comes or not, since a person may stop it for what it shows.
 */
export const uncountedRungs: readonly RungName[] = ['tiny'];

/** Campaigns that asked each set of these data, this one among them. */
export type CampaignLooks = Readonly<Record<ScoreSet, number>>;

/** Sets whose budget is overdrawn. */
export const overdrawnSets = (looks: CampaignLooks): readonly ScoreSet[] =>
  (['search', 'promotion', 'champion'] as const).filter((set) => looks[set] > (lookBudget[set] ?? Number.POSITIVE_INFINITY));

/** What a conclusion and a report say when a budget is overdrawn; empty while all last. */
export const looksWarning = (looks: CampaignLooks): string => {
  const overdrawn = overdrawnSets(looks);
  if (overdrawn.length === 0) return '';
  const asked = overdrawn.map((set) => `the ${set} set by ${looks[set]} campaigns of ${lookBudget[set]} that it bears`);
  return `Warning: the held-out text is worn. It was asked, ${asked.join(' and ')}: over all of them the chance of a wrong "better" is no longer controlled. Take other text (setting data).`;
};
