import { campaignOf, trialId } from '../../workflows/contracts/ids.ts';
import { type Score, scoreSchema } from '../../workflows/contracts/score.ts';
import { type Trial, trialSchema } from '../../workflows/contracts/trial.ts';
import type { Row, SqliteDatabase } from '../storage/sqlite-database.ts';
import type { Archive, Created, LookQuery, Looks, RungQuery, Write } from './archive.ts';
import { checkRecord, InvalidRecordError } from './archive-errors.ts';

type Patch = Parameters<Archive['updateTrial']>[2];
type TrialFilter = Parameters<Archive['listTrials']>[0];
type ScoreFilter = Parameters<Archive['listScores']>[0];

/** Trials and their scores. */
export class SqliteTrials {
  readonly #database: SqliteDatabase;
  readonly #now: () => Date;

  constructor(database: SqliteDatabase, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  create(given: Trial): Created<Trial> {
    const trial = check(given);
    if (trial.id !== trialId(trial.experimentId, trial))
      throw new InvalidRecordError(
        'trial',
        trial.id,
        `its id does not belong to rung ${trial.rung} and seed ${trial.seed} of experiment ${trial.experimentId}`,
      );
    const written = this.#database.run(
      `INSERT INTO trials (id, campaign_id, experiment_id, state, epoch, document) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      trial.id,
      campaignOf(trial.id),
      trial.experimentId,
      trial.state,
      trial.epoch,
      JSON.stringify(trial),
    );
    if (written === 1) return { created: true, value: trial };
    return { created: false, value: this.get(trial.id) ?? trial };
  }

  get(id: string): Trial | null {
    const row = this.#database.get('SELECT document FROM trials WHERE id = ?', id);
    return row === null ? null : documentOf(row);
  }

  list(filter: TrialFilter): readonly Trial[] {
    const [column, id] = 'experimentId' in filter ? ['experiment_id', filter.experimentId] : ['campaign_id', filter.campaignId];
    return this.#database.all(`SELECT document FROM trials WHERE ${column} = ? ORDER BY id`, id).map(documentOf);
  }

  claim(id: string): Write<Trial> {
    return this.#database.atomically(() => {
      const current = this.get(id);
      if (current === null) return { ok: false, reason: 'missing', current };
      if (isOver(current)) return { ok: false, reason: 'terminal', current };
      return this.#replace(current.epoch, {
        ...current,
        state: 'running',
        epoch: current.epoch + 1,
        updatedAt: this.#now().toISOString(),
      });
    });
  }

  update(id: string, epoch: number, patch: Patch): Write<Trial> {
    // The epoch stays the same, so the lock is what keeps two overlapping calls of one holder from losing one of them.
    return this.#database.atomically(() => {
      const current = this.get(id);
      const refused = refusal(current, epoch);
      if (refused !== null || current === null) return refused ?? { ok: false, reason: 'missing', current };
      const { experimentId, rung, seed, createdAt } = current;
      const updatedAt = patch.updatedAt ?? this.#now().toISOString();
      return this.#replace(epoch, { ...current, ...patch, id, experimentId, rung, seed, createdAt, epoch, updatedAt });
    });
  }

  appendScores(rows: readonly Score[]): void {
    const checked = rows.map((row) =>
      checkRecord({ schema: scoreSchema, kind: 'score', id: `${row.trialId} ${row.metric} ${row.set}` }, row),
    );
    this.#database.atomically(() => {
      for (const row of checked)
        this.#database.run(
          `INSERT INTO scores (trial_id, metric, score_set, data_hash, campaign_id, experiment_id, document)
           VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trial_id, metric, score_set) DO NOTHING`,
          row.trialId,
          row.metric,
          row.set,
          row.dataHash,
          campaignOf(row.trialId),
          experimentOf(row.trialId),
          JSON.stringify(row),
        );
    });
  }

  listScores(filter: ScoreFilter): readonly Score[] {
    const [column, id] =
      'trialId' in filter
        ? ['trial_id', filter.trialId]
        : 'experimentId' in filter
          ? ['experiment_id', filter.experimentId]
          : ['campaign_id', filter.campaignId];
    return this.#database
      .all(`SELECT document FROM scores WHERE ${column} = ? ORDER BY trial_id, metric, score_set`, id)
      .map(scoreOf);
  }

  listScoresOnSeveralRungs({ dataHash, set }: RungQuery): readonly Score[] {
    // Hashes come from an index alone, and only where there is a second rung. Cross joins and the two plus signs keep the order in which the
    // tables are asked: scores come last, by experiment, and not all rows of these data first.
    const rows = this.#database.all(
      `WITH same AS MATERIALIZED (
         SELECT id, document ->> '$.settings.rung' AS rung FROM campaigns WHERE document ->> '$.data.hash' = ?1
       ), met AS MATERIALIZED (
         SELECT program_hash FROM same CROSS JOIN experiments ON campaign_id = same.id
         WHERE program_hash IS NOT NULL AND (SELECT count(DISTINCT rung) FROM same) > 1
         GROUP BY program_hash HAVING count(DISTINCT rung) > 1
       )
       SELECT scores.document FROM met CROSS JOIN same
         CROSS JOIN experiments ON experiments.campaign_id = same.id AND experiments.program_hash = met.program_hash
         CROSS JOIN scores ON scores.experiment_id = experiments.id
       WHERE experiments.state = 'recorded' AND +score_set = ?2 AND +data_hash = ?1 ORDER BY trial_id, metric`,
      dataHash,
      set,
    );
    const scores = rows.map(scoreOf);
    const byProgram = Map.groupBy(scores, ({ programHash }) => programHash);
    // A campaign may have ended before it scored the program on its rung.
    return scores.filter(({ programHash }) => new Set(byProgram.get(programHash)?.map(({ rung }) => rung)).size > 1);
  }

  countLooks({ dataHash, set, uncounted = [] }: LookQuery): Looks {
    const row = this.#database.get(
      `SELECT COUNT(DISTINCT trial_id) AS trials, COUNT(DISTINCT campaign_id) AS campaigns
       FROM scores WHERE data_hash = ?1 AND score_set = ?2
         AND NOT EXISTS (SELECT 1 FROM json_each(?3) WHERE trial_id LIKE '%/' || value || '/s%')`,
      dataHash,
      set,
      JSON.stringify(uncounted),
    );
    return { trials: Number(row?.trials ?? 0), campaigns: Number(row?.campaigns ?? 0) };
  }

  #replace(epoch: number, next: Trial): Write<Trial> {
    const trial = check(next);
    const written = this.#database.run(
      `UPDATE trials SET state = ?3, epoch = ?4, document = ?5
       WHERE id = ?1 AND epoch = ?2 AND state NOT IN ('scored', 'failed', 'cancelled')`,
      trial.id,
      epoch,
      trial.state,
      trial.epoch,
      JSON.stringify(trial),
    );
    if (written === 1) return { ok: true, value: trial };
    const current = this.get(trial.id);
    return refusal(current, epoch) ?? { ok: false, reason: 'missing', current };
  }
}

const check = (trial: Trial): Trial => checkRecord({ schema: trialSchema, kind: 'trial', id: trial.id }, trial);

const isOver = ({ state }: Trial): boolean => state === 'scored' || state === 'failed' || state === 'cancelled';

const refusal = (current: Trial | null, epoch: number): Write<Trial> | null => {
  if (current === null) return { ok: false, reason: 'missing', current };
  if (isOver(current)) return { ok: false, reason: 'terminal', current };
  return current.epoch === epoch ? null : { ok: false, reason: 'stale', current };
};

const experimentOf = (trial: string): string => trial.split('/').slice(0, 2).join('/');

// Only checked records and rows are written.
const scoreOf = (row: Row): Score => JSON.parse(String(row.document)) as Score;
const documentOf = (row: Row): Trial => JSON.parse(String(row.document)) as Trial;
