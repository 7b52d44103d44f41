import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { failureTypes } from '../../workflows/contracts/activities.ts';
import { rootFailure } from '../../workflows/rules/root-failure.ts';
import { badInput, CommandError } from './command-error.ts';
import type { TemporalClient } from './temporal-client.ts';

/** How the campaign's workflow ended. */
export type WorkflowEnd =
  | { readonly kind: 'finished' }
  | { readonly kind: 'cancelled' }
  /** type: of what failed, null where it has none. */
  | { readonly kind: 'failed'; readonly message: string; readonly type: string | null };

/** Failures that a person's input is the cause of. */
const inputFailures: readonly string[] = [failureTypes.invalidInput, failureTypes.dataRefused, failureTypes.campaignExists];

/** What a campaign was refused with: bad input, or something that broke. */
export const refusalError = (id: string, { message, type }: Extract<WorkflowEnd, { kind: 'failed' }>): CommandError =>
  type !== null && inputFailures.includes(type)
    ? badInput(`${id} was refused: ${message}`)
    : new CommandError(`${id} was refused: ${message}`);

const failedBy = (failure: Error): WorkflowEnd => ({
  kind: 'failed',
  message: failure.message,
  type: failure instanceof ApplicationFailure ? (failure.type ?? null) : null,
});

const retryMs = 1_000;

/** Waits for the end of a workflow, through restarts of the server. Rejects only when the server does not know it. */
export const waitForEnd = async ({ client }: TemporalClient, workflowId: string, signal: AbortSignal): Promise<WorkflowEnd> => {
  for (;;) {
    try {
      // Without the signal the call outlives its connection, and a retry of it ends the process.
      await client.withAbortSignal(signal, () => client.workflow.getHandle(workflowId).result());
      return { kind: 'finished' };
    } catch (error) {
      if (error instanceof WorkflowFailedError) {
        return error.cause instanceof CancelledFailure ? { kind: 'cancelled' } : failedBy(rootFailure(error));
      }
      if (error instanceof WorkflowNotFoundError || signal.aborted) throw error;
      // The server is away; its supervisor brings it back with its state.
      await sleep(retryMs, undefined, { signal });
    }
  }
};
