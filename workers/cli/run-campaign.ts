import { join } from 'node:path';
import type { Archive } from '../../services/archive/archive.ts';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { type CampaignInput, resolveSettings } from '../../workflows/contracts/settings.ts';
import type { Config } from '../config.ts';
import { DiskWatch } from '../supervisor/index.ts';
import { CampaignFeed } from './campaign-feed.ts';
import { CommandError } from './command-error.ts';
import type { CliContext } from './context.ts';
import { closeIfEndedOutside, outsideText } from './ended-outside.ts';
import { followCampaign } from './follow-campaign.ts';
import { Interrupts } from './interrupts.ts';
import { workflowPage } from './reach.ts';
import { openStack, type UsableStack } from './run-stack.ts';
import { openScreen } from './screen.ts';
import { startCampaign } from './start-campaign.ts';
import { Steering, sendToWorkflow } from './steer.ts';
import { connectTemporal, queryStatus } from './temporal-client.ts';
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
      return await onStack(context, { ...request, stack, config, interrupts, voice });
    } finally {
      if (stack.isOwn) context.note('ending the stack');
      interrupts.onStep = () => void stack.release({ atOnce: true });
      await stack.release({ atOnce: interrupts.isAbandoned });
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
  readonly config: Config;
  readonly interrupts: Interrupts;
  readonly voice: Voice;
}

const onStack = async (context: CliContext, run: OnStack): Promise<Campaign> => {
  const { stack, voice } = run;
  const temporal = await connectTemporal({ address: stack.temporalAddress, namespace: stack.namespace });
  const { home, neededBytes } = run.config;
  const archive = openSqliteArchive(join(home, 'archive.db'));
  const abandoned = new AbortController();
  // The supervisor of a stack of our own says the same in lines.
  const disk = new DiskWatch({ home, floorBytes: neededBytes / 2, onLine: (line) => stack.isOwn || voice.say(line) });
  let steering: Steering | null = null;
  try {
    const { id, runId } = await startCampaign({ temporal, archive }, { input: run.input, id: run.id, now: new Date() });
    voice.say(`campaign ${id}  ${workflowPage(stack.uiUrl, stack.namespace, id)}`);
    const screen = openScreen(context, keys);
    voice.say = (line) => screen.say(line);
    steering = new Steering({
      send: sendToWorkflow({ temporal, archive, id, runId }),
      say: (line) => screen.say(line),
      abandon: () => abandoned.abort(),
    });
    run.interrupts.onStep = steering.onStep;
    const feed = new CampaignFeed({
      archive,
      campaignId: id,
      runId,
      readStatus: () => queryStatus(temporal, id),
      readTrouble: () => disk.note,
    });
    const ended = Promise.race([waitForEnd(temporal, id, abandoned.signal), givenUp(abandoned.signal, id)]);
    const { snapshot, end } = await followCampaign({ feed, screen, ended }).finally(() => {
      screen.close();
      voice.say = (line) => context.note(line);
    });
    if (snapshot.campaign === null) {
      throw end?.kind === 'failed' ? refusalError(id, end) : new CommandError(`${id} was cancelled before it had begun`);
    }
    const closed = await closeIfEndedOutside(
      { archive, config: context.config() },
      { ...temporal, uiUrl: stack.uiUrl },
      snapshot.campaign,
    );
    if (closed !== null) context.note(outsideText(closed));
    const campaign = closed ?? snapshot.campaign;
    await run.close(archive, campaign);
    return campaign;
  } finally {
    steering?.release();
    disk.stop();
    abandoned.abort();
    await archive.close();
    await temporal.close();
  }
};

const givenUp = (signal: AbortSignal, id: string): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new CommandError(`${id} was left before it had ended`)), { once: true });
  });
