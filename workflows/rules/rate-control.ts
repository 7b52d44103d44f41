import type { RateTrials } from '../contracts/activities.ts';
import type { Verdict } from '../contracts/experiment.ts';
import type { OtherRate } from '../contracts/rung.ts';
import type { Hold } from './confirmation.ts';
import { nameAtRate } from './rate-name.ts';
import { mayBeStrongest } from './rivals.ts';
import type { SeedValues } from './spread.ts';
import { type FinalistInput, judgeFinalist, type Rival, signed } from './verdict.ts';

/** A baseline's scores on the fresh seeds at another learning rate. It explored at the rung's own alone, which is what `explored` tells of. */
export interface RatedBaseline extends Rival {
  readonly id: string;
  readonly rate: OtherRate;
}

export interface RateControl {
  /** The comparison that said better, its baselines aside: a look, and the seeds up to it. */
  readonly comparison: Omit<FinalistInput, 'baselines'>;
  /** What it was better than. */
  readonly own: readonly (Rival & { readonly id: string })[];
  /** Each of them at each other rate. */
  readonly others: readonly RatedBaseline[];
}

/**
 * A walk's "better" is held against every rate at its own look; the same seeds decide that decide at the rung's rate. `ids`: of the walk's
 * baselines, in their order; `others`: these at each other rate, with all that they ever scored.
 */
export const heldAtEveryRate =
  (
    { ids, others }: { readonly ids: readonly string[]; readonly others: readonly RatedBaseline[] },
    isTried: (trial: TriedAt) => boolean,
  ): Hold =>
  ({ baselines, ...comparison }, verdict) => {
    const upTo = (values: SeedValues): SeedValues => new Map([...values].filter(([seed]) => comparison.seeds.includes(seed)));
    const control: RateControl = {
      comparison,
      own: baselines.map((baseline, index) => ({ ...baseline, id: ids[index] ?? baseline.name })),
      others: others.map((other) => ({ ...other, values: upTo(other.values) })),
    };
    const rates = ratesToTrain(control, isTried);
    const held = holdAgainstRates(control, verdict);
    const rivals = strongRates(control);
    const isCompared = rates.length === 0 && rivals.every(({ values }) => comparison.seeds.every((seed) => values.has(seed)));
    return { verdict: held, rivals: isCompared ? rivals : null, rates };
  };

/**
 * What is still to be trained before a "better" stands: every baseline at half and at twice the rung's learning rate, on the first fresh seed; and on
 * the others those that this seed does not exclude from being the strongest, at whichever rate (`mayBeStrongest`). `isTried`: trainings that
 * were tried are not asked for again, however they ended.
 */
export const ratesToTrain = (control: RateControl, isTried: (trial: TriedAt) => boolean): readonly RateTrials[] => {
  const [first, ...rest] = control.comparison.seeds;
  if (first === undefined) return [];
  const wanted = (rivals: RateControl['others'], seeds: readonly number[]): readonly RateTrials[] =>
    rivals
      .map(({ id, rate }) => ({
        experimentId: id,
        rate,
        seeds: seeds.filter((seed) => !isTried({ experimentId: id, rate, seed })),
      }))
      .filter(({ seeds: left }) => left.length > 0);
  const opening = wanted(control.others, [first]);
  return opening.length > 0 ? opening : wanted(strongRates(control), rest);
};

export interface TriedAt {
  readonly experimentId: string;
  readonly rate: OtherRate;
  readonly seed: number;
}

/** Other rates at which a baseline may be the strongest, by the first fresh seed; one that has no score there may be. */
const strongRates = ({ comparison, own, others }: RateControl): RateControl['others'] => {
  const [first] = comparison.seeds;
  if (first === undefined) return [];
  const { metric, noise } = comparison;
  const atFirst = ({ values }: { readonly values: SeedValues }): SeedValues => {
    const value = values.get(first);
    return value === undefined ? new Map() : new Map([[first, value]]);
  };
  const all = [...own, ...others];
  const named = all.map((one, index) => ({ id: String(index), values: atFirst(one) }));
  const strong = new Set(mayBeStrongest({ metric, baselines: named, noise }));
  return others.filter((_, index) => strong.has(String(own.length + index)));
};

/**
 * Whether a "better" stands when the baselines may learn at another rate than the rung's. Baselines and candidates share one rate, so that a
 * gain may be the rate's: candidates were chosen for what they do at it, and baselines get a grid of three (J. Dodge et al., EMNLP 2019, on what a
 * budget of tuning does to a comparison). What the candidate would do at another rate is not asked, so that a gain below what a rate is worth
 * to the baselines is not found. It can only take a "better" away, so that the campaign's error does not grow; any other verdict stays as it is.
 */
export const holdAgainstRates = (control: RateControl, verdict: Verdict): Verdict => {
  if (verdict.verdict !== 'better') return verdict;
  const { comparison, others } = control;
  const [first] = comparison.seeds;
  const untried = others.find(({ values }) => first === undefined || !values.has(first));
  if (untried !== undefined)
    return fallBack(
      verdict,
      `it could not be compared with ${nameAtRate(untried.name, untried.rate)}, which has no score on seed ${first}`,
    );
  const rivals = strongRates(control);
  if (rivals.length === 0)
    return {
      ...verdict,
      statement: `${verdict.statement} None of these baselines may be the strongest at half or at twice the learning rate, by the first fresh seed.`,
    };
  const missing = rivals.flatMap(({ name, rate, values }) =>
    comparison.seeds.filter((seed) => !values.has(seed)).map((seed) => `${nameAtRate(name, rate)} on seed ${seed}`),
  );
  if (missing.length > 0) return fallBack(verdict, `there is no score of ${missing.join(', ')}`);
  const again = judgeFinalist({
    ...comparison,
    baselines: rivals.map((rival) => ({ ...rival, name: nameAtRate(rival.name, rival.rate) })),
  });
  if (again === null) return fallBack(verdict, 'it could not be compared with the baselines at other rates');
  const { mean, low, high } = again.effect;
  const gain = `${signed(mean)} [${signed(low)}, ${signed(high)}]`;
  if (again.verdict !== 'better')
    return { ...fallBack(verdict, `against ${again.against} the gain is ${gain}`), against: again.against, effect: again.effect };
  return {
    ...verdict,
    statement: `${verdict.statement} It is better than baselines at half and at twice the learning rate too: ${gain} over ${again.against}.`,
  };
};

const fallBack = (verdict: Verdict, why: string): Verdict => ({
  ...verdict,
  verdict: 'not-distinguishable',
  statement: `Not distinguishable when the baselines may learn at half or twice the rate: ${why}. At the rung's own rate it was ${verdict.statement.charAt(0).toLowerCase()}${verdict.statement.slice(1)}`,
});
