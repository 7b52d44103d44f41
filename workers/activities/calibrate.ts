import { ApplicationFailure } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import type { NoiseFloor } from '../../workflows/contracts/campaign.ts';
import { metrics } from '../../workflows/contracts/score.ts';
import { noiseFloor } from '../../workflows/rules/statistics.ts';
import { calibrationSeeds } from '../../workflows/rules/trial-seeds.ts';
import { nameOf } from './digest.ts';
import { changeCampaign, requireCampaign } from './experiment-record.ts';
import { referenceId } from './judge.ts';
import { ScoreTable } from './score-table.ts';

/** What seeds alone do on this rung, from the baselines' exploring trials; stored with the campaign. */
export const calibrateNoise = async (
  archive: Archive,
  campaignId: string,
): Promise<{ noise: readonly NoiseFloor[]; failedBaselines: readonly string[] }> => {
  const campaign = await requireCampaign(archive, campaignId);
  const baselines = await archive.listExperiments(campaignId, { kinds: ['baseline'] });
  const recorded = baselines.filter((baseline) => baseline.state === 'recorded');
  const reference = baselines.find((baseline) => baseline.id === referenceId(campaignId));
  if (reference?.state !== 'recorded') {
    const why =
      reference?.failure === null || reference === undefined
        ? 'it was not trained'
        : `${reference.failure.label}: ${reference.failure.detail}`;
    throw ApplicationFailure.nonRetryable(
      `The reference baseline ${campaign.settings.baselines[0]} did not finish, and every comparison needs it (${why}).`,
      'ReferenceFailed',
    );
  }
  const table = await ScoreTable.ofExperiments(
    archive,
    recorded.map(({ id }) => id),
  );
  const seeds = calibrationSeeds(campaign.settings);
  const noise = metrics.flatMap((metric) => {
    const values = new Map(
      recorded.map(({ id }) => [id, table.values(id, { metric, seeds })] as const).filter(([, bySeed]) => bySeed.size > 0),
    );
    const { confirmSeeds, finalists } = campaign.settings;
    const floor = noiseFloor({ metric, baselines: values, confirmSeeds, numFinalists: finalists });
    return floor === null ? [] : [floor];
  });
  await changeCampaign(archive, campaignId, () => ({ noise }));
  return { noise, failedBaselines: baselines.filter((baseline) => baseline.state !== 'recorded').map(nameOf) };
};
