import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Archive } from '../../../services/archive/archive.ts';
import type { Campaign } from '../../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../../workflows/contracts/experiment.ts';
import { tryLines } from '../../view/try-result.ts';
import { badInput, CommandError } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { readStandings } from '../read-standings.ts';
import { runCampaign } from '../run-campaign.ts';
import { addSettingOptions, type SettingValues, settingsFrom } from '../setting-options.ts';
import { readableFile } from '../setting-paths.ts';

export const tryCommand = (context: CliContext): Command =>
  addSettingOptions(
    new Command('try')
      .description('check, train and score your own mixer program, and say where it stands against the baselines')
      .argument(
        '<file.py>',
        'a program with a class Mixer(hidden_size, num_heads, layer_index=0, num_layers=1) and forward(x, state=None) -> (y, state)',
      ),
  )
    .option('--id <name>', 'campaign id; made of preset, day and time if not given')
    .addHelpText(
      'after',
      examples(['npx asi try my_mixer.py', 'npx asi try my_mixer.py --preset standard --baselines deltanet,kda']),
    )
    .action(async (file: string, options: SettingValues & { readonly id?: string }) => {
      const path = readableProgram(file);
      const given = settingsFrom(options);
      const input = { ...given, experiments: 0, finalists: 1, starts: [...(given.starts ?? []), path] };
      let tried: Experiment | null = null;
      const campaign = await runCampaign(context, {
        input,
        id: options.id,
        close: async (archive, ended) => {
          tried = await printTried(context, archive, ended);
        },
      });
      judge(campaign, tried);
    });

const readableProgram = (file: string): string => {
  const right = 'right would be the path of a Python file with a class Mixer';
  const path = readableFile({ field: 'file.py', value: file, right }, process.cwd());
  if (readFileSync(path, 'utf8').trim() === '') throw badInput(`file.py: value "${file}"; ${right}; this file is empty`);
  return path;
};

const printTried = async (context: CliContext, archive: Archive, campaign: Campaign): Promise<Experiment | null> => {
  const starts = await archive.listExperiments(campaign.id, { kinds: ['start'] });
  const tried = starts.at(-1) ?? null;
  if (tried !== null)
    context.print(['', ...tryLines(context.look(), { campaign, tried, standings: await readStandings(archive, campaign) })]);
  return tried;
};

/** Ends well only when the program was measured to its end. */
const judge = (campaign: Campaign, tried: Experiment | null): void => {
  if (campaign.state !== 'finished')
    throw new CommandError(`${campaign.id} is ${campaign.state}${campaign.reason === null ? '' : `: ${campaign.reason}`}`);
  if (tried === null) throw new CommandError(`${campaign.id} has no record of the program`);
  if (tried.state !== 'recorded')
    throw new CommandError(`the program was ${tried.state}: ${tried.failure?.detail ?? 'no reason was recorded'}`);
};
