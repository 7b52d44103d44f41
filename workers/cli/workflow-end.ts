import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { rootMessage, type TemporalClient } from './temporal-client.ts';

/** How the campaign's workflow ended. */
export type WorkflowEnd =
  | { readonly kind: 'finished' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly message: string };

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
        return error.cause instanceof CancelledFailure ? { kind: 'cancelled' } : { kind: 'failed', message: rootMessage(error) };
      }
      if (error instanceof WorkflowNotFoundError || signal.aborted) throw error;
      // The server is away; its supervisor brings it back with its state.
      await sleep(retryMs, undefined, { signal });
    }
  }
};
