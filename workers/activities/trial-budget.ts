import { setTimeout } from 'node:timers/promises';
import type { Archive } from '../../services/archive/archive.ts';
import { rungOf, settingsInForce } from '../../workflows/contracts/campaign.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import { firstReserveSeconds } from '../../workflows/contracts/rung.ts';
import { reserveEstimate } from '../../workflows/rules/budget.ts';
import { requireCampaign } from './experiment-record.ts';
import { withHeartbeat } from './heartbeat.ts';
import type { TrialPeers } from './trial-peers.ts';

interface BudgetDependencies {
  readonly archive: Archive;
  readonly now: () => Date;
}

const reservePollMs = 500;

/**
 * Reserves an upper estimate before the trial starts; the settle row replaces it. While only other trials' open reserves stand in the way it
 * waits for them to settle; false when the cap itself leaves no room.
 */
export const reserveSeconds = (
  { archive, now, peers }: BudgetDependencies & { readonly peers: TrialPeers },
  trialId: string,
): Promise<boolean> =>
  withHeartbeat(async (beat, signal) => {
    const campaignId = campaignOf(trialId);
    for (;;) {
      const campaign = await requireCampaign(archive, campaignId);
      const settings = settingsInForce(campaign);
      const rung = rungOf(campaign);
      const amount = reserveEstimate({
        longestTrialSeconds: await peers.longestCpuSeconds(campaignId),
        firstSeconds: firstReserveSeconds(rung),
        wallLimitSeconds: rung.wallLimitSeconds,
      });
      const row = {
        id: `${trialId}#reserve`,
        campaignId,
        purpose: trialId,
        kind: 'reserve',
        resource: 'trial-seconds',
      } as const;
      const answer = await archive.appendLedger({ ...row, amount, at: now().toISOString() }, settings.trialSeconds);
      if (answer !== 'over-cap') return true;
      const { open } = (await archive.ledgerTotals(campaignId))['trial-seconds'];
      if (open === 0) return false;
      beat({ waitingForBudget: amount });
      await setTimeout(reservePollMs, undefined, { signal });
    }
  });

/** What the trial used, in place of its reserve; the first settle of a trial stands. */
export const settleSeconds = async ({ archive, now }: BudgetDependencies, trialId: string, amount: number): Promise<void> => {
  await archive.appendLedger({
    id: `${trialId}#settle`,
    campaignId: campaignOf(trialId),
    purpose: trialId,
    kind: 'settle',
    resource: 'trial-seconds',
    amount,
    at: now().toISOString(),
  });
};
