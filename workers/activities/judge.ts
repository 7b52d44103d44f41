import { ApplicationFailure } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import { type DiscoveryActivities, failureTypes } from '../../workflows/contracts/activities.ts';
import type { Campaign, NoiseFloor } from '../../workflows/contracts/campaign.ts';
import { isTerminal } from '../../workflows/contracts/experiment.ts';
import { asiArchFitness, type FitnessResult, pairedGainFitness } from '../../workflows/rules/fitness.ts';
import { weakestTier } from '../../workflows/rules/sandbox.ts';
import { exploreSeeds } from '../../workflows/rules/trial-seeds.ts';
import { noiseOfBaselines, referenceId } from './calibrate.ts';
import { lossEffect } from './digest.ts';
import { doubtedTrials, doubtsAbout } from './doubts.ts';
import { changeExperiment, requireCampaign } from './experiment-record.ts';
import { ScoreTable } from './score-table.ts';

/** Fitness from score rows alone; written once. A baseline waits until all of them are scored. */
export const judgeExperiment = async (
  archive: Archive,
  id: string,
): Promise<Awaited<ReturnType<DiscoveryActivities['judgeExperiment']>>> => {
  const experiment = await changeExperiment(archive, id, (current) =>
    current.state === 'checked' ? { state: 'trained' } : null,
  );
  const campaign = await requireCampaign(archive, experiment.campaignId);
  const noise = await noiseOfBaselines(archive, campaign);
  const table = await ScoreTable.ofExperiments(archive, [id, referenceId(campaign.id)]);
  const result = fitnessFrom({ ...campaign, noise }, table, id);
  if (!result.ok) throw ApplicationFailure.nonRetryable(`${id} cannot be judged: ${result.reason}`, failureTypes.unjudgeable);
  const { fitness } = result;
  const doubts = await doubtsAbout(archive, { ...campaign, noise: [...noise] }, experiment);
  const judged = await changeExperiment(archive, id, (current) =>
    isTerminal(current.state) ? null : { fitness, state: 'judged', ...(doubts.length === 0 ? {} : { doubts: [...doubts] }) },
  );
  return {
    fitness: fitness.value,
    gain: judged.kind === 'baseline' ? null : (lossEffect(judged)?.mean ?? null),
    ...(doubts.length === 0 ? {} : { doubtedTrials: await doubtedTrials(archive, campaign, id) }),
  };
};

/** Fitness by the campaign's rule, from rows of the experiment and of the reference; pure, so that it can be checked. */
export const fitnessFrom = (
  { id: campaignId, settings, noise }: Pick<Campaign, 'id' | 'settings'> & { readonly noise: readonly NoiseFloor[] },
  table: ScoreTable,
  id: string,
): FitnessResult<unknown> => {
  const reference = table.rows(referenceId(campaignId));
  const input = { candidate: table.rows(id), reference, seeds: exploreSeeds(settings), noise };
  const result = settings.fitness === 'asi-arch' ? asiArchFitness(input) : pairedGainFitness(input);
  const tier = weakestTier([...input.candidate, ...reference].map(({ sandboxTier }) => sandboxTier));
  return result.ok && tier !== null ? { ...result, fitness: { ...result.fitness, sandboxTier: tier } } : result;
};
