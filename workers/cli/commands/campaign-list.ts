import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { campaignTable } from '../../view/campaign-table.ts';
import { type CliContext, howToStart } from '../context.ts';
import { examples } from '../examples.ts';

export const campaignListCommand = (context: CliContext): Command =>
  new Command('list')
    .description('every campaign of this machine, newest first')
    .option('--json', 'as JSON')
    .addHelpText('after', examples(['npx asi campaign list', 'npx asi campaign list --json']))
    .action(async (options: { readonly json?: boolean }) => {
      const rows = existsSync(context.archivePath()) ? await readRows(context) : [];
      if (options.json === true) context.printJson(rows.map(({ campaign, numExperiments }) => ({ ...campaign, numExperiments })));
      else if (rows.length === 0) context.print([`There is no campaign yet. ${howToStart}`]);
      else context.print(campaignTable(context.look(), rows));
    });

const readRows = (context: CliContext) =>
  context.withArchive(async (archive) => {
    const campaigns = await archive.listCampaigns();
    return Promise.all(
      campaigns.map(async (campaign) => {
        const counts = await archive.countExperiments(campaign.id);
        return { campaign, numExperiments: Object.values(counts).reduce((sum, count) => sum + count, 0) };
      }),
    );
  });
