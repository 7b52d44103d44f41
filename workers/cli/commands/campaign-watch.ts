import { isGrpcServiceError } from '@temporalio/client';
import { Command } from 'commander';
import type { Archive } from '../../../services/archive/archive.ts';
import { type Campaign, isCampaignOver } from '../../../workflows/contracts/campaign.ts';
import type { CampaignStatus } from '../../../workflows/contracts/messages.ts';
import { DiskWatch } from '../../supervisor/index.ts';
import { CampaignFeed } from '../campaign-feed.ts';
import type { CliContext } from '../context.ts';
import { closeIfEndedOutside, outsideText } from '../ended-outside.ts';
import { examples } from '../examples.ts';
import { findCampaign } from '../find-records.ts';
import { followCampaign } from '../follow-campaign.ts';
import { printClosing, requireFinished } from '../print-closing.ts';
import { type Reached, reachTemporal } from '../reach.ts';
import { openScreen } from '../screen.ts';
import { queryStatus } from '../temporal-client.ts';

export const campaignWatchCommand = (context: CliContext): Command =>
  new Command('watch')
    .description('live view of a campaign until it is over; a line for each event when the output is not a terminal')
    .argument('[campaign]', 'campaign id; the newest one if not given')
    .option('--json', 'one snapshot as JSON, then end')
    .addHelpText('after', '\nExit codes: 0 it finished, 1 it was cancelled or failed.')
    .addHelpText('after', examples(['npx asi campaign watch', 'npx asi campaign watch c-quick-1121-1432 | tee run.log']))
    .action((id: string | undefined, options: { readonly json?: boolean }) => watch(context, id, options.json === true));

const watch = (context: CliContext, id: string | undefined, once: boolean): Promise<void> =>
  context.withArchive(async (archive) => {
    const campaign = await findCampaign(archive, id);
    const temporal = isCampaignOver(campaign.state) ? null : await reachIfUp(context, campaign);
    const readStatus = temporal === null ? async () => null : statusReader(context, { archive, temporal, campaign });
    const { home, neededBytes } = context.config();
    let say = (line: string): void => context.note(line);
    const disk = new DiskWatch({ home, floorBytes: neededBytes / 2, onLine: (line) => say(line) });
    const feed = new CampaignFeed({ archive, campaignId: campaign.id, readStatus, readTrouble: () => disk.note });
    try {
      if (once) {
        context.printJson(await feed.read(Date.now()));
        return;
      }
      const screen = openScreen(context, 'Ctrl-C ends the view; the campaign goes on');
      say = (line) => screen.say(line);
      const { snapshot } = await followCampaign({ feed, screen });
      screen.close();
      if (snapshot.campaign === null) return;
      await printClosing(context, archive, snapshot.campaign);
      requireFinished(snapshot.campaign);
    } finally {
      disk.stop();
      await temporal?.close();
    }
  });

/** Watching needs only the record; a server that is away costs the stage line and no more. */
const reachIfUp = (context: CliContext, campaign: Campaign): Promise<Reached | null> =>
  reachTemporal(context).catch((error: Error) => {
    context.note(`${error.message} Showing the record only, which may be out of date: ${campaign.id} may have ended since.`);
    return null;
  });

const lookEveryMs = 3_000;

/** The workflow's own word. Looks now and then whether the workflow still runs, since one that was terminated answers queries all the same. */
const statusReader = (
  context: CliContext,
  watched: { readonly archive: Archive; readonly temporal: Reached; readonly campaign: Campaign },
): (() => Promise<CampaignStatus | null>) => {
  const { archive, temporal, campaign } = watched;
  let lookAtMs = 0;
  let hasEnded = isCampaignOver(campaign.state);
  return async () => {
    if (!hasEnded && Date.now() >= lookAtMs) {
      lookAtMs = Date.now() + lookEveryMs;
      const closed = await closeIfEndedOutside({ archive, config: context.config() }, temporal, campaign).catch(ignoreOutage);
      if (closed !== null) context.note(outsideText(closed));
      hasEnded = closed !== null;
    }
    return hasEnded ? null : queryStatus(temporal, campaign.workflowId);
  };
};

/** A server that restarts is nothing new to a reader: the archive still speaks, and the next look tells more. */
const ignoreOutage = (error: unknown): null => {
  if (isGrpcServiceError(error)) return null;
  throw error;
};
