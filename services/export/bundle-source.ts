import { basename } from 'node:path';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { rungOf } from '../../workflows/contracts/campaign.ts';
import type { DataSource } from '../../workflows/contracts/data.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { experimentId } from '../../workflows/contracts/naming.ts';
import type { Rung, Task, TaskKind } from '../../workflows/contracts/rung.ts';
import { lowerIsBetter, type Metric, type Score } from '../../workflows/contracts/score.ts';
import { confirmingSeconds } from '../../workflows/rules/cost-words.ts';
import type { Archive } from '../archive/archive.ts';
import { type BundleRecord, type Relative, relativeOf, toRecord } from './bundle-record.ts';
import { noiseExperiments } from './noise-experiments.ts';

/** Nothing can be exported, and why: what is missing, and what would be right. */
export class ExportRefusedError extends Error {
  override readonly name = 'ExportRefusedError';
  readonly experimentId: string;
  readonly reason: 'unknown' | 'not-recorded' | 'no-scored-trial' | 'missing-artifact' | 'bad-checkpoint' | 'occupied';
  readonly detail: string;
  constructor(
    refusal: { readonly experimentId: string; readonly reason: ExportRefusedError['reason']; readonly detail: string },
    options?: ErrorOptions,
  ) {
    super(`Experiment ${refusal.experimentId} cannot be exported: ${refusal.detail}`, options);
    this.experimentId = refusal.experimentId;
    this.reason = refusal.reason;
    this.detail = refusal.detail;
  }
}

/** What a bundle is made of: its record, and what follows from that. */
export interface BundleSource {
  readonly record: BundleRecord;
  readonly rung: Rung;
  /** The trial whose weights go into the bundle. */
  readonly chosen: BundleRecord['trials'][number] & { readonly checkpointArtifact: string };
}

const metricOfTask: Readonly<Record<TaskKind, Metric>> = { bytes: 'bits-per-byte', recall: 'recall-auc', copy: 'copy-loss' };

/** The metric that a rung is about: that of its first task. */
export const primaryMetric = (rung: Rung): Metric => metricOfTask[firstTask(rung).kind];

/** Reads what a bundle needs. Throws ExportRefusedError. */
export const readBundleSource = async (archive: Archive, experimentId: string): Promise<BundleSource> => {
  const record = await readRecord(archive, experimentId);
  const source = sourceOf(record);
  if (source !== null) return source;
  const metric = primaryMetric(rungOf(record.campaign));
  throw new ExportRefusedError({
    experimentId,
    reason: 'no-scored-trial',
    detail: `none of its ${record.trials.length} trials has both a checkpoint and a score of ${metric}`,
  });
};

/** Null where no trial of the record has weights and a score. */
export const sourceOf = (record: BundleRecord): BundleSource | null => {
  const rung = rungOf(record.campaign);
  const chosen = chooseTrial(record, primaryMetric(rung));
  return chosen === null ? null : { record, rung, chosen };
};

const readRecord = async (archive: Archive, experimentId: string): Promise<BundleRecord> => {
  const refuse = (reason: ExportRefusedError['reason'], detail: string): ExportRefusedError =>
    new ExportRefusedError({ experimentId, reason, detail });
  const experiment = await archive.getExperiment(experimentId);
  if (experiment === null) throw refuse('unknown', 'the archive holds no such experiment; "asi leaderboard" lists what there is');
  const { campaignId } = experiment;
  if (experiment.state !== 'recorded' || experiment.proposal === null || experiment.architecture === null)
    throw refuse('not-recorded', `its state is ${experiment.state}; right would be recorded, with a program`);
  const campaign = await archive.getCampaign(campaignId);
  if (campaign === null) throw refuse('unknown', `the archive holds no campaign ${campaignId}`);
  const baselines = await archive.listExperiments(campaignId, { kinds: ['baseline'], states: ['recorded'] });
  return toRecord({
    campaign: { ...campaign, ...withoutPaths(campaign) },
    experiment,
    trials: (await archive.listTrials({ experimentId })).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    scores: sorted(await archive.listScores({ experimentId })),
    audits: [...(await archive.listAudits(experimentId))],
    ancestors: await readRelatives(archive, experiment.ancestors),
    references: await readRelatives(archive, experiment.referenceIds),
    baselines: await Promise.all(
      baselines.map(async (baseline) => ({
        ...relativeOf(baseline),
        scores: sorted(await archive.listScores({ experimentId: baseline.id })),
      })),
    ),
    referenceSeconds: await readReferenceSeconds(archive, campaign, experiment),
    noise: await readNoise(archive, campaign, experiment),
  });
};

/** Of trainings that a verdict tells of; none where there is no verdict. */
const readReferenceSeconds = async (
  archive: Archive,
  { id }: Campaign,
  { verdict }: Experiment,
): Promise<BundleRecord['referenceSeconds']> =>
  verdict === null
    ? []
    : [...confirmingSeconds(await archive.listTrials({ experimentId: experimentId(id, 1) }))]
        .map(([seed, trainSeconds]) => ({ seed, trainSeconds }))
        .toSorted((a, b) => a.seed - b.seed);

/** Rows of the search set alone; of the baselines alone where there is no verdict, whose noise would need the others. */
const readNoise = async (archive: Archive, campaign: Campaign, { verdict }: Experiment): Promise<BundleRecord['noise']> => {
  const ids =
    verdict === null
      ? (await archive.listExperiments(campaign.id, { kinds: ['baseline'] })).map(({ id }) => id)
      : await noiseExperiments(archive, campaign);
  return await Promise.all(
    ids.map(async (experimentId) => ({
      experimentId,
      scores: sorted((await archive.listScores({ experimentId })).filter(({ set }) => set === 'search')),
    })),
  );
};

/** A folder on somebody's machine tells its name, not where it lies; and so does a program that a campaign started from. */
const withoutPaths = ({ settings, data }: Campaign): Pick<Campaign, 'settings' | 'data'> => ({
  settings: { ...settings, data: withoutPath(settings.data), starts: settings.starts.map((start) => basename(start)) },
  data: { ...data, source: withoutPath(data.source) },
});

const withoutPath = (source: DataSource): DataSource =>
  source.kind === 'folder' ? { kind: 'folder', path: basename(source.path) } : source;

const sorted = (scores: readonly Score[]): Score[] => {
  const key = ({ trialId, metric, set }: Score): string => `${trialId} ${metric} ${set}`;
  return scores.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
};

/** The scored trial with the best exploring or confirming value of the metric; the first id among equals. */
const chooseTrial = ({ trials, scores }: BundleRecord, metric: Metric): BundleSource['chosen'] | null => {
  // The champion set asks again about trials that have a value already.
  const rows = scores.filter((score) => score.metric === metric && score.set !== 'champion');
  const valueByTrial = new Map(rows.map(({ trialId, value }) => [trialId, value]));
  const sign = lowerIsBetter[metric] ? 1 : -1;
  let best: { readonly trial: BundleSource['chosen']; readonly cost: number } | null = null;
  for (const trial of trials.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const value = valueByTrial.get(trial.id);
    const { checkpointArtifact } = trial;
    // At another rate a baseline is trained on one task alone.
    if (trial.state !== 'scored' || trial.purpose === 'rate' || checkpointArtifact === null || value === undefined) continue;
    if (best === null || sign * value < best.cost) best = { trial: { ...trial, checkpointArtifact }, cost: sign * value };
  }
  return best?.trial ?? null;
};

const firstTask = ({ tasks: [first] }: Rung): Task => {
  if (first === undefined) throw new TypeError('a rung has at least one task');
  return first;
};

const readRelatives = async (archive: Archive, ids: readonly string[]): Promise<Relative[]> => {
  const found = await Promise.all(ids.map((id) => archive.getExperiment(id)));
  return found.filter((experiment) => experiment !== null).map(relativeOf);
};
