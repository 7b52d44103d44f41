import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { failureTypes } from './contracts/activities.ts';

/**
 * Ends a workflow that a person started by itself: its input comes from its campaign, which fixes the ids. Without this a wrong input would throw
 * an ordinary error, which Temporal takes for a fault of the code and retries for ever.
 */
export const requireCampaign = (): void => {
  const { parent, workflowType } = workflowInfo();
  if (parent !== undefined) return;
  throw ApplicationFailure.nonRetryable(
    `${workflowType} belongs to a campaign and is started by it; start discoverArchitectures instead, with an input such as {"preset":"quick"}`,
    failureTypes.invalidInput,
  );
};
