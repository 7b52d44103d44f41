import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { type Rung, rungs, type Task, type TaskKind } from '../../workflows/contracts/rung.ts';
import { lowerIsBetter, type Metric, type Score } from '../../workflows/contracts/score.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import type { Archive } from '../archive/archive.ts';

/** Nothing can be exported, and why: what is missing, and what would be right. */
export class ExportRefusedError extends Error {
  override readonly name = 'ExportRefusedError';
  readonly experimentId: string;
  readonly reason: 'unknown' | 'not-recorded' | 'no-scored-trial' | 'missing-artifact' | 'bad-checkpoint' | 'occupied';
  constructor(
    refusal: { readonly experimentId: string; readonly reason: ExportRefusedError['reason']; readonly detail: string },
    options?: ErrorOptions,
  ) {
    super(`Experiment ${refusal.experimentId} cannot be exported: ${refusal.detail}`, options);
    this.experimentId = refusal.experimentId;
    this.reason = refusal.reason;
  }
}

/** Every record that a bundle is made of. */
export interface BundleSource {
  readonly campaign: Campaign;
  readonly experiment: Experiment;
  readonly proposal: NonNullable<Experiment['proposal']>;
  readonly architecture: NonNullable<Experiment['architecture']>;
  readonly rung: Rung;
  readonly trials: readonly Trial[];
  /** The trial whose weights go into the bundle. */
  readonly chosen: Trial & { readonly checkpointArtifact: string };
  readonly scores: readonly Score[];
  /** From the root to the parent; those that the archive holds. */
  readonly ancestors: readonly Experiment[];
  readonly references: readonly Experiment[];
  readonly baselines: readonly { readonly experiment: Experiment; readonly scores: readonly Score[] }[];
}

const metricOfTask: Readonly<Record<TaskKind, Metric>> = { bytes: 'bits-per-byte', recall: 'recall-auc', copy: 'copy-loss' };

/** The metric that a rung is about: that of its first task. */
export const primaryMetric = (rung: Rung): Metric => metricOfTask[firstTask(rung).kind];

/** Reads what a bundle needs. Throws ExportRefusedError. */
export const readBundleSource = async (archive: Archive, experimentId: string): Promise<BundleSource> => {
  const refuse = (reason: ExportRefusedError['reason'], detail: string): ExportRefusedError =>
    new ExportRefusedError({ experimentId, reason, detail });
  const experiment = await archive.getExperiment(experimentId);
  if (experiment === null) throw refuse('unknown', 'the archive holds no such experiment; "asi leaderboard" lists what there is');
  const { proposal, architecture, campaignId } = experiment;
  if (experiment.state !== 'recorded' || proposal === null || architecture === null)
    throw refuse('not-recorded', `its state is ${experiment.state}; right would be recorded, with a program`);
  const campaign = await archive.getCampaign(campaignId);
  if (campaign === null) throw refuse('unknown', `the archive holds no campaign ${campaignId}`);
  const rung = rungs[campaign.settings.rung];
  const trials = await archive.listTrials({ experimentId });
  const scores = await archive.listScores({ experimentId });
  const chosen = chooseTrial(trials, scores, primaryMetric(rung));
  if (chosen === null)
    throw refuse(
      'no-scored-trial',
      `none of its ${trials.length} trials has both a checkpoint and a score of ${primaryMetric(rung)}`,
    );
  const baselines = await archive.listExperiments(campaignId, { kinds: ['baseline'], states: ['recorded'] });
  return {
    campaign,
    experiment,
    proposal,
    architecture,
    rung,
    trials,
    chosen,
    scores,
    ancestors: await readAll(archive, experiment.ancestors),
    references: await readAll(archive, experiment.referenceIds),
    baselines: await Promise.all(
      baselines.map(async (baseline) => ({
        experiment: baseline,
        scores: await archive.listScores({ experimentId: baseline.id }),
      })),
    ),
  };
};

/** The scored trial with the best value of the metric; the first id among equals. */
export const chooseTrial = (
  trials: readonly Trial[],
  scores: readonly Score[],
  metric: Metric,
): BundleSource['chosen'] | null => {
  const valueByTrial = new Map(scores.filter((score) => score.metric === metric).map(({ trialId, value }) => [trialId, value]));
  const sign = lowerIsBetter[metric] ? 1 : -1;
  let best: { readonly trial: BundleSource['chosen']; readonly cost: number } | null = null;
  for (const trial of [...trials].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const value = valueByTrial.get(trial.id);
    const { checkpointArtifact } = trial;
    if (trial.state !== 'scored' || checkpointArtifact === null || value === undefined) continue;
    if (best === null || sign * value < best.cost) best = { trial: { ...trial, checkpointArtifact }, cost: sign * value };
  }
  return best?.trial ?? null;
};

const firstTask = ({ tasks: [first] }: Rung): Task => {
  if (first === undefined) throw new TypeError('a rung has at least one task');
  return first;
};

const readAll = async (archive: Archive, ids: readonly string[]): Promise<readonly Experiment[]> => {
  const found = await Promise.all(ids.map((id) => archive.getExperiment(id)));
  return found.filter((experiment) => experiment !== null);
};
