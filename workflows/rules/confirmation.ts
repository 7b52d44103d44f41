import type { RateTrials } from '../contracts/activities.ts';
import type { Verdict } from '../contracts/experiment.ts';
import { normalTail } from './normal.ts';
import { confidenceAt } from './sequential-design.ts';
import type { SeedValues } from './spread.ts';
import { tQuantile } from './student-t.ts';
import { comparisonWith, type FinalistInput, judgeFinalist, type Rival } from './verdict.ts';

export interface ConfirmationInput extends Omit<FinalistInput, 'look'> {
  /** Every fresh seed of the design, in order; scores on seeds of later looks are not seen by earlier ones. */
  readonly seeds: readonly number[];
  /** Fresh seeds that were trained or tried, counted in that order. */
  readonly numTried: number;
}

export interface Confirmation {
  /** Of the last look that was reached; null where there was nothing to compare. */
  readonly verdict: Verdict | null;
  /** That look; null without a verdict. */
  readonly look: number | null;
  /** Seeds to train next, for this finalist and the baselines; none when the verdict stands. */
  readonly nextSeeds: readonly number[];
  /** What a "better" is to be held against and is not trained yet; without it none stands. */
  readonly rates: readonly RateTrials[];
  /** Why it goes on or stops, for a person. */
  readonly reason: string;
}

/** What a look that says better must pass beside it. */
export type Hold = (atLook: FinalistInput, verdict: Verdict) => Held;

export interface Held {
  readonly verdict: Verdict;
  /** Whom it fell to: more seeds are compared with these too. Null where more seeds would not help. */
  readonly rivals: readonly Rival[] | null;
  readonly rates: readonly RateTrials[];
}

const standing: Hold = (_, verdict) => ({ verdict, rivals: [], rates: [] });

/** Less hope than this of becoming better is not worth another seed. */
export const leastHope = 0.1;

/**
 * Walks the looks of the design over what was measured, as they were made: the first look that says better or worse ends it, and
 * so does one after which no number of seeds that is allowed gives much hope of better. Stopping without hope never says better,
 * so that it only lowers the error. The same scores give the same walk, whoever asks and how often.
 *
 * `hold` may take a "better" back; the walk then goes on as after any look that cannot tell. Each rival is met at every look by the
 * level of that look, and better is who beats all of them at one look: whoever is no better than one of them passes at most as often as
 * the looks with that one alone let pass (intersection-union test; R. Berger, Technometrics 24, 1982).
 */
export const walkConfirmation = (input: ConfirmationInput, hold: Hold = standing): Confirmation => {
  const { design, seeds, numTried } = input;
  let last: Pick<Confirmation, 'verdict' | 'look'> = { verdict: null, look: null };
  for (const [look, upTo] of design.looks.entries()) {
    const next = seeds.slice(design.looks[look - 1] ?? 0, upTo);
    if (upTo > numTried) {
      return {
        ...last,
        nextSeeds: next,
        rates: [],
        reason: look === 0 ? 'the first look' : `look ${look + 1} may still change the verdict`,
      };
    }
    const atLook = upToLook(input, look);
    const found = judgeFinalist(atLook);
    if (found === null) return { verdict: found, look: null, nextSeeds: [], rates: [], reason: 'nothing can be compared' };
    const { verdict, rivals, rates } = (found.verdict === 'better' ? hold : standing)(atLook, found);
    last = { verdict, look };
    const end = { ...last, nextSeeds: [], rates };
    if (verdict.verdict !== 'not-distinguishable') return { ...end, reason: `it is ${verdict.verdict}` };
    if (rivals === null) return { ...end, reason: 'it is better at the learning rate of the rung, and not compared at others' };
    if (atLook.seeds.some((seed) => !atLook.candidate.has(seed)))
      return { ...end, reason: 'it did not survive every fresh seed' };
    const hope = hopeOfBetter({ ...atLook, baselines: [...atLook.baselines, ...rivals] });
    if (hope < leastHope) return { ...end, reason: `more seeds would make it better with a chance of ${hope.toFixed(2)} only` };
  }
  return { ...last, nextSeeds: [], rates: [], reason: 'every allowed seed is used' };
};

/** What a look compares: its seeds, and the scores on them. */
export const upToLook = (input: ConfirmationInput, look: number): FinalistInput => {
  const seeds = input.seeds.slice(0, input.design.looks[look]);
  const cut = (values: SeedValues): SeedValues => new Map([...values].filter(([seed]) => seeds.includes(seed)));
  return {
    ...input,
    look,
    seeds,
    candidate: cut(input.candidate),
    baselines: input.baselines.map((baseline) => ({ ...baseline, values: cut(baseline.values) })),
  };
};

/**
 * Predictive power (D. Spiegelhalter, L. Freedman and P. Blackburn, Control. Clin. Trials 7, 1986): the chance of better at the
 * best of the looks to come, if the true gain is about what was measured, by a flat prior; against the baseline that leaves least.
 * The spread is held at what it is now.
 */
export const hopeOfBetter = (input: FinalistInput): number => {
  const { design, look } = input;
  const later = design.looks.map((seeds, at) => ({ seeds, at })).slice(look + 1);
  const hopes = input.baselines.flatMap((baseline) => {
    const comparison = comparisonWith(baseline, input);
    if (comparison === null) return [0];
    const { effect, sd, degreesOfFreedom } = comparison;
    const now = effect.seeds;
    if (sd === 0) return [effect.mean > 0 ? 1 : 0];
    return [
      Math.max(
        0,
        ...later.map(({ seeds, at }) => {
          const bar = (tQuantile((1 + confidenceAt(design, at)) / 2, degreesOfFreedom + seeds - now) * sd) / Math.sqrt(seeds);
          return normalTail((bar - effect.mean) / (sd * Math.sqrt((seeds - now) / (seeds * now))));
        }),
      ),
    ];
  });
  return hopes.length === 0 ? 0 : Math.min(...hopes);
};
