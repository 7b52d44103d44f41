import { ApplicationFailure } from '@temporalio/activity';
import { failureTypes, type StepResult, type TrainingActivities } from '../../workflows/contracts/activities.ts';
import { isCampaignOver } from '../../workflows/contracts/campaign.ts';
import { requireCampaign } from './experiment-record.ts';
import { infra } from './heartbeat.ts';
import { score, scoreOnChampion } from './score-trial.ts';
import { train } from './train-trial.ts';
import { reserveSeconds } from './trial-budget.ts';
import { openTrial, readContext, refuse, storedEnd, type TrainingDependencies } from './trial-record.ts';
import { removeIfOver } from './workdir.ts';

/** Dispatcher activities of the `training` queue. What a candidate does is a value; outages are thrown and retried. */
export const createTrainingActivities = (dependencies: TrainingDependencies): TrainingActivities => ({
  async trainTrial(input) {
    const context = await readContext(dependencies, input);
    const trial = await openTrial(dependencies, input, context);
    const ended = storedEnd(trial, ['trained', 'scored']);
    if (ended !== null) return ended;
    // Read after the trial was opened: who ends a campaign closes its trials after it is over, so one of the two closes this one.
    const { state, reason } = await requireCampaign(dependencies.archive, context.campaign.id);
    if (isCampaignOver(state)) {
      return await refuse(dependencies, trial, { label: 'cancelled', detail: `the campaign ended: ${reason ?? state}` });
    }
    if (!(await reserveSeconds(dependencies, input.trialId))) {
      return await refuse(dependencies, trial, {
        label: 'budget',
        detail: 'the cap on trial seconds was reached before this trial could start',
      });
    }
    return await removingAfter(dependencies, input.trialId, () => train(dependencies, { input, context, trial }));
  },

  async scoreTrial(input) {
    const context = await readContext(dependencies, input);
    const trial = await dependencies.archive.getTrial(input.trialId);
    if (trial === null) throw infra(`trial ${input.trialId} is not in the archive`);
    const ended = storedEnd(trial, ['scored']);
    if (ended !== null) return ended;
    return await removingAfter(dependencies, input.trialId, () => score(dependencies, { input, context, trial }));
  },

  async scoreChampion({ trialId }) {
    const trial = await dependencies.archive.getTrial(trialId);
    if (trial === null) throw infra(`trial ${trialId} is not in the archive`);
    if (trial.state !== 'scored')
      throw ApplicationFailure.nonRetryable(
        `trial ${trialId} is ${trial.state}; only a scored trial is scored on the champion set`,
        failureTypes.unjudgeable,
      );
    const context = await readContext(dependencies, { ...trial, trialId });
    return await scoreOnChampion(dependencies, { input: { trialId }, context, trial });
  },
});

/** A trial that is over when its step ends, by the step or by somebody who closed it meanwhile, leaves no work folder. */
const removingAfter = async (
  dependencies: TrainingDependencies,
  trialId: string,
  step: () => Promise<StepResult>,
): Promise<StepResult> => {
  try {
    return await step();
  } finally {
    await removeIfOver(dependencies, trialId);
  }
};
