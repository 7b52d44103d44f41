import { isGrpcServiceError } from '@temporalio/client';
import { searchAttributes, taskQueues } from '../../workflows/contracts/messages.ts';
import { roles } from '../roles/role.ts';
import { CommandError } from './command-error.ts';
import type { TemporalClient } from './temporal-client.ts';

const notFound = 5;
const permissionDenied = 7;

/**
 * What a server of the user's own lacks before a campaign can run on it; `npm start` brings all of it to its own server. Throws a CommandError
 * where a campaign could not even start, and gives back what may still come.
 */
export const checkServer = async (temporal: TemporalClient, namespace: string, address: string): Promise<readonly string[]> => {
  const lacking = await missingAttributes(temporal, namespace, address);
  if (lacking.length > 0) {
    const remedy = `temporal operator search-attribute create --address ${address} --namespace ${namespace} ${lacking.map(([name, type]) => `--name ${name} --type ${type}`).join(' ')}`;
    throw new CommandError(
      `TEMPORAL_ADDRESS=${address}: the server has no search attribute ${lacking.map(([name]) => name).join(', ')}; make them once with\n  ${remedy}`,
    );
  }
  const idle = await queuesWithoutWorker(temporal, namespace);
  if (idle.length === 0) return [];
  return [
    `No worker polls ${idle.join(', ')} at ${address}. Each role is a process: ${roles.map((role) => `"npm run worker -- ${role}"`).join(', ')}, with the same TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and ASI_HOME as here.`,
  ];
};

const missingAttributes = async (
  { client }: TemporalClient,
  namespace: string,
  address: string,
): Promise<readonly (readonly [string, string])[]> => {
  try {
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
    return Object.entries(searchAttributes).filter(([name]) => !(name in (customAttributes ?? {})));
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    if (error.code === notFound)
      throw new CommandError(
        `TEMPORAL_NAMESPACE=${namespace}: the server at ${address} has no such namespace; make it with\n  temporal operator namespace create --address ${address} --namespace ${namespace}`,
        { cause: error },
      );
    // Some services let nobody but an administrator ask; the start itself will tell.
    if (error.code === permissionDenied) return [];
    throw error;
  }
};

const workflowTasks = 1;
const activityTasks = 2;

const queuesWithoutWorker = async ({ client }: TemporalClient, namespace: string): Promise<readonly string[]> => {
  const polled = await Promise.all(
    Object.values(taskQueues).map(async (name) => {
      const taskQueueType = name === taskQueues.discovery ? workflowTasks : activityTasks;
      const { pollers } = await client.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType });
      return (pollers ?? []).length > 0 ? [] : [name];
    }),
  );
  return polled.flat();
};
