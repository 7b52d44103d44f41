import type { Effect } from '../contracts/analysis.ts';
import type { Conclusion, NoiseFloor } from '../contracts/campaign.ts';
import type { Experiment, Verdict } from '../contracts/experiment.ts';
import type { Metric } from '../contracts/score.ts';
import { pairedEffect, type SeedValues } from './statistics.ts';

export interface FinalistInput {
  readonly metric: Metric;
  /** The finalist's scores on the fresh confirming seeds only, never on those that chose it. */
  readonly candidate: SeedValues;
  readonly baselines: readonly { readonly name: string; readonly values: SeedValues }[];
  readonly noise: NoiseFloor | null;
  /** Finalists of the campaign: they share its error. */
  readonly numFinalists: number;
  /** Every fresh seed that the finalist was to be trained with: one that it did not survive forbids "better". */
  readonly seeds?: readonly number[];
}

/** Share of campaigns without a true improvement that may call anything better or worse. */
const campaignError = 0.05;

/**
 * Whether a finalist is better than every compared baseline. Intervals have confidence 1 - 0.05 / finalists (Bonferroni), so
 * that over a campaign without a true improvement "better" is said at most one time in forty. No further correction for the
 * baselines: all of them must be beaten (an intersection-union test). A baseline that shares no fresh seed with the finalist was
 * not beaten. Null where no baseline can be compared.
 */
export const judgeFinalist = ({ metric, candidate, baselines, noise, numFinalists, seeds }: FinalistInput): Verdict | null => {
  if (!Number.isInteger(numFinalists) || numFinalists < 1)
    throw new RangeError(`numFinalists ${numFinalists}; right would be 1 or more`);
  const confidence = 1 - campaignError / numFinalists;
  const unscored = (seeds ?? []).filter((seed) => !candidate.has(seed));
  const compared: Compared[] = [];
  const unmeasured: string[] = [];
  for (const { name, values } of baselines) {
    const effect = pairedEffect({ metric, candidate, reference: values, noise, confidence });
    if (effect === null) unmeasured.push(name);
    else compared.push({ name, effect });
  }
  const strongest = closest(compared);
  if (strongest === null) return null;
  const isWorse = compared.some(({ effect }) => effect.high < 0);
  const notBeaten = closest(compared.filter(({ effect }) => effect.low <= 0));
  const kind = isWorse
    ? 'worse'
    : notBeaten === null && unmeasured.length === 0 && unscored.length === 0
      ? 'better'
      : 'not-distinguishable';
  const { name, effect } =
    kind === 'worse' ? (closest(compared.filter((row) => row.effect.high < 0)) ?? strongest) : (notBeaten ?? strongest);
  const statement = `${sentence(kind, { name, numBaselines: compared.length, metric })}: ${interval(effect)} (${effect.method}${numFinalists > 1 ? `, error shared by ${numFinalists} finalists` : ''}).${unmeasured.length === 0 ? '' : ` No common fresh seed with ${unmeasured.join(', ')}.`}${unscored.length === 0 ? '' : ` It has no score on ${unscored.length} of its ${seeds?.length} fresh seeds, so it is not called better.`}`;
  return { verdict: kind, against: name, effect, statement };
};

interface Compared {
  readonly name: string;
  readonly effect: Effect;
}

/** The baseline over which the finalist gains least. */
const closest = (compared: readonly Compared[]): Compared | null =>
  compared.reduce<Compared | null>(
    (least, next) => (least === null || next.effect.mean < least.effect.mean ? next : least),
    null,
  );

const sentence = (
  kind: Verdict['verdict'],
  { name, numBaselines, metric }: { readonly name: string; readonly numBaselines: number; readonly metric: Metric },
): string => {
  if (kind === 'better')
    return `Better than ${numBaselines === 1 ? name : `all ${numBaselines} compared baselines, the closest being ${name}`}, in ${metric}`;
  return kind === 'worse' ? `Worse than ${name} in ${metric}` : `Not distinguishable from ${name} in ${metric}`;
};

const interval = ({ mean, low, high }: Effect): string => `${signed(mean)} [${signed(low)}, ${signed(high)}], positive is better`;
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;

export interface Contender {
  readonly id: string;
  readonly kind: Experiment['kind'];
  readonly number: number;
  readonly fitness: number | null;
}

/**
 * Who is confirmed on fresh seeds: the fittest candidates and starts, and the baselines that each of them must beat, which are
 * the reference and the fittest other one. Equal fitness goes by number.
 */
export const pickFinalists = ({
  experiments,
  finalists,
  referenceId,
}: {
  readonly experiments: readonly Contender[];
  readonly finalists: number;
  readonly referenceId: string;
}): { readonly finalists: readonly string[]; readonly baselines: readonly string[] } => {
  const ranked = experiments
    .flatMap((one) => (one.fitness !== null && Number.isFinite(one.fitness) ? [{ ...one, fitness: one.fitness }] : []))
    .toSorted((a, b) => b.fitness - a.fitness || a.number - b.number);
  const reference = experiments.filter(({ id }) => id === referenceId);
  const rival = ranked.filter(({ id, kind }) => kind === 'baseline' && id !== referenceId).slice(0, 1);
  return {
    finalists: ranked
      .filter(({ kind }) => kind !== 'baseline')
      .slice(0, finalists)
      .map(({ id }) => id),
    baselines: [...reference, ...rival].map(({ id }) => id),
  };
};

/** What a campaign found, in one sentence, from the verdicts of its finalists, fittest first. */
export const concludeFrom = (
  judged: readonly { readonly name: string; readonly verdict: Verdict }[],
): Pick<Conclusion, 'verdict' | 'statement'> => {
  const winners = judged.filter(({ verdict }) => verdict.verdict === 'better');
  if (winners.length > 0) {
    const best = winners.reduce((most, next) => (next.verdict.effect.mean > most.verdict.effect.mean ? next : most));
    const others = winners.length === 1 ? '' : ` ${winners.length} of ${judged.length} finalists are better.`;
    return { verdict: 'better', statement: `${best.name} is ${lowerFirst(best.verdict.statement)}${others}` };
  }
  const first = judged[0];
  if (first === undefined)
    return { verdict: 'nothing-found', statement: 'No finalist was confirmed on fresh seeds, so nothing was found.' };
  return {
    verdict: 'nothing-found',
    statement: `Nothing was found that is better than the baselines. The fittest finalist, ${first.name}, is ${lowerFirst(first.verdict.statement)}`,
  };
};

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
