import { existsSync } from 'node:fs';
import { Command } from 'commander';
import type { Archive } from '../../../services/archive/archive.ts';
import { ArchiveUnavailableError } from '../../../services/archive/archive-errors.ts';
import { isCampaignOver } from '../../../workflows/contracts/campaign.ts';
import { campaignTable } from '../../view/campaign-table.ts';
import { CommandError } from '../command-error.ts';
import { type CliContext, howToStart } from '../context.ts';
import { closeIfEndedOutside, outsideText } from '../ended-outside.ts';
import { examples } from '../examples.ts';
import { withTemporal } from '../reach.ts';

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
  context.readArchive(async (archive) => {
    await closeEnded(context, archive);
    const campaigns = await archive.listCampaigns();
    return Promise.all(
      campaigns.map(async (campaign) => {
        const counts = await archive.countExperiments(campaign.id);
        return { campaign, numExperiments: Object.values(counts).reduce((sum, count) => sum + count, 0) };
      }),
    );
  });

/** What is open in the record may have ended without a word to it. Without a server to ask, says that. */
const closeEnded = async (context: CliContext, archive: Archive): Promise<void> => {
  const open = (await archive.listCampaigns()).filter(({ state }) => !isCampaignOver(state));
  if (open.length === 0) return;
  try {
    await withTemporal(context, async (temporal) => {
      for (const campaign of open) {
        const closed = await context.withArchive((writable) =>
          closeIfEndedOutside({ archive: writable, config: context.config() }, temporal, campaign),
        );
        if (closed !== null) context.note(outsideText(closed));
      }
    });
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof ArchiveUnavailableError)) throw error;
    context.note(`${error.message} What is said of ${open.map(({ id }) => id).join(', ')} may be out of date.`);
  }
};
