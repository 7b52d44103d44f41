import type { Archive } from '../../services/archive/archive.ts';
import { noiseExperiments } from '../../services/export/noise-experiments.ts';
import type { ConfirmationPlan } from '../../workflows/contracts/activities.ts';
import type { Verdict } from '../../workflows/contracts/experiment.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import type { Score } from '../../workflows/contracts/score.ts';
import { pickFinalists } from '../../workflows/rules/verdict.ts';
import { referenceId } from './calibrate.ts';
import { nameOf } from './digest.ts';
import { requireCampaign } from './experiment-record.ts';
import { type Bench, benchOf, detectableIn, finalVerdict, walk } from './finalist-verdict.ts';

/** The best candidates by fitness, and the baselines that each of them must beat: the reference and the strongest other. */
export const chooseFinalists = async (
  archive: Archive,
  campaignId: string,
): Promise<{ finalists: readonly string[]; baselines: readonly string[] }> => {
  const { settings } = await requireCampaign(archive, campaignId);
  const numBaselines = settings.baselines.length;
  // Best first, so that the finalists are among so many, whatever the size of the campaign. The reference may rank below them.
  const [leaders, baselines] = await Promise.all([
    archive.leaderboard(campaignId, settings.finalists + numBaselines),
    archive.listExperiments(campaignId, { kinds: ['baseline'], states: ['recorded'] }),
  ]);
  return pickFinalists({
    experiments: [
      ...leaders.filter(({ kind }) => kind !== 'baseline'),
      ...baselines.map(({ id, kind, number, fitness }) => ({ id, kind, number, fitness: fitness?.value ?? null })),
    ],
    finalists: settings.finalists,
    referenceId: referenceId(campaignId),
  });
};

interface OpenBench extends Bench {
  readonly finalists: readonly string[];
}

const openBench = async (archive: Archive, campaignId: string): Promise<OpenBench> => {
  const campaign = await requireCampaign(archive, campaignId);
  const { finalists, baselines } = await chooseFinalists(archive, campaignId);
  const rowsOf = (experimentId: string): Promise<readonly Score[]> => archive.listScores({ experimentId });
  const noise = await noiseExperiments(archive, campaign);
  const bench = benchOf({
    settings: campaign.settings,
    baselines: await Promise.all(
      baselines.map(async (id) => ({ id, name: nameOf((await archive.getExperiment(id)) ?? missing(id)) })),
    ),
    scores: (await Promise.all([...finalists, ...baselines].map(rowsOf))).flat(),
    noise: await Promise.all(noise.map(async (experimentId) => ({ experimentId, scores: await rowsOf(experimentId) }))),
  });
  return { ...bench, finalists };
};

/** Which seeds the next look needs, of whom; read `DiscoveryActivities.planConfirmation`. */
export const planConfirmation = async (
  archive: Archive,
  { campaignId, numTried }: { readonly campaignId: string; readonly numTried: number },
): Promise<ConfirmationPlan> => {
  const bench = await openBench(archive, campaignId);
  const walks = bench.finalists.map((id) => ({ id, confirmation: walk(bench, id, numTried) }));
  const open = walks.filter(({ confirmation }) => confirmation.nextSeeds.length > 0);
  const better = walks.filter(({ confirmation }) => confirmation.verdict?.verdict === 'better').map(({ id }) => id);
  const baselines = bench.baselines.map(({ id }) => id);
  return {
    seeds: open[0]?.confirmation.nextSeeds ?? [],
    finalists: open.map(({ id }) => id),
    baselines: open.length > 0 ? baselines : [],
    champions: open.length > 0 ? [] : better,
    championTrials: open.length > 0 || better.length === 0 ? [] : await scoredTrials(archive, [...better, ...baselines]),
    reason: walks.map(({ id, confirmation }) => `${id.split('/')[1]}: ${confirmation.reason}`).join('; '),
  };
};

const scoredTrials = async (archive: Archive, ids: readonly string[]): Promise<readonly string[]> => {
  const trials = await Promise.all(ids.map((experimentId) => archive.listTrials({ experimentId })));
  return trials
    .flat()
    .filter(({ purpose, state }) => purpose === 'confirm' && state === 'scored')
    .map(({ id }) => id);
};

/** The verdict of every finalist that can be compared, fittest first. Nothing is written. */
export const judgeFinalists = async (
  archive: Archive,
  campaignId: string,
): Promise<{
  readonly judged: readonly { readonly id: string; readonly verdict: Verdict }[];
  readonly detectable: number | null;
}> => {
  const bench = await openBench(archive, campaignId);
  const judged = await Promise.all(
    bench.finalists.map(async (id) => {
      const [trials, audits] = await Promise.all([archive.listTrials({ experimentId: id }), archive.listAudits(id)]);
      const { verdict } = finalVerdict(bench, { id, trials, audits });
      return verdict === null ? [] : [{ id, verdict }];
    }),
  );
  return { judged: judged.flat(), detectable: detectableIn(bench) };
};

const missing = (id: string): never => {
  throw new Error(`baseline ${id} of ${campaignOf(id)} has left the archive`);
};
