import { isDeepStrictEqual } from 'node:util';
import { type Experiment, experimentSchema, experimentStates, isTerminal } from '../../workflows/contracts/experiment.ts';
import { experimentId } from '../../workflows/contracts/ids.ts';
import type { Row, SqliteDatabase } from '../storage/sqlite-database.ts';
import type { Archive, Created, ExperimentFilter, Kinship, LineageNode, LineagePage, Write } from './archive.ts';
import { checkRecord, InvalidRecordError } from './archive-errors.ts';

const nodeColumns = 'id, number, kind, parent_id, depth, state, name, fitness, verdict, failure_label';
const childLimitUnlessTold = 100;
type Patch = Parameters<Archive['updateExperiment']>[2];

/** Experiments and the lineage they form. */
export class SqliteExperiments {
  readonly #database: SqliteDatabase;
  readonly #now: () => Date;

  constructor(database: SqliteDatabase, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  create(given: Experiment): Created<Experiment> {
    const experiment = check(given);
    if (experiment.id !== experimentId(experiment.campaignId, experiment.number))
      throw new InvalidRecordError(
        'experiment',
        experiment.id,
        `its id does not belong to number ${experiment.number} of campaign ${experiment.campaignId}`,
      );
    const written = this.#database.run(
      `INSERT INTO experiments (id, campaign_id, number, kind, state, epoch, parent_id, depth, name, fitness, verdict, failure_label,
         program_hash, document) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (id) DO NOTHING`,
      experiment.id,
      experiment.campaignId,
      experiment.number,
      experiment.kind,
      ...columnsOf(experiment),
    );
    if (written === 1) return { created: true, value: experiment };
    return { created: false, value: this.get(experiment.id) ?? experiment };
  }

  get(id: string): Experiment | null {
    const row = this.#database.get('SELECT document FROM experiments WHERE id = ?', id);
    return row === null ? null : documentOf(row);
  }

  list(campaignId: string, filter: ExperimentFilter = {}): readonly Experiment[] {
    const conditions = ['campaign_id = ?'];
    const values: (string | number)[] = [campaignId];
    const demand = (condition: string, value: string | number | undefined): void => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    demand('state IN (SELECT value FROM json_each(?))', filter.states && JSON.stringify(filter.states));
    demand('kind IN (SELECT value FROM json_each(?))', filter.kinds && JSON.stringify(filter.kinds));
    demand('program_hash = ?', filter.programHash);
    demand('parent_id = ?', filter.parentId);
    demand('number > ?', filter.above);
    const newestFirst = filter.latest === undefined ? '' : ' DESC LIMIT ?';
    if (filter.latest !== undefined) values.push(filter.latest);
    const found = this.#database
      .all(`SELECT document FROM experiments WHERE ${conditions.join(' AND ')} ORDER BY number${newestFirst}`, ...values)
      .map(documentOf);
    return filter.latest === undefined ? found : found.toReversed();
  }

  update(id: string, epoch: number, patch: Patch): Write<Experiment> {
    const current = this.get(id);
    const refused = refusal(current, epoch);
    if (refused !== null || current === null) return refused ?? { ok: false, reason: 'missing', current };
    const updatedAt = patch.updatedAt ?? this.#now().toISOString();
    const merged = {
      ...current,
      ...patch,
      id,
      campaignId: current.campaignId,
      number: current.number,
      createdAt: current.createdAt,
    };
    const finishedAt = merged.finishedAt ?? (isTerminal(merged.state) ? updatedAt : null);
    return this.#replace(epoch, { ...merged, epoch: epoch + 1, updatedAt, finishedAt });
  }

  setVerdict(id: string, verdict: NonNullable<Experiment['verdict']>): Write<Experiment> {
    const current = this.get(id);
    if (current === null) return { ok: false, reason: 'missing', current };
    if (!isTerminal(current.state)) return { ok: false, reason: 'stale', current };
    if (current.state === 'recorded' && isDeepStrictEqual(current.verdict, verdict)) return { ok: true, value: current };
    if (current.state !== 'recorded' || current.verdict !== null) return { ok: false, reason: 'terminal', current };
    const next = check({ ...current, verdict, epoch: current.epoch + 1, updatedAt: this.#now().toISOString() });
    const written = this.#database.run(
      `UPDATE experiments SET epoch = ?2, verdict = ?3, document = ?4 WHERE id = ?1 AND state = 'recorded' AND verdict IS NULL`,
      id,
      next.epoch,
      verdict.verdict,
      JSON.stringify(next),
    );
    // Somebody else's verdict came first: the same question again has an answer now.
    return written === 1 ? { ok: true, value: next } : this.setVerdict(id, verdict);
  }

  count(campaignId: string): Readonly<Record<Experiment['state'], number>> {
    const rows = this.#database.all(
      'SELECT state, count(*) AS many FROM experiments WHERE campaign_id = ? GROUP BY state',
      campaignId,
    );
    const counted = new Map(rows.map((row) => [row.state, Number(row.many)]));
    const entries = experimentStates.map((state) => [state, counted.get(state) ?? 0] as const);
    // fromEntries widens the keys; every state is among them.
    return Object.fromEntries(entries) as Record<Experiment['state'], number>;
  }

  lineage(campaignId: string, page: LineagePage | undefined): readonly LineageNode[] {
    return this.#database
      .all(
        `SELECT ${nodeColumns} FROM experiments WHERE campaign_id = ? AND number > ? ORDER BY number LIMIT ?`,
        campaignId,
        page?.after ?? -1,
        page?.limit ?? -1,
      )
      .map(nodeOf);
  }

  lineageOf(id: string, childLimit = childLimitUnlessTold): Kinship | null {
    const node = this.#database.get(`SELECT ${nodeColumns} FROM experiments WHERE id = ?`, id);
    if (node === null) return null;
    const ancestors = this.#database.all(
      `SELECT ${nodeColumns} FROM experiments WHERE id IN
         (SELECT value FROM json_each((SELECT document FROM experiments WHERE id = ?), '$.ancestors')) ORDER BY depth`,
      id,
    );
    const children = this.#database.all(
      `SELECT ${nodeColumns} FROM experiments WHERE parent_id = ? ORDER BY number LIMIT ?`,
      id,
      childLimit,
    );
    return { node: nodeOf(node), ancestors: ancestors.map(nodeOf), children: children.map(nodeOf) };
  }

  leaderboard(campaignId: string, limit: number): readonly LineageNode[] {
    return this.#database
      .all(
        `SELECT ${nodeColumns} FROM experiments WHERE campaign_id = ? AND state = 'recorded' AND fitness IS NOT NULL
         ORDER BY fitness DESC, number LIMIT ?`,
        campaignId,
        limit,
      )
      .map(nodeOf);
  }

  #replace(epoch: number, next: Experiment): Write<Experiment> {
    const experiment = check(next);
    const written = this.#database.run(
      `UPDATE experiments SET state = ?3, epoch = ?4, parent_id = ?5, depth = ?6, name = ?7, fitness = ?8, verdict = ?9,
         failure_label = ?10, program_hash = ?11, document = ?12
       WHERE id = ?1 AND epoch = ?2 AND state NOT IN ('recorded', 'rejected', 'failed', 'cancelled')`,
      experiment.id,
      epoch,
      ...columnsOf(experiment),
    );
    if (written === 1) return { ok: true, value: experiment };
    const current = this.get(experiment.id);
    return refusal(current, epoch) ?? { ok: false, reason: 'missing', current };
  }
}

const check = (experiment: Experiment): Experiment =>
  checkRecord({ schema: experimentSchema, kind: 'experiment', id: experiment.id }, experiment);

const refusal = (current: Experiment | null, epoch: number): Write<Experiment> | null => {
  if (current === null) return { ok: false, reason: 'missing', current };
  if (isTerminal(current.state)) return { ok: false, reason: 'terminal', current };
  return current.epoch === epoch ? null : { ok: false, reason: 'stale', current };
};

/** State to document, in the order that both statements use. */
const columnsOf = (experiment: Experiment) =>
  [
    experiment.state,
    experiment.epoch,
    experiment.parentId,
    experiment.ancestors.length,
    experiment.proposal?.name ?? null,
    experiment.fitness?.value ?? null,
    experiment.verdict?.verdict ?? null,
    experiment.failure?.label ?? null,
    experiment.architecture?.hash ?? null,
    JSON.stringify(experiment),
  ] as const;

// Only checked records are written, and the columns repeat them: both casts read back what `check` let in.
const documentOf = (row: Row): Experiment => JSON.parse(String(row.document)) as Experiment;
const nodeOf = (row: Row): LineageNode =>
  ({
    id: row.id,
    number: row.number,
    kind: row.kind,
    parentId: row.parent_id,
    depth: row.depth,
    state: row.state,
    name: row.name,
    fitness: row.fitness,
    verdict: row.verdict,
    failureLabel: row.failure_label,
  }) as LineageNode;
