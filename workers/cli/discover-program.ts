import { Command } from 'commander';
import type { CliContext } from './context.ts';
import { examples } from './examples.ts';
import { printClosing, requireFinished } from './print-closing.ts';
import { runCampaign } from './run-campaign.ts';
import { addSettingOptions, type SettingValues, settingsFrom } from './setting-options.ts';

/** `npm run discover`: one whole campaign from the first line to the closing table. Fails unless the campaign finished. */
export const buildDiscoverProgram = (context: CliContext): Command =>
  addSettingOptions(
    new Command('npm run discover --').description('Run one whole discovery campaign on this machine and say what it found'),
  )
    .option('--id <name>', 'campaign id; made of preset, day and time if not given')
    .option('--debug', 'show the stack of an error')
    .addHelpText(
      'after',
      examples([
        'npm run discover',
        'npm run discover -- --preset quick --experiments 20 --seed 7',
        'npm run discover -- --data-folder ~/texts --minutes 10',
      ]),
    )
    .action(async (options: SettingValues & { readonly id?: string }) => {
      const campaign = await runCampaign(context, {
        input: settingsFrom(options),
        id: options.id,
        close: (archive, ended) => printClosing(context, archive, ended),
      });
      requireFinished(campaign);
    });
