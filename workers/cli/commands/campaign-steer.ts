import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { type Campaign, isCampaignOver } from '../../../workflows/contracts/campaign.ts';
import { parseSettings } from '../../../workflows/contracts/describe-problems.ts';
import { type CampaignStatus, updateNames } from '../../../workflows/contracts/messages.ts';
import { capWords } from '../../../workflows/rules/budget-words.ts';
import { counted } from '../../view/figures.ts';
import { badInput, CommandError } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { closeIfEndedOutside, outsideText } from '../ended-outside.ts';
import { examples } from '../examples.ts';
import { findRunningCampaign } from '../find-records.ts';
import { withTemporal } from '../reach.ts';
import { cancelCampaign, updateCampaign } from '../temporal-client.ts';

interface SteerOptions {
  readonly json?: boolean;
}

const campaignArgument = '[campaign]';
const campaignHelp = 'campaign id; the only running one if not given';

export const campaignPauseCommand = (context: CliContext): Command =>
  simpleUpdate(context, {
    command: 'pause',
    description: 'start nothing new; what runs goes on to its end',
    update: updateNames.pause,
    done: 'is paused; what runs goes on to its end. "npx asi campaign resume" continues it',
  });

export const campaignResumeCommand = (context: CliContext): Command =>
  simpleUpdate(context, {
    command: 'resume',
    description: 'continue a paused campaign',
    update: updateNames.resume,
    done: 'goes on',
  });

export const campaignStopCommand = (context: CliContext): Command =>
  simpleUpdate(context, {
    command: 'stop',
    description: 'propose nothing more; finish what runs, confirm the best and conclude',
    update: updateNames.stop,
    done: 'stops: what runs is finished, then the best are confirmed and it concludes',
  });

/** What is over cannot be steered, whether or not a server is up to say so. */
const findSteerable = async (context: CliContext, id: string | undefined): Promise<Campaign> => {
  const campaign = await context.withArchive((archive) => findRunningCampaign(archive, id));
  if (isCampaignOver(campaign.state)) throw new CommandError(`${campaign.id} is ${campaign.state}; nothing more can be changed`);
  return campaign;
};

const simpleUpdate = (
  context: CliContext,
  kind: { readonly command: string; readonly description: string; readonly update: string; readonly done: string },
): Command =>
  new Command(kind.command)
    .description(kind.description)
    .argument(campaignArgument, campaignHelp)
    .option('--json', 'the new status as JSON')
    .addHelpText('after', examples([`npx asi campaign ${kind.command}`, `npx asi campaign ${kind.command} c-quick-1121-1432`]))
    .action(async (id: string | undefined, options: SteerOptions) => {
      const campaign = await findSteerable(context, id);
      const status = await withTemporal(context, (temporal) => updateCampaign(temporal, campaign, { name: kind.update }));
      report(context, options, status, `${campaign.id} ${kind.done}`);
    });

export const campaignHintCommand = (context: CliContext): Command =>
  new Command('hint')
    .description('words for the researcher, read from the next proposal on')
    .argument('<campaign>', 'campaign id')
    .argument('<words...>', 'the hint, 1 to 500 characters')
    .option('--json', 'the new status as JSON')
    .addHelpText('after', examples(['npx asi campaign hint c-quick-1121-1432 "try wider FIR branches"']))
    .action(async (id: string, words: readonly string[], options: SteerOptions) => {
      const hint = words.join(' ').trim();
      const campaign = await findSteerable(context, id);
      const status = await withTemporal(context, (temporal) =>
        updateCampaign(temporal, campaign, { name: updateNames.hint, argument: { hint } }),
      );
      report(context, options, status, `${campaign.id} has ${counted(status.hints.length, 'hint')} now; the newest: "${hint}"`);
    });

const budgetFields = ['experiments', 'minutes', 'trialSeconds'] as const;

export const campaignBudgetCommand = (context: CliContext): Command =>
  new Command('budget')
    .description('new caps of a running campaign, any of them')
    .argument('<campaign>', 'campaign id')
    .option('--experiments <n>', 'candidates to propose: a whole number from 0 to 100000')
    .option('--minutes <n>', 'minutes of wall time before verification begins, from 0.01')
    .option(
      '--trial-seconds <n>',
      "seconds of training and scoring, summed over slots; at least a quarter of the rung's wall limit",
    )
    .option('--json', 'the new status as JSON')
    .addHelpText('after', examples(['npx asi campaign budget c-quick-1121-1432 --experiments 40 --minutes 60']))
    .action(async (id: string, options: SteerOptions & Partial<Record<(typeof budgetFields)[number], string>>) => {
      const change = budgetChange(options);
      const campaign = await findSteerable(context, id);
      checkChange(change, campaign);
      const status = await withTemporal(context, (temporal) =>
        updateCampaign(temporal, campaign, { name: updateNames.budget, argument: change }),
      );
      report(context, options, status, `${campaign.id} ${capsText(status)}`);
    });

const capsText = ({ budget }: CampaignStatus): string =>
  budget === null
    ? 'takes the new caps with its settings, which it is reading'
    : `may use ${capWords(budget.experiments.cap, 'candidate')}, ${capWords(budget.minutes.cap, 'minute')} and ${capWords(budget.trialSeconds.cap, 'trial second')}`;

/** What a setting may be, a new cap may be; whether it still has an effect is the campaign's to say. */
const checkChange = (change: Readonly<Record<string, number>>, { settings }: Campaign): void => {
  const parsed = parseSettings({ ...change, rung: settings.rung });
  if (!parsed.ok) throw badInput(parsed.problems.join('\n'));
};

const budgetChange = (options: Partial<Record<(typeof budgetFields)[number], string>>): Readonly<Record<string, number>> => {
  const entries = budgetFields.flatMap((field) => {
    const text = options[field];
    if (text === undefined) return [];
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) throw badInput(`${field}: value "${text}"; right would be a number`);
    return [[field, value] as const];
  });
  if (entries.length === 0)
    throw badInput('budget: no cap was given; right would be at least one of --experiments, --minutes, --trial-seconds');
  return Object.fromEntries(entries);
};

const cancelWaitMs = 90_000;
const pollMs = 300;

export const campaignCancelCommand = (context: CliContext): Command =>
  new Command('cancel')
    .description('end a campaign now: stop its trainers and record what was open as cancelled')
    .argument(campaignArgument, campaignHelp)
    .option('--no-wait', 'do not wait until the trainers are gone')
    .option('--json', 'the campaign record as JSON')
    .addHelpText('after', examples(['npx asi campaign cancel c-quick-1121-1432', 'npx asi campaign cancel --no-wait']))
    .action(async (id: string | undefined, options: SteerOptions & { readonly wait: boolean }) => {
      const campaign = await findSteerable(context, id);
      const closed = await withTemporal(context, async (temporal) => {
        const ended = await context.withArchive((archive) =>
          closeIfEndedOutside({ archive, config: context.config() }, temporal, campaign),
        );
        if (ended === null) await cancelCampaign(temporal, campaign);
        return ended;
      });
      const end = closed ?? (options.wait ? await waitUntilOver(context, campaign) : campaign);
      if (options.json === true) context.printJson(end);
      else if (closed !== null) context.print([outsideText(closed)]);
      else if (isCampaignOver(end.state))
        context.print([`${end.id} is ${end.state}; its trainers are gone and its record is closed`]);
      else context.print([`${end.id} was asked to cancel`]);
    });

const waitUntilOver = (context: CliContext, campaign: Campaign): Promise<Campaign> =>
  context.withArchive(async (archive) => {
    const giveUpAtMs = Date.now() + cancelWaitMs;
    while (Date.now() < giveUpAtMs) {
      const current = await archive.getCampaign(campaign.id);
      if (current !== null && isCampaignOver(current.state)) return current;
      await sleep(pollMs);
    }
    throw new CommandError(
      `${campaign.id} was asked to cancel but is not over after ${cancelWaitMs / 1000} s. Are its workers up ("npm start")? They end it when they are.`,
    );
  });

const report = (context: CliContext, options: SteerOptions, status: CampaignStatus, line: string): void => {
  if (options.json === true) context.printJson(status);
  else context.print([line]);
};
