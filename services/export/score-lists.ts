import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Score, ScoreSet } from '../../workflows/contracts/score.ts';
import { type ScoreList, scoreListSchema } from '../../workflows/contracts/score-list.ts';
import type { BundleRecord } from './bundle-record.ts';

/** The judge's sealed lists of the experiments whose rows a bundle holds; empty where it was written without the judge. */
export const listsName = 'lists.json';
export const scoreListsSchema = z.array(scoreListSchema);

/** Whose lists belong into a bundle: those of the experiment, of the baselines and of what the noise is made of. */
export const listedExperiments = ({ experiment, baselines, noise }: BundleRecord): readonly string[] => [
  ...new Set([experiment.id, ...baselines.map(({ id }) => id), ...noise.map(({ experimentId }) => experimentId)]),
];

/** Every row of a record once, by experiment. */
export const rowsByExperiment = ({ experiment, scores, baselines, noise }: BundleRecord): ReadonlyMap<string, readonly Score[]> =>
  new Map([
    ...noise.map((one) => [one.experimentId, one.scores] as const),
    ...baselines.map((one) => [one.id, one.scores] as const),
    [experiment.id, scores] as const,
  ]);

export interface ListProblems {
  /** A sentence each. */
  readonly contradictions: readonly string[];
  /** Scorings of trials that the record calls failed or cancelled: of a worker that died, or hidden. */
  readonly unexplained: readonly string[];
  /** Trials that were scored more than once on a set, with other numbers. */
  readonly repeated: readonly string[];
}

/** Compares the rows of a record with the lists of the judge, both ways. Experiments without a list are passed over. */
export const compareWithLists = (record: BundleRecord, lists: readonly ScoreList[]): ListProblems => {
  const rows = rowsByExperiment(record);
  const whole = new Set([record.experiment.id, ...record.baselines.map(({ id }) => id)]);
  const all = lists.map((list) => {
    // Of an experiment that only lends its noise a bundle holds the exploring rows alone.
    const sets: readonly ScoreSet[] = whole.has(list.experimentId) ? ['search', 'promotion', 'champion'] : ['search'];
    return compareOne(list, { sets, rows: rows.get(list.experimentId) ?? [], trials: record.trials });
  });
  return {
    contradictions: all.flatMap(({ contradictions }) => contradictions),
    unexplained: all.flatMap(({ unexplained }) => unexplained),
    repeated: all.flatMap(({ repeated }) => repeated),
  };
};

/** SHA-256 over metric and seal of the rows of one scoring, as kernels/asi_kernels/judge/issued.py takes it. */
export const scoringDigest = (rows: readonly Pick<Score, 'metric' | 'seal'>[]): string => {
  const lines = rows.map(({ metric, seal }) => `${metric} ${seal}`).toSorted();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
};

const compareOne = (
  list: ScoreList,
  told: {
    readonly sets: readonly ScoreSet[];
    readonly rows: readonly Score[];
    readonly trials: BundleRecord['trials'];
  },
): ListProblems => {
  const name = ({ trialId, set }: { readonly trialId: string; readonly set: ScoreSet }): string => `${trialId} on set ${set}`;
  const listed = Map.groupBy(
    list.scorings.filter(({ set }) => told.sets.includes(set)),
    name,
  );
  const held = Map.groupBy(told.rows, name);
  const endedOtherwise = new Set(told.trials.filter(({ state }) => state !== 'scored').map(({ id }) => id));
  const missing = [...listed].filter(([key]) => !held.has(key));
  const isExplained = ([, scorings]: (typeof missing)[number]): boolean =>
    scorings.every(({ trialId }) => !endedOtherwise.has(trialId));
  return {
    contradictions: [
      ...missing.filter(isExplained).map(([key]) => `the judge scored ${key}, and record.json leaves it out`),
      ...[...held.keys()]
        .filter((key) => !listed.has(key))
        .map((key) => `record.json has rows of ${key}, which the judge does not list`),
      ...[...held]
        .filter(([key, rows]) => {
          const digest = scoringDigest(rows);
          return (
            listed.has(key) && !listed.get(key)?.some((scoring) => scoring.digest === digest && scoring.rows === rows.length)
          );
        })
        .map(([key]) => `the rows of ${key} in record.json are not those that the judge lists`),
    ],
    unexplained: missing
      .filter((one) => !isExplained(one))
      .map(([key]) => `the judge scored ${key}, and record.json says that the trial ended otherwise`),
    repeated: [...listed].filter(([, scorings]) => scorings.length > 1).map(([key]) => key),
  };
};
