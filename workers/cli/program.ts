import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { checkoutFolder } from '../config.ts';
import { campaignCommand } from './commands/campaign.ts';
import { doctorCommand } from './commands/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { gateCommand } from './commands/gate.ts';
import { leaderboardCommand } from './commands/leaderboard.ts';
import { lineageCommand } from './commands/lineage.ts';
import { reportCommand } from './commands/report.ts';
import { showCommand } from './commands/show.ts';
import { tryCommand } from './commands/try.ts';
import { verifyCommand } from './commands/verify.ts';
import type { CliContext } from './context.ts';
import { examples } from './examples.ts';

export const buildProgram = (context: CliContext): Command => {
  const program = new Command('asi')
    .description('Discovers neural sequence-mixing architectures and says how sure it is.')
    .version(versionOf(checkoutFolder))
    .option('--debug', 'show the stack of an error');
  for (const create of [
    doctorCommand,
    campaignCommand,
    lineageCommand,
    showCommand,
    leaderboardCommand,
    reportCommand,
    exportCommand,
    tryCommand,
    gateCommand,
    verifyCommand,
  ]) {
    program.addCommand(create(context));
  }
  return program.addHelpText(
    'after',
    `${examples(['npx asi doctor', 'npx asi campaign start --preset quick', 'npx asi lineage', 'npx asi show e0007'])}
Exit codes: 0 done, 1 failed, 2 the input cannot be used, 3 (verify) parts could not be repeated.
State lives in ASI_HOME (default .asi in the checkout); NO_COLOR turns colour off.
`,
  );
};

const versionOf = (folder: string): string => {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version: string }; // Our own file.
  return version;
};
