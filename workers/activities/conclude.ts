import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { log } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import { ExportRefusedError } from '../../services/export/bundle-source.ts';
import { exportBundle } from '../../services/export/export-bundle.ts';
import { renderReport } from '../../services/report/render-report.ts';
import type { Campaign, Conclusion } from '../../workflows/contracts/campaign.ts';
import type { Experiment, Verdict } from '../../workflows/contracts/experiment.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import { confirmSeeds } from '../../workflows/rules/trial-seeds.ts';
import { concludeFrom, judgeFinalist, pickFinalists } from '../../workflows/rules/verdict.ts';
import { referenceId } from './calibrate.ts';
import { nameOf } from './digest.ts';
import { changeCampaign, requireCampaign } from './experiment-record.ts';
import { ScoreTable } from './score-table.ts';

export interface ConcludeDependencies {
  readonly archive: Archive;
  readonly artifacts: Artifacts;
  readonly reportsFolder: string;
  readonly bundlesFolder: string;
  readonly now: () => Date;
}

/** The best candidates by fitness, and the baselines that each of them must beat: the reference and the strongest other. */
export const chooseFinalists = async (
  archive: Archive,
  campaignId: string,
): Promise<{ finalists: readonly string[]; baselines: readonly string[] }> => {
  const campaign = await requireCampaign(archive, campaignId);
  const recorded = await archive.listExperiments(campaignId, { states: ['recorded'] });
  return pickFinalists({
    experiments: recorded.map((experiment) => ({
      id: experiment.id,
      kind: experiment.kind,
      number: experiment.number,
      fitness: experiment.fitness?.value ?? null,
    })),
    finalists: campaign.settings.finalists,
    referenceId: referenceId(campaignId),
  });
};

/** Verdicts on the fresh seeds, then the report and the bundles, then the campaign's end. A retry finds the verdicts and writes the rest again. */
export const concludeCampaign = async (dependencies: ConcludeDependencies, campaignId: string): Promise<Conclusion> => {
  const { archive, reportsFolder, now } = dependencies;
  const campaign = await requireCampaign(archive, campaignId);
  if (campaign.conclusion !== null && campaign.state === 'finished') return campaign.conclusion;
  const judged = await judgeAll(archive, campaign);
  const exported = judged.filter(({ verdict }) => verdict.verdict === 'better').slice(0, 3);
  const bundles = exported.length > 0 ? exported : judged.slice(0, 1);
  const bundlePaths = (await Promise.all(bundles.map(({ experiment }) => bundleOf(dependencies, experiment.id)))).filter(
    (path) => path !== null,
  );
  const reportPath = join(reportsFolder, `${campaignId}.html`);
  const conclusion: Conclusion = {
    ...concludeFrom(judged.map(({ experiment, verdict }) => ({ name: nameOf(experiment), verdict }))),
    ...(judged.length === 0 ? await whyUnconfirmed(archive, campaignId) : {}),
    finalists: judged.map(({ experiment, verdict }) => ({
      experimentId: experiment.id,
      name: nameOf(experiment),
      effect: verdict.effect,
      verdict: verdict.statement,
    })),
    reportPath,
    bundlePaths,
  };
  // The report shows the conclusion, so that comes first; it is written again by a retry.
  await changeCampaign(archive, campaignId, () => ({ conclusion }));
  await writeReport(dependencies, { campaignId, reportPath });
  await changeCampaign(archive, campaignId, () => ({ state: 'finished', finishedAt: now().toISOString() }));
  return conclusion;
};

/** Null where the experiment has nothing that could be exported: the conclusion does not depend on it. */
const bundleOf = async (
  { archive, artifacts, bundlesFolder }: ConcludeDependencies,
  experimentId: string,
): Promise<string | null> => {
  try {
    return (await exportBundle({ experimentId, folder: bundlesFolder, archive, artifacts })).path;
  } catch (error) {
    if (!(error instanceof ExportRefusedError)) throw error;
    log.warn(`no bundle of ${experimentId}: ${error.message}`);
    return null;
  }
};

const judgeAll = async (
  archive: Archive,
  campaign: Campaign,
): Promise<readonly { readonly experiment: Experiment; readonly verdict: Verdict }[]> => {
  const { finalists, baselines } = await chooseFinalists(archive, campaign.id);
  const table = await ScoreTable.ofExperiments(archive, [...finalists, ...baselines]);
  const seeds = confirmSeeds(campaign.settings);
  const values = (id: string) => table.values(id, { metric: 'bits-per-byte', seeds });
  const rivals = await Promise.all(
    baselines.map(async (id) => ({ name: nameOf((await archive.getExperiment(id)) ?? missingBaseline(id)), values: values(id) })),
  );
  const judged: { experiment: Experiment; verdict: Verdict }[] = [];
  for (const id of finalists) {
    const verdict = judgeFinalist({
      metric: 'bits-per-byte',
      candidate: values(id),
      baselines: rivals,
      noise: campaign.noise.find((floor) => floor.metric === 'bits-per-byte') ?? null,
      numFinalists: finalists.length,
      seeds,
    });
    if (verdict === null) continue;
    const stored = await archive.setVerdict(id, verdict);
    const experiment = stored.ok ? stored.value : stored.current;
    if (experiment !== null) judged.push({ experiment, verdict: experiment.verdict ?? verdict });
  }
  return judged;
};

/** Without a verdict the conclusion says what stood in the way. */
const whyUnconfirmed = async (archive: Archive, campaignId: string): Promise<Partial<Pick<Conclusion, 'statement'>>> => {
  const { finalists } = await chooseFinalists(archive, campaignId);
  const trials = (await Promise.all(finalists.map((experimentId) => archive.listTrials({ experimentId })))).flat();
  const failure = trials.find((trial) => trial.purpose === 'confirm' && trial.failure !== null)?.failure;
  if (failure == null) return {};
  return {
    statement: `No finalist could be confirmed on fresh seeds, so nothing was found. The first of them ended with ${failure.label}: ${failure.detail}.`,
  };
};

const missingBaseline = (id: string): never => {
  throw new Error(`baseline ${id} of ${campaignOf(id)} has left the archive`);
};

const writeReport = async (
  { archive, artifacts, reportsFolder }: ConcludeDependencies,
  { campaignId, reportPath }: { campaignId: string; reportPath: string },
): Promise<void> => {
  await mkdir(reportsFolder, { recursive: true });
  const html = await renderReport({ campaignId, archive, artifacts });
  await writeFile(`${reportPath}.new`, html);
  await rename(`${reportPath}.new`, reportPath);
};
