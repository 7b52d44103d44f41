/** `npm run discover`: one whole campaign from the first line to the closing table. Exit code 0 only when it finished. */
import { Command } from 'commander';
import { exitCodes } from './cli/command-error.ts';
import { CliContext } from './cli/context.ts';
import { examples } from './cli/examples.ts';
import { printClosing } from './cli/print-closing.ts';
import { runCampaign } from './cli/run-campaign.ts';
import { runProgram } from './cli/run-program.ts';
import { addSettingOptions, type SettingValues, settingsFrom } from './cli/setting-options.ts';

const context = new CliContext(process);
let exitCode: number = exitCodes.ok;
const program = addSettingOptions(
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
    if (campaign.state !== 'finished') exitCode = exitCodes.failed;
  });

const programCode = await runProgram(context, program, process.argv.slice(2));
process.exit(programCode === exitCodes.ok ? exitCode : programCode);
