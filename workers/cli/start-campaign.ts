import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Archive } from '../../services/archive/archive.ts';
import { campaignIdForWorkflow, campaignIdSchema } from '../../workflows/contracts/ids.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { type CampaignInput, resolveSettings } from '../../workflows/contracts/settings.ts';
import { badInput } from './command-error.ts';
import type { TemporalClient } from './temporal-client.ts';

const idsTried = 100;

/** What was started: the campaign's record will name this run. */
export interface StartedCampaign {
  readonly id: string;
  readonly runId: string;
}

/** Starts the workflow of a campaign; its id is the campaign's. */
export const startCampaign = async (
  { temporal, archive }: { readonly temporal: TemporalClient; readonly archive: Archive },
  request: { readonly input: CampaignInput; readonly id: string | undefined; readonly now: Date },
): Promise<StartedCampaign> => {
  const { input, now } = request;
  // The archive is asked too: it holds campaigns that were started under another workflow id, and those that the server has forgotten.
  const begun = async (id: string): Promise<StartedCampaign | null> => {
    const runId = (await archive.getCampaign(id)) === null ? await begin(temporal, id, input) : null;
    return runId === null ? null : { id, runId };
  };
  if (request.id !== undefined) {
    const id = checkedId(request.id);
    const started = await begun(id);
    if (started !== null) return started;
    throw badInput(
      `--id: value "${id}"; right would be an id of no earlier campaign; this one exists ("npx asi campaign list" shows all)`,
    );
  }
  const stem = idFor(input, now);
  for (let number = 1; number <= idsTried; number++) {
    const started = await begun(number === 1 ? stem : `${stem}-${number}`);
    if (started !== null) return started;
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

/** Id of the run; null when a workflow with this id exists or existed. */
const begin = async ({ client }: TemporalClient, id: string, input: CampaignInput): Promise<string | null> => {
  const { preset, seed, experiments } = resolveSettings(input);
  try {
    const handle = await client.workflow.start(workflowTypes.campaign, {
      workflowId: id,
      taskQueue: taskQueues.discovery,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `${preset} campaign: ${experiments} candidates, seed ${seed}`,
    });
    return handle.firstExecutionRunId;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw error;
  }
};
