import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { campaignListCommand } from './campaign-list.ts';
import { campaignStartCommand } from './campaign-start.ts';
import {
  campaignBudgetCommand,
  campaignCancelCommand,
  campaignHintCommand,
  campaignPauseCommand,
  campaignResumeCommand,
  campaignStopCommand,
} from './campaign-steer.ts';
import { campaignWatchCommand } from './campaign-watch.ts';

export const campaignCommand = (context: CliContext): Command => {
  const command = new Command('campaign').description('start, follow and steer campaigns');
  for (const create of [
    campaignStartCommand,
    campaignListCommand,
    campaignWatchCommand,
    campaignPauseCommand,
    campaignResumeCommand,
    campaignStopCommand,
    campaignCancelCommand,
    campaignHintCommand,
    campaignBudgetCommand,
  ]) {
    command.addCommand(create(context));
  }
  return command.addHelpText(
    'after',
    examples(['npx asi campaign start --preset quick --seed 7', 'npx asi campaign watch', 'npx asi campaign stop']),
  );
};
