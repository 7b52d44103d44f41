import { analyse } from '../../services/analyst/analyst.ts';
import type { Archive } from '../../services/archive/archive.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { referenceId } from './calibrate.ts';
import { changeExperiment, requireCampaign, requireExperiment } from './experiment-record.ts';

/** Compares one judged experiment with its relatives, from measured rows, and stores what they say. */
export const analyseExperiment = async (archive: Archive, experimentId: string): Promise<void> => {
  const experiment = await requireExperiment(archive, experimentId);
  if (experiment.analysis !== null) return;
  const campaign = await requireCampaign(archive, experiment.campaignId);
  const relatives = await relativesOf(archive, experiment);
  const others = [relatives.reference, relatives.parent, relatives.grandparent, ...relatives.siblings, ...relatives.baselines];
  const ids = [...new Set([experiment.id, ...others.flatMap((other) => (other === null ? [] : [other.id]))])];
  const [scores, trials] = await Promise.all([
    Promise.all(ids.map((id) => archive.listScores({ experimentId: id }))),
    Promise.all(ids.map((id) => archive.listTrials({ experimentId: id }))),
  ]);
  const analysis = analyse({ experiment, relatives, scores: scores.flat(), trials: trials.flat(), noise: campaign.noise });
  await changeExperiment(archive, experimentId, () => ({ analysis, state: 'analysed' }));
};

const siblingsCompared = 20;

const relativesOf = async (archive: Archive, experiment: Experiment) => {
  const get = async (id: string | null | undefined): Promise<Experiment | null> =>
    id == null ? null : await archive.getExperiment(id);
  const parent = await get(experiment.parentId);
  const [reference, grandparent, siblings, baselines] = await Promise.all([
    get(referenceId(experiment.campaignId)),
    get(parent?.parentId),
    parent === null ? [] : archive.listExperiments(experiment.campaignId, { parentId: parent.id, states: ['recorded'] }),
    archive.listExperiments(experiment.campaignId, { kinds: ['baseline'], states: ['recorded'] }),
  ]);
  const bestFirst = siblings.toSorted((a, b) => (b.fitness?.value ?? 0) - (a.fitness?.value ?? 0));
  return {
    reference,
    parent,
    grandparent,
    siblings: bestFirst.filter(({ id }) => id !== experiment.id).slice(0, siblingsCompared),
    baselines,
  };
};
