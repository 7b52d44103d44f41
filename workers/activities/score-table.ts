import type { Archive } from '../../services/archive/archive.ts';
import type { Metric, Score } from '../../workflows/contracts/score.ts';

/** Score rows of some trials, by metric and seed. */
export type SeedValues = ReadonlyMap<number, number>;

const experimentOf = (trialId: string): string => trialId.split('/').slice(0, 2).join('/');

/** Score rows by experiment. Fitness and verdicts are made of these and of nothing else. */
export class ScoreTable {
  readonly #rows: ReadonlyMap<string, readonly Score[]>;

  constructor(scores: readonly Score[]) {
    this.#rows = Map.groupBy(scores, (score) => experimentOf(score.trialId));
  }

  static async ofExperiments(archive: Archive, ids: readonly string[]): Promise<ScoreTable> {
    const rows = await Promise.all(ids.map((experimentId) => archive.listScores({ experimentId })));
    return new ScoreTable(rows.flat());
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
