import { isDeepStrictEqual } from 'node:util';
import { type Campaign, rungOf } from '../../workflows/contracts/campaign.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import { rungs } from '../../workflows/contracts/rung.ts';
import type { Score } from '../../workflows/contracts/score.ts';
import { type RungCorrelation, rungCorrelations } from '../../workflows/rules/rung-correlations.ts';
import { openIn, silencedBy } from '../../workflows/rules/unsandboxed.ts';
import type { Archive } from '../archive/archive.ts';

/**
 * Whether the rungs rank alike, from the exploring scores of every program that any campaign of this archive measured on two of them, on these
 * data. Rows that a program may have written itself tell nothing, and those of a rung whose recipe has changed since are of another rung.
 */
export const readRungRanks = async (archive: Archive, dataHash: string): Promise<readonly RungCorrelation[]> => {
  const rows = await archive.listScoresOnSeveralRungs({ dataHash, set: 'search' });
  const spoken = await Promise.all(
    [...Map.groupBy(rows, ({ trialId }) => campaignOf(trialId))].map(([campaignId, own]) => spokenIn(archive, campaignId, own)),
  );
  return rungCorrelations(spoken.flat(), Object.keys(rungs));
};

/** Authors stand in the records of the whole campaign, which are read only where a row leaves something open. */
const spokenIn = async (archive: Archive, campaignId: string, rows: readonly Score[]): Promise<readonly Score[]> => {
  const campaign = await archive.getCampaign(campaignId);
  if (campaign === null || !isTodaysRecipe(campaign)) return [];
  const openTo = (row: Score) => openIn([row], campaign.settings.data);
  if (rows.every((row) => openTo(row) === null)) return rows;
  const proposals = (await archive.listExperiments(campaignId)).map(({ proposal }) => proposal);
  const authors = new Set(proposals.flatMap((proposal) => (proposal === null ? [] : [proposal.author])));
  return rows.filter((row) => silencedBy({ open: openTo(row), authors }) === null);
};

const isTodaysRecipe = (campaign: Campaign): boolean => isDeepStrictEqual(rungOf(campaign), rungs[campaign.settings.rung]);
