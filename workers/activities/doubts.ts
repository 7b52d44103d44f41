import type { Archive } from '../../services/archive/archive.ts';
import type { StepResult } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Doubt, Experiment } from '../../workflows/contracts/experiment.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import { rungs } from '../../workflows/contracts/rung.ts';
import type { Metric } from '../../workflows/contracts/score.ts';
import { holdsUp, implausible } from '../../workflows/rules/plausibility.ts';
import { exploreSeeds } from '../../workflows/rules/trial-seeds.ts';
import { referenceId } from './calibrate.ts';
import { nameOf } from './digest.ts';
import { changeExperiment, requireCampaign, requireExperiment } from './experiment-record.ts';
import { ScoreTable } from './score-table.ts';

/** What is too good about an exploring result. A baseline is what is known, so that there is nothing to doubt. */
export const doubtsAbout = async (
  archive: Archive,
  campaign: Campaign,
  { id, kind }: Pick<Experiment, 'id' | 'kind'>,
): Promise<readonly Doubt[]> => {
  if (kind === 'baseline') return [];
  const baselines = await archive.listExperiments(campaign.id, { kinds: ['baseline'] });
  const table = await ScoreTable.ofExperiments(archive, [id, ...baselines.map((baseline) => baseline.id)]);
  const seeds = exploreSeeds(campaign.settings);
  const scores = (of: string) => (metric: Metric) => table.values(of, { metric, seeds });
  return implausible({
    rung: rungs[campaign.settings.rung],
    candidate: scores(id),
    baselines: baselines.map((baseline) => ({ name: nameOf(baseline), scores: scores(baseline.id) })),
    noise: campaign.noise,
  }).map((found) => ({ ...found, outcome: 'open', detail: '' }));
};

/** Trials that the champion set is to be asked about before a doubted result counts: its first seed, and the reference's. */
export const doubtedTrials = async (archive: Archive, campaign: Campaign, id: string): Promise<readonly string[]> => {
  const [seed] = exploreSeeds(campaign.settings);
  const trials = await Promise.all([id, referenceId(campaign.id)].map((experimentId) => archive.listTrials({ experimentId })));
  return trials
    .flat()
    .filter((trial) => trial.purpose === 'explore' && trial.state === 'scored' && trial.seed === seed)
    .map((trial) => trial.id);
};

/** What the fresh data say of each doubt, written into the record; the first that fell ends the experiment. */
export const settleDoubts = async (archive: Archive, experimentId: string): Promise<StepResult> => {
  const campaign = await requireCampaign(archive, campaignOf(experimentId));
  const { doubts } = await requireExperiment(archive, experimentId);
  const ids = [experimentId, referenceId(campaign.id)] as const;
  const tables = {
    search: await ScoreTable.ofExperiments(archive, ids, ['search']),
    champion: await ScoreTable.ofExperiments(archive, ids, ['champion']),
  };
  const seeds = exploreSeeds(campaign.settings).slice(0, 1);
  const settled = (doubts ?? []).map((doubt): Doubt => {
    const { metric } = doubt;
    const pair = (table: ScoreTable) => ({
      candidate: table.values(experimentId, { metric, seeds }),
      reference: table.values(ids[1], { metric, seeds }),
    });
    const answer = holdsUp({ metric, search: pair(tables.search), champion: pair(tables.champion) });
    if (answer === null)
      return { ...doubt, outcome: 'fell', detail: 'it could not be compared with the reference on fresh data' };
    return { ...doubt, outcome: answer.held ? 'held' : 'fell', detail: answer.detail };
  });
  await changeExperiment(archive, experimentId, () => ({ doubts: settled }));
  const fallen = settled.find(({ outcome }) => outcome === 'fell');
  return fallen === undefined
    ? { ok: true }
    : { ok: false, label: 'integrity', detail: `${fallen.reason}, and ${fallen.detail}`.slice(0, 4000) };
};
