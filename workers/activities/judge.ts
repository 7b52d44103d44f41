import { setTimeout } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import { failureTypes } from '../../workflows/contracts/activities.ts';
import type { Campaign, NoiseFloor } from '../../workflows/contracts/campaign.ts';
import { type Fitness, isTerminal } from '../../workflows/contracts/experiment.ts';
import { experimentId } from '../../workflows/contracts/naming.ts';
import { asiArchFitness, pairedGainFitness } from '../../workflows/rules/fitness.ts';
import { exploreSeeds } from '../../workflows/rules/trial-seeds.ts';
import { lossEffect } from './digest.ts';
import { changeExperiment, requireCampaign, requireExperiment } from './experiment-record.ts';
import { withHeartbeat } from './heartbeat.ts';
import { ScoreTable } from './score-table.ts';

/** The first baseline: every comparison is against its own re-run trials in this campaign. */
export const referenceId = (campaignId: string): string => experimentId(campaignId, 1);

/** Fitness from score rows alone; written once. */
export const judgeExperiment = async (archive: Archive, id: string): Promise<{ fitness: number; gain: number | null }> => {
  const experiment = await requireExperiment(archive, id);
  const campaign = await requireCampaign(archive, experiment.campaignId);
  await referenceScored(archive, campaign);
  const table = await ScoreTable.ofExperiments(archive, [id, referenceId(campaign.id)]);
  const fitness = fitnessOf({ campaign, table, noise: campaign.noise, id });
  const judged = await changeExperiment(archive, id, (current) =>
    isTerminal(current.state) ? null : { fitness, state: 'judged' },
  );
  return { fitness: fitness.value, gain: judged.kind === 'baseline' ? null : (lossEffect(judged)?.mean ?? null) };
};

const pollMs = 300;

/** While calibrating, another baseline may be done before the reference is. Returns when the reference has its scores or has ended without. */
const referenceScored = (archive: Archive, campaign: Campaign): Promise<void> =>
  withHeartbeat(async (beat, signal) => {
    const id = referenceId(campaign.id);
    for (;;) {
      const rows = new Set((await archive.listScores({ experimentId: id })).map((row) => row.seed));
      if (exploreSeeds(campaign.settings).every((seed) => rows.has(seed))) return;
      const reference = await archive.getExperiment(id);
      if (reference !== null && isTerminal(reference.state)) return;
      beat({ waitingFor: id });
      await setTimeout(pollMs, undefined, { signal });
    }
  });

export const fitnessOf = ({
  campaign,
  table,
  noise,
  id,
}: {
  readonly campaign: Campaign;
  readonly table: ScoreTable;
  readonly noise: readonly NoiseFloor[];
  readonly id: string;
}): Fitness => {
  const seeds = exploreSeeds(campaign.settings);
  const input = { candidate: table.rows(id), reference: table.rows(referenceId(campaign.id)), seeds, noise };
  const result = campaign.settings.fitness === 'asi-arch' ? asiArchFitness(input) : pairedGainFitness(input);
  if (result.ok) return result.fitness;
  throw ApplicationFailure.nonRetryable(`${id} cannot be judged: ${result.reason}`, failureTypes.unjudgeable);
};
