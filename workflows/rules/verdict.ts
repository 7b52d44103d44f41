import type { Effect } from '../contracts/analysis.ts';
import type { Conclusion } from '../contracts/campaign.ts';
import type { Experiment, Verdict } from '../contracts/experiment.ts';
import type { Metric } from '../contracts/score.ts';
import { type ConfirmationDesign, confidenceAt } from './sequential-design.ts';
import { differenceSpread, floorOf, pooled, residualSpread, type SeedValues, type Spread, withoutPair } from './spread.ts';
import { type PairedComparison, pairedComparison, pairedDifferences } from './statistics.ts';

/** A baseline on the fresh seeds, and on the exploring ones. */
export interface Rival {
  readonly name: string;
  readonly values: SeedValues;
  readonly explored?: SeedValues;
}

export interface FinalistInput {
  readonly metric: Metric;
  /** The finalist's scores on the fresh confirming seeds only, never on those that chose it. */
  readonly candidate: SeedValues;
  readonly baselines: readonly Rival[];
  /**
   * Its scores while exploring: how they spread beside a baseline's tells how noisy it is, whatever their mean chose. Without them the
   * fresh seeds alone do.
   */
  readonly explored?: SeedValues;
  /** What seeds alone did while exploring, of a table that holds the finalist and the baselines; null where that was not measured. */
  readonly noise: Spread | null;
  readonly design: ConfirmationDesign;
  /** Which look of the design this is, from 0. */
  readonly look: number;
  /** Every fresh seed up to this look: one that the finalist did not survive forbids "better". */
  readonly seeds: readonly number[];
}

/**
 * Whether a finalist is better than every compared baseline, at one look. The interval has the confidence of the look
 * (`confirmationDesign`), so that over a campaign without a true improvement "better" is said at most one time in forty. No
 * further correction for the baselines: all of them must be beaten (an intersection-union test; R. Berger, Technometrics 24,
 * 1982). A baseline that shares no fresh seed with the finalist was not beaten. Null where no baseline can be compared.
 */
export const judgeFinalist = (input: FinalistInput): Verdict | null => {
  const { candidate, baselines, design, look, seeds } = input;
  const unscored = seeds.filter((seed) => !candidate.has(seed));
  const compared: Compared[] = [];
  const unmeasured: string[] = [];
  for (const baseline of baselines) {
    const { name } = baseline;
    const effect = comparisonWith(baseline, input)?.effect ?? null;
    if (effect === null) unmeasured.push(name);
    else compared.push({ name, effect });
  }
  const strongest = closest(compared);
  if (strongest === null) return null;
  const worse = closest(compared.filter(({ effect }) => effect.high < 0));
  const notBeaten = closest(compared.filter(({ effect }) => effect.low <= 0));
  const isBetter = notBeaten === null && unmeasured.length === 0 && unscored.length === 0;
  const kind = worse !== null ? 'worse' : isBetter ? 'better' : 'not-distinguishable';
  const { name, effect } = worse ?? notBeaten ?? strongest;
  const statement = [
    `${sentence(kind, { name, numBaselines: compared.length, metric: input.metric })}: ${interval(effect)} (${effect.method}${sharedWords(design, look)}).`,
    unmeasured.length === 0 ? '' : `No common fresh seed with ${unmeasured.join(', ')}.`,
    unscored.length === 0
      ? ''
      : `It has no score on ${unscored.length} of its ${seeds.length} fresh seeds, so it is not called better.`,
  ];
  return { verdict: kind, against: name, effect, statement: statement.filter((part) => part !== '').join(' ') };
};

/** Gain over one baseline at this look's confidence; null without a common fresh seed. */
export const comparisonWith = (baseline: Rival, input: FinalistInput): PairedComparison | null => {
  const { metric, candidate, explored, design, look } = input;
  const before = pairedDifferences({
    metric,
    candidate: explored ?? new Map(),
    reference: baseline.explored ?? new Map(),
  }).filter(Number.isFinite);
  return pairedComparison({
    metric,
    candidate,
    reference: baseline.values,
    noise: noiseBeside(baseline, input, before),
    before: differenceSpread(before),
    sharedBy: design.numFinalists,
    confidence: confidenceAt(design, look),
  });
};

/**
 * Variance of a paired difference from everything but the compared pair: the exploring noise, and the other baselines on the fresh
 * seeds that the pair has. The pair's own variance joins in `pairedComparison`. Other finalists stay out: one that comes apart on
 * a seed would widen the intervals of all.
 */
const noiseBeside = (
  baseline: Rival,
  { metric, candidate, baselines, noise }: FinalistInput,
  before: readonly number[],
): { readonly pairedSd: number; readonly degreesOfFreedom: number } | null => {
  const seeds = [...candidate.keys()].filter((seed) => baseline.values.has(seed));
  const table = residualSpread([candidate, ...baselines.map(({ values }) => values)], seeds);
  const differences = pairedDifferences({ metric, candidate, reference: baseline.values });
  return floorOf(pooled([withoutPair(noise, before), withoutPair(table, differences)]));
};

const sharedWords = ({ looks, numFinalists }: ConfirmationDesign, look: number): string =>
  [
    numFinalists > 1 ? `, error shared by ${numFinalists} finalists` : '',
    looks.length > 1
      ? `${numFinalists > 1 ? ' and' : ', error shared by'} ${looks.length} looks, this being look ${look + 1}`
      : '',
  ].join('');

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
/** `+0.1234`, as gains are told. */
export const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;

export interface Contender {
  readonly id: string;
  readonly kind: Experiment['kind'];
  readonly number: number;
  readonly fitness: number | null;
  /** Nothing that is measured of it can make it a discovery: a known baseline, or scored where its program could reach the score. */
  readonly isBarred?: boolean;
}

export interface Finalists {
  readonly finalists: readonly string[];
  /** What each of them must beat. */
  readonly baselines: readonly string[];
  /** Baselines that may be the strongest too and that the limit leaves out. */
  readonly leftOut: readonly string[];
}

/**
 * Who is confirmed on fresh seeds: the fittest candidates and starts, those that cannot be a discovery last, and the baselines that
 * each of them must beat. These are the reference, the fittest other one, and every one that may be the strongest
 * (`mayBeStrongest`), `mostBaselines` in all. More of them cost no error: all must be beaten. Equal fitness goes by number.
 */
export const pickFinalists = ({
  experiments,
  finalists,
  referenceId,
  rivals,
  mostBaselines,
}: {
  readonly experiments: readonly Contender[];
  readonly finalists: number;
  readonly referenceId: string;
  /** Baselines that may be the strongest, the strongest first. */
  readonly rivals: readonly string[];
  readonly mostBaselines: number;
}): Finalists => {
  const ranked = experiments
    .flatMap((one) => (one.fitness !== null && Number.isFinite(one.fitness) ? [{ ...one, fitness: one.fitness }] : []))
    .toSorted((a, b) => b.fitness - a.fitness || a.number - b.number);
  const reference = experiments.filter(({ id }) => id === referenceId);
  const fittest = ranked.filter(({ id, kind }) => kind === 'baseline' && id !== referenceId).slice(0, 1);
  const baselines = [...new Set([...[...reference, ...fittest].map(({ id }) => id), ...rivals])];
  const contenders = ranked.filter(({ kind }) => kind !== 'baseline');
  const inOrder = [...contenders.filter(({ isBarred }) => isBarred !== true), ...contenders.filter(({ isBarred }) => isBarred)];
  return {
    finalists: inOrder.slice(0, finalists).map(({ id }) => id),
    baselines: baselines.slice(0, mostBaselines),
    leftOut: baselines.slice(mostBaselines),
  };
};

/**
 * What a campaign found, in one sentence, from the verdicts of its finalists, fittest first. `detectable`: the true gain that it
 * would have found nine times in ten, in bits per byte; a campaign that found nothing says what it could have seen.
 */
export const concludeFrom = (
  judged: readonly { readonly name: string; readonly verdict: Verdict }[],
  detectable: number | null,
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
    statement: `Nothing was found that is better than the baselines. The fittest finalist, ${first.name}, is ${lowerFirst(first.verdict.statement)}${detectable === null ? '' : ` On fresh seeds at the rung's own learning rate, a true gain of ${detectable.toFixed(3)} bits per byte would have shown nine times in ten, a smaller one less often; to be called better it would also have had to stand against the baselines at half and at twice the rate, and on the champion set.`}`,
  };
};

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
