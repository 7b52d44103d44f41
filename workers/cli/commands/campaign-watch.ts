import { Command } from 'commander';
import { CampaignFeed } from '../campaign-feed.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { findCampaign } from '../find-records.ts';
import { followCampaign } from '../follow-campaign.ts';
import { printClosing } from '../print-closing.ts';
import { reachTemporal } from '../reach.ts';
import { openScreen } from '../screen.ts';
import { queryStatus } from '../temporal-client.ts';

export const campaignWatchCommand = (context: CliContext): Command =>
  new Command('watch')
    .description('live view of a campaign until it is over; a line for each event when the output is not a terminal')
    .argument('[campaign]', 'campaign id; the newest one if not given')
    .option('--json', 'one snapshot as JSON, then end')
    .addHelpText('after', examples(['npx asi campaign watch', 'npx asi campaign watch c-quick-1121-1432 | tee run.log']))
    .action((id: string | undefined, options: { readonly json?: boolean }) => watch(context, id, options.json === true));

const watch = (context: CliContext, id: string | undefined, once: boolean): Promise<void> =>
  context.withArchive(async (archive) => {
    const campaign = await findCampaign(archive, id);
    // Watching needs only the record; a server that is away costs the stage line and no more.
    const temporal = await reachTemporal(context).catch((error: Error) => {
      context.note(`${error.message} Showing the record only.`);
      return null;
    });
    const readStatus = temporal === null ? async () => null : () => queryStatus(temporal, campaign.workflowId);
    const feed = new CampaignFeed({ archive, campaignId: campaign.id, readStatus });
    try {
      if (once) {
        context.printJson(await feed.read(Date.now()));
        return;
      }
      const screen = openScreen(context, 'Ctrl-C ends the view; the campaign goes on');
      const { snapshot } = await followCampaign({ feed, screen });
      screen.close();
      if (snapshot.campaign !== null) await printClosing(context, archive, snapshot.campaign);
    } finally {
      await temporal?.close();
    }
  });
