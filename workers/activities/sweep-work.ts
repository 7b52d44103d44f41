import { readdir } from 'node:fs/promises';
import type { Archive } from '../../services/archive/archive.ts';
import { isCampaignOver } from '../../workflows/contracts/campaign.ts';
import { checkFolder, removeCampaignWork } from './workdir.ts';

/**
 * Removes the work folders of campaigns that are over: of a worker that was killed in the midst of a job when its campaign had just ended
 * nobody else does. Folders of no campaign of this home stay.
 */
export const sweepWork = async ({
  archive,
  workFolder,
}: {
  readonly archive: Archive;
  readonly workFolder: string;
}): Promise<void> => {
  const names = new Set([...(await namesIn(workFolder)), ...(await namesIn(checkFolder(workFolder)))]);
  for (const name of names) {
    const campaign = await archive.getCampaign(name);
    if (campaign !== null && isCampaignOver(campaign.state)) await removeCampaignWork(workFolder, campaign.id);
  }
};

const namesIn = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder);
  } catch (error) {
    // Nothing was worked at yet.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
};
