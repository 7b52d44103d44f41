import { setTimeout } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import { type Campaign, isCampaignOver, type NoiseFloor } from '../../workflows/contracts/campaign.ts';
import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';
import { experimentId } from '../../workflows/contracts/naming.ts';
import { metrics } from '../../workflows/contracts/score.ts';
import { confirmationDesign } from '../../workflows/rules/sequential-design.ts';
import { noiseFloor } from '../../workflows/rules/statistics.ts';
import { calibrationSeeds } from '../../workflows/rules/trial-seeds.ts';
import { nameOf } from './digest.ts';
import { changeCampaign, requireCampaign } from './experiment-record.ts';
import { withHeartbeat } from './heartbeat.ts';
import { ScoreTable } from './score-table.ts';

const pollMs = 300;

/** The first baseline: every comparison is against its own re-run trials in this campaign. */
export const referenceId = (campaignId: string): string => experimentId(campaignId, 1);

const baselineIds = ({ id, settings }: Pick<Campaign, 'id' | 'settings'>): readonly string[] =>
  settings.baselines.map((_, index) => experimentId(id, index + 1));

/**
 * What seeds alone do on this rung, from the calibrating trials of the baselines; stored with the campaign. Waits until every baseline has its
 * scores or has ended without, so that no baseline is judged before the noise is known.
 */
export const noiseOfBaselines = async (archive: Archive, campaign: Campaign): Promise<readonly NoiseFloor[]> => {
  if (campaign.noise.length > 0) return campaign.noise;
  const table = await withHeartbeat((beat, signal) => allScored(archive, { campaign, beat, signal }));
  const noise = noiseFrom(campaign, table);
  await changeCampaign(archive, campaign.id, (current) => (isCampaignOver(current.state) ? null : { noise }));
  return noise;
};

/** The noise floor of each metric, from the baselines' rows; pure, so that it can be checked. */
export const noiseFrom = (campaign: Pick<Campaign, 'id' | 'settings'>, table: ScoreTable): NoiseFloor[] => {
  const seeds = calibrationSeeds(campaign.settings);
  const design = confirmationDesign(campaign.settings);
  const { exploreSeeds } = campaign.settings;
  return metrics.flatMap((metric) => {
    const values = baselineIds(campaign).map((id) => [id, table.values(id, { metric, seeds })] as const);
    const baselines = new Map(values.filter(([, bySeed]) => bySeed.size > 0));
    const floor = baselines.size === 0 ? null : noiseFloor({ metric, baselines, design, exploreSeeds });
    return floor === null ? [] : [floor];
  });
};

const allScored = async (
  archive: Archive,
  {
    campaign,
    beat,
    signal,
  }: { readonly campaign: Campaign; readonly beat: (details: object) => void; readonly signal: AbortSignal },
): Promise<ScoreTable> => {
  const seeds = calibrationSeeds(campaign.settings);
  for (;;) {
    const table = await ScoreTable.ofExperiments(archive, baselineIds(campaign));
    const waiting: string[] = [];
    for (const id of baselineIds(campaign)) {
      const scored = new Set(table.rows(id).map((row) => row.seed));
      if (seeds.every((seed) => scored.has(seed))) continue;
      const baseline = await archive.getExperiment(id);
      if (baseline === null || !isTerminal(baseline.state)) waiting.push(id);
    }
    if (waiting.length === 0) return table;
    beat({ waitingFor: waiting });
    await setTimeout(pollMs, undefined, { signal });
  }
};

/** The end of calibration. Throws, beyond cure, when the reference did not finish. */
export const closeCalibration = async (
  archive: Archive,
  campaignId: string,
): Promise<{ noise: readonly NoiseFloor[]; failedBaselines: readonly string[] }> => {
  const campaign = await requireCampaign(archive, campaignId);
  const baselines = await archive.listExperiments(campaignId, { kinds: ['baseline'] });
  const reference = baselines.find((baseline) => baseline.id === referenceId(campaignId));
  if (reference?.state !== 'recorded') {
    throw ApplicationFailure.nonRetryable(
      `The reference baseline ${campaign.settings.baselines[0]} did not finish, and every comparison needs it (${whyNot(reference)}).`,
      'ReferenceFailed',
    );
  }
  const noise = await noiseOfBaselines(archive, campaign);
  return { noise, failedBaselines: baselines.filter((baseline) => baseline.state !== 'recorded').map(nameOf) };
};

const whyNot = (reference: Experiment | undefined): string =>
  reference?.failure == null ? 'it was not trained' : `${reference.failure.label}: ${reference.failure.detail}`;
