import type { Audit } from '../../workflows/contracts/audit.ts';
import type { Campaign, Pool } from '../../workflows/contracts/campaign.ts';
import type { Experiment, ExperimentState } from '../../workflows/contracts/experiment.ts';
import type { LedgerRow, LedgerTotal } from '../../workflows/contracts/ledger.ts';
import type { Score, ScoreSet } from '../../workflows/contracts/score.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';

/** `stale`: somebody wrote since; `terminal`: the record is final and cannot change. Both carry what is stored now. */
export type Write<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: 'stale' | 'terminal' | 'missing'; readonly current: T | null };
/** Creating what exists already returns the stored one, so that a retry finds its own work. */
export interface Created<T> {
  readonly created: boolean;
  readonly value: T;
}
export type Identity = 'id' | 'campaignId' | 'experimentId' | 'number' | 'createdAt' | 'updatedAt' | 'epoch';

/** A node of the lineage: what a tree needs and nothing more. */
export interface LineageNode {
  readonly id: string;
  readonly number: number;
  readonly kind: Experiment['kind'];
  readonly parentId: string | null;
  readonly depth: number;
  readonly state: ExperimentState;
  readonly name: string | null;
  readonly fitness: number | null;
  readonly verdict: string | null;
  readonly failureLabel: string | null;
}

/** The place of one experiment in the lineage. */
export interface Kinship {
  readonly node: LineageNode;
  /** From the root to the parent. */
  readonly ancestors: readonly LineageNode[];
  /** By number, no more than were asked for. */
  readonly children: readonly LineageNode[];
}

export interface LookQuery {
  readonly dataHash: string;
  readonly set: ScoreSet;
  /** Trials on these rungs are no looks (`uncountedRungs`). */
  readonly uncounted?: readonly string[];
}

export interface RungQuery {
  readonly dataHash: string;
  readonly set: ScoreSet;
}

/** What a held-out set was asked so far. */
export interface Looks {
  readonly trials: number;
  readonly campaigns: number;
}

/** `after`: the last number of the page before; -1 for the first page. */
export interface LineagePage {
  readonly after: number;
  readonly limit: number;
}

export interface ExperimentFilter {
  readonly states?: readonly ExperimentState[];
  readonly kinds?: readonly Experiment['kind'][];
  /** Only experiments whose architecture has this program hash. */
  readonly programHash?: string;
  /** Children of this experiment only. */
  readonly parentId?: string;
  /** Only experiments with a number above this one. */
  readonly above?: number;
  /** Only so many of them, those with the highest numbers. */
  readonly latest?: number;
}

/**
 * The record of truth. Every write is one atomic step on one document and survives a crash once its promise resolves.
 * Unique: campaign id, experiment id, trial id, (trial, metric, set) of a score, (experiment, cuts) of an audit, ledger row id.
 * A terminal experiment or a scored/failed/cancelled trial never changes, but for the verdict of a recorded experiment, which is set once.
 * Every record is checked against its schema before it is written: InvalidRecordError names field and value, and nothing is written.
 * `updatedAt`, and `finishedAt` where a record becomes terminal without one, are set by the archive unless the patch holds them.
 * Every method may throw ArchiveUnavailableError (archive-errors.ts): path, reason and remedy.
 */
export interface Archive {
  createCampaign(campaign: Campaign): Promise<Created<Campaign>>;
  getCampaign(id: string): Promise<Campaign | null>;
  /** Newest first. */
  listCampaigns(): Promise<readonly Campaign[]>;
  /** Merge `patch` if the stored epoch is `epoch`; the epoch rises by one. A finished campaign is terminal. */
  updateCampaign(
    id: string,
    epoch: number,
    patch: Partial<Omit<Campaign, 'id' | 'epoch' | 'createdAt'>>,
  ): Promise<Write<Campaign>>;

  createExperiment(experiment: Experiment): Promise<Created<Experiment>>;
  getExperiment(id: string): Promise<Experiment | null>;
  /** By number. */
  listExperiments(campaignId: string, filter?: ExperimentFilter): Promise<readonly Experiment[]>;
  updateExperiment(
    id: string,
    epoch: number,
    patch: Partial<Omit<Experiment, 'id' | 'campaignId' | 'number' | 'epoch' | 'createdAt'>>,
  ): Promise<Write<Experiment>>;
  /** Sets the verdict of a recorded experiment, once: the same verdict again is ok, another is `terminal`. */
  setVerdict(id: string, verdict: NonNullable<Experiment['verdict']>): Promise<Write<Experiment>>;
  countExperiments(campaignId: string): Promise<Readonly<Record<ExperimentState, number>>>;
  /**
   * Experiments of the campaign as light nodes, by number: all of them, or one page of those numbered above `after`.
   * Read a large campaign by pages: the whole of 100,000 takes a second.
   */
  lineage(campaignId: string, page?: LineagePage): Promise<readonly LineageNode[]>;
  /** Ancestors and children of one experiment; null where it does not exist. `childLimit` is 100 unless told. */
  lineageOf(experimentId: string, childLimit?: number): Promise<Kinship | null>;
  /** Recorded experiments with the highest fitness, best first. */
  leaderboard(campaignId: string, limit: number): Promise<readonly LineageNode[]>;

  createTrial(trial: Trial): Promise<Created<Trial>>;
  getTrial(id: string): Promise<Trial | null>;
  listTrials(filter: { readonly experimentId: string } | { readonly campaignId: string }): Promise<readonly Trial[]>;
  /** Raise the epoch and set state running: the holder of the returned epoch may write. Terminal when scored, failed or cancelled. */
  claimTrial(id: string): Promise<Write<Trial>>;
  /** Refused as stale unless `epoch` is the trial's. The epoch does not change. */
  updateTrial(
    id: string,
    epoch: number,
    patch: Partial<Omit<Trial, 'id' | 'experimentId' | 'rung' | 'seed' | 'epoch' | 'createdAt'>>,
  ): Promise<Write<Trial>>;

  /** A row is known by trial, metric and set; rows that exist already are left as they are. */
  appendScores(rows: readonly Score[]): Promise<void>;
  listScores(
    filter: { readonly trialId: string } | { readonly experimentId: string } | { readonly campaignId: string },
  ): Promise<readonly Score[]>;
  /**
   * Rows of this set and these data, over all campaigns, of recorded experiments whose program has such rows on more than one rung. By trial and
   * metric. Reads no experiment whose program hash occurs on one rung only.
   */
  listScoresOnSeveralRungs(query: RungQuery): Promise<readonly Score[]>;
  /** An audit is known by experiment and number of cuts; one that exists already is left as it is. */
  appendAudit(audit: Audit): Promise<void>;
  /** By number of cuts. */
  listAudits(experimentId: string): Promise<readonly Audit[]>;
  /** How many trials were scored on this set of these data, and of how many campaigns: each look wears a held-out set out. */
  countLooks(query: LookQuery): Promise<Looks>;

  /**
   * Atomic. `exists`: this row id, or a row of this kind for the same purpose and resource, is stored already and stays as it is.
   * `over-cap`: settled plus open plus this reserve row would pass `cap`; nothing is stored. A settle row is always taken: it was used.
   */
  appendLedger(row: LedgerRow, cap?: number): Promise<'appended' | 'exists' | 'over-cap'>;
  ledgerTotals(campaignId: string): Promise<Readonly<Record<LedgerRow['resource'], LedgerTotal>>>;

  getPool(campaignId: string): Promise<Pool | null>;
  /** Stored if the version there is `pool.version - 1` (or none and version 1). */
  putPool(campaignId: string, pool: Pool): Promise<Write<Pool>>;

  close(): Promise<void>;
}
