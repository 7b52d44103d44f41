import { rm, rmdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { Archive } from '../../services/archive/archive.ts';
import { besideWorkdir } from './kept-part.ts';

/** Where a trial has its checkpoints while it runs. `workFolder` is the folder of all work. */
export const workdirOf = (workFolder: string, trialId: string): string => join(workFolder, ...trialId.split('/'));

/** Below it the gates have a folder for each program. */
export const checkFolder = (workFolder: string): string => join(workFolder, 'check');

/**
 * A process that is being ended may still write into what is removed, and a program may have made a folder that this user cannot enter. What
 * cannot be removed keeps no record from its end; the next start of a trainer tries again (`sweepWork`).
 */
const remove = async (path: string): Promise<void> => {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
};

/** Removes a work folder, what was kept beside it, and the folders above it that are empty now, up to the folder of all work. */
export const removeWorkdir = async (workFolder: string, workdir: string): Promise<void> => {
  for (const path of [workdir, ...besideWorkdir(workdir)]) await remove(path);
  for (let folder = dirname(workdir); folder.startsWith(`${workFolder}${sep}`); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      // Another trial's folder is in it, or another worker removed it just now.
      if (error instanceof Error && 'code' in error) return;
      throw error;
    }
  }
};

/**
 * After an attempt, however it ended: nobody goes on with a trial that is over. Somebody else may have closed it while its job ran, and what
 * that job wrote since is removed here.
 */
export const removeIfOver = async (
  { archive, workFolder }: { readonly archive: Archive; readonly workFolder: string },
  trialId: string,
): Promise<void> => {
  const state = (await archive.getTrial(trialId))?.state;
  if (state === 'scored' || state === 'failed' || state === 'cancelled')
    await removeWorkdir(workFolder, workdirOf(workFolder, trialId));
};

/** All that trials and gates of a campaign left; to be called once the campaign and its trials are over. */
export const removeCampaignWork = async (workFolder: string, campaignId: string): Promise<void> => {
  for (const folder of [workFolder, checkFolder(workFolder)]) await remove(join(folder, campaignId));
};
