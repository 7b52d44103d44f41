import type { Archive } from '../../services/archive/archive.ts';
import { idAtRate, rateOf } from '../../workflows/contracts/naming.ts';
import type { Metric, Score, ScoreSet } from '../../workflows/contracts/score.ts';

/** Score rows of some trials, by metric and seed. */
export type SeedValues = ReadonlyMap<number, number>;

/** A baseline at another learning rate stands apart, as `idAtRate` names it. */
const rowIdOf = (trialId: string): string => idAtRate(trialId.split('/').slice(0, 2).join('/'), rateOf(trialId));

/** An exploring seed has rows of the search set alone, a confirming one of the promotion set, so that seeds keep the two apart. */
const setsOfSeeds: readonly ScoreSet[] = ['search', 'promotion'];

/**
 * Score rows by experiment. Fitness and verdicts are made of these and of nothing else. `sets`: rows of other sets are left out; champion
 * rows are of confirming seeds too, so they never share a table with promotion rows.
 */
export class ScoreTable {
  readonly #rows: ReadonlyMap<string, readonly Score[]>;

  constructor(scores: readonly Score[], sets: readonly ScoreSet[] = setsOfSeeds) {
    this.#rows = Map.groupBy(
      scores.filter((score) => sets.includes(score.set)),
      (score) => rowIdOf(score.trialId),
    );
  }

  static async ofExperiments(archive: Archive, ids: readonly string[], sets?: readonly ScoreSet[]): Promise<ScoreTable> {
    const rows = await Promise.all(ids.map((experimentId) => archive.listScores({ experimentId })));
    return new ScoreTable(rows.flat(), sets);
  }

  rows(experimentId: string): readonly Score[] {
    return this.#rows.get(experimentId) ?? [];
  }

  /** Value by seed, for the seeds named. */
  values(experimentId: string, query: { readonly metric: Metric; readonly seeds: readonly number[] }): SeedValues {
    return new Map(
      this.rows(experimentId)
        .filter((row) => row.metric === query.metric && query.seeds.includes(row.seed))
        .map((row) => [row.seed, row.value]),
    );
  }
}
