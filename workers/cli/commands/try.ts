import { basename } from 'node:path';
import { Command } from 'commander';
import type { Archive } from '../../../services/archive/archive.ts';
import type { Campaign } from '../../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../../workflows/contracts/experiment.ts';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { type CampaignInput, resolveSettings } from '../../../workflows/contracts/settings.ts';
import { secretsIn } from '../../../workflows/rules/secrets.ts';
import { credentialProblem } from '../../activities/credentials.ts';
import { gateResultLines } from '../../view/gate-result.ts';
import { endWords, tryLines } from '../../view/try-result.ts';
import { badInput, CommandError } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { checkProgram } from '../gate/check-program.ts';
import { refuseOwnFile } from '../gate/own-file.ts';
import { refusalOf } from '../gate/program-refusal.ts';
import { readMixerFile } from '../gate/read-mixer-file.ts';
import { readStandings } from '../read-standings.ts';
import { runCampaign } from '../run-campaign.ts';
import { addSettingOptions, type SettingValues, settingsFrom } from '../setting-options.ts';
import { checkedId } from '../start-campaign.ts';

/** As for every candidate of a campaign. */
const cuts = 8;
const flopsLimit = 1.25;

/** Settings of a search, which there is none of: the file and the other starts are trained, and all of them are confirmed. */
const ofSearch = [
  'experiments',
  'finalists',
  'hints',
  'policy',
  'poolBatch',
  'coldStart',
  'controlShare',
  'targetGain',
  'maxRepairs',
] as const satisfies readonly (keyof CampaignInput)[];

/** As many finalists as a campaign may have. */
const mostTried = 16;

export const tryCommand = (context: CliContext): Command =>
  addSettingOptions(
    new Command('try')
      .description('check, train and score your own mixer program, and say where it stands against the baselines')
      .argument(
        '<file.py>',
        'a program with a class Mixer(hidden_size, num_heads, layer_index=0, num_layers=1) and forward(x, state=None) -> (y, state)',
      ),
    ofSearch,
  )
    .option('--id <name>', 'campaign id; made of preset, day and time if not given')
    .addHelpText(
      'after',
      `${examples(['npx asi try my_mixer.py', 'npx asi try my_mixer.py --preset standard --baselines deltanet,kda'])}
A machine without any sandbox (npx asi doctor) runs your file only where you name the campaign; its scores are then never ranked:
  ASI_ALLOW_UNSANDBOXED=c-mine npx asi try my_mixer.py --id c-mine
`,
    )
    .action(async (file: string, options: SettingValues & { readonly id?: string }) => {
      const { path, text } = readMixerFile(file, process.cwd());
      // The workers know the secrets of their own shell alone, and this one may be another.
      const problem = credentialProblem(secretsIn(context.environment))(text);
      if (problem !== null) throw badInput(`${file}: ${problem}`);
      const input = inputFor(path, settingsFrom(options));
      const id = options.id === undefined ? null : checkedId(options.id);
      await gate(context, { file, path, text, input, id });
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

const inputFor = (path: string, given: CampaignInput): CampaignInput => {
  const [unused] = ofSearch.filter((name) => given[name] !== undefined);
  if (unused !== undefined)
    throw badInput(
      `${unused}: value ${JSON.stringify(given[unused])}; asi try searches nothing, it trains the file, its starts and the baselines: leave it out, or use asi campaign start --start ${path}`,
    );
  const starts = [...(given.starts ?? []), path];
  if (starts.length > mostTried)
    throw badInput(
      `starts: ${starts.length - 1} values; at most ${mostTried - 1} beside the file, since each of them is confirmed`,
    );
  return { ...given, experiments: 0, finalists: starts.length, starts };
};

/** The gates first: training the baselines for a program that cannot be measured would waste minutes. */
const gate = async (
  context: CliContext,
  tried: {
    readonly file: string;
    readonly path: string;
    readonly text: string;
    readonly input: CampaignInput;
    readonly id: string | null;
  },
): Promise<void> => {
  const { file, path, text, input, id } = tried;
  const config = context.wholeConfig();
  const settings = resolveSettings(input);
  const { rung, seed, baselines } = settings;
  const refuse = refuseOwnFile({ settings, id, unsandboxed: config.unsandboxed });
  const fileName = basename(path);
  const program = { text, fileName, rung: rungs[rung], seed, cuts, flopsLimit, reference: baselines[0] ?? 'deltanet', refuse };
  const checked = await checkProgram(config, program);
  const refusal = refusalOf(checked);
  if (refusal === null) {
    if (checked.ok) context.note(`${fileName}: ${checked.report.gates.length} gates, none fails`);
    return;
  }
  if (refusal.kind === 'no-mixer') throw badInput(`file.py: value "${file}"; ${refusal.detail}`);
  if (checked.ok)
    context.print(gateResultLines(context.look(), { fileName, rung, seed, report: checked.report, sandbox: checked.sandbox }));
  throw new CommandError(`${fileName}: ${refusal.detail}; nothing was trained`);
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
    throw new CommandError(`the program ${endWords(tried.state)}: ${tried.failure?.detail ?? 'no reason was recorded'}`);
};
