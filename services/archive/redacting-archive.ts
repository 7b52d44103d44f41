import { redactAll } from '../../workflows/rules/secrets.ts';
import type { Archive } from './archive.ts';

/**
 * An archive into which no secret is written: `redact` goes over every text of campaigns, experiments, trials, verdicts and audits. Score rows are
 * left as they are, since the judge has sealed them, and so are ids.
 */
export const redactingArchive = (archive: Archive, redact: (text: string) => string): Archive => ({
  createCampaign: (campaign) => archive.createCampaign(redactAll(campaign, redact)),
  getCampaign: (id) => archive.getCampaign(id),
  listCampaigns: () => archive.listCampaigns(),
  updateCampaign: (id, epoch, patch) => archive.updateCampaign(id, epoch, redactAll(patch, redact)),
  createExperiment: (experiment) => archive.createExperiment(redactAll(experiment, redact)),
  getExperiment: (id) => archive.getExperiment(id),
  listExperiments: (campaignId, filter) => archive.listExperiments(campaignId, filter),
  updateExperiment: (id, epoch, patch) => archive.updateExperiment(id, epoch, redactAll(patch, redact)),
  setVerdict: (id, verdict) => archive.setVerdict(id, redactAll(verdict, redact)),
  countExperiments: (campaignId) => archive.countExperiments(campaignId),
  lineage: (campaignId, page) => archive.lineage(campaignId, page),
  lineageOf: (experimentId, childLimit) => archive.lineageOf(experimentId, childLimit),
  leaderboard: (campaignId, limit) => archive.leaderboard(campaignId, limit),
  createTrial: (trial) => archive.createTrial(redactAll(trial, redact)),
  getTrial: (id) => archive.getTrial(id),
  listTrials: (filter) => archive.listTrials(filter),
  claimTrial: (id) => archive.claimTrial(id),
  updateTrial: (id, epoch, patch) => archive.updateTrial(id, epoch, redactAll(patch, redact)),
  appendScores: (rows) => archive.appendScores(rows),
  listScores: (filter) => archive.listScores(filter),
  listScoresOnSeveralRungs: (query) => archive.listScoresOnSeveralRungs(query),
  appendAudit: (audit) => archive.appendAudit(redactAll(audit, redact)),
  listAudits: (experimentId) => archive.listAudits(experimentId),
  countLooks: (query) => archive.countLooks(query),
  appendLedger: (row, cap) => archive.appendLedger(row, cap),
  ledgerTotals: (campaignId) => archive.ledgerTotals(campaignId),
  getPool: (campaignId) => archive.getPool(campaignId),
  putPool: (campaignId, pool) => archive.putPool(campaignId, pool),
  close: () => archive.close(),
});
