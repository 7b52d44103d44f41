import { type Campaign, isCampaignOver } from '../../workflows/contracts/campaign.ts';
import { isTerminal } from '../../workflows/contracts/experiment.ts';
import { type CloseDependencies, closeTrials } from './close-trials.ts';
import { changeCampaign, changeExperiment } from './experiment-record.ts';
import { removeCampaignWork } from './workdir.ts';

/** Closes a campaign's record with everything that is still open in it. What ended before stays as it is; a retry finds nothing to do. */
export const endCampaign = async (
  dependencies: CloseDependencies,
  end: { readonly campaignId: string; readonly state: 'cancelled' | 'failed'; readonly reason: string },
): Promise<Campaign> => {
  const { archive, now } = dependencies;
  const { campaignId, state, reason } = end;
  const at = now().toISOString();
  const why = { label: 'cancelled', detail: `the campaign ended: ${reason}`.slice(0, 4000) } as const;
  const closeAll = async (): Promise<void> => {
    const open = (await archive.listExperiments(campaignId)).filter((experiment) => !isTerminal(experiment.state));
    for (const { id } of open) {
      const failure = { ...why, stage: 'record', logArtifact: null } as const;
      await changeExperiment(archive, id, () => ({ state: 'cancelled', failure, finishedAt: at }));
    }
    await closeTrials(dependencies, await archive.listTrials({ campaignId }), why);
  };
  await closeAll();
  const ended = await changeCampaign(archive, campaignId, (current) =>
    isCampaignOver(current.state) ? null : { state, reason: reason.slice(0, 4000), finishedAt: at },
  );
  // A step that was on its way may have opened an experiment or a trial since they were listed. One that opens something from here on finds
  // the campaign over.
  await closeAll();
  await removeCampaignWork(dependencies.workFolder, campaignId);
  return ended;
};
