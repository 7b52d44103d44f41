import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { campaignIdForWorkflow, campaignIdSchema } from '../../workflows/contracts/ids.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { type CampaignInput, resolveSettings } from '../../workflows/contracts/settings.ts';
import { badInput } from './command-error.ts';
import type { TemporalClient } from './temporal-client.ts';

const idsTried = 100;

/** Starts the workflow of a campaign and gives back its id, which is the campaign's. */
export const startCampaign = async (
  temporal: TemporalClient,
  request: { readonly input: CampaignInput; readonly id: string | undefined; readonly now: Date },
): Promise<string> => {
  const { input, now } = request;
  if (request.id !== undefined) {
    const id = checkedId(request.id);
    if (await begin(temporal, id, input)) return id;
    throw badInput(
      `--id: value "${id}"; right would be an id of no earlier campaign; this one exists ("npx asi campaign list" shows all)`,
    );
  }
  const stem = idFor(input, now);
  for (let number = 1; number <= idsTried; number++) {
    const id = number === 1 ? stem : `${stem}-${number}`;
    if (await begin(temporal, id, input)) return id;
  }
  throw badInput(`--id: ${idsTried} campaigns began in this minute; name an id of your own`);
};

/** `c-quick-1121-1432`: preset, day and minute. */
export const idFor = (input: CampaignInput, now: Date): string => {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `c-${resolveSettings(input).preset}-${day}-${two(now.getHours())}${two(now.getMinutes())}`;
};

/** A whole campaign id; `night-run` alone is `c-night-run`. */
export const checkedId = (id: string): string => {
  const whole = id.startsWith('c-') ? id : `c-${id}`;
  if (campaignIdSchema.safeParse(whole).success) return whole;
  throw badInput(
    `--id: value "${id}"; right would be lower-case letters, digits and dashes, up to 47, for example ${campaignIdForWorkflow(id)}`,
  );
};

/** False when a workflow with this id exists or existed. */
const begin = async ({ client }: TemporalClient, id: string, input: CampaignInput): Promise<boolean> => {
  const { preset, seed, experiments } = resolveSettings(input);
  try {
    await client.workflow.start(workflowTypes.campaign, {
      workflowId: id,
      taskQueue: taskQueues.discovery,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `${preset} campaign: ${experiments} candidates, seed ${seed}`,
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
};
