import { ApplicationFailure } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import { failureTypes } from '../../workflows/contracts/activities.ts';
import { isTerminal } from '../../workflows/contracts/experiment.ts';
import { asiArchFitness, pairedGainFitness } from '../../workflows/rules/fitness.ts';
import { exploreSeeds } from '../../workflows/rules/trial-seeds.ts';
import { noiseOfBaselines, referenceId } from './calibrate.ts';
import { lossEffect } from './digest.ts';
import { changeExperiment, requireCampaign } from './experiment-record.ts';
import { ScoreTable } from './score-table.ts';

/** Fitness from score rows alone; written once. A baseline waits until all of them are scored. */
export const judgeExperiment = async (archive: Archive, id: string): Promise<{ fitness: number; gain: number | null }> => {
  const experiment = await changeExperiment(archive, id, (current) =>
    current.state === 'checked' ? { state: 'trained' } : null,
  );
  const campaign = await requireCampaign(archive, experiment.campaignId);
  const noise = await noiseOfBaselines(archive, campaign);
  const reference = referenceId(campaign.id);
  const table = await ScoreTable.ofExperiments(archive, [id, reference]);
  const input = { candidate: table.rows(id), reference: table.rows(reference), seeds: exploreSeeds(campaign.settings), noise };
  const result = campaign.settings.fitness === 'asi-arch' ? asiArchFitness(input) : pairedGainFitness(input);
  if (!result.ok) throw ApplicationFailure.nonRetryable(`${id} cannot be judged: ${result.reason}`, failureTypes.unjudgeable);
  const { fitness } = result;
  const judged = await changeExperiment(archive, id, (current) =>
    isTerminal(current.state) ? null : { fitness, state: 'judged' },
  );
  return { fitness: fitness.value, gain: judged.kind === 'baseline' ? null : (lossEffect(judged)?.mean ?? null) };
};
