import { WorkflowNotFoundError } from '@temporalio/client';
import type { Archive } from '../../services/archive/archive.ts';
import { type Campaign, isCampaignOver } from '../../workflows/contracts/campaign.ts';
import { endCampaign } from '../activities/end-campaign.ts';
import { type Config, workFolder } from '../config.ts';
import type { Reached } from './reach.ts';

/**
 * A workflow that was terminated in the Web UI, or whose server lost it, writes no record: its campaign would stay open for ever. Closes such a
 * record as a cancel does. Null where the workflow runs, or is unknown to a server that may not be the one of this home.
 */
export const closeIfEndedOutside = async (
  { archive, config }: { readonly archive: Archive; readonly config: Config },
  temporal: Reached,
  campaign: Campaign,
): Promise<Campaign | null> => {
  if (isCampaignOver(campaign.state)) return null;
  const end = await endOf(temporal, campaign.workflowId);
  if (end === null) return null;
  // A workflow that ended by itself has written its record just before.
  const current = await archive.getCampaign(campaign.id);
  if (current === null || isCampaignOver(current.state)) return null;
  return endCampaign(
    { archive, now: () => new Date(), workFolder: workFolder(config) },
    { campaignId: campaign.id, state: 'cancelled', reason: `ended outside: ${end}` },
  );
};

/** How the workflow ended; null while it runs, and where nobody can tell. */
const endOf = async ({ client, uiUrl }: Reached, workflowId: string): Promise<string | null> => {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' ? null : status.name.toLowerCase().replaceAll('_', ' ');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    // Another server never knew it; that of this home has lost it.
    return uiUrl === null ? null : 'the Temporal server has no such workflow';
  }
};

export const outsideText = (campaign: Campaign): string =>
  `${campaign.id} had ${campaign.reason ?? 'ended outside'}; its record is closed as ${campaign.state}`;
