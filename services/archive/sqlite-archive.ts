import { type OpenOptions, SqliteDatabase, type StoreKind } from '../storage/sqlite-database.ts';
import type { Archive } from './archive.ts';
import { ArchiveUnavailableError } from './archive-errors.ts';
import { SqliteAudits } from './sqlite-audits.ts';
import { SqliteCampaigns } from './sqlite-campaigns.ts';
import { SqliteExperiments } from './sqlite-experiments.ts';
import { SqliteLedger } from './sqlite-ledger.ts';
import { archiveApplicationId, archiveMigrations } from './sqlite-schema.ts';
import { SqliteTrials } from './sqlite-trials.ts';

const archiveKind: StoreKind = {
  noun: 'archive',
  applicationId: archiveApplicationId,
  migrations: archiveMigrations,
  errorOf: (fault, cause) => new ArchiveUnavailableError(fault, cause),
};

export interface SqliteArchiveOptions extends Omit<OpenOptions, 'path'> {
  readonly now?: () => Date;
}

/**
 * Opens the archive file, or makes it with its folder; any number of processes may have it open at once.
 * A resolved write survives the end of every process; see SqliteDatabase for what a power loss may take.
 * Throws ArchiveUnavailableError: no permission, full disk, not a database, not an archive, newer version, locked.
 */
export const openSqliteArchive = (path: string, options: SqliteArchiveOptions = {}): Archive => {
  const { now = () => new Date(), ...open } = options;
  const database = new SqliteDatabase(archiveKind, { path, ...open });
  const campaigns = new SqliteCampaigns(database, now);
  const experiments = new SqliteExperiments(database, now);
  const trials = new SqliteTrials(database, now);
  const audits = new SqliteAudits(database);
  const ledger = new SqliteLedger(database);
  // node:sqlite is synchronous; `async` turns what it throws into rejections, as callers of a port expect.
  return {
    createCampaign: async (campaign) => campaigns.create(campaign),
    getCampaign: async (id) => campaigns.get(id),
    listCampaigns: async () => campaigns.list(),
    updateCampaign: async (id, epoch, patch) => campaigns.update(id, epoch, patch),
    createExperiment: async (experiment) => experiments.create(experiment),
    getExperiment: async (id) => experiments.get(id),
    listExperiments: async (campaignId, filter) => experiments.list(campaignId, filter),
    updateExperiment: async (id, epoch, patch) => experiments.update(id, epoch, patch),
    setVerdict: async (id, verdict) => experiments.setVerdict(id, verdict),
    countExperiments: async (campaignId) => experiments.count(campaignId),
    lineage: async (campaignId, page) => experiments.lineage(campaignId, page),
    lineageOf: async (id, childLimit) => experiments.lineageOf(id, childLimit),
    leaderboard: async (campaignId, limit) => experiments.leaderboard(campaignId, limit),
    createTrial: async (trial) => trials.create(trial),
    getTrial: async (id) => trials.get(id),
    listTrials: async (filter) => trials.list(filter),
    claimTrial: async (id) => trials.claim(id),
    updateTrial: async (id, epoch, patch) => trials.update(id, epoch, patch),
    appendScores: async (rows) => trials.appendScores(rows),
    listScores: async (filter) => trials.listScores(filter),
    listScoresOnSeveralRungs: async (query) => trials.listScoresOnSeveralRungs(query),
    appendAudit: async (audit) => audits.append(audit),
    listAudits: async (id) => audits.list(id),
    countLooks: async (query) => trials.countLooks(query),
    appendLedger: async (row, cap) => ledger.append(row, cap),
    ledgerTotals: async (campaignId) => ledger.totals(campaignId),
    getPool: async (campaignId) => campaigns.getPool(campaignId),
    putPool: async (campaignId, pool) => campaigns.putPool(campaignId, pool),
    close: async () => database.close(),
  };
};
