import { findStack } from '../supervisor/index.ts';
import type { CliContext } from './context.ts';
import { connectTemporal, type TemporalClient } from './temporal-client.ts';

export interface Reached extends TemporalClient {
  /** Start of the Web UI's addresses; null for a server that is not ours. */
  readonly uiUrl: string | null;
}

/** The server of TEMPORAL_ADDRESS, else of the stack that runs on this home, else of the default port. */
export const reachTemporal = async (context: CliContext): Promise<Reached> => {
  const config = context.config();
  const stack = context.environment.TEMPORAL_ADDRESS === undefined ? findStack(config.home) : null;
  const temporal = await connectTemporal({
    address: stack?.temporalAddress ?? config.temporalAddress,
    namespace: stack?.namespace ?? config.namespace,
  });
  return { ...temporal, uiUrl: stack?.uiUrl ?? null };
};

export const withTemporal = async <T>(context: CliContext, work: (temporal: Reached) => Promise<T>): Promise<T> => {
  const temporal = await reachTemporal(context);
  try {
    return await work(temporal);
  } finally {
    await temporal.close();
  }
};

/** Page of a workflow in the Web UI. */
export const workflowPage = (uiUrl: string, namespace: string, workflowId: string): string =>
  `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
