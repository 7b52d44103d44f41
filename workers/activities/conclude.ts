import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive } from '../../services/archive/archive.ts';
import { ArchiveUnavailableError } from '../../services/archive/archive-errors.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import { ArtifactsUnavailableError, CorruptArtifactError } from '../../services/artifacts/artifacts.ts';
import { ExportRefusedError } from '../../services/export/bundle-source.ts';
import { exportBundle } from '../../services/export/export-bundle.ts';
import { renderReport } from '../../services/report/render-report.ts';
import { makeFolder } from '../../services/storage/make-folder.ts';
import type { Conclusion } from '../../workflows/contracts/campaign.ts';
import type { Experiment, Verdict } from '../../workflows/contracts/experiment.ts';
import type { ScoreSet } from '../../workflows/contracts/score.ts';
import type { ScoreList } from '../../workflows/contracts/score-list.ts';
import { controlsBar } from '../../workflows/rules/controls.ts';
import { type CampaignLooks, looksWarning, uncountedRungs } from '../../workflows/rules/looks.ts';
import { concludeFrom } from '../../workflows/rules/verdict.ts';
import { judgeFinalists } from './confirm.ts';
import { nameOf } from './digest.ts';
import { changeCampaign, requireCampaign } from './experiment-record.ts';
import { chooseFinalists } from './finalists.ts';

export interface ConcludeDependencies {
  readonly archive: Archive;
  readonly artifacts: Artifacts;
  readonly reportsFolder: string;
  readonly bundlesFolder: string;
  /** The judge's sealed lists, which a bundle brings. */
  readonly scoreLists: (experimentIds: readonly string[]) => Promise<readonly ScoreList[]>;
  readonly now: () => Date;
}

/** Verdicts on the fresh seeds, then the report and the bundles, then the campaign's end. A retry finds the verdicts and writes the rest again. */
export const concludeCampaign = async (dependencies: ConcludeDependencies, campaignId: string): Promise<Conclusion> => {
  const { archive, reportsFolder, now } = dependencies;
  const campaign = await requireCampaign(archive, campaignId);
  if (campaign.conclusion !== null && campaign.state === 'finished') return campaign.conclusion;
  const { judged: verdicts, detectable } = await judgeFinalists(archive, campaignId);
  const judged = await storeVerdicts(archive, verdicts);
  const exported = judged.filter(({ verdict }) => verdict.verdict === 'better').slice(0, 3);
  const bundles = exported.length > 0 ? exported : judged.slice(0, 1);
  const written = await Promise.all(bundles.map(({ experiment }) => bundleOf(dependencies, experiment.id)));
  const bundleFailures = written.filter((end) => typeof end !== 'string');
  const reportPath = join(reportsFolder, `${campaignId}.html`);
  const found = concludeFrom(
    judged.map(({ experiment, verdict }) => ({ name: nameOf(experiment), verdict })),
    detectable,
  );
  const warning = judged.length === 0 ? '' : looksWarning(await campaignLooks(archive, campaign.data.hash));
  const bar = judged.length === 0 ? null : controlsBar(campaign.controls ?? []);
  const conclusion: Conclusion = {
    verdict: found.verdict,
    statement: [found.statement, bar === null ? '' : `Nothing could be called better, because ${bar}.`, warning]
      .filter((text) => text !== '')
      .join(' '),
    ...(judged.length === 0 ? await whyUnconfirmed(archive, campaignId) : {}),
    finalists: judged.map(({ experiment, verdict }) => ({
      experimentId: experiment.id,
      name: nameOf(experiment),
      effect: verdict.effect,
      verdict: verdict.statement,
    })),
    reportPath,
    bundlePaths: written.filter((end) => typeof end === 'string'),
    ...(bundleFailures.length === 0 ? {} : { bundleFailures }),
  };
  // The report shows the conclusion, so that comes first; it is written again by a retry.
  await changeCampaign(archive, campaignId, () => ({ conclusion }));
  const reportFailure = await writeReport(dependencies, { campaignId, reportPath });
  const told = reportFailure === null ? conclusion : { ...conclusion, reportPath: null, reportFailure };
  await changeCampaign(archive, campaignId, () => ({
    conclusion: told,
    state: 'finished',
    finishedAt: now().toISOString(),
  }));
  return told;
};

/** What a file system said that takes no file here; null for anything else. Verdicts do not depend on a file that can be written later. */
const fileFault = (error: unknown): string | null => {
  if (error instanceof ArchiveUnavailableError || error instanceof ArtifactsUnavailableError) return null;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.message : null;
};

const campaignLooks = async (archive: Archive, dataHash: string): Promise<CampaignLooks> => {
  const count = async (set: ScoreSet): Promise<number> =>
    (await archive.countLooks({ dataHash, set, uncounted: uncountedRungs })).campaigns;
  const [search, promotion, champion] = await Promise.all([count('search'), count('promotion'), count('champion')]);
  return { search, promotion, champion };
};

/** Its path, or why there is none: the conclusion does not depend on it, and says so. */
const bundleOf = async (
  { archive, artifacts, bundlesFolder, scoreLists }: ConcludeDependencies,
  experimentId: string,
): Promise<string | NonNullable<Conclusion['bundleFailures']>[number]> => {
  try {
    return (await exportBundle({ experimentId, folder: bundlesFolder, archive, artifacts, scoreLists })).path;
  } catch (error) {
    if (error instanceof ExportRefusedError) return { experimentId, detail: error.detail };
    if (error instanceof CorruptArtifactError) return { experimentId, detail: error.message };
    const fault = fileFault(error);
    if (fault === null) throw error;
    return { experimentId, detail: `${fault}. Once that is mended, npx asi export ${experimentId} writes it` };
  }
};

const storeVerdicts = async (
  archive: Archive,
  judged: readonly { readonly id: string; readonly verdict: Verdict }[],
): Promise<readonly { readonly experiment: Experiment; readonly verdict: Verdict }[]> => {
  const stored: { experiment: Experiment; verdict: Verdict }[] = [];
  for (const { id, verdict } of judged) {
    const written = await archive.setVerdict(id, verdict);
    const experiment = written.ok ? written.value : written.current;
    // A retry finds the verdict of the first attempt, which stays.
    if (experiment !== null) stored.push({ experiment, verdict: experiment.verdict ?? verdict });
  }
  return stored;
};

/** Without a verdict the conclusion says what stood in the way. */
const whyUnconfirmed = async (archive: Archive, campaignId: string): Promise<Partial<Pick<Conclusion, 'statement'>>> => {
  const { finalists } = await chooseFinalists(archive, campaignId);
  const trials = (await Promise.all(finalists.map((experimentId) => archive.listTrials({ experimentId })))).flat();
  const audits = (await Promise.all(finalists.map((id) => archive.listAudits(id)))).flat();
  const refused = audits.find(({ passed }) => !passed);
  const failure = trials.find((trial) => trial.purpose === 'confirm' && trial.failure !== null)?.failure;
  if (refused === undefined && failure == null) return {};
  const how =
    refused === undefined
      ? `The first of them ended with ${failure?.label}: ${failure?.detail}`
      : `${refused.experimentId} failed the gates with ${refused.cuts} cuts: ${refused.detail}`;
  return { statement: `No finalist could be confirmed on fresh seeds, so nothing was found. ${how}.` };
};

/** Why it could not be written; null where it was. */
const writeReport = async (
  { archive, artifacts, reportsFolder }: ConcludeDependencies,
  { campaignId, reportPath }: { campaignId: string; reportPath: string },
): Promise<string | null> => {
  const html = await renderReport({ campaignId, archive, artifacts });
  try {
    makeFolder(reportsFolder);
    await writeFile(`${reportPath}.new`, html);
    await rename(`${reportPath}.new`, reportPath);
    return null;
  } catch (error) {
    const fault = fileFault(error);
    if (fault === null) throw error;
    return `${fault}. Once that is mended, npx asi report ${campaignId} writes it`;
  }
};
