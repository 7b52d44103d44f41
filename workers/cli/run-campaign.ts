import { join } from 'node:path';
import type { Archive } from '../../services/archive/archive.ts';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { updateNames } from '../../workflows/contracts/messages.ts';
import { type CampaignInput, resolveSettings } from '../../workflows/contracts/settings.ts';
import { CampaignFeed } from './campaign-feed.ts';
import { CommandError } from './command-error.ts';
import type { CliContext } from './context.ts';
import { closeIfEndedOutside, outsideText } from './ended-outside.ts';
import { followCampaign } from './follow-campaign.ts';
import { type InterruptStep, Interrupts } from './interrupts.ts';
import { workflowPage } from './reach.ts';
import { openStack, type UsableStack } from './run-stack.ts';
import { openScreen, type Screen } from './screen.ts';
import { startCampaign } from './start-campaign.ts';
import { connectTemporal, queryStatus, type TemporalClient, updateCampaign } from './temporal-client.ts';
import { refusalError, waitForEnd } from './workflow-end.ts';

export interface RunRequest {
  readonly input: CampaignInput;
  readonly id: string | undefined;
  /** Says how it ended; called while the archive is open. */
  readonly close: (archive: Archive, campaign: Campaign) => Promise<void>;
}

const keys = 'Ctrl-C: finish what runs, confirm the best and conclude; twice: cancel';

/**
 * Runs one whole campaign in the foreground, on the running stack or on one of its own, with a live view. Gives back its last record;
 * throws a CommandError when it was refused or failed.
 */
export const runCampaign = async (context: CliContext, request: RunRequest): Promise<Campaign> => {
  const config = context.wholeConfig();
  const { slots } = resolveSettings(request.input);
  const interrupts = new Interrupts(process);
  const voice: Voice = { say: (line) => context.note(line) };
  try {
    const stack = await openStack({
      config: { ...config, slots: Math.max(config.slots, slots) },
      onLine: (line) => voice.say(line),
      signal: interrupts.begun.signal,
    });
    try {
      if (interrupts.haveBegun) throw new CommandError('interrupted before the campaign began');
      return await onStack(context, { ...request, stack, home: config.home, interrupts, voice });
    } finally {
      if (stack.isOwn) context.note('ending the stack');
      await stack.release();
    }
  } finally {
    interrupts.release();
  }
};

/** Where news beside the campaign goes: the live view would draw over lines that it does not know of. */
interface Voice {
  say: (line: string) => void;
}

interface OnStack extends RunRequest {
  readonly stack: UsableStack;
  readonly home: string;
  readonly interrupts: Interrupts;
  readonly voice: Voice;
}

const onStack = async (context: CliContext, run: OnStack): Promise<Campaign> => {
  const { stack, voice } = run;
  const temporal = await connectTemporal({ address: stack.temporalAddress, namespace: stack.namespace });
  const archive = openSqliteArchive(join(run.home, 'archive.db'));
  const abandoned = new AbortController();
  try {
    const id = await startCampaign(temporal, { input: run.input, id: run.id, now: new Date() });
    voice.say(`campaign ${id}  ${workflowPage(stack.uiUrl, stack.namespace, id)}`);
    const screen = openScreen(context, keys);
    voice.say = (line) => screen.say(line);
    run.interrupts.onStep = steer({ temporal, archive, id, screen, abandoned });
    const feed = new CampaignFeed({ archive, campaignId: id, readStatus: () => queryStatus(temporal, id) });
    const ended = Promise.race([waitForEnd(temporal, id, abandoned.signal), givenUp(abandoned.signal, id)]);
    const { snapshot, end } = await followCampaign({ feed, screen, ended }).finally(() => {
      screen.close();
      voice.say = (line) => context.note(line);
    });
    if (snapshot.campaign === null) {
      throw end?.kind === 'failed' ? refusalError(id, end) : new CommandError(`${id} was cancelled before it had begun`);
    }
    const closed = await closeIfEndedOutside(archive, { ...temporal, uiUrl: stack.uiUrl }, snapshot.campaign);
    if (closed !== null) context.note(outsideText(closed));
    const campaign = closed ?? snapshot.campaign;
    await run.close(archive, campaign);
    return campaign;
  } finally {
    abandoned.abort();
    await archive.close();
    await temporal.close();
  }
};

const givenUp = (signal: AbortSignal, id: string): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new CommandError(`${id} was left before it had ended`)), { once: true });
  });

const steer =
  (run: {
    readonly temporal: TemporalClient;
    readonly archive: Archive;
    readonly id: string;
    readonly screen: Screen;
    readonly abandoned: AbortController;
  }) =>
  (step: InterruptStep): void => {
    const { temporal, archive, id, screen, abandoned } = run;
    if (step === 'abandon') {
      screen.say('not waiting for the campaign any longer; what it recorded is kept');
      abandoned.abort();
      return;
    }
    screen.say(
      step === 'stop'
        ? 'stopping: what runs is finished, then the best are confirmed; Ctrl-C again cancels'
        : 'cancelling: waiting for the trainers to end',
    );
    const send = async (): Promise<void> => {
      const campaign = await archive.getCampaign(id);
      if (campaign === null || step === 'cancel') await temporal.client.workflow.getHandle(id).cancel();
      else await updateCampaign(temporal, campaign, { name: updateNames.stop });
    };
    send().catch((error: unknown) => screen.say(error instanceof Error ? error.message : String(error)));
  };
