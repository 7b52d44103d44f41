import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Archive } from '../../services/archive/archive.ts';
import { updateNames } from '../../workflows/contracts/messages.ts';
import type { InterruptStep } from './interrupts.ts';
import { type TemporalClient, updateCampaign } from './temporal-client.ts';

const usualRetryMs = 1_000;
/** One try. A server that cannot write answers late or never. */
const tryMs = 5_000;

export interface SteerOptions {
  /** Hands one wish to the server; rejects where it was not taken. */
  readonly send: (step: 'stop' | 'cancel') => Promise<void>;
  readonly say: (line: string) => void;
  /** Nobody waits for the campaign any more. */
  readonly abandon: () => void;
  readonly retryMs?: number;
}

/**
 * What a person at the terminal wants of a running campaign. A wish that the server does not take, since its disk is full or it restarts, is
 * sent again until it is taken, a stronger one replaces it, or the campaign is over.
 */
export class Steering {
  readonly #options: SteerOptions;
  #current = new AbortController();
  #isCancelOpen = false;

  constructor(options: SteerOptions) {
    this.#options = options;
  }

  readonly onStep = (step: InterruptStep): void => {
    const { say, abandon } = this.#options;
    this.#current.abort();
    if (step === 'abandon') {
      say(
        this.#isCancelOpen
          ? 'not waiting any longer; the server did not take the cancel, so that the campaign goes on where it is at the next start'
          : 'not waiting for the campaign any longer; what it recorded is kept',
      );
      abandon();
      return;
    }
    say(
      step === 'stop'
        ? 'stopping: what runs is finished, then the best are confirmed; Ctrl-C again cancels'
        : 'cancelling: waiting for the trainers to end; Ctrl-C again ends everything at once',
    );
    this.#current = new AbortController();
    void this.#sendUntilTaken(step, this.#current.signal);
  };

  /** The campaign is over: nothing is sent any more. */
  release(): void {
    this.#current.abort();
  }

  async #sendUntilTaken(step: 'stop' | 'cancel', signal: AbortSignal): Promise<void> {
    const { send, say, retryMs = usualRetryMs } = this.#options;
    this.#isCancelOpen = step === 'cancel';
    for (let count = 1; !signal.aborted; count++) {
      try {
        await send(step);
        this.#isCancelOpen = false;
        if (count > 1) say(`the server has taken the ${step} now`);
        return;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (isFinal(error)) {
          this.#isCancelOpen = false;
          say(message);
          return;
        }
        if (count === 1) say(`the server did not take the ${step} (${message}); trying again until it does`);
      }
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The campaign's own no, or a campaign that is over: trying again would not change it. */
const isFinal = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError ||
  error instanceof WorkflowUpdateFailedError ||
  (error instanceof Error && isFinal(error.cause));

/** Sends to the campaign's workflow. A campaign without a record of its own run cannot hear of a stop yet and is cancelled instead. */
export const sendToWorkflow =
  (run: {
    readonly temporal: TemporalClient;
    readonly archive: Archive;
    readonly id: string;
    readonly runId: string;
  }): SteerOptions['send'] =>
  async (step) => {
    const { temporal, archive, id, runId } = run;
    const { client } = temporal;
    const campaign = step === 'cancel' ? null : await archive.getCampaign(id);
    if (campaign?.runId === runId) await updateCampaign(temporal, campaign, { name: updateNames.stop });
    else await client.withDeadline(Date.now() + tryMs, () => client.workflow.getHandle(id).cancel());
  };
