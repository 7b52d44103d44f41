import type { Archive } from '../../services/archive/archive.ts';
import type { StepResult } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { rungOf } from '../../workflows/contracts/campaign.ts';
import { type Doubt, type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import type { Metric, Score } from '../../workflows/contracts/score.ts';
import { holdsUp, implausible } from '../../workflows/rules/plausibility.ts';
import { exploreSeeds } from '../../workflows/rules/trial-seeds.ts';
import { referenceId } from './calibrate.ts';
import { nameOf } from './digest.ts';
import { changeExperiment, requireCampaign, requireExperiment } from './experiment-record.ts';
import { ScoreTable } from './score-table.ts';

/** What doubts are made of, whether it comes from the archive or from a bundle. */
export interface DoubtFacts {
  readonly campaign: Pick<Campaign, 'id' | 'settings' | 'noise'>;
  readonly experiment: Pick<Experiment, 'id' | 'kind'>;
  /** All that did not fail. */
  readonly baselines: readonly { readonly id: string; readonly name: string }[];
  /** Every row of the experiment and of these baselines. */
  readonly scores: readonly Score[];
}

/** What is too good about an exploring result, still open. A baseline is what is known, so that there is nothing to doubt. */
export const doubtsFrom = ({ campaign, experiment, baselines, scores: rows }: DoubtFacts): readonly Doubt[] => {
  if (experiment.kind === 'baseline') return [];
  const table = new ScoreTable(rows);
  const seeds = exploreSeeds(campaign.settings);
  const scores = (of: string) => (metric: Metric) => table.values(of, { metric, seeds });
  return implausible({
    rung: rungOf(campaign),
    candidate: scores(experiment.id),
    baselines: baselines.map(({ id, name }) => ({ name, scores: scores(id) })),
    noise: campaign.noise,
  }).map((found) => ({ ...found, outcome: 'open', detail: '' }));
};

/** What the champion set says of each doubt, on the first exploring seed. */
export const settledBy = (
  { campaign, experiment, scores }: Pick<DoubtFacts, 'campaign' | 'experiment' | 'scores'>,
  doubts: readonly Doubt[],
): readonly Doubt[] => {
  const tables = { search: new ScoreTable(scores, ['search']), champion: new ScoreTable(scores, ['champion']) };
  const seeds = exploreSeeds(campaign.settings).slice(0, 1);
  return doubts.map((doubt) => {
    const { metric } = doubt;
    const pair = (table: ScoreTable) => ({
      candidate: table.values(experiment.id, { metric, seeds }),
      reference: table.values(referenceId(campaign.id), { metric, seeds }),
    });
    const answer = holdsUp({ metric, search: pair(tables.search), champion: pair(tables.champion) });
    if (answer === null)
      return { ...doubt, outcome: 'fell', detail: 'it could not be compared with the reference on fresh data' };
    return { ...doubt, outcome: answer.held ? 'held' : 'fell', detail: answer.detail };
  });
};

export const doubtsAbout = async (
  archive: Archive,
  campaign: DoubtFacts['campaign'],
  experiment: DoubtFacts['experiment'],
): Promise<readonly Doubt[]> => {
  const baselines = (await archive.listExperiments(campaign.id, { kinds: ['baseline'] })).filter(
    // One that failed stands in no bundle, and what it scored before is nothing to measure others by.
    ({ state }) => !isTerminal(state) || state === 'recorded',
  );
  const scores = await rowsOf(archive, [experiment.id, ...baselines.map(({ id }) => id)]);
  return doubtsFrom({ campaign, experiment, baselines: baselines.map((one) => ({ id: one.id, name: nameOf(one) })), scores });
};

const rowsOf = async (archive: Archive, ids: readonly string[]): Promise<readonly Score[]> =>
  (await Promise.all(ids.map((experimentId) => archive.listScores({ experimentId })))).flat();

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
  const experiment = await requireExperiment(archive, experimentId);
  const scores = await rowsOf(archive, [experimentId, referenceId(campaign.id)]);
  const settled = settledBy({ campaign, experiment, scores }, experiment.doubts ?? []);
  await changeExperiment(archive, experimentId, () => ({ doubts: [...settled] }));
  const fallen = settled.find(({ outcome }) => outcome === 'fell');
  return fallen === undefined
    ? { ok: true }
    : { ok: false, label: 'integrity', detail: `${fallen.reason}, and ${fallen.detail}`.slice(0, 4000) };
};
