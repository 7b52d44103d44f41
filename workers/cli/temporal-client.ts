import { Client, Connection, isGrpcServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { isCampaignOver } from '../../workflows/contracts/campaign.ts';
import { type CampaignStatus, statusQuery } from '../../workflows/contracts/messages.ts';
import { rootMessage } from '../../workflows/rules/root-failure.ts';
import { CommandError } from './command-error.ts';

const connectMs = 2_000;
/** An update waits for a worker to take it; workers that only just start need some seconds. */
const updateMs = 20_000;
const queryMs = 3_000;

export interface TemporalAddress {
  readonly address: string;
  readonly namespace: string;
}

/** One connection and its client; close it. */
export interface TemporalClient {
  readonly client: Client;
  close(): Promise<void>;
}

/** Throws a CommandError within three seconds when no server answers. */
export const connectTemporal = async ({ address, namespace }: TemporalAddress): Promise<TemporalClient> => {
  let connection: Connection;
  try {
    connection = await Connection.connect({ address, connectTimeout: connectMs });
  } catch (error) {
    throw new CommandError(
      `No Temporal server answers at ${address}. Start the stack with "npm start" and try again; TEMPORAL_ADDRESS names another server.`,
      { cause: error },
    );
  }
  return { client: new Client({ connection, namespace }), close: () => connection.close() };
};

/** Runs an update of the campaign and gives back its new status. Throws a CommandError with the validator's own words. */
export const updateCampaign = async (
  { client }: TemporalClient,
  campaign: Campaign,
  update: { readonly name: string; readonly argument?: unknown },
): Promise<CampaignStatus> => {
  const handle = client.workflow.getHandle(campaign.workflowId);
  try {
    return await client.withDeadline(Date.now() + updateMs, () =>
      handle.executeUpdate<CampaignStatus, [unknown]>(update.name, { args: [update.argument] }),
    );
  } catch (error) {
    throw translated(error, campaign, update.name);
  }
};

/** Asks for a cancel; the campaign ends by itself once its trainers are gone. */
export const cancelCampaign = async ({ client }: TemporalClient, campaign: Campaign): Promise<void> => {
  try {
    await client.workflow.getHandle(campaign.workflowId).cancel();
  } catch (error) {
    throw translated(error, campaign, 'cancel');
  }
};

/** What the workflow says of itself; null when no worker answered in time or the server does not know it. */
export const queryStatus = async ({ client }: TemporalClient, workflowId: string): Promise<CampaignStatus | null> => {
  try {
    const handle = client.workflow.getHandle(workflowId);
    return await client.withDeadline(Date.now() + queryMs, () => handle.query<CampaignStatus>(statusQuery));
  } catch (error) {
    // A server that restarts or a worker that is busy is nothing new to a reader: the archive still speaks.
    if (isGrpcServiceError(error) || isGrpcServiceError(causeOf(error)) || error instanceof WorkflowNotFoundError) return null;
    if (error instanceof Error && error.name === 'QueryNotRegisteredError') return null;
    throw error;
  }
};

const translated = (error: unknown, campaign: Campaign, what: string): Error => {
  const id = campaign.id;
  if (error instanceof WorkflowUpdateFailedError) return new CommandError(rootMessage(error), { cause: error });
  if (error instanceof WorkflowNotFoundError) {
    const state = isCampaignOver(campaign.state) ? ` It is ${campaign.state}; nothing more can be changed.` : '';
    return new CommandError(`${what}: the Temporal server has no running workflow for campaign ${id}.${state}`, { cause: error });
  }
  if (isDeadline(error)) {
    return new CommandError(
      `${what}: the server has campaign ${id}, but no worker answered within ${updateMs / 1000} s. Is the stack up ("npm start")? It may still be starting.`,
      { cause: error },
    );
  }
  return error instanceof Error ? error : new Error(String(error));
};

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);
const deadlineExceeded = 4;
const isDeadline = (error: unknown): boolean => {
  if (error instanceof Error && error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError') return true;
  const service = isGrpcServiceError(error) ? error : causeOf(error);
  return isGrpcServiceError(service) && service.code === deadlineExceeded;
};
