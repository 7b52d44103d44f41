import { setTimeout as sleep } from 'node:timers/promises';
import { isCampaignOver } from '../../workflows/contracts/campaign.ts';
import type { CampaignSnapshot } from '../view/snapshot.ts';
import type { CampaignFeed } from './campaign-feed.ts';
import type { Screen } from './screen.ts';
import type { WorkflowEnd } from './workflow-end.ts';

const pollMs = 500;

export interface Followed {
  readonly snapshot: CampaignSnapshot;
  /** null when only the record said that it is over. */
  readonly end: WorkflowEnd | null;
}

/** Shows the campaign until it is over: by its workflow's end where one is given, else by its record. */
export const followCampaign = async (options: {
  readonly feed: CampaignFeed;
  readonly screen: Screen;
  readonly ended?: Promise<WorkflowEnd>;
}): Promise<Followed> => {
  const { feed, screen, ended } = options;
  let end: WorkflowEnd | null = null;
  let lost: unknown = null;
  const watching = ended?.then(
    (value) => {
      end = value;
    },
    (error: unknown) => {
      lost = error;
    },
  );
  for (;;) {
    const isLast = end !== null;
    const snapshot = await feed.read(Date.now());
    screen.show(snapshot);
    const recordIsOver = snapshot.campaign !== null && isCampaignOver(snapshot.campaign.state);
    if (isLast || (watching === undefined && recordIsOver)) return { snapshot, end };
    if (lost !== null) throw lost;
    await (watching === undefined || end !== null ? sleep(pollMs) : Promise.race([sleep(pollMs), watching]));
  }
};
