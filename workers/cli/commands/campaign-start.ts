import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Archive } from '../../../services/archive/archive.ts';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { type CampaignInput, resolveSettings } from '../../../workflows/contracts/settings.ts';
import { ensureHome } from '../../home.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { type Reached, withTemporal, workflowPage } from '../reach.ts';
import { checkServer } from '../server-needs.ts';
import { addSettingOptions, type SettingValues, settingsFrom } from '../setting-options.ts';
import { type StartedCampaign, startCampaign } from '../start-campaign.ts';
import { refusalError, waitForEnd } from '../workflow-end.ts';

/** Time in which a campaign that is refused says so; preparing a large folder of text takes longer and goes on. */
const firstWordMs = 15_000;
const pollMs = 200;

interface StartOptions {
  readonly id?: string;
  readonly json?: boolean;
}

export const campaignStartCommand = (context: CliContext): Command =>
  addSettingOptions(new Command('start').description('start a campaign on the running stack; every setting has a default'))
    .option('--id <name>', 'campaign id; made of preset, day and time if not given')
    .option('--json', 'id, settings and address of the page as JSON')
    .addHelpText(
      'after',
      examples([
        'npx asi campaign start',
        'npx asi campaign start --preset quick --experiments 5 --data-folder ~/texts --set seed=7',
        'npx asi campaign start --start gated-deltanet --start ./my_mixer.py --baselines deltanet,kda',
        'npx asi campaign start --file settings.json --id night-run',
      ]),
    )
    .action(async (options: StartOptions & SettingValues) => {
      const input = settingsFrom(options);
      ensureHome(context.config().home);
      await withTemporal(context, async (temporal) => {
        const { namespace, temporalAddress } = context.config();
        // A server of the user's own may lack what our stack brings to its own.
        const lacking = temporal.uiUrl === null ? await checkServer(temporal, namespace, temporalAddress) : [];
        for (const line of lacking) context.note(line);
        const { started, word } = await startAndListen(context, temporal, { input, id: options.id });
        const { id } = started;
        const page = temporal.uiUrl === null ? null : workflowPage(temporal.uiUrl, namespace, id);
        if (options.json === true) context.printJson({ campaignId: id, settings: resolveSettings(input), page, state: word });
        else context.print(startLines(id, page, word));
      });
    });

const startLines = (id: string, page: string | null, word: 'opened' | 'waiting'): readonly string[] => [
  word === 'opened'
    ? `${id} has begun.`
    : `${id} is accepted; no worker has opened it yet (the stack may be starting or preparing data).`,
  ...(page === null ? [] : [`page    ${page}`]),
  `follow  npx asi campaign watch ${id}`,
  `stop    npx asi campaign stop ${id}`,
];

/** Starts it and waits until its record exists; throws what the workflow refused it with. */
const startAndListen = async (
  context: CliContext,
  temporal: Reached,
  request: { readonly input: CampaignInput; readonly id: string | undefined },
): Promise<{ readonly started: StartedCampaign; readonly word: 'opened' | 'waiting' }> => {
  const archive = openSqliteArchive(context.archivePath());
  try {
    const started = await startCampaign({ temporal, archive }, { ...request, now: new Date() });
    return { started, word: await firstWord(archive, temporal, started) };
  } finally {
    await archive.close();
  }
};

const firstWord = async (archive: Archive, temporal: Reached, started: StartedCampaign): Promise<'opened' | 'waiting'> => {
  const stopWaiting = new AbortController();
  try {
    const refused = waitForEnd(temporal, started.id, stopWaiting.signal).catch((error: unknown) => {
      if (stopWaiting.signal.aborted) return null;
      throw error;
    });
    return await Promise.race([opened(archive, started), refused.then((end) => refusal(started.id, end))]);
  } finally {
    stopWaiting.abort();
  }
};

/** A record of another run is that of an earlier campaign, and its workflow is about to refuse this one. */
const opened = async (archive: Archive, { id, runId }: StartedCampaign): Promise<'opened' | 'waiting'> => {
  const giveUpAtMs = Date.now() + firstWordMs;
  while (Date.now() < giveUpAtMs) {
    if ((await archive.getCampaign(id))?.runId === runId) return 'opened';
    await sleep(pollMs);
  }
  return 'waiting';
};

const refusal = (id: string, end: Awaited<ReturnType<typeof waitForEnd>> | null): 'opened' => {
  if (end?.kind === 'failed') throw refusalError(id, end);
  return 'opened';
};
