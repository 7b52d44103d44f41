import type { Archive } from '../../services/archive/archive.ts';
import { auditCuts, type ConfirmationPlan } from '../../workflows/contracts/activities.ts';
import type { Audit } from '../../workflows/contracts/audit.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment, Verdict } from '../../workflows/contracts/experiment.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import type { Metric } from '../../workflows/contracts/score.ts';
import { confirmOnChampion } from '../../workflows/rules/champion.ts';
import { type Confirmation, walkConfirmation } from '../../workflows/rules/confirmation.ts';
import { detectableGain } from '../../workflows/rules/detectable.ts';
import { numNoiseRows } from '../../workflows/rules/pool.ts';
import { type ConfirmationDesign, confirmationDesign } from '../../workflows/rules/sequential-design.ts';
import { floorOf, pooled, residualSpread, type Spread } from '../../workflows/rules/spread.ts';
import { recallLoss, tradeWords } from '../../workflows/rules/trade.ts';
import { allConfirmSeeds, calibrationSeeds } from '../../workflows/rules/trial-seeds.ts';
import { pickFinalists } from '../../workflows/rules/verdict.ts';
import { referenceId } from './calibrate.ts';
import { nameOf } from './digest.ts';
import { requireCampaign } from './experiment-record.ts';
import { ScoreTable } from './score-table.ts';

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

export interface Confirmed {
  readonly experiment: Experiment;
  readonly confirmation: Confirmation;
}

/** Everything the verdicts are made of. */
interface Bench {
  readonly campaign: Campaign;
  readonly design: ConfirmationDesign;
  readonly seeds: readonly number[];
  readonly table: ScoreTable;
  /** Of the champion set, asked once. */
  readonly championTable: ScoreTable;
  readonly finalists: readonly string[];
  readonly baselines: readonly { readonly id: string; readonly name: string }[];
  readonly noise: (metric: Metric) => Spread | null;
}

const openBench = async (archive: Archive, campaignId: string): Promise<Bench> => {
  const campaign = await requireCampaign(archive, campaignId);
  const { finalists, baselines } = await chooseFinalists(archive, campaignId);
  const ids = [...finalists, ...baselines];
  return {
    campaign,
    design: confirmationDesign(campaign.settings),
    seeds: allConfirmSeeds(campaign.settings),
    table: await ScoreTable.ofExperiments(archive, ids),
    championTable: await ScoreTable.ofExperiments(archive, ids, ['champion']),
    finalists,
    baselines: await Promise.all(
      baselines.map(async (id) => ({ id, name: nameOf((await archive.getExperiment(id)) ?? missing(id)) })),
    ),
    noise: await exploringNoise(archive, campaign),
  };
};

/**
 * What seeds alone did while exploring: all baselines and the fitter half of the others, fifty at most. Those are as good as what
 * a verdict is about, and many more than the baselines, so that intervals need not allow for an unknown spread as much. Choosing
 * by the mean does not touch the spread around it.
 */
const exploringNoise = async (archive: Archive, campaign: Campaign): Promise<(metric: Metric) => Spread | null> => {
  const counts = await archive.countExperiments(campaign.id);
  const half = numNoiseRows(counts.recorded);
  const [leaders, baselines] = await Promise.all([
    archive.leaderboard(campaign.id, half),
    archive.listExperiments(campaign.id, { kinds: ['baseline'] }),
  ]);
  const ids = [...new Set([...baselines, ...leaders].map(({ id }) => id))];
  const table = await ScoreTable.ofExperiments(archive, ids);
  const seeds = calibrationSeeds(campaign.settings);
  return (metric) =>
    residualSpread(
      ids.map((id) => table.values(id, { metric, seeds })),
      seeds,
    );
};

const walk = ({ design, seeds, table, baselines, noise }: Bench, id: string, numTried: number): Confirmation => {
  const metric = 'bits-per-byte';
  const values = (of: string) => table.values(of, { metric, seeds });
  return walkConfirmation({
    metric,
    design,
    seeds,
    numTried,
    noise: noise(metric),
    candidate: values(id),
    baselines: baselines.map((baseline) => ({ name: baseline.name, values: values(baseline.id) })),
  });
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
      const { verdict } = walk(bench, id, await numTriedOf(archive, bench, id));
      if (verdict === null) return [];
      const held = withChampion(bench, id, withTrade(bench, id, verdict));
      return [{ id, verdict: held.verdict === 'better' ? withAudit(await archive.listAudits(id), held) : held }];
    }),
  );
  return { judged: judged.flat(), detectable: detectableIn(bench) };
};

/** Fresh seeds of the last look that was begun: a seed whose trial failed was tried all the same. */
const numTriedOf = async (archive: Archive, { seeds, design }: Bench, experimentId: string): Promise<number> => {
  const trials = await archive.listTrials({ experimentId });
  const last = trials.reduce((most, { seed, purpose }) => Math.max(most, purpose === 'confirm' ? seeds.indexOf(seed) : -1), -1);
  return design.looks.find((upTo) => upTo > last && last >= 0) ?? 0;
};

const withTrade = (bench: Bench, id: string, verdict: Verdict): Verdict => {
  if (verdict.effect.mean <= 0) return verdict;
  const metric = 'recall-auc';
  const { table, seeds, baselines, noise } = bench;
  const loss = recallLoss({
    candidate: table.values(id, { metric, seeds }),
    baselines: baselines.map((baseline) => ({ name: baseline.name, values: table.values(baseline.id, { metric, seeds }) })),
    noise: noise(metric),
  });
  return { ...verdict, statement: `${verdict.statement}${tradeWords(loss)}` };
};

/** A "better" must hold again on the champion set. */
const withChampion = ({ championTable, seeds, baselines, noise }: Bench, id: string, verdict: Verdict): Verdict => {
  const metric = 'bits-per-byte';
  const values = (of: string) => championTable.values(of, { metric, seeds });
  const rivals = baselines.map((baseline) => ({ name: baseline.name, values: values(baseline.id) }));
  return confirmOnChampion({ metric, verdict, candidate: values(id), baselines: rivals, noise: noise(metric) });
};

/** Nothing is called better whose program was not audited with the cuts of a champion, or did not stand. */
const withAudit = (audits: readonly Audit[], verdict: Verdict): Verdict => {
  const failed = audits.find(({ passed }) => !passed);
  if (failed === undefined && audits.some(({ cuts }) => cuts >= auditCuts.champion)) return verdict;
  const why =
    failed === undefined
      ? `the gates could not be run with ${auditCuts.champion} cuts`
      : `the gates with ${failed.cuts} cuts ended with ${failed.label}: ${failed.detail}`;
  return { ...verdict, verdict: 'not-distinguishable', statement: `${verdict.statement} Not called better, because ${why}.` };
};

/** Bits per byte that a true gain needs to be called better nine times in ten, with all that is known of the noise by now. */
const detectableIn = ({ design, table, seeds, baselines, noise }: Bench): number | null => {
  const metric = 'bits-per-byte';
  const first = seeds.slice(0, design.looks[0]);
  const fresh = residualSpread(
    baselines.map(({ id }) => table.values(id, { metric, seeds: first })),
    first,
  );
  const floor = floorOf(pooled([noise(metric), fresh]));
  return floor === null ? null : floor.pairedSd * detectableGain({ design, floorDegrees: floor.degreesOfFreedom });
};

const missing = (id: string): never => {
  throw new Error(`baseline ${id} of ${campaignOf(id)} has left the archive`);
};
